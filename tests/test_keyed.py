"""What all keyed maps share: substitutions, chains of unlike kinds, one's own siblings.

Budget: 15 s.
"""

import copy
import dataclasses
import pathlib
import pickle

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from key_arrays import key_arrays

import tfpe
from tfpe import CIPHERS, Key, Keyed, PerceptualEncrypt, Substitution, Transform
from tfpe.algebra.keyed import Program
from tfpe.ciphers.cipher import Cipher
from tfpe.dataset import encrypt_dataset
from tfpe.errors import CipherOptionError, NoInverseError, TfpeError
from tfpe.files import decrypt_folder, encrypt_folder
from training.encryption import Encryption

SEEDS = st.integers(0, 2**32 - 1)
SHAPE = (2, 3, 1)
KEY = Key(bytes(range(32)))


def substitution(seed, tables=3, shape=SHAPE):
    rng = np.random.default_rng(seed)
    rows = rng.permuted(np.tile(np.arange(256), (tables, 1)), axis=1)
    return Substitution(rows, rng.integers(0, tables + 1, 6), shape)


def transform(seed, bits=4, shape=SHAPE):
    rng = np.random.default_rng(seed)
    words = 48 // bits
    mask = rng.integers(0, 2**bits, words)
    return Transform(rng.permutation(words), mask, bits, shape)


def images(count=64, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *SHAPE), np.uint8)


ALL_VALUES = np.repeat(np.arange(256, dtype=np.uint8), 6).reshape(256, *SHAPE)


@given(SEEDS, SEEDS, SEEDS)
def test_substitutions_are_a_group(one, two, three):
    f, g, h = (substitution(seed, seed % 3 + 1) for seed in (one, two, three))
    identity = Substitution.identity(SHAPE)
    assert np.array_equal((f @ g)(ALL_VALUES), f(g(ALL_VALUES)))
    assert (f @ g) @ h == f @ (g @ h)
    assert f @ f.inverse == identity == f.inverse @ f and (f @ f.inverse).is_identity
    assert (f @ g).inverse == g.inverse @ f.inverse
    assert f @ identity == f == identity @ f
    assert isinstance(f @ g, Substitution)
    # All values at all places determine a substitution.
    assert (f == g) == np.array_equal(f(ALL_VALUES), g(ALL_VALUES))


@given(SEEDS)
def test_a_substitution_is_what_it_says(seed):
    rng = np.random.default_rng(seed)
    tables = [rng.permutation(256).tolist() for _ in range(2)]
    index = rng.integers(0, 3, 6)
    encrypt = Substitution(tables, index)
    for image, found in zip(
        images(4).reshape(4, 6), encrypt(images(4).reshape(4, 6)), strict=True
    ):
        expected = [
            tables[k - 1][v] if k else v for k, v in zip(index, image, strict=True)
        ]
        assert found.tolist() == expected


KINDS = st.sampled_from([substitution, transform])


@given(st.lists(st.tuples(KINDS, SEEDS), min_size=1, max_size=4))
def test_chains_of_all_kinds(parts):
    maps = [kind(seed) for kind, seed in parts]
    chain = maps[0]
    for one in maps[1:]:
        chain = one @ chain
    x = images()
    expected = x
    for one in maps:
        expected = one(expected)
    assert np.array_equal(chain(x), expected)
    assert np.array_equal(chain.definition(x), expected)
    assert np.array_equal(chain.inverse(expected), x)
    assert (chain.inverse @ chain).is_identity
    assert chain == chain.inverse.inverse and hash(chain) == hash(chain.inverse)
    # Neighbours of one kind are one part.
    kinds = [type(part) for part in chain.parts]
    assert all(a is not b for a, b in zip(kinds, kinds[1:], strict=False))


@given(KINDS, SEEDS)
def test_nothing_beside_a_map_is_the_map(kind, seed):
    one, nothing = kind(seed), Transform.identity(SHAPE)
    assume(not one.is_identity)  # either kind of identity may come out
    for other in (nothing, Substitution.identity(SHAPE)):
        assert one @ other == one == other @ one


def test_batches_of_keys_of_all_kinds():
    ffx = [CIPHERS["ffx"](KEY.for_image(n), (4, 4, 3)) for n in range(3)]
    le = [CIPHERS["le"](KEY.for_image(n), (4, 4, 3)) for n in range(3)]
    x = np.random.default_rng(1).integers(0, 256, (3, 4, 4, 3), np.uint8)
    both = [f @ g for f, g in zip(ffx, le, strict=True)]
    for maps in (ffx, le, both):
        stacked = Keyed.stack(one.packed() for one in maps)
        expected = np.stack([one(i) for one, i in zip(maps, x, strict=True)])
        assert stacked.batch_size == 3
        assert np.array_equal(stacked(x), expected)
        assert np.array_equal(stacked.inverse(expected), x)
        assert stacked == Keyed.stack(maps)
    again = Keyed.stack(ffx) @ Keyed.stack(le)
    assert np.array_equal(again(x), Keyed.stack(both)(x))
    for unlike in ([ffx[0], le[0]], [both[0], le[0]], [both[0], both[0] @ ffx[0]]):
        with pytest.raises(CipherOptionError, match="one kind.*Received"):
            Keyed.stack(unlike)


