"""Folders of JPEG ciphertexts: smaller, lossy as JPEG is, and told to be."""

import functools
import json

import numpy as np
import pytest
from image_folders import CHINA, FLOWER, contents, document, load, save
from PIL import Image

from tfpe import CIPHERS, Key, Preparation
from tfpe.cli import main
from tfpe.errors import CipherOptionError, ManifestError
from tfpe.files import decrypt_folder, encrypt_folder
from tfpe.files.coded_ciphertexts import survives_jpeg
from tfpe.lab.evaluation.attack_files import (
    pairs_of,
    read_ciphertexts,
    read_plain,
    read_truth,
)
from tfpe.metrics import jpeg_round_trip, psnr

KEY = Key(bytes(range(32)))
SURVIVING = {
    "etc": {"block_size": 16},
    "etc_gray": {"block_size": 16, "fold": False},
    "iib": {"block_size": 16, "sub_block_size": 8},
}
ETC = functools.partial(encrypt_folder, key=KEY, cipher="etc", block_size=16)


@pytest.fixture
def plain(tmp_path):
    # The second is no multiple of the blocks, the third is gray.
    images = {
        "china.png": CHINA[200:296, 200:344],
        "flowers/rose.png": FLOWER[100:205, 200:331],
        "gray.png": np.ascontiguousarray(CHINA[200:296, 300:396, 1]),
    }
    save(tmp_path / "plain", images)
    return tmp_path / "plain"


def images_of(folder):
    return {name: np.atleast_3d(image) for name, image in load(folder).items()}


def kept(image, quality, planes):
    """PSNR of what JPEG makes of an image, as colours or plane by plane."""
    parts = np.split(image, image.shape[2], axis=2) if planes else [image]
    trips = [jpeg_round_trip(part, quality, "4:4:4")[0] for part in parts]
    return psnr(image, np.concatenate(trips, axis=2))


@pytest.mark.parametrize("name", SURVIVING)
@pytest.mark.parametrize("quality", [75, 95])
def test_images_come_back_as_far_as_jpeg_keeps_them(name, quality, plain, tmp_path):
    if name == "etc_gray":  # of colours only
        (plain / "gray.png").unlink()
    count = len(load(plain))
    arguments = {"key": KEY, "cipher": name, **SURVIVING[name]}
    encrypt_folder(plain, tmp_path / "png", **arguments)
    summary = encrypt_folder(plain, tmp_path / "sent", **arguments, jpeg=quality)
    assert (summary.written, summary.failed) == (count, [])
    lossy = {"format": "JPEG", "quality": quality, "subsampling": "4:4:4"}
    assert document(tmp_path / "sent")["lossy"] == lossy
    assert "lossy" not in document(tmp_path / "png")
    files = [contents(tmp_path / folder).values() for folder in ("sent", "png")]
    small, large = (sum(map(len, data)) for data in files)
    assert small < (0.6 if quality < 90 else 0.8) * large
    assert decrypt_folder(tmp_path / "sent", tmp_path / "again", KEY).written == count
    again = images_of(tmp_path / "again")
    for path, image in images_of(plain).items():
        shown = psnr(image, again[path])
        assert shown > kept(image, quality, name == "etc_gray") - 1.5
        assert (image != again[path]).any()


@pytest.mark.parametrize(
    "name", [name for name, row in CIPHERS.items() if row.traits().gives_bytes]
)
def test_ciphers_that_do_not_survive_are_refused_by_name(name, plain, tmp_path):
    if survives_jpeg(CIPHERS[name], {}):
        assert not CIPHERS[name].traits().keyed  # what is no encryption
        return
    match = rf"squares.*etc \(block_size=16\), etc_gray.*iib.*Received: {name} with"
    with pytest.raises(CipherOptionError, match=match):
        encrypt_folder(plain, tmp_path / "sent", KEY, name, jpeg=90)
    assert not (tmp_path / "sent").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        *({"jpeg": quality} for quality in (0, 101, 7.5, True, "90")),
        {"jpeg": 90, "preparation": Preparation(depth=16)},
        {"jpeg": 90, "cipher": "iib", "sub_block_size": 4},
        {"jpeg": 90, "cipher": "iib", "sub_block_size": 8, "turns": "per_channel"},
    ],
    ids=str,
)
def test_what_does_not_fit_writes_nothing(arguments, plain, tmp_path):
    with pytest.raises(CipherOptionError, match="`jpeg`.*Received"):
        ETC(plain, tmp_path / "sent", **arguments)
    assert not (tmp_path / "sent").exists()


