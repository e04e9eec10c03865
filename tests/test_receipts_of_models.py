"""Receipts given to models: in Python, in their files, and changed there."""

import zipfile

import keras
import numpy as np
import pytest
from image_folders import CHINA
from receipt_models import (
    CLASSES,
    KEY,
    OTHER,
    PICTURES,
    encrypt,
    network,
    owner_folder,
    predict,
    trained,
)

import tfpe
from tfpe import CIPHERS
from tfpe.dataset import encrypt_dataset
from tfpe.errors import CipherOptionError, ManifestError, TfpeError, WrongKeyError
from tfpe.files import encrypt_folder
from tfpe.receipts import (
    Receipt,
    attach_receipt,
    model_receipt,
    public_receipt,
    read_receipt,
)

folder = pytest.fixture(owner_folder)


def test_client_model_and_predict_in_python(folder):
    encrypt_folder("photos", "out", KEY, "le", receipt="r.json")
    images, model = np.stack(list(PICTURES.values())), trained()
    expected = tfpe.predict(model, images, KEY, "le")
    for receipt in ("r.json", "out", read_receipt("r.json", KEY)):
        outputs = tfpe.predict(model, images, KEY, receipt=receipt)
        assert np.array_equal(outputs, expected)
        client = tfpe.client_model(model, KEY, receipt=receipt)
        floats = images.astype(np.float32)
        assert np.allclose(client.predict(floats, verbose=0), expected, atol=1e-4)
        for function in (tfpe.client_model, tfpe.predict):
            more = [] if function is tfpe.client_model else [images]
            with pytest.raises(WrongKeyError):
                function(model, *more, OTHER, receipt=receipt)
            with pytest.raises(CipherOptionError, match="`cipher` should be 'le'"):
                function(model, *more, KEY, "ele", receipt=receipt)


def test_a_key_for_each_image_and_preparation(folder):
    encrypt_folder("photos", "out", KEY, "pbe", per_image=True, receipt="r.json")
    images = np.stack(list(PICTURES.values()))
    with pytest.raises(CipherOptionError, match="a key for each image"):
        tfpe.client_model(network(), KEY, receipt="r.json")
    # Each under a key of its own, and none under that of an image of the set.
    seen = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    found = tfpe.predict(seen, images[[0, 0]], KEY, receipt="r.json")
    keys = [KEY.derive("predict", "out").for_image(number) for number in range(2)]
    wanted = [CIPHERS["pbe"](key, (8, 8, 3))(images[0]) for key in keys]
    assert np.array_equal(found.reshape(2, 8, 8, 3), wanted)
    assert not np.array_equal(*wanted)
    small = {"size": [8, 8], "fit": "stretch"}
    receipt = Receipt("s", KEY.fingerprint, "le", {"block_size": 4}, preparation=small)
    outputs = tfpe.predict(
        network(), [CHINA[:40, :50], CHINA[:8, :8]], KEY, receipt=receipt
    )
    assert outputs.shape == (2, 3)


def test_a_model_carries_its_receipt(folder, capsys):
    encrypt_dataset("photos", "cloud", KEY, "le")
    public = public_receipt("cloud/photos_le/1.0.0")
    model = trained()
    model.save("model.keras")
    before = model.get_weights()
    attach_receipt("model.keras", public, "photos_le", CLASSES)
    loaded = keras.saving.load_model("model.keras")  # Keras leaves it alone
    assert all(map(np.array_equal, before, loaded.get_weights()))
    assert model_receipt("model.keras", KEY).classes == {"label": CLASSES}
    code, rows, err = predict(capsys, "model.keras", "photos", "-k", "owner.key")
    assert code == 0 and "1.0000" in err and "No receipt" not in err
    OTHER.save("other.key")
    code, rows, err = predict(capsys, "model.keras", "photos", "-k", "other.key")
    assert code == 1 and not rows and KEY.fingerprint in err
    assert encrypt("--option", "block_size=2") == 0
    run = ["model.keras", "photos", "-k", "owner.key", "--set", "out"]
    code, rows, err = predict(capsys, *run)
    assert code == 1 and "receipt in the model" in err


def test_a_changed_receipt_in_a_model(folder):
    encrypt_folder("photos", "out", KEY, "le")
    document = public_receipt("out") | {"cipher": "identity"}
    trained().save("model.keras")
    attach_receipt("model.keras", document, "out", CLASSES)
    with pytest.raises(ManifestError, match="changed"):
        model_receipt("model.keras", KEY)
    trained().save("bad.keras")
    with zipfile.ZipFile("bad.keras", "a") as archive:
        archive.writestr("receipt.json", "no json")
    with pytest.raises(TfpeError):
        tfpe.predict("bad.keras", np.zeros((1, 8, 8, 3), np.uint8), KEY, "le")
