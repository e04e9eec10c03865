"""The whole workflow, a directory and processes for each role: owner, cloud, owner."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from image_folders import contents
from key_arrays import key_arrays
from processes import run_script
from sklearn.datasets import load_digits

import tfpe
from tfpe import CIPHERS, Key
from tfpe.cli import main
from tfpe.manifests import set_manifest

TFPE = [sys.executable, "-m", "tfpe"]
TALK = "absl::InitializeLog"  # of TensorFlow's notes, which our commands keep back


def digits():
    """Real handwritten digits in two colours, `uint8 (N, 8, 8, 3)`, and labels."""
    gray, labels = load_digits(return_X_y=True)
    gray = gray.reshape(-1, 8, 8, 1) / 16
    dark, light = np.array([10, 60, 90]), np.array([250, 200, 160])
    return np.rint(dark + gray * (light - dark)).astype(np.uint8), labels


@pytest.fixture
def owner(tmp_path, monkeypatch):
    """The owner's directory, with images and a key; the cloud's is beside it."""
    (tmp_path / "owner").mkdir()
    (tmp_path / "cloud").mkdir()
    monkeypatch.chdir(tmp_path / "owner")
    images, labels = digits()
    parts = {"x_train": images[:1500], "y_train": labels[:1500]}
    parts |= {"x_test": images[1500:], "y_test": labels[1500:]}
    np.savez("digits.npz", **parts)
    assert main(["keygen", "-o", "owner.key"]) == 0
    return tmp_path / "owner"


def classes_in(text):
    """The classes in the CSV of `tfpe predict`, which are digits here."""
    return np.array([int(line.split(",")[1]) for line in text.splitlines()[1:]])


def secret_bytes(key, cipher):
    """Bytes that give the key away, or the transform that it makes."""
    transform = CIPHERS[cipher](key, (8, 8, 3))
    chunks = [key._secret, key._secret.hex().encode()]
    for t in (transform, transform.inverse):
        for array in key_arrays(t):
            if not np.all(np.diff(array[:24].astype(int)) == 1):
                kinds = (np.uint8, np.uint16, np.int32, np.int64, np.float32)
                chunks += [array[:24].astype(kind).tobytes() for kind in kinds]
                chunks.append(", ".join(map(str, array[:24].tolist())).encode())
    return chunks


def main_of_training(folder, dataset):
    """The exit code of `python -m training train`, for one small epoch."""
    run = "train --data-dir data --train-images 300 --epochs 1 --out results"
    run += " --network convmixer --width 8 --depth 1 --kernel-size 3"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)  # JAX sets it in this process
    done = subprocess.run(
        [sys.executable, "-m", "training", *run.split(), "--dataset", dataset],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert TALK not in done.stderr and "0000 00:" not in done.stderr, done.stderr
    return done.returncode


@pytest.mark.parametrize(
    "cipher", ["le", pytest.param("logistic", marks=pytest.mark.slow)]
)
def test_owner_cloud_owner(cipher, owner, capsys):
    # Owner: encrypts, and hands over the encrypted set alone.
    run = ["dataset", "encrypt", "digits.npz", "--cipher", cipher, "--out", "encrypted"]
    assert main([*run, "-q", "--key", "owner.key"]) == 0
    cloud = owner.parent / "cloud"
    shutil.copytree("encrypted", cloud / "data")

    # Cloud: a process that never loads tfpe.
    model = cloud / "model.keras"
    accuracy = float(run_script("cloud.py", f"digits_{cipher}", cloud / "data", model))
    # Or with our own training, which finds no key there and asks for none.
    code = main_of_training(cloud, f"tfds:digits_{cipher}")
    assert code == 0 and list((cloud / "results").glob("*.json"))
    key = Key.load("owner.key")
    files = contents(cloud)
    assert len(files) >= 8
    for name, data in files.items():
        for secret in secret_bytes(key, cipher):
            assert secret not in data, f"{name} holds key material"

    # Owner: plain images in, the accuracy that the cloud saw out.
    shutil.copy(model, "model.keras")
    capsys.readouterr()
    run = ["predict", "model.keras", "digits.npz", "--key", "owner.key"]
    assert main([*run, "--set", f"digits_{cipher}"]) == 0
    out, err = capsys.readouterr()
    predicted = classes_in(out)
    labels = np.load("digits.npz")["y_test"]
    # A linear network, under a random key: 0.78 and more.
    assert np.mean(predicted == labels) == accuracy > 0.7
    assert f"{accuracy:.4f}" in err

    # With another key the model says nothing of plain images, which the receipt tells.
    assert main(["keygen", "-o", "other.key"]) == 0
    run[run.index("owner.key")] = "other.key"
    assert main([*run, "--set", f"digits_{cipher}"]) == 1
    out, err = capsys.readouterr()
    assert not out and key.fingerprint in err
    assert main([*run, "--cipher", cipher]) == 0
    out, err = capsys.readouterr()
    assert "No receipt" in err and np.mean(classes_in(out) == labels) < 0.5

    # Owner: the plain set again.
    assert (
        main(["dataset", "decrypt", "encrypted", "-q", "-k", "owner.key", "-o", "p"])
        == 0
    )
    import tensorflow_datasets as tfds

    again = tfds.load("digits", data_dir="p", split="test", batch_size=-1)
    assert np.array_equal(again["image"], np.load("digits.npz")["x_test"])
    assert set_manifest.find_set("encrypted").name == "1.0.0"


def test_the_commands_as_a_user_has_them(owner):
    """Processes, exit codes, JSON on stdout, progress on stderr."""
    run = [*TFPE, *"dataset encrypt digits.npz --cipher ele --out x --json".split()]
    done = subprocess.run([*run, "-k", "owner.key"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert '"name": "digits_ele"' in done.stdout and "/s" in done.stderr
    assert TALK not in done.stderr
    assert main([*run[3:], "-q", "-k", "owner.key", "--cipher", "rot13"]) == 1
    other = ["dataset", "decrypt", "x", "-q", "-k", "owner.key", "-o", "p"]
    assert main([*other, "--labels", "none.json"]) == 1
    assert main(["keygen", "-o", "next.key"]) == 0
    again = ["dataset", "reencrypt", "x", "-q", "-k", "owner.key", "-o", "y"]
    assert main([*again, "--new-key", "next.key"]) == 0
    assert main(["dataset", "decrypt", "y", "-q", "-k", "next.key", "-o", "p"]) == 0


LAYERS = """
import keras

