"""Photographs of three classes, and models that know their ciphertexts by heart."""

import keras
import numpy as np
from image_folders import CHINA, save

from tfpe import CIPHERS, Key
from tfpe.cli import main

KEY, OTHER = Key(bytes(range(32))), Key(bytes(32))
CLASSES = ["cat", "dog", "eel"]
PICTURES = {
    f"{CLASSES[n % 3]}/{n}.png": CHINA[5 * n : 5 * n + 8, 9 * n : 9 * n + 8]
    for n in range(12)
}
PICTURES = dict(sorted(PICTURES.items()))


def owner_folder(tmp_path, monkeypatch):
    """Goes to a folder of owner.key and photos/, of three classes; for a fixture."""
    monkeypatch.chdir(tmp_path)
    KEY.save("owner.key")
    save(tmp_path / "photos", PICTURES)
    return tmp_path


def network(classes=3):
    """A model that tells its ciphertexts apart: it knows them by heart."""
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Rescaling(1 / 255), keras.layers.Flatten()]
    layers.append(keras.layers.Dense(classes))
    return keras.Sequential([keras.Input((8, 8, 3)), *layers])


def memorize(ciphertexts, labels, classes=3):
    model = network(classes)
    features = ciphertexts.reshape(len(labels), -1) / 255
    wanted = np.eye(classes)[labels] * 8
    weights = np.linalg.lstsq(np.c_[features, np.ones(len(labels))], wanted, rcond=None)
    model.layers[-1].set_weights([weights[0][:-1], weights[0][-1]])
    return model


def trained(cipher="le", key=KEY, order=(0, 1, 2)):
    images = np.stack(list(PICTURES.values()))
    labels = [order[CLASSES.index(path.split("/")[0])] for path in PICTURES]
    return memorize(CIPHERS[cipher](key, (8, 8, 3))(images), labels)


def encrypt(*more):
    run = ["encrypt", "-q", "-k", "owner.key", "--cipher", "le", "photos", "-o", "out"]
    return main([*run, *more])


def predict(capsys, *arguments):
    """(exit code, rows of the CSV without its head, stderr)."""
    capsys.readouterr()
    code = main(["predict", *arguments])
    out, err = capsys.readouterr()
    return code, [line.split(",") for line in out.splitlines()[1:]], err
