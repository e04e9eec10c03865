"""DICOM and 16-bit gray as data sets: exact, stated, read by plain TFDS, predicted."""

import collections

import keras
import numpy as np
import pytest
from dicom_files import dicom_bytes, slices
from image_folders import contents
from test_medical_files import assert_nothing_of_the_patient

import tfpe
from tfpe import Key, Preparation
from tfpe.dataset import decrypt_dataset, encrypt_dataset, reencrypt_dataset
from tfpe.errors import DatasetError

tfds = pytest.importorskip("tensorflow_datasets")
KEY, OTHER = Key(bytes(range(32))), Key(bytes(32))
DEEP = Preparation(depth=16)
SIGNED = slices(8)
WORDS = (SIGNED.astype(int) + 2**15).astype(np.uint16)[..., None]


@pytest.fixture
def scans(tmp_path):
    for number, picture in enumerate(SIGNED):
        path = tmp_path / f"scans/{'ab'[number % 2]}/{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(dicom_bytes(picture, 12, RescaleIntercept=0, RescaleSlope=1))
    return tmp_path / "scans"


def read(name, folder):
    """The images of a data set."""
    found = tfds.load(name, split="train", data_dir=str(folder), as_supervised=True)
    return [image for image, _ in found.as_numpy_iterator()]


def count(images):
    return collections.Counter(np.asarray(image).tobytes() for image in images)


@pytest.mark.parametrize("cipher, per_image", [("le", False), ("pbe", True)])
def test_sets_of_words(scans, tmp_path, cipher, per_image):
    settings = {"preparation": DEEP, "per_image": per_image}
    summary = encrypt_dataset(scans, tmp_path / "cloud", KEY, cipher, **settings)
    assert summary.written == 8 and not summary.lost
    builder = tfds.builder_from_directory(summary.folder)
    manifest = builder.info.metadata["tfpe"]
    assert manifest["preparation"] == {"depth": 16}
    assert manifest["stored"] == {"offset": 2**15}
    encrypted = [e["image"] for e in builder.as_dataset("train").as_numpy_iterator()]
    assert {(e.dtype.name, e.shape) for e in encrypted} == {("uint16", (24, 20, 1))}
    assert not count(encrypted) & count(WORDS)
    decrypt_dataset(tmp_path / "cloud", tmp_path / "plain", KEY)
    assert count(read("scans", tmp_path / "plain")) == count(WORDS)
    reencrypt_dataset(tmp_path / "cloud", tmp_path / "next", KEY, OTHER)
    decrypt_dataset(tmp_path / "next", tmp_path / "again", OTHER)
    assert count(read("scans", tmp_path / "again")) == count(WORDS)


def test_nothing_of_the_patient_is_in_a_set(scans, tmp_path):
    hidden = {"hide_labels": tmp_path / "labels.json", "preparation": DEEP}
    encrypt_dataset(scans, tmp_path / "cloud", KEY, "ele", **hidden)
    decrypt = {"labels": tmp_path / "labels.json"}
    decrypt_dataset(tmp_path / "cloud", tmp_path / "plain", KEY, **decrypt)
    files = contents(tmp_path / "cloud") | contents(tmp_path / "plain")
    for path, data in files.items():
        assert_nothing_of_the_patient(path.encode() + data)


def test_windows_of_sets(scans, tmp_path):
    window = Preparation(window=(0, 3000))
    summary = encrypt_dataset(scans, tmp_path / "cloud", KEY, "le", preparation=window)
    assert summary.lost == {"window": 8}
    assert read("scans_le", tmp_path / "cloud")[0].dtype == np.uint8


@pytest.mark.parametrize(
    "odd, message",
    [
        (dicom_bytes(SIGNED[0].astype(np.uint8), 8), "8 bits or all 16"),
        (dicom_bytes(WORDS[0, ..., 0]), "stored alike"),
        (dicom_bytes(SIGNED[0], 12, "MONOCHROME1"), "stored alike"),
    ],
    ids=["bytes", "unsigned", "inverted"],
)
def test_sets_are_of_one_kind(scans, tmp_path, odd, message):
    (scans / "a/odd.dcm").write_bytes(odd)
    with pytest.raises(DatasetError, match=message):
        encrypt_dataset(scans, tmp_path / "cloud", KEY, "le", preparation=DEEP)
    assert not (tmp_path / "cloud").exists()


def test_predictions_of_words(scans, tmp_path):
    """A model sees the ciphertext as tfds.load gives it, in any range."""
    encrypt_dataset(scans, tmp_path / "cloud", KEY, "le", preparation=DEEP)
    seen = count(read("scans_le", tmp_path / "cloud"))
    model = keras.Sequential([keras.Input((24, 20, 1)), keras.layers.Flatten()])
    for value_range in ((0, 255), (0, 1)):
        outputs = tfpe.predict(model, WORDS, KEY, "le", value_range=value_range)
        if value_range == (0, 1):
            outputs = outputs * 65535
        words = np.rint(outputs).astype(np.uint16).reshape(WORDS.shape)
        assert count(words) == seen
