"""DICOM and 16-bit gray through folders: exact, stated, and nothing of the patient."""

import json
import logging

import numpy as np
import pytest
from dicom_files import PLANTED, dicom_bytes, pydicom, slices
from image_folders import CHINA, contents, document, load, save

from tfpe import Key, Preparation
from tfpe.cli import main
from tfpe.errors import ManifestError
from tfpe.files import decrypt_folder, encrypt_folder
from tfpe.pixels.depth import window_levels

KEY = Key(bytes(range(32)))
DEEP = Preparation(depth=16)


@pytest.fixture
def scans(tmp_path):
    """DICOM files with and without a suffix, 16-bit PNG and 8-bit PNG of one patient.

    Returns the folder, and path -> pixels after decryption.
    """
    signed, unsigned = slices(2), slices(2, dtype=np.uint16)
    dicoms = {
        "ct/a.dcm": dicom_bytes(signed[0], 12, RescaleIntercept=-24, RescaleSlope=2),
        "ct/1.2.840.4711": dicom_bytes(signed[1]),
        "ct/1.2.840.4712": dicom_bytes(unsigned[0], 12),
        "mammo/IM0001": dicom_bytes(unsigned[1], 12, "MONOCHROME1"),
        "mammo/b.IMA": dicom_bytes(CHINA[:9, :7, 0], 8),
        "mammo/c.dicom": dicom_bytes(CHINA[:9, :7], 8, "RGB"),
    }
    folder = tmp_path / "scans"
    for path, data in dicoms.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    words = CHINA[:10, :13, 0].astype(np.uint16) * 255 + CHINA[:10, :13, 1]
    save(folder, {"photos/deep.png": words, "photos/flat.png": CHINA[:10, :13]})
    (folder / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + b"PLANT-4711")
    return folder, {
        "ct/a.png": (signed[0].astype(int) + 2**15).astype(np.uint16),
        "ct/1.2.840.4711.png": (signed[1].astype(int) + 2**15).astype(np.uint16),
        "ct/1.2.840.4712.png": unsigned[0],
        "mammo/IM0001.png": unsigned[1],
        "mammo/b.png": CHINA[:9, :7, 0],
        "mammo/c.png": CHINA[:9, :7],
        "photos/deep.png": words,
        "photos/flat.png": CHINA[:10, :13],
    }


def assert_equal(images, expected):
    assert sorted(images) == sorted(expected)
    for path, pixels in expected.items():
        np.testing.assert_array_equal(images[path], pixels, err_msg=path)
        assert images[path].dtype == pixels.dtype, path


def spellings(text):
    """`text` as files may hold it."""
    kinds = "utf-8", "utf-16-le", "utf-16-be"
    return [word.encode(kind) for word in (text, text.upper()) for kind in kinds]


def assert_nothing_of_the_patient(data):
    for value in PLANTED.values():
        for word in (value, *value.split("^")):
            for spelling in spellings(word):
                assert spelling not in data, word


@pytest.mark.parametrize("cipher", ["pbe", "ele", "etc", "etc_gray", "logistic"])
@pytest.mark.parametrize("per_image", [False, True])
def test_words_come_back_exactly(scans, tmp_path, cipher, per_image):
    folder, expected = scans
    settings = {"preparation": DEEP, "per_image": per_image}
    summary = encrypt_folder(folder, tmp_path / "secret", KEY, cipher, **settings)
    assert (summary.written, summary.failed, summary.lost) == (8, [], {})
    encrypted = load(tmp_path / "secret")
    assert {path: i.dtype for path, i in encrypted.items()} == {
        path: pixels.dtype for path, pixels in expected.items()
    }
    again = encrypt_folder(folder, tmp_path / "secret", KEY, cipher, **settings)
    assert (again.written, again.skipped) == (0, 8)
    assert decrypt_folder(tmp_path / "secret", tmp_path / "plain", KEY).written == 8
    assert_equal(load(tmp_path / "plain"), expected)
    assert decrypt_folder(tmp_path / "secret", tmp_path / "plain", KEY).skipped == 8


