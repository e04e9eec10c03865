"""What `tfpe predict` refuses or leaves out: ciphertext, other keys and models."""

import dataclasses

import keras
import numpy as np
import pytest
from image_folders import CHINA, save

import tfpe
from tfpe import Key, PerceptualEncrypt
from tfpe.cli import main
from tfpe.dataset import encrypt_dataset
from tfpe.errors import AlreadyEncryptedError, CipherOptionError, WrongKeyError
from tfpe.files import encrypt_folder
from tfpe.keys.sealed import save_sealed
from tfpe.receipts import Receipt, attach_receipt
from tfpe.roles.labelled_images import load_images

KEY, OTHER = Key(bytes(range(32))), Key(bytes(32))
PLAIN = {f"{c}/{n}.png": CHINA[n : n + 8, :8] for c in ("cat", "dog") for n in range(2)}
OPTIONS = {"block_size": 4, "reversal": "derived"}
RECEIPT = Receipt("set", KEY.fingerprint, "le", OPTIONS)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """photos/, plain, in a working folder with its key."""
    monkeypatch.chdir(tmp_path)
    KEY.save("owner.key")
    save(tmp_path / "photos", PLAIN)
    return tmp_path


def network(*before):
    layers = [*before, keras.layers.Flatten(), keras.layers.Dense(2)]
    return keras.Sequential([keras.Input((8, 8, 3)), *layers])


def told(capsys, *arguments):
    code = main(["predict", "model.keras", *arguments, "-k", "owner.key"])
    out, err = capsys.readouterr()
    return code, out, err


def test_ciphertext_is_no_plain_image(folder, capsys):
    network().save("model.keras")
    encrypt_folder("photos", "all/once", KEY, "le")
    encrypt_dataset("photos", "cloud", KEY, "le")
    for source in ("all/once", "all", "all/once/cat", "all/once/cat/0.png"):
        code, out, err = told(capsys, source, "--cipher", "le")
        assert (code, out) == (1, "") and "manifest.json lists as encrypted" in err
        assert "--again" not in err and "again=True" not in err
    for source in ("tfds:photos_le", "cloud/photos_le/1.0.0"):
        code, out, err = told(capsys, source, "--data-dir", "cloud", "--cipher", "le")
        assert (code, out) == (1, "") and "encrypted with le already" in err
    assert len(load_images("photos").images) == 4


def test_an_interrupted_encryption_counts(folder):
    def stop(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encrypt_folder("photos", "half", KEY, "le", progress=stop)
    with pytest.raises(AlreadyEncryptedError, match="manifest.journal"):
        load_images("half")


def test_a_layer_in_the_model_must_encrypt_as_the_receipt_says(tmp_path):
    images = np.zeros((2, 8, 8, 3), np.uint8)

    def predict(key=KEY, cipher="le", **arguments):
        path = tmp_path / "model.keras"
        network(PerceptualEncrypt(key, cipher, **arguments)).save(path)
        return tfpe.predict(path, images, KEY, receipt=RECEIPT)

    assert predict(**OPTIONS).shape == (2, 2)
    with pytest.raises(WrongKeyError, match="layer perceptual_encrypt"):
        predict(OTHER, **OPTIONS)
    for wrong in (
        {"cipher": "ele"},
        OPTIONS | {"block_size": 2},
        OPTIONS | {"value_range": (0, 1)},
    ):
        with pytest.raises(CipherOptionError, match="as the receipt says"):
            predict(**wrong)


def test_images_without_a_class_are_counted_aloud(folder, capsys):
    network().save("model.keras")
    save(folder / "photos", {"loose.png": CHINA[:8, :8]})
    code, out, err = told(capsys, "photos", "--cipher", "le")
    assert code == 0 and out.count("\n") == 1 + 5
    assert "Accuracy on 4 images" in err and "Not scored: 1 image of" in err
    code, out, err = told(capsys, "photos/loose.png", "--cipher", "le")
    assert code == 0 and "ccura" not in err and "scored" not in err


def test_gray_and_colour_images_for_a_set_of_colour():
    receipt = dataclasses.replace(RECEIPT, image_shape=(8, 8, 3))
    gray = CHINA[:8, :8, :1]
    mixed = tfpe.predict(network(), [gray, CHINA[:8, :8]], KEY, receipt=receipt)
    assert mixed.shape == (2, 2)


def test_the_right_key_is_named_where_it_is_sealed_too(folder, capsys):
    pytest.importorskip("cryptography", reason="the extra `keys` is not installed")
    network().save("model.keras")
    attach_receipt("model.keras", RECEIPT.sealed(KEY), "set", ["cat", "dog"])
    (folder / "owner.key").rename("old.txt")
    OTHER.save("owner.key")
    code, out, err = told(capsys, "photos")
    assert (code, out) == (1, "")
    assert f"{KEY.fingerprint} is in old.txt: -k old.txt" in err
    (folder / "old.txt").unlink()
    save_sealed(KEY, "sealed.key", "correct horse battery")
    assert f"{KEY.fingerprint} is in sealed.key" in told(capsys, "photos")[2]
    (folder / "sealed.key").unlink()
    assert "owner.key.FINGERPRINT" in told(capsys, "photos")[2]