@keras.saving.register_keras_serializable(package="own_layers")
class Halved(keras.layers.Layer):
    def call(self, inputs):
        return inputs / 2
"""


def test_predict_imports_the_layers_of_a_model(tmp_path, monkeypatch, capsys):
    import keras

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    Path("own_layers.py").write_text(LAYERS, "utf-8")
    defined = {}
    exec(LAYERS, defined)
    layers = [keras.Input((8, 8, 3)), defined["Halved"](), keras.layers.Flatten()]
    keras.Sequential(layers).save("model.keras")
    del keras.saving.get_custom_objects()["own_layers>Halved"]
    Key(bytes(32)).save("owner.key")
    np.savez("images.npz", x_test=digits()[0][:4])
    run = ["predict", "model.keras", "images.npz", *"-k owner.key --cipher le".split()]
    assert main(run) == 1
    assert "--import MODULE" in capsys.readouterr().err
    assert main([*run, "--import", "no_layers"]) == 1
    assert "Received: no_layers" in capsys.readouterr().err
    assert main([*run, "--import", "own_layers"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + 4


def test_predict_refuses_what_gives_no_classes(tmp_path, monkeypatch, capsys):
    import keras

    monkeypatch.chdir(tmp_path)
    Key(bytes(32)).save("owner.key")
    np.savez("images.npz", x_test=digits()[0][:4])
    inputs = keras.Input((8, 8, 3))
    flat = keras.layers.Flatten()(inputs)
    one, two = keras.layers.Dense(1)(flat), keras.layers.Dense(2)(flat)
    nan = keras.layers.Dense(2, bias_initializer=keras.initializers.Constant(np.nan))
    keras.Model(inputs, one).save("one.keras")
    keras.Model(inputs, {"a": one, "b": two}).save("several.keras")
    keras.Model(inputs, nan(flat)).save("nan.keras")
    several = keras.Model(inputs, two)
    tfpe.client_model(several, Key(bytes(32)), cipher="le").save("client.keras")
    for model, more, message in (
        ("one", [], "of a sigmoid"),
        ("one", ["--value-range", "nan,1"], "--value-range should"),
        ("several", [], "one output"),
        ("nan", [], "NaN"),
        ("client", [], "cloud_model"),
    ):
        run = ["predict", f"{model}.keras", "images.npz", *"-k owner.key".split()]
        run += ["--cipher", "le"]
        assert main([*run, *more]) == 1
        out, err = capsys.readouterr()
        assert not out and message in err and err.count("\n") == 1


@pytest.mark.parametrize("command", ["dataset", "dataset encrypt", "predict"])
def test_help_has_examples(command, capsys):
    with pytest.raises(SystemExit):
        main([*command.split(), "--help"])
    assert "examples:\n  tfpe" in capsys.readouterr().out
