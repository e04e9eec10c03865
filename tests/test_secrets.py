"""Key, perm and mask stay out of everything that is saved, sent or printed."""

import contextlib
import importlib.util
import io
import logging
import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf
from key_arrays import key_arrays

from tfpe import CIPHERS, Key, PerceptualEncrypt, Transform

KEY = Key(bytes(range(101, 133)))
SHAPE = (8, 8, 3)
IMAGES = np.random.default_rng(0).integers(0, 256, (4, *SHAPE)).astype(np.float32)
CHUNK = 12


def secret_chunks(name):
    """Bytes that would give the key away: its own, and pieces of perm and mask.

    As raw arrays of the integer types in use, and as they print.
    """
    transform = CIPHERS[name](KEY, SHAPE)
    chunks = [bytes(range(101, 133)), bytes(range(101, 133)).hex().encode()]
    maps = [transform, transform.inverse]
    if isinstance(transform, Transform):
        maps.append(transform.refine(4))
    for t in maps:
        for array in key_arrays(t):
            if len(np.unique(array[:CHUNK])) < 3 or np.all(np.diff(array) == 1):
                continue  # identity and constant parts tell nothing, and occur anywhere
            head = array[:CHUNK]
            for dtype in (np.uint8, np.int32, np.int64):
                chunks.append(head.astype(dtype).tobytes())
            chunks.append(" ".join(map(str, head.tolist())).encode())
            chunks.append(", ".join(map(str, head.tolist())).encode())
    program = transform.program
    for array in key_arrays(program):
        head = array[:64]
        if len(np.unique(head)) > 2 and not np.all(np.diff(head.astype(int)) == 1):
            chunks.append(head.tobytes())
    return chunks


def assert_free(data, name, where):
    for chunk in secret_chunks(name):
        assert chunk not in data, f"{where} holds key material of {name}"


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
