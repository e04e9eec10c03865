"""One default cipher for all that encrypts, none for what decrypts or predicts."""

import inspect
import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from image_folders import CHINA, save

import tfpe
from tfpe import CIPHERS, Key, PerceptualEncrypt
from tfpe.ciphers import DEFAULT_CIPHER
from tfpe.cli import main
from tfpe.errors import CipherOptionError

KEY = Key(bytes(range(32)))
IMAGES = np.stack([CHINA[:32, :32], CHINA[9:41, 7:39]])
EXPECTED = CIPHERS[DEFAULT_CIPHER](KEY, (32, 32, 3))(IMAGES)


def test_everything_that_encrypts_has_one_default(tmp_path):
    assert DEFAULT_CIPHER == "logistic"
    layer = PerceptualEncrypt(KEY, dtype="uint8")
    assert np.array_equal(layer(IMAGES), EXPECTED)
    [batch] = tfpe.data.encrypt(tf.data.Dataset.from_tensors(IMAGES), KEY)
    assert np.array_equal(batch, EXPECTED)
    save(tmp_path / "plain", {"a/0.png": IMAGES[0], "b/1.png": IMAGES[1]})
    tfpe.files.encrypt_folder(tmp_path / "plain", tmp_path / "out", KEY)
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["cipher"] == DEFAULT_CIPHER
    name = tfpe.dataset.encrypt_dataset(tmp_path / "plain", tmp_path / "set", KEY).name
    assert name == f"plain_{DEFAULT_CIPHER}"


def test_beam_has_the_same_default():
    beam = pytest.importorskip(
        "tfpe.dataset.beam", reason="the extra `beam` is not installed"
    )
    parameters = inspect.signature(beam.encrypt_dataset).parameters
    assert parameters["cipher"].default == DEFAULT_CIPHER


def test_nothing_that_decrypts_or_predicts_guesses():
    dataset = tf.data.Dataset.from_tensors(IMAGES)
    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Flatten()])
    for guess in (
        lambda: PerceptualEncrypt(KEY, invert=True),
        lambda: tfpe.data.decrypt(dataset, KEY),
        lambda: tfpe.data.encrypt(dataset, KEY, invert=True),
        lambda: tfpe.client_model(model, KEY),
        lambda: tfpe.predict(model, IMAGES, KEY),
    ):
        with pytest.raises(CipherOptionError, match="`cipher` should (name|be) the"):
            guess()


@pytest.mark.parametrize("command", ["encrypt", "dataset encrypt"])
def test_commands_that_write_demand_the_cipher(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    KEY.save("owner.key")
    save(tmp_path / "photos", {"a/0.png": IMAGES[0], "b/1.png": IMAGES[1]})
    run = [*command.split(), "-q", "photos", "-o", "out", "-k", "owner.key"]
    assert main(run) == 1
    err = capsys.readouterr().err
    assert "--cipher" in err and "etc_gray" in err and "`tfpe ciphers`" in err
    assert not Path("out").exists()
    assert main([*run, "--cipher", "le"]) == 0
