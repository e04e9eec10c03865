"""Models of `python -m training` carry their receipt; encrypted sets are not plain."""

import json
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from image_folders import save
from test_compare import RECIPE, make_images

import tfpe
from tfpe import Key
from tfpe.cli import main as tfpe_main
from tfpe.dataset import encrypt_dataset
from tfpe.lab.records.reading import read
from tfpe.lab.records.training_records import TrainingSettings
from tfpe.receipts import model_receipt
from training.cli import main
from training.compare import compare
from training.images import load
from training.recipes import find_recipe
from training.run import CompareError, Run
from training.run_folder import save_model

KEY = Key(bytes(range(32)))
SMALL = "--epochs 1 --alpha 3 --batch-size 16 --out out --runs runs"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with owner.key and toy.npz, images of two classes."""
    monkeypatch.chdir(tmp_path)
    KEY.save("owner.key")
    toy = make_images()
    names = "x_train", "y_train", "x_test", "y_test"
    np.savez("toy.npz", **{name: getattr(toy, name) for name in names})
    return tmp_path


def predict(capsys, model, *more):
    """(exit code, JSON, stderr) of `tfpe predict` on plain images."""
    capsys.readouterr()
    code = tfpe_main(["predict", str(model), "toy.npz", "--json", *more])
    out, err = capsys.readouterr()
    return code, json.loads(out) if out else None, err


@pytest.mark.slow  # test_compare.py looks into the models that it trains anyway
@pytest.mark.parametrize("place", ["numpy", "model"])
def test_what_is_encrypted_on_the_fly(place, folder, capsys):
    run = f"train --dataset toy.npz --cipher le --key owner.key {SMALL}"
    assert main([*run.split(), "--encrypt-in", place]) == 0
    [record] = [json.loads(path.read_text()) for path in Path("out").glob("*.json")]
    model = Path("runs/toy-tiny-le-seed0/best.keras")
    code, found, err = predict(capsys, model, "-k", "owner.key")
    assert code == 0 and "No receipt" not in err
    accuracy = record["results"]["best_validation"]["test_accuracy"]
    assert found["accuracy"] == accuracy and found["scored"] == 32
    assert set(found["images"][0]["probabilities"]) == {"0", "1"}
    Key(bytes(32)).save("other.key")
    code, found, err = predict(capsys, model, "-k", "other.key")
    assert code == 1 and found is None and KEY.fingerprint in err
    text = model.read_bytes() + zipfile.ZipFile(model).read("receipt.json")
    assert KEY._secret not in text and KEY._secret.hex().encode() not in text
    last = model.with_name("last.keras")
    assert model_receipt(last, KEY) == model_receipt(model, KEY)


def carried_by(dataset, cipher="plain", key=None):
    """The receipt of a model of this run, saved without the training; or None."""
    run = Run(load(dataset), RECIPE, cipher, 0, key, Path("out"), Path("runs"))
    layers = [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)]
    path = Path(f"{run.name}.keras")
    save_model(keras.Sequential(layers), path, run.receipt())
    return model_receipt(path, KEY)


def test_plain_models_carry_none(folder):
    assert carried_by("toy.npz") is None
    assert carried_by("toy.npz", "pbe-per-image", KEY).per_image


def test_a_set_that_was_encrypted_beforehand(folder, capsys, uncompiled):
    encrypt_dataset("toy.npz", "cloud", KEY, "ele")
    run = f"--dataset tfds:toy_ele --data-dir cloud {SMALL}".split()
    assert main(["train", *run]) == 0
    shown = capsys.readouterr().out
    assert "ele, encrypted" in shown and "beforehand" in shown
    names = [path.name for path in folder.rglob("*") if "cloud" not in path.parts]
    assert not [name for name in names if ":" in name]
    assert Path("runs/tfds-toy_ele-tiny-ele-beforehand-seed0/best.keras").exists()
    [record] = [json.loads(path.read_text()) for path in Path("out").glob("*.json")]
    settings = record["settings"]
    found = read(TrainingSettings, settings, "settings")
    assert found.row_name == "ele, encrypted beforehand"
    assert settings["key_fingerprint"] == KEY.fingerprint
    assert settings["dataset"] == "tfds:toy_ele" and settings["cipher"] == "ele"
    # Its model tells all; what the cloud saw is what the owner gets on plain images.
    model = Path("runs/tfds-toy_ele-tiny-ele-beforehand-seed0/best.keras")
    code, found, err = predict(capsys, model, "-k", "owner.key")
    assert code == 0 and found["set"] == "toy_ele"
    accuracy = record["results"]["best_validation"]["test_accuracy"]
    assert found["accuracy"] == accuracy
    # Evaluation on the cloud needs no key, and warns of none; nothing encrypts twice.
    evaluate = ["evaluate", str(model), *run[:4]]
    assert main([*evaluate, "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["accuracy"] == accuracy and "warning: trained" not in err
    assert main([*evaluate, "--cipher", "ele"]) == 1
    assert main(["compare", *run, "--ciphers", "le"]) == 1
    assert "encrypted already, with ele" in capsys.readouterr().err
    with pytest.raises(CompareError, match="cipher plain"):
        compare(load("tfds:toy_ele", "cloud"), find_recipe("tiny"), ["plain", "le"])


def test_an_encrypted_folder_is_one_too(folder):
    toy = make_images()
    pairs = enumerate(zip(toy.x_train, toy.y_train, strict=True))
    pictures = {f"{'ab'[y]}/{n}.png": x for n, (x, y) in pairs}
    save(folder / "photos", pictures)
    tfpe.files.encrypt_folder("photos", "secret", KEY, "le")
    receipt = carried_by("secret")
    assert receipt.class_names == ["a", "b"] and receipt.cipher == "le"
    outputs = tfpe.predict("secret-tiny-le-beforehand-seed0.keras", toy.x_test, KEY)
    assert outputs.shape == (32, 2)


def test_records_from_before_still_have_their_names():
    old = {"dataset": "tfds:cifar10_ele", "recipe": "small", "cipher": "plain"}
    assert read(TrainingSettings, old, "settings").row_name == "plain"


def test_evaluation_guesses_no_cipher(folder, capsys):
    layers = [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)]
    keras.Sequential(layers).save("model.keras")
    run = ["evaluate", "model.keras", "--dataset", "toy.npz"]
    assert main(run) == 1
    assert "--cipher" in capsys.readouterr().err
    assert main([*run, "--cipher", "plain"]) == 0
