"""Folders as people have them: other files, other sizes, lost manifests."""

import json

import numpy as np
import pytest
from image_folders import CHINA, FLOWER, assert_same, document, load, save, save_small
from key_arrays import BYTES
from PIL import Image

from tfpe import Key, Preparation
from tfpe.cli import main
from tfpe.errors import CipherOptionError, ManifestError
from tfpe.files import decrypt_folder, encrypt_folder
from tfpe.files.others import MAGICS, SUFFIXES

KEY = Key(bytes(range(32)))
NO_PICTURES = {
    "README.txt": b"photographs of 2024",
    "labels.csv": b"a.png,1",
    "Thumbs.db": b"\xd0\xcf\x11\xe0",
    ".DS_Store": b"\0\0\0\1Bud1",
    "notes.json": b"{}",
    "song.m4a": b"\0\0\0\x20ftypM4A ",
    "BMW": b"BMW is a car",
    "empty": b"",
}


@pytest.fixture
def small(tmp_path):
    return save_small(tmp_path / "small")


@pytest.fixture
def key_file(tmp_path):
    KEY.save(tmp_path / "owner.key")
    return str(tmp_path / "owner.key")


def write(folder, files):
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


# --- files that are no images, and others that are ------------------------------------


def test_pictures_of_other_kinds_are_named(small, tmp_path, key_file, capsys):
    unread = [suffix for suffix, kind in SUFFIXES.items() if kind != "DICOM"]
    others = {f"scan{suffix}": b"" for suffix in unread} | {"SCAN.NII.GZ": b""}
    magics = [row for row in MAGICS if row[2] != "DICOM"]
    magics += [(0, b"BM" + bytes(8), "a BMP picture")]
    for number, (place, start, _) in enumerate(magics):
        others[f"series/IM{number:04d}"] = bytes(place) + start
    write(small, others | NO_PICTURES)
    write(small, {"photo.jpg.bak": (small / "a.png").read_bytes()})
    summary = encrypt_folder(small, tmp_path / "secret", KEY, "pbe")
    assert (summary.written, summary.ignored) == (3, len(NO_PICTURES))
    assert [path for path, _ in summary.failed] == sorted([*others, "photo.jpg.bak"])
    assert "a medical volume" in dict(summary.failed)["SCAN.NII.GZ"]
    arguments = ["encrypt", "-k", key_file, "--cipher", "pbe", str(small), "-o"]
    assert main([*arguments, str(tmp_path / "secret")]) == 1
    told = capsys.readouterr().err
    assert "series/IM0000: This looks like a PNG" in told
    assert "SCAN.NII.GZ, scan.hdr" in told and "like a medical volume" in told
    assert main([*arguments, str(tmp_path / "secret"), "--skip-others"]) == 0
    skipped = len(others) + len(NO_PICTURES) + 1
    assert f"{skipped} other files ignored" in capsys.readouterr().err


def test_a_picture_taken_out_of_the_source_is_told(small, tmp_path, key_file, capsys):
    arguments = ["encrypt", "-k", key_file, "--cipher", "le", str(small)]
    arguments += ["-o", str(tmp_path / "secret")]
    assert main(arguments) == 0 and "gone" not in capsys.readouterr().err
    (small / "b.png").unlink()
    assert main(arguments) == 0
    told = capsys.readouterr().err
    assert "1 encrypted images whose source is gone stay in the output: b.png" in told
    assert (tmp_path / "secret" / "b.png").exists()
    # One image of a folder says nothing of the others.
    assert encrypt_folder(small / "a.png", tmp_path / "secret", KEY, "le").gone == []


# --- preparation ----------------------------------------------------------------------


@pytest.mark.parametrize("cipher", ["ele", "pbe"])
@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_one_size_in_and_out(tmp_path, cipher, fit):
    images = {
        "wide.png": CHINA[:40, :90],
        "tall/gray.png": FLOWER[:70, :30, 1],
        "fits.png": CHINA[:21, :30],
    }
    plain = save(tmp_path / "plain", images)
    preparation = Preparation((21, 30), fit, "rgb")
    secret, again = tmp_path / "secret", tmp_path / "again"
    summary = encrypt_folder(plain, secret, KEY, cipher, preparation=preparation)
    assert (summary.written, summary.lost) == (3, {"size": 2})
    header = document(secret)
    assert header["preparation"] == {"size": [21, 30], "fit": fit, "color": "rgb"}
    lost = [entry.get("lost") for entry in header["images"]]
    assert lost == [None, ["size"], ["size"]]
    assert decrypt_folder(secret, again, KEY).written == 3
    expected = {
        path: preparation.apply(pixels.reshape(*pixels.shape[:2], -1))
        for path, pixels in images.items()
    }
    assert_same(load(again), expected)
    np.testing.assert_array_equal(expected["fits.png"], images["fits.png"])
    # The same command goes on; another preparation would mix the folder.
    summary = encrypt_folder(plain, secret, KEY, cipher, preparation=preparation)
    assert (summary.written, summary.skipped) == (0, 3)
    for other in (None, Preparation((21, 30), fit)):
        with pytest.raises(ManifestError, match="`preparation` should be"):
            encrypt_folder(plain, secret, KEY, cipher, preparation=other)