@pytest.mark.parametrize("begun, after", [(90, 75), (90, None), (None, 90)])
@pytest.mark.parametrize("force", [False, True])
def test_a_folder_holds_one_kind(begun, after, force, plain, tmp_path):
    ETC(plain, tmp_path / "sent", jpeg=begun)
    before = contents(tmp_path)
    with pytest.raises(ManifestError, match="`lossy` should be"):
        ETC(plain, tmp_path / "sent", jpeg=after, force=force)
    assert contents(tmp_path) == before
    assert ETC(plain, tmp_path / "sent", jpeg=begun).skipped == 3


def test_any_changed_byte_is_told(plain, tmp_path):
    """JPEG has no checksum, so the digest is of its bytes."""
    ETC(plain, tmp_path / "sent", jpeg=90)
    file = tmp_path / "sent/china.jpg"
    whole, random = file.read_bytes(), np.random.default_rng(0)
    for place in [0, len(whole) - 1, *random.integers(0, len(whole), 30)]:
        changed = bytearray(whole)
        changed[place] ^= 1 << random.integers(8)
        file.write_bytes(changed)
        summary = decrypt_folder(file, tmp_path / "again", KEY, force=True)
        assert [path for path, _ in summary.failed] == ["china.jpg"]
    for end in random.integers(0, len(whole), 10):
        file.write_bytes(whole[:end])
        summary = decrypt_folder(tmp_path / "sent", tmp_path / "again", KEY)
        assert [path for path, _ in summary.failed] == ["china.jpg"]
    assert not (tmp_path / "again/china.png").exists()
    # A run with force writes it anew, to the same bytes; one without says so.
    assert [path for path, _ in ETC(plain, tmp_path / "sent", jpeg=90).failed]
    ETC(plain, tmp_path / "sent", jpeg=90, force=True)
    assert file.read_bytes() == whole


def test_hidden_names_and_keys_of_images(plain, tmp_path):
    file = tmp_path / "names.json"
    ETC(plain, tmp_path / "sent", jpeg=95, hide_names=file, per_image=True)
    assert not {"china.jpg", "gray.jpg"} & set(contents(tmp_path / "sent"))
    decrypt_folder(tmp_path / "sent", tmp_path / "again", KEY, names=file)
    assert set(load(tmp_path / "again")) == set(load(plain))


def test_without_the_manifest(plain, tmp_path):
    ETC(plain, tmp_path / "sent", jpeg=95)
    decrypt_folder(tmp_path / "sent", tmp_path / "with", KEY)
    (tmp_path / "sent/manifest.json").unlink()
    with pytest.warns(UserWarning, match="Without manifest.json"):
        options = {"cipher": "etc", "block_size": 16, "size": (96, 144)}
        file = tmp_path / "sent/china.jpg"
        assert decrypt_folder(file, tmp_path / "without", KEY, **options).written == 1
    again = load(tmp_path / "with")["china.png"]
    np.testing.assert_array_equal(load(tmp_path / "without")["china.png"], again)


def test_from_the_command_line(plain, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    KEY.save("owner.key")
    call = ["encrypt", "-q", "-k", "owner.key", "plain", "-o", "sent"]
    iib = ["--cipher", "iib", "--option", "block_size=16", "--option"]
    assert main([*call, *iib, "sub_block_size=8", "--jpeg", "90"]) == 0
    assert "what JPEG of 90 kept" in capsys.readouterr().err
    with Image.open("sent/china.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (144, 96))
    assert main(["decrypt", "-q", "-k", "owner.key", "sent", "-o", "again"]) == 0
    assert set(load(tmp_path / "again")) == set(load(plain))
    assert main([*call[:-1], "other", "--cipher", "le", "--jpeg", "90"]) == 1
    assert "Received: le with" in capsys.readouterr().err
    assert json.loads((tmp_path / "sent/manifest.json").read_text())["lossy"]


def test_an_attacker_pairs_them_by_name(plain, tmp_path):
    ETC(plain, tmp_path / "sent", jpeg=90)
    found = read_ciphertexts(tmp_path / "sent", size=(96, 144))
    known, _ = read_plain(plain, found.images.shape[1:], 16)
    names, images, _ = pairs_of(known, found)
    assert names == ["china.jpg"]
    np.testing.assert_array_equal(images[0], load(plain)["china.png"])
    truth, missing = read_truth(plain, names, images.shape[1:], 16)
    assert list(truth) == names and not missing