def test_the_manifest_says_what_was_chosen(scans, tmp_path):
    folder, _ = scans
    encrypt_folder(folder, tmp_path / "secret", KEY, "pbe", preparation=DEEP)
    manifest = document(tmp_path / "secret")
    assert manifest["preparation"] == {"depth": 16}
    entries = {entry["path"]: entry for entry in manifest["images"]}
    assert entries["ct/a.png"]["depth"] == 16
    assert entries["ct/a.png"]["stored"] == {"offset": 2**15}
    assert entries["mammo/IM0001.png"]["stored"] == {"inverted": True}
    assert not {"depth", "stored", "lost"} & set(entries["photos/flat.png"])
    with pytest.raises(ManifestError, match="preparation"):
        window = Preparation(window=(40, 400))
        encrypt_folder(folder, tmp_path / "secret", KEY, "pbe", preparation=window)


def test_windows_are_stated_as_a_loss(scans, tmp_path):
    folder, expected = scans
    window = Preparation(window=(500, 1500))
    summary = encrypt_folder(folder, tmp_path / "s", KEY, "pbe", preparation=window)
    assert (summary.failed, summary.lost) == ([], {"window": 6})
    assert document(tmp_path / "s")["preparation"] == {"window": [500, 1500]}
    decrypt_folder(tmp_path / "s", tmp_path / "plain", KEY)
    plain = load(tmp_path / "plain")
    units = (expected["ct/a.png"].astype(int) - 2**15) * 2.0 - 24
    np.testing.assert_array_equal(plain["ct/a.png"], window_levels(units, 500, 1500))
    inverted = 255 - window_levels(expected["mammo/IM0001.png"], 500, 1500)
    np.testing.assert_array_equal(plain["mammo/IM0001.png"], inverted)
    for path in ("mammo/c.png", "photos/flat.png"):
        np.testing.assert_array_equal(plain[path], expected[path])


def test_without_a_choice_nothing_deep_is_taken(scans, tmp_path):
    folder, expected = scans
    summary = encrypt_folder(folder, tmp_path / "secret", KEY, "pbe")
    deep = {path for path, pixels in expected.items() if pixels.dtype != np.uint8}
    assert (summary.written, len(summary.failed)) == (3, len(deep))
    for _, message in summary.failed:
        assert "depth 16" in message and "window CENTER WIDTH" in message
    own = Preparation(window="own")
    summary = encrypt_folder(folder, tmp_path / "own", KEY, "pbe", preparation=own)
    assert summary.written == 2  # what is in colour
    assert "Only DICOM" in dict(summary.failed)["photos/deep.png"]


@pytest.mark.parametrize("flags", [["--depth", "16"], ["--window", "-60", "400"]])
def test_nothing_of_the_patient_comes_out(scans, tmp_path, flags, capfd, caplog):
    """On the command line, with a damaged file, a report and hidden names."""
    caplog.set_level(logging.DEBUG)
    folder, _ = scans
    (folder / "Planted^Zebedee").mkdir()
    for name in ("1.dcm", "2.dcm"):
        data = dicom_bytes(slices(1)[0])
        data = data[:-99] if name == "2.dcm" else data
        (folder / "Planted^Zebedee" / name).write_bytes(data)
    KEY.save(tmp_path / "owner.key")
    arguments = ["encrypt", "-q", "-k", str(tmp_path / "owner.key"), "--cipher", "ele"]
    arguments += ["--hide-names", str(tmp_path / "names.json"), *flags, str(folder)]
    assert main([*arguments, "-o", str(tmp_path / "secret")]) == 1
    told, _ = capfd.readouterr(), caplog.text
    [failure] = [line for line in told.err.splitlines() if "2.dcm" in line]
    assert_nothing_of_the_patient(failure.partition("2.dcm")[2].encode())
    assert_nothing_of_the_patient(caplog.text.encode())
    for path, data in contents(tmp_path / "secret").items():
        assert_nothing_of_the_patient(path.encode() + data)
    manifest = json.loads((tmp_path / "secret/manifest.json").read_text())
    assert len(manifest["images"]) == 9
    decrypt_folder(tmp_path / "secret", tmp_path / "plain", KEY)
    for data in contents(tmp_path / "plain").values():
        assert_nothing_of_the_patient(data)


def test_the_search_finds_what_is_planted():
    data = dicom_bytes(slices(1)[0])
    with pytest.raises(AssertionError, match="Planted"):
        assert_nothing_of_the_patient(data)
    assert pydicom.dcmread is not None
