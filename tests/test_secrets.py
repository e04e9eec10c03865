"""Key, perm and mask stay out of everything that is saved, sent or printed."""

import contextlib
import functools
import importlib.util
import io
import json
import logging
import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf
from secret_arrays import (
    arrays_of,
    handed_to_tensorflow,
    secret_forms,
)

from tfpe import CIPHERS, Key, PerceptualEncrypt

KEY = Key(bytes(range(101, 133)))
SHAPE = (16, 32, 3)
IMAGES = np.random.default_rng(0).integers(0, 256, (4, *SHAPE)).astype(np.float32)


@functools.cache
def held(name):
    """All arrays of a cipher under the key: held by its maps once they have run, by
    the layer, and handed to TensorFlow in graphs."""
    transform = CIPHERS[name](KEY, SHAPE)
    layer = PerceptualEncrypt(KEY, name)
    bytes_ = IMAGES.astype(np.uint8)
    maps = [transform, transform.inverse]
    maps += [t.refine(4) for t in maps if hasattr(t, "refine")]
    for t in maps:
        x = bytes_.astype(t.input_dtype)
        t(x), t(x[0])
    layer(IMAGES)
    specification = tf.TensorSpec(bytes_.shape, tf.uint8)
    handed = handed_to_tensorflow(transform, specification)
    return [*arrays_of(KEY, layer._vault, *maps), *handed]


@functools.cache
def secret_chunks(name):
    """Bytes that would give the key away: itself, and pieces of all that is held."""
    own = bytes(range(101, 133))
    return {own, own.hex().encode(), *secret_forms(held(name))}


def assert_free(data, name, where):
    leaks = any(chunk in data for chunk in secret_chunks(name))
    assert not leaks, f"{where} holds key material of {name}"


def counts(array):
    """Whether an array is constant, or whole numbers in their order."""
    return np.unique(np.diff(array.reshape(-1).astype(np.int64))).size <= 1


def written_in_all_ways(array):
    """An array as a file may hold it."""
    values = array.reshape(-1)[:4096]  # longer ones repeat themselves
    yield values.tobytes()
    if (values == np.rint(values)).all():
        yield values.astype(np.int64).tobytes()
    yield json.dumps(values.tolist()).encode()
    if np.unique(values).size == 2:
        yield (values == values.max()).tobytes()


@pytest.mark.parametrize("low", [0, 19])
def test_an_array_of_two_values_is_found_whatever_they_are(low):
    array = np.where(np.random.default_rng(0).random(768) < 0.5, low, 176)
    chunks = secret_forms([array.astype(np.uint8)])
    for data in written_in_all_ways(array.astype(np.uint8)):
        assert any(chunk in data for chunk in chunks)


@pytest.mark.parametrize("name", CIPHERS)
def test_nothing_that_is_held_can_be_written_unseen(name):
    """The search is not empty: each array is found, whole or in part, in any form."""
    arrays = [array for array in held(name) if not counts(array)]
    images = IMAGES.astype(np.uint8)
    assert arrays or np.array_equal(CIPHERS[name](KEY, SHAPE)(images), images)
    for array in arrays:
        for data in written_in_all_ways(array):
            with pytest.raises(AssertionError, match=f"key material of {name}"):
                assert_free(b"before" + data + b"after", name, "a file")


def trained(name):
    layers = [keras.Input(SHAPE), PerceptualEncrypt(KEY, name), keras.layers.Flatten()]
    model = keras.Sequential([*layers, keras.layers.Dense(2)])
    model.compile(loss="mse")
    return model


@pytest.mark.parametrize("name", CIPHERS)
def test_files_of_a_model(name, tmp_path):
    model = trained(name)
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    callbacks = [
        keras.callbacks.ModelCheckpoint(
            tmp_path / "check.weights.h5", save_weights_only=True
        ),
        keras.callbacks.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
    ]
    if importlib.util.find_spec("tensorboard"):
        board = keras.callbacks.TensorBoard(tmp_path / "board", write_graph=True)
        callbacks.append(board)
    with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
        model.fit(IMAGES, np.zeros((4, 2)), callbacks=callbacks, verbose=2)
        model.summary()
    logging.getLogger().removeHandler(handler)
    model.save(tmp_path / "unzipped", zipped=False)
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    tf.train.Checkpoint(model=model).write(str(tmp_path / "checkpoint"))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 8
    for path in files:
        assert_free(path.read_bytes(), name, path.name)
    assert_free(pickle.dumps(model), name, "pickle")
    assert_free(log.getvalue().encode(), name, "log")
    assert_free(model.to_json().encode(), name, "to_json")


@pytest.mark.parametrize("name", CIPHERS)
def test_graphs_hold_no_constants_of_the_key(name):
    # TensorBoard and error messages write GraphDefs.
    layer = PerceptualEncrypt(KEY, name)
    signature = [tf.TensorSpec((4, *SHAPE), tf.float32)]
    graph = tf.function(layer, input_signature=signature).get_concrete_function().graph
    assert_free(graph.as_graph_def().SerializeToString(), name, "GraphDef")


@pytest.mark.parametrize("name", CIPHERS)
def test_what_prints(name):
    transform = CIPHERS[name](KEY, SHAPE)
    layer = PerceptualEncrypt(KEY, name)
    layer(IMAGES)
    parts = (KEY, transform, transform.program, layer, layer._vault, layer.get_config())
    texts = [f"{part!r} {part}" for part in parts]
    for text in texts:
        assert_free(text.encode(), name, text[:40])


@pytest.mark.parametrize("name", CIPHERS)
def test_key_and_transforms_refuse_pickle(name):
    layer = PerceptualEncrypt(KEY, name)
    transform = CIPHERS[name](KEY, SHAPE)
    for secret in (KEY, transform, transform.program, layer._vault):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match="pickled"):
                pickle.dumps(secret, protocol)