@pytest.mark.parametrize("kind", [substitution, transform, "chain"])
def test_every_framework_and_secrecy(kind):
    import jax
    import tensorflow as tf

    one = substitution(1) @ transform(2) if kind == "chain" else kind(1)
    x = images()
    expected = one.definition(x)
    for found in (
        one(x),
        one(tf.constant(x)),
        tf.function(one)(tf.constant(x)),
        tf.function(one, jit_compile=True)(tf.constant(x)),
        jax.jit(one)(jax.numpy.asarray(x)),
    ):
        assert np.array_equal(found, expected)
    large = images(100_000)  # in chunks
    assert np.array_equal(one(large), one.definition(large))
    assert copy.copy(one) is one and copy.deepcopy([one])[0] is one
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(one)
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(one.program)
    for name in one._fixed:
        with pytest.raises(AttributeError, match="immutable"):
            setattr(one, name, getattr(one, name))
    for array in key_arrays(*one.parts):
        assert not array.flags.writeable
        assert str(array.tolist()[:3])[1:-1] not in repr(one)
    assert "input_shape=(2, 3, 1)" in repr(one)


WRONG = {
    "table repeats": lambda: Substitution([[0] * 256], [1]),
    "table of a nibble": lambda: Substitution([np.arange(16)], [1]),
    "table of floats": lambda: Substitution([np.arange(256.0)], [1]),
    "index of no table": lambda: Substitution([np.arange(256)], [2]),
    "index negative": lambda: Substitution([np.arange(256)], [-1]),
    "index of bools": lambda: Substitution([np.arange(256)], [True]),
    "no bytes": lambda: Substitution([np.arange(256)], np.zeros(0, int)),
    "another size": lambda: Substitution([np.arange(256)], [1], (1, 2, 1)),
    "shapes of a chain": lambda: substitution(1) @ transform(1, shape=(3, 2, 1)),
    "structure": lambda: tfpe.structure(CIPHERS["ffx"](KEY, (8, 8, 3))),
    "tables": lambda: CIPHERS["ffx"](KEY, (8, 8, 3), tables="own"),
    "explicit tables": lambda: tfpe.ciphers.ffx_transform(
        np.arange(255), [1, 0, 0], (1, 1, 3), 1
    ),
    "explicit places": lambda: tfpe.ciphers.ffx_transform(
        np.arange(256), [1, 0], (1, 1, 3), 1
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_calls_say_what_was_received(case):
    with pytest.raises(TfpeError, match="should.*Received|needs.*Received"):
        WRONG[case]()


def test_the_owner_takes_any_of_them_off_a_model(tmp_path):
    import keras

    for one in (substitution(1), substitution(1) @ transform(2)):
        inputs = keras.Input(SHAPE, dtype="uint8")
        scaled = keras.layers.Rescaling(1.0)(one(inputs))
        model = keras.Model(inputs, keras.layers.Flatten()(scaled))
        x = images(2)
        cloud = tfpe.cloud_model(model)
        assert np.array_equal(cloud(one(x)), model(x))
        with pytest.raises(TypeError, match="key material"):
            model.save(tmp_path / "never.keras")


# --- a sibling of one's own ---------------------------------------------------------


@dataclasses.dataclass(eq=False, repr=False)
class Scale(Program):
    one_pass = True

    def run(self, images, channels, backend):
        return backend.cast(images, "float32") * np.float32(0.5)


class Halves(Keyed):
    """A sibling whose ciphertexts are no bytes, and which has no inverse."""

    output_dtype, lossless = "float32", False

    def __init__(self, shape):
        self.input_shape = self.output_shape = shape

    def definition(self, images):
        return images * np.float32(0.5)

    def _choose(self):
        return Scale()


def halves(key, image_shape):
    """Half of each value. It is no cipher."""
    return Halves(tuple(image_shape))


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setitem(CIPHERS, "halves", Cipher(halves, lambda shape: None, "-"))
    return "halves"


def test_a_sibling_of_ones_own_is_applied_and_chained():
    one, x = Halves(SHAPE), images()
    assert one(x).dtype == np.float32 and np.array_equal(one(x), one.definition(x))
    large = images(100_000)
    chain = one @ substitution(1)
    assert np.array_equal(chain(large), chain.definition(large))
    assert chain.output_dtype == "float32" and not chain.lossless
    for lossy in (one, chain):
        with pytest.raises(NoInverseError, match="Halves"):
            _ = lossy.inverse
    with pytest.raises(CipherOptionError, match="uint8 and float32"):
        _ = substitution(1) @ one
    with pytest.raises(CipherOptionError, match="Halves"):
        Keyed.stack([one, Halves(SHAPE)])


def test_what_takes_any_ciphertext_takes_it(toy):
    import tensorflow as tf

    x = images(2)
    expected = x / np.float32(2)
    dataset = tf.data.Dataset.from_tensors(x)
    (mapped,) = tfpe.data.encrypt(dataset, KEY, toy)
    for found in (
        PerceptualEncrypt(KEY, toy)(x),
        mapped,
        Encryption(KEY, toy)(x, np.arange(2)),
    ):
        assert np.asarray(found).dtype == np.float32
        assert np.array_equal(found, expected)


def test_what_holds_bytes_refuses_other_ciphertexts_by_name(toy, photo_folder):
    words = images(2).astype(np.uint16)
    for call in (
        lambda: PerceptualEncrypt(KEY, toy, dtype="uint8"),
        lambda: encrypt_folder("photos", "out", KEY, toy),
        lambda: encrypt_dataset("photos", "out", KEY, toy),
        lambda: decrypt_folder("photos", "out", KEY, cipher=toy),
        lambda: Encryption(KEY, toy)(words, np.arange(2)),
    ):
        with pytest.raises(CipherOptionError, match="halves"):
            call()
    assert not pathlib.Path("out").exists()
    # Of a sibling of which nothing is known, no attack is told that it works.
    traits = CIPHERS[toy].traits()
    assert traits.word_bits is None and not traits.in_place and not traits.substitutes