def test_conversions_from_the_command_line(tmp_path, key_file, capsys):
    plain = tmp_path / "plain"
    plain.mkdir()
    photo = Image.fromarray(CHINA[:30, :40])
    photo.convert("CMYK").save(plain / "print.jpg")
    photo.save(plain / "film.gif", save_all=True, append_images=[photo.rotate(9)])
    photo.putalpha(photo.convert("L"))
    photo.save(plain / "logo.webp", lossless=True)
    arguments = ["encrypt", "-k", key_file, "--cipher", "pbe", str(plain), "-o"]
    assert main([*arguments, str(tmp_path / "refused")]) == 1
    told = capsys.readouterr().err
    for path in ("print.jpg", "film.gif", "logo.webp"):
        assert f"tfpe: {path}: Images should be" in told
    more = ["--convert", "--gray", "--size", "16x24", "--json"]
    assert main([*arguments, str(tmp_path / "secret"), *more]) == 0
    out, told = capsys.readouterr()
    lost = {"cmyk": 1, "colors": 3, "frames": 1, "size": 3, "transparency": 1}
    assert json.loads(out)["lost"] == lost
    assert "Lost for good" in told and "transparency of 1 image" in told
    entries = {
        entry["path"]: entry for entry in document(tmp_path / "secret")["images"]
    }
    assert entries["film.png"]["lost"] == ["frames", "size", "colors"]
    assert {pixels.shape for pixels in load(tmp_path / "secret").values()} == {(16, 24)}


def test_wrong_preparations_write_nothing(small, tmp_path, key_file, capsys):
    arguments = ["encrypt", "-k", key_file, str(small), "-o", str(tmp_path / "secret")]
    assert main([*arguments, "--cipher", "le", "--fit", "pad"]) == 1
    assert "--fit needs --size" in capsys.readouterr().err
    for wrong in (["--size", "224"], ["--size", "0x4"], ["--gray", "--rgb"]):
        with pytest.raises(SystemExit):
            main([*arguments, *wrong])
    with pytest.raises(CipherOptionError, match="tfpe.Preparation"):
        encrypt_folder(small, tmp_path / "secret", KEY, preparation=(8, 8))
    assert not (tmp_path / "secret").exists()


# --- a lost manifest ------------------------------------------------------------------


@pytest.mark.parametrize("cipher", BYTES)
def test_folders_come_back_without_their_manifest(tmp_path, cipher):
    images = {"a.png": CHINA[:21, :30], "deep/b.png": FLOWER[:21, :30, 0]}
    plain = save(tmp_path / "plain", images)
    encrypt_folder(plain, tmp_path / "secret", KEY, cipher)
    (tmp_path / "secret/manifest.json").unlink()
    with pytest.raises(ManifestError, match="give `cipher` and `size`"):
        decrypt_folder(tmp_path / "secret", tmp_path / "again", KEY)
    with pytest.warns(UserWarning, match="nothing tells whether key"):
        summary = decrypt_folder(
            tmp_path / "secret", tmp_path / "again", KEY, cipher=cipher, size=(21, 30)
        )
    assert (summary.written, summary.failed) == (2, [])
    assert_same(load(tmp_path / "again"), images)
    with pytest.warns(UserWarning):  # without the size, whole blocks stay whole
        decrypt_folder(
            tmp_path / "secret/a.png", tmp_path / "padded", KEY, cipher=cipher
        )
    padded = load(tmp_path / "padded")["a.png"]
    np.testing.assert_array_equal(padded[:21, :30], images["a.png"])


def test_a_lost_manifest_from_the_command_line(small, tmp_path, key_file, capsys):
    secret, again = str(tmp_path / "secret"), str(tmp_path / "again")
    names = ["--hide-names", str(tmp_path / "names.json")]
    options = ["--cipher", "etc_gray", "--option", "block_size=4"]
    options += ["--option", "fold=false"]
    encrypt = ["encrypt", "-k", key_file, *options, str(small), "-o", secret]
    assert main([*encrypt, *names]) == 0
    decrypt = ["decrypt", "-k", key_file, secret, "-o", again]
    decrypt += ["--names", str(tmp_path / "names.json")]
    # With the manifest: what agrees is taken, what does not is refused.
    assert main([*decrypt, *options]) == 0
    for wrong in (["--cipher", "ele"], ["--size", "9x9"], ["--option", "block_size=8"]):
        assert main([*decrypt, "--force", *wrong]) == 1
        assert "manifest" in capsys.readouterr().err
    (tmp_path / "secret/manifest.json").unlink()
    assert main(decrypt) == 1
    assert main([*decrypt, "--force", *options, "--size", "9x9"]) == 0
    told = capsys.readouterr().err
    assert "warning: Without manifest.json" in told and "sub-key of their own" in told
    assert_same(load(tmp_path / "again"), load(small))
    assert main([*decrypt, "--force", *options, "--size", "21x9"]) == 1
    assert "should be of 24x12" in capsys.readouterr().err
    assert_same(load(tmp_path / "again"), load(small))
