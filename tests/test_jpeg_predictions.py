"""Predictions of models that learned from JPEG ciphertexts: images are sent alike."""

import dataclasses
import functools
import io
from pathlib import Path

import keras
import numpy as np
import pytest
from image_folders import CHINA, save
from PIL import Image
from receipt_models import predict as predict_command

import tfpe
from tfpe import Key
from tfpe.errors import CipherOptionError
from tfpe.files import encrypt_folder
from tfpe.receipts import attach_receipt, public_receipt, read_receipt
from training.images import load
from training.recipe import RecipeError
from training.recipes import find_recipe
from training.run import Run

KEY = Key(bytes(range(32)))
PICTURES = {
    f"{'ab'[n % 2]}/{n}.png": CHINA[9 * n : 9 * n + 24, 40 * n : 40 * n + 32]
    for n in range(6)
}
PICTURES = dict(sorted(PICTURES.items()))
IMAGES = np.stack(list(PICTURES.values()))
SURVIVING = {
    "etc": {"block_size": 8},
    "iib": {"block_size": 8, "sub_block_size": 8},
    "etc_gray": {"block_size": 8, "fold": False},
}
ETC = functools.partial(encrypt_folder, key=KEY, cipher="etc", block_size=8)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder: owner.key, and photos/ of two classes."""
    monkeypatch.chdir(tmp_path)
    KEY.save("owner.key")
    save(tmp_path / "photos", PICTURES)
    return tmp_path


def network(shape):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Rescaling(1 / 255), keras.layers.Flatten()]
    return keras.Sequential([keras.Input(shape), *layers, keras.layers.Dense(2)])


def sent(folder):
    """The ciphertexts as a cloud reads them, by Pillow alone."""
    files = [np.array(Image.open(file)) for file in sorted(folder.rglob("*.jpg"))]
    return np.stack(files).reshape(len(files), *np.atleast_3d(files[0]).shape)


@pytest.mark.parametrize("cipher", SURVIVING)
def test_images_are_coded_as_those_of_the_set(cipher, folder):
    options = {"key": KEY, "cipher": cipher, **SURVIVING[cipher], "receipt": "r.json"}
    encrypt_folder("photos", "sent", **options, jpeg=40)
    receipt = read_receipt("r.json", KEY)
    assert receipt == read_receipt("sent", KEY)
    lossy = {"format": "JPEG", "quality": 40, "subsampling": "4:4:4"}
    assert receipt.lossy == lossy
    ciphertexts = sent(folder / "sent")
    model = network(ciphertexts.shape[1:])
    expected = model.predict(ciphertexts, verbose=0)
    for source in ("r.json", "sent"):
        found = tfpe.predict(model, IMAGES, KEY, receipt=source)
        np.testing.assert_allclose(found, expected, atol=1e-5)
    # What is not coded gives other outputs: the test would notice.
    lossless = dataclasses.replace(receipt, lossy=None)
    found = tfpe.predict(model, IMAGES, KEY, receipt=lossless)
    assert abs(found - expected).max() > 1e-3
    with pytest.raises(CipherOptionError, match="sent without a loss.*tfpe.predict"):
        tfpe.client_model(model, KEY, receipt="r.json")


def test_from_the_command_line(folder, capsys):
    ETC("photos", "sent", jpeg=40, receipt="sent.receipt.json")
    ETC("photos", "png")
    ciphertexts = sent(folder / "sent")
    model = network(ciphertexts.shape[1:])
    model.save("model.keras")
    run = ["model.keras", "-k", "owner.key"]
    code, rows, err = predict_command(capsys, *run, "photos", "--set", "sent")
    expected = [f"{place}" for place in model.predict(ciphertexts, verbose=0).argmax(1)]
    assert code == 0 and "No receipt" not in err
    assert ["ab".index(row[1]) for row in rows] == [int(place) for place in expected]
    # Ciphertexts of either kind are no plain images.
    for source in ("sent", "png", "sent/a", "sent/a/0.jpg", "png/a/0.png"):
        code, rows, err = predict_command(capsys, *run, source, "--set", "sent")
        assert code == 1 and not rows and "lists as encrypted" in err
    # A model that carries its receipt is not for a set that was sent otherwise.
    attach_receipt("model.keras", public_receipt("sent"), "sent", ["a", "b"])
    assert predict_command(capsys, *run, "photos")[1] != []
    code, rows, err = predict_command(capsys, *run, "photos", "--set", "png")
    assert code == 1 and not rows and "`lossy` of png should be" in err


def test_sets_of_one_name_that_were_sent_otherwise_have_their_own_receipts(folder):
    from tfpe.receipts import free_path, save_receipt

    for place, quality in (("png", None), ("fine", 95), ("rough", 40)):
        ETC("photos", f"{place}/out", jpeg=quality)
        receipt = dataclasses.replace(
            read_receipt(f"{place}/out", KEY), source_tag="one mark"
        )
        save_receipt(receipt, KEY, free_path(receipt, "."))
    found = [read_receipt(path, KEY).lossy for path in sorted(Path().glob("out*.json"))]
    assert [lossy and lossy["quality"] for lossy in found] == [95, 40, None]


@pytest.mark.parametrize("jpeg", [0, 75])
def test_what_training_seals(jpeg, folder):
    names = "x_train", "y_train", "x_test", "y_test"
    labels = np.array([0, 1] * 3)
    np.savez("toy.npz", **dict(zip(names, (IMAGES, labels) * 2, strict=True)))
    recipe = find_recipe("tiny", jpeg=jpeg)
    more = {"cipher_options": {"block_size": 8}}
    run = Run(load("toy.npz"), recipe, "etc", 0, KEY, Path("out"), Path("runs"), **more)
    model = network(IMAGES.shape[1:])
    model.save("model.keras")
    attach_receipt("model.keras", **run.receipt())
    ciphertexts = tfpe.ciphers.etc(KEY, IMAGES.shape[1:], block_size=8)(IMAGES)
    if jpeg:
        ciphertexts = np.stack([decoded(one, jpeg) for one in ciphertexts])
    found = tfpe.predict("model.keras", IMAGES, KEY)
    expected = model.predict(ciphertexts, verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def decoded(image, quality):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling="4:4:4")
    return np.array(Image.open(file))


def test_a_folder_that_was_sent_as_jpeg_beforehand(folder):
    ETC("photos", "sent", jpeg=40)
    places = Path("out"), Path("runs")
    run = Run(load("sent"), find_recipe("tiny"), "plain", 0, None, *places)
    assert run.settings["jpeg"] == 40 and run.settings["encrypted_beforehand"]
    assert run.receipt()["document"]["lossy"]["quality"] == 40
    # Who trains cannot change what the receipt says, so only the owner codes.
    with pytest.raises(RecipeError, match="`jpeg` should be 0 for images that were"):
        Run(load("sent"), find_recipe("tiny", jpeg=75), "plain", 0, None, *places)
