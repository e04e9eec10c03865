"""A matched model is written to a file only where that is asked for in words."""

import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfpe
from tfpe import CIPHERS, Key
from tfpe.errors import ExportError, TfpeError

SHAPE = (8, 8, 3)
WAYS = {
    "save": lambda model, path: model.save(path / "model.keras"),
    "save, .h5": lambda model, path: model.save(path / "model.h5"),
    "save_weights": lambda model, path: model.save_weights(path / "m.weights.h5"),
    "export": lambda model, path: model.export(path / "model", verbose=False),
    "tfpe.export": lambda model, path: tfpe.export(model, path / "model"),
    "tf.saved_model": lambda model, path: tf.saved_model.save(model, path / "model"),
    "tf.train.Checkpoint": lambda model, path: tf.train.Checkpoint(model=model).save(
        path / "model"
    ),
    "inside another": lambda model, path: keras.Sequential(
        [keras.Input(SHAPE), model]
    ).save(path / "model.keras"),
    "pickle": lambda model, path: (path / "model").write_bytes(pickle.dumps(model)),
}


@pytest.fixture(scope="module")
def models():
    plain = keras.Sequential(
        [
            keras.Input(SHAPE),
            keras.layers.Conv2D(5, 4, 4),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
        ]
    )
    ele = CIPHERS["ele"](Key(bytes(32)), SHAPE)
    return plain, ele, tfpe.match(plain, ele)


@pytest.fixture
def ciphertext(models):
    images = np.random.default_rng(0).integers(0, 256, (2, *SHAPE), np.uint8)
    return models[1](images)


@pytest.mark.parametrize("way", WAYS)
def test_no_file_holds_the_key_unasked(models, way, tmp_path):
    with pytest.raises(ExportError, match="with_key=True"):
        WAYS[way](models[2], tmp_path)
    matched = models[2]
    for file in tmp_path.rglob("*"):
        data = b"" if file.is_dir() else file.read_bytes()
        for layer in matched.layers[1:3]:
            [secret] = [np.asarray(w) for w in layer.weights if "bias" not in w.path]
            for array in (secret, secret.astype(np.int32)):
                assert array.tobytes()[:64] not in data, file


def test_asked_in_words_it_is_written_and_read(models, ciphertext, tmp_path):
    matched, expected = models[2], models[2](ciphertext)
    tfpe.export(matched, tmp_path / "model.keras", with_key=True)
    again = keras.models.load_model(tmp_path / "model.keras")
    assert np.array_equal(again(ciphertext), expected)
    tfpe.export(matched, tmp_path / "served", with_key=True, verbose=False)
    served = tf.saved_model.load(str(tmp_path / "served"))
    floats = ciphertext.astype("float32")
    assert np.allclose(served.serve(floats), expected, atol=1e-5)
    # What was read holds the key as well.
    with pytest.raises(ExportError):
        again.save(tmp_path / "again.keras")


@pytest.mark.parametrize("asked", ["no", 1, None])
def test_what_merely_counts_as_true_is_not_asked_in_words(models, asked, tmp_path):
    with pytest.raises(TfpeError, match="with_key"):
        tfpe.export(models[2], tmp_path / "model.keras", with_key=asked)
    assert not list(tmp_path.iterdir())


def test_a_matched_model_is_none_for_the_cloud(models, ciphertext):
    with pytest.raises(TfpeError, match="unmatch"):
        tfpe.cloud_model(models[2])


def test_an_unmatched_model_is_as_any_other(models, tmp_path):
    plain, transform, matched = models
    again = tfpe.unmatch(matched, transform)
    assert [type(layer).__name__ for layer in again.layers[:3]] == [
        *("InputLayer", "WordPatchEmbedding", "Functional")
    ]
    again.save(tmp_path / "plain.keras")
    images = np.random.default_rng(1).integers(0, 256, (2, *SHAPE), np.uint8)
    loaded = keras.models.load_model(tmp_path / "plain.keras")
    assert np.allclose(loaded(images), plain(images), atol=1e-2)
