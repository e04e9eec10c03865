"""No file that a graph is exported to holds a key; docs/security.md has the table."""

import pathlib
import re
import warnings
import zipfile

import export_ways_jax_torch  # noqa: F401
import export_ways_saving  # noqa: F401
import numpy as np
import pytest
import tensorflow as tf
from export_ways import HOLDS, IMAGES, KEY, RAISES, SHAPE, TRANSFORM, WAYS
from key_arrays import key_arrays

from tfpe import CIPHERS, Transform
from tfpe.algebra.backends import NumPyBackend
from tfpe.errors import ExportError

DOCS = pathlib.Path(__file__).parents[1] / "docs" / "security.md"
HEAD = 40  # values of an array that nothing but the key would repeat


class Recorder(NumPyBackend):
    """Notes the constants that a program gives to its backend."""

    def __init__(self, concrete):
        self.concrete, self.arrays = concrete, []

    def is_concrete(self, images):
        return self.concrete

    def secret(self, array, like):
        self.arrays.append(np.asarray(array))
        return array


def secrets(transform):
    """What would give a key away, as bytes of any width and as text."""
    arrays = []
    for t in (transform, transform.inverse):
        arrays += key_arrays(t)
        for concrete in (True, False):
            recorder = Recorder(concrete)
            t.program.run(IMAGES.reshape(len(IMAGES), -1), SHAPE[-1], recorder)
            arrays += recorder.arrays
    found = {bytes(range(101, 133)), bytes(range(101, 133)).hex().encode()}
    for array in arrays:
        head = array.ravel()[:HEAD].astype(np.int64)
        if len(set(np.diff(head))) < 2:
            continue  # constant or identity: tells nothing, and occurs anywhere
        for width in (np.uint8, np.uint16, np.uint32, np.uint64, np.float32):
            if head.max() <= np.iinfo(np.uint8).max or width is not np.uint8:
                data = head.astype(width).tobytes()
                # JAX prints constants as hexadecimal digits.
                found |= {data, data.hex().encode(), data.hex().upper().encode()}
        found |= {sign.join(map(str, head)).encode() for sign in (" ", ",", ", ")}
    return found


def contents(folder, returned):
    """All bytes that a way out wrote or returned, with archives opened."""
    if returned is not None:
        yield returned.encode() if isinstance(returned, str) else bytes(returned)
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.read_bytes()
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    yield from (archive.read(name) for name in archive.namelist())


def leaks(folder, returned):
    # Long arrays are printed in lines and columns.
    parts = [re.sub(rb"\s+", b" ", part) for part in contents(folder, returned)]
    parts += contents(folder, returned)
    return any(secret in part for secret in secrets(TRANSFORM) for part in parts)


SLOW = ("jax2tf",)  # 20 s to import


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name in SLOW else ())
        for name in WAYS
    ],
)
def test_way(name, tmp_path):
    attempt, outcome = WAYS[name]
    returned = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # exporters are deprecated, and say so
        if outcome in RAISES:
            with pytest.raises(RAISES[outcome]) as refusal:
                attempt(tmp_path)
            if RAISES[outcome] is ExportError:
                assert "tfpe.export(model, path)" in str(refusal.value)
        else:
            returned = attempt(tmp_path)
            assert returned or any(tmp_path.rglob("*"))
    assert leaks(tmp_path, returned) == (outcome == HOLDS)


def test_the_table_of_the_docs_is_what_was_tested():
    rows = re.findall(r"^\| [^|]+ \| ([^|]+?) \| `(\w+)` \|$", DOCS.read_text(), re.M)
    shown = {name: outcome.replace("*", "").split(":")[0] for outcome, name in rows}
    assert shown == {name: outcome for name, (_, outcome) in WAYS.items()}


def test_small_tensors_are_not_copied_into_the_graph():
    mask = np.random.default_rng(0).integers(0, 256, 96, np.uint8)
    transform = Transform(np.arange(96), mask)
    encrypt = tf.function(transform, input_signature=[tf.TensorSpec((2, 96), "uint8")])
    images = np.zeros((2, 96), np.uint8)
    assert np.array_equal(encrypt(images), transform(images))
    graph = encrypt.get_concrete_function().graph.as_graph_def()
    assert mask[:8].tobytes() not in graph.SerializeToString()


@pytest.mark.parametrize("name", sorted(set(CIPHERS) - {"identity"}))
def test_every_cipher_refuses(name, tmp_path):
    spec = tf.TensorSpec((2, *SHAPE), tf.uint8)
    module = tf.Module()
    module.encrypt = tf.function(CIPHERS[name](KEY, SHAPE), input_signature=[spec])
    assert module.encrypt(IMAGES).shape[0] == 2
    with pytest.raises(ExportError):
        tf.saved_model.save(module, tmp_path / "out")
    assert not list(tmp_path.iterdir())
