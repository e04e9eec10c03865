"""The algebra: group laws, word sizes, batches, every program against the oracle."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfpe import Transform
from tfpe.algebra.backends import CHUNK_BYTES, CHUNK_INDICES
from tfpe.algebra.lowering import Gather, Select, WordGather, Xor
from tfpe.errors import CipherOptionError

BITS = st.sampled_from([8, 4, 1])
SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def transforms(draw, size, bits=BITS, batch=None):
    """A random transform on flat images of `size` bytes."""
    bits, rng = draw(bits), np.random.default_rng(draw(SEEDS))
    return random_transform(rng, size, bits, batch)


def random_transform(rng, size, bits, batch=None):
    words = size * 8 // bits
    shape = (words,) if batch is None else (batch, words)
    perm = np.tile(np.arange(words), (*shape[:-1], 1))
    mask = rng.integers(0, 2**bits, shape)
    return Transform(rng.permuted(perm, axis=-1), mask, bits)


@st.composite
def families(draw, count):
    """`count` transforms of one size, each of a word size and batch of its own."""
    size = draw(st.integers(1, 9))
    batches = st.sampled_from([None, 3])
    return [draw(transforms(size, batch=draw(batches))) for _ in range(count)]


def images_of(transform, batch=3):
    rng = np.random.default_rng(1)
    return rng.integers(0, 256, (batch, *transform.input_shape), np.uint8)


@settings(max_examples=300)
@given(families(3))
def test_composition_is_associative_and_applies_the_right_one_first(family):
    f, g, h = family
    assert (f @ g) @ h == f @ (g @ h)
    x = images_of(f)
    assert np.array_equal((f @ g)(x), f(g(x)))


@settings(max_examples=300)
@given(families(2))
def test_identity_and_inverse(family):
    f, g = family
    one = Transform.identity(f.input_shape)
    assert f @ one == f == one @ f
    # Of a batched transform the identity is batched too.
    for neutral in (f @ f.inverse, f.inverse @ f):
        assert np.array_equal(neutral(images_of(f)), images_of(f))
        assert neutral == (one if f.batch_size is None else Transform.stack([one] * 3))
    assert (f @ g).inverse == g.inverse @ f.inverse
    assert f.inverse.inverse == f


@settings(max_examples=300)
@given(families(2), st.sampled_from([4, 1]))
def test_refining_is_a_homomorphism_and_changes_nothing(family, bits):
    f, g = family
    bits = min(bits, f.bits, g.bits)
    fine = f.refine(bits)
    assert fine.bits == bits and fine == f and hash(fine) == hash(f)
    assert (f @ g).refine(bits) == fine @ g.refine(bits)
    assert np.array_equal(fine(images_of(f)), f(images_of(f)))
    assert fine.inverse == f.inverse.refine(bits)
    back = fine.coarsen(f.bits)
    assert back.bits == f.bits and np.array_equal(back.perm, f.perm)
    assert np.array_equal(back.mask, f.mask)


@given(transforms(5), st.sampled_from([8, 4]))
def test_coarsening_keeps_the_transform_or_raises(f, bits):
    assert f.coarsen() == f
    if bits < f.bits:
        with pytest.raises(CipherOptionError, match="at least"):
            f.coarsen(bits)
    elif bits == f.bits:
        assert f.coarsen(bits) is f
    elif f.coarsen().bits < bits:
        with pytest.raises(CipherOptionError, match="separates"):
            f.coarsen(bits)
    else:
        assert f.coarsen(bits) == f


@given(transforms(4), transforms(4))
def test_equal_means_equal_on_all_images(f, g):
    # All one-bit images and zero determine a transform.
    basis = np.zeros((33, 32), np.uint8)
    basis[np.arange(32), np.arange(32)] = 1
    basis = np.packbits(basis, axis=-1, bitorder="little")
    assert (f == g) == np.array_equal(f(basis), g(basis))
    assert f == f.refine(1) and f != "f"


@given(st.lists(transforms(6), min_size=1, max_size=4))
def test_a_stack_is_each_of_its_transforms(stack):
    batched = Transform.stack(stack)
    assert batched.batch_size == len(stack)
    x = images_of(batched, len(stack))
    expected = np.stack([t(image) for t, image in zip(stack, x, strict=True)])
    assert np.array_equal(batched(x), expected)
    assert np.array_equal(batched.inverse(expected), x)


@settings(max_examples=300)
@given(families(1))
def test_a_transform_is_what_it_says(family):
    """y[i] = x[perm[i]] ^ mask[i], words numbered from the lowest bits up."""
    (f,) = family
    for number, image in enumerate(images_of(f)):
        perm, mask = f.perm, f.mask
        if f.batch_size:
            perm, mask = perm[number], mask[number]
        parts = 8 // f.bits
        words = [
            int(byte) >> f.bits * k & (2**f.bits - 1)
            for byte in image
            for k in range(parts)
        ]
        out = [words[p] ^ int(m) for p, m in zip(perm, mask, strict=True)]
        expected = [
            sum(out[i * parts + k] << f.bits * k for k in range(parts))
            for i in range(len(image))
        ]
        assert f.definition(images_of(f))[number].tolist() == expected


# --- programs -------------------------------------------------------------------


def xor_only(rng, size, channels):
    return Transform(np.arange(size), rng.integers(0, 256, size))


def inside_pixels(rng, size, channels):
    perm = np.arange(size).reshape(-1, channels)
    return Transform(rng.permuted(perm, axis=-1).ravel(), rng.integers(0, 256, size))


def bytes_moved(rng, size, channels):
    return random_transform(rng, size, 8)


def nibbles_moved(rng, size, channels):
    return random_transform(rng, size, 4)


def bits_moved(rng, size, channels):
    return random_transform(rng, size, 1)


PROGRAMS = [
    *((xor_only, c, Xor, None) for c in (1, 3, 5)),
    *((inside_pixels, c, Select, None) for c in (2, 3, 4)),
    (inside_pixels, 5, Gather, None),
    *((bytes_moved, c, Gather, None) for c in (1, 3)),
    *((nibbles_moved, c, WordGather, 4) for c in (1, 3)),
    *((bits_moved, c, WordGather, 1) for c in (1, 3)),
]


@pytest.mark.parametrize("structure, channels, program, bits", PROGRAMS)
@pytest.mark.parametrize("batch", [None, 4])
@pytest.mark.parametrize("refined", [8, 4, 1])
def test_every_program_equals_the_oracle(
    structure, channels, program, bits, batch, refined, rng
):
    shape = (6, 4, channels)
    size = 24 * channels

    def build():
        t = structure(rng, size, channels)
        t = t.refine(min(refined, t.bits))
        return Transform(t.perm, t.mask, t.bits, shape)

    t = build() if batch is None else Transform.stack(build() for _ in range(batch))
    assert type(t.program) is program
    assert bits is None or t.program.bits == bits
    x = rng.integers(0, 256, (4, *shape), np.uint8)
    for transform in (t, t.inverse):
        assert np.array_equal(transform(x), transform.definition(x))
    if batch is None:
        assert np.array_equal(t(x[0]), t.definition(x[0]))
        assert t(x[:0]).shape == (0, *shape)
    assert np.array_equal(t.inverse(t(x)), x)


@pytest.mark.parametrize(
    "structure", [xor_only, inside_pixels, bytes_moved, nibbles_moved, bits_moved]
)
@pytest.mark.parametrize("pixels, count", [(40_000, 5), (90_000, 2)])
def test_large_images_and_batches_run_in_chunks(structure, pixels, count, rng):
    """Larger than the chunks of NumPy: several images in one, or one in several."""
    t = structure(rng, 3 * pixels, 3)
    t = Transform(t.perm, t.mask, t.bits, (pixels, 1, 3))
    assert t.perm.size > CHUNK_INDICES and pixels * 3 * count > CHUNK_BYTES
    x = rng.integers(0, 256, (count, pixels, 1, 3), np.uint8)
    assert np.array_equal(t(x), t.definition(x))
    assert np.array_equal(t.inverse(t(x)), x)


@settings(max_examples=200)
@given(families(1))
def test_the_chosen_program_equals_the_oracle(family):
    (f,) = family
    x = images_of(f)
    assert np.array_equal(f(x), f.definition(x))


def test_images_may_be_views_and_are_left_alone(rng):
    t = random_transform(rng, 12, 4)
    x = rng.integers(0, 256, (6, 24), np.uint8)
    x.setflags(write=False)
    assert np.array_equal(t(x[::2, ::2]), t(x[::2, ::2].copy()))
    y = t(x[:, :12])
    y[:] = 0  # the result is the caller's own
    assert np.array_equal(t(x[:, :12]), t.definition(x[:, :12]))


# --- key material -----------------------------------------------------------------


def test_arrays_are_read_only_and_copied(rng):
    perm, mask = np.arange(6), np.zeros(6, np.uint8)
    t = Transform(perm, mask)
    perm[0] = 3
    mask[0] = 9
    assert t == Transform.identity((6,))
    for array in (t.perm, t.mask, t.inverse.perm, t.refine(4).mask):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_refuses_pickle_and_prints_no_arrays(rng):
    t = random_transform(rng, 6, 4)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="pickled"):
            pickle.dumps(t, protocol)
    text = "Transform(bits=4, input_shape=(6,), output_shape=(6,))"
    assert repr(t) == str(t) == f"{t}" == text
    assert repr(Transform.stack([t, t])) == text[:-1] + ", batch_size=2)"
    # Immutable, so a copy is the thing itself and not a second place to lose it.
    assert copy.copy(t) is t and copy.deepcopy([t])[0] is t


def test_hash_tells_nothing_of_the_key(rng):
    f, g = (random_transform(rng, 6, 8) for _ in range(2))
    assert f != g and hash(f) == hash(g)


def test_transforms_are_immutable():
    transform = Transform([1, 0], [0, 255])
    for name in ("perm", "mask", "bits", "input_shape", "output_shape"):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(transform, name, getattr(transform, name))
    for array in (transform.perm, transform.mask):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.setflags(write=True)
