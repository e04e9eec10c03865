"""Transforms that keep to blocks are what their permutation says, in every way."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfpe import CIPHERS, Key, Transform
from tfpe.algebra.backends import CHUNK_BYTES
from tfpe.algebra.block_rows import local_dtype
from tfpe.algebra.block_transform import BlockTransform
from tfpe.ciphers.channels import CHANNEL_ORDERS, channel_orders

KEY = Key(bytes(range(32)))
SEEDS = st.integers(0, 2**32 - 1)
KINDS = st.tuples(st.sampled_from([8, 4]), st.booleans(), st.booleans())
SIDES = st.sampled_from([1, 2, 4])
TAKES_KEYS = [name for name, row in CIPHERS.items() if row.takes_keys]


def random_blocks(rng, bits, tied, moved, side, shape, batch=None):
    count = shape[0] * shape[1] // side**2
    size, lead = side**2 * shape[2], () if batch is None else (batch,)
    rows, words = 1 if tied else count, size * 8 // bits
    order = np.tile(np.arange(words, dtype=local_dtype(words)), (*lead, rows, 1))
    masks = rng.integers(0, 256, (*lead, rows, size), np.uint8)
    source = np.tile(np.arange(count, dtype=np.int32), (*lead, 1))
    return BlockTransform(
        rng.permuted(order, axis=-1),
        *(masks, bits, shape, side),
        rng.permuted(source, axis=-1) if moved else None,
    )


@settings(max_examples=150, deadline=None)
@given(SEEDS, SIDES, KINDS, KINDS, st.sampled_from([1, 3]), st.sampled_from([None, 3]))
def test_all_that_it_does_is_what_its_permutation_does(
    seed, side, kind, other, channels, batch
):
    rng, shape = np.random.default_rng(seed), (4, 8, channels)
    f, g = (random_blocks(rng, *k, side, shape, batch) for k in (kind, other))
    flat, g_flat = f.flat(), g.flat()
    x = rng.integers(0, 256, (3, *shape), np.uint8)
    expected = flat.definition(x)
    assert np.array_equal(f.definition(x), expected)
    assert np.array_equal(f(x), expected)
    assert np.array_equal(f.inverse(expected), x)
    assert f == flat and flat == f and f.inverse == flat.inverse
    assert f @ g == flat @ g_flat and f @ g_flat == flat @ g
    assert f.refine(4) == flat.refine(4) and f.refine(1) == flat.refine(1)
    assert f.coarsen().bits == flat.coarsen().bits and f.coarsen() == flat
    assert f.refine(4).coarsen().bits == f.coarsen().bits
    assert (f == g) == (flat == g_flat)
    assert not f.is_identity and f.batch_size == batch
    if batch is None:
        assert f @ f.inverse == Transform.identity(shape)
        assert (f @ f.inverse).is_identity
        stack = Transform.stack([f, f])
        assert np.array_equal(stack(x[:2]), expected[:2])
    else:
        assert [f.of_image(n) for n in range(3)] == [flat.of_image(n) for n in range(3)]
        assert np.array_equal(f.of_image(1)(x[1]), expected[1])
        assert Transform.stack(f.of_image(n).packed() for n in range(3)) == f


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("tied, side, batch", [(1, 4, 0), (0, 4, 2), (0, 1, 2)])
def test_large_images_are_taken_block_by_block(bits, moved, tied, side, batch):
    rng, shape = np.random.default_rng(1), (4 * 80, 4 * 72, 3)
    f = random_blocks(rng, bits, tied, moved, side, shape, batch or None)
    x = rng.integers(0, 256, (2, *shape), np.uint8)
    assert x[0].size > CHUNK_BYTES
    assert np.array_equal(f(x), f.definition(x))
    assert np.array_equal(f.inverse(f(x)), x)


@pytest.mark.parametrize("framework", ["tensorflow", "XLA", "jax"])
def test_frameworks_equal_the_oracle(framework):
    import jax
    import tensorflow as tf

    rng, shape = np.random.default_rng(2), (8, 12, 3)
    x = rng.integers(0, 256, (3, *shape), np.uint8)
    for tied, moved, side, batch in (
        (True, False, 4, None),
        (False, True, 2, None),
        (False, False, 1, 3),
    ):
        f = random_blocks(rng, 4 if side == 4 else 8, tied, moved, side, shape, batch)
        run = {
            "tensorflow": lambda x, f=f: f(tf.constant(x)).numpy(),
            "XLA": lambda x, f=f: tf.function(f, jit_compile=True)(tf.constant(x)),
            "jax": lambda x, f=f: jax.jit(f)(x),
        }[framework]
        assert np.array_equal(run(x), f.definition(x))


@pytest.mark.parametrize("name, most", [("le", 2**18), ("blockshuffle", 2**18)])
def test_one_key_for_all_blocks_takes_the_memory_of_a_row_of_them(name, most):
    shape = (3000, 4000, 3)
    t = CIPHERS[name](KEY, shape).prepare()
    for one in (t, t.inverse.prepare()):
        assert one.held_bytes < 4 * most
    row = np.random.default_rng(0).integers(0, 256, (4, 4000, 3), np.uint8)
    image = np.tile(row, (750, 1, 1))
    again = CIPHERS[name](KEY, shape)
    assert np.array_equal(again(image).reshape(750, -1)[17], again(image)[:4].ravel())
    assert again.held_bytes < 8 * most, "its program should know the blocks"


@functools.cache
def options_of(name):
    found = {
        "le": [{"reversal": "independent"}, {"word_bits": 8}],
        "ele": [{"reversal": "independent"}, {"block_size": 8}],
        "pbe": [{"channel_shuffle": False}],
        "logistic": [
            {"chaos": "pwlcm", "stream": "shared"},
            {"chaos": "shake256", "select": False},
        ],
        "etc_gray": [{"fold": False}],
        "etc": [{"block_size": 16}, {"channel_shuffle": False}],
    }
    return [{}, *found.get(name, [])]


@pytest.mark.parametrize("name", TAKES_KEYS)
def test_keys_drawn_at_once_are_those_drawn_one_by_one(name):
    numbers, row = [5, 0, 2**40], CIPHERS[name]
    x = np.random.default_rng(3).integers(0, 256, (3, 16, 32, 3), np.uint8)
    for options in options_of(name):
        batch = row.per_image(KEY, x.shape[1:], numbers, **options)
        each = [row(KEY.for_image(n), x.shape[1:], **options) for n in numbers]
        assert batch.batch_size == 3 and batch == Transform.stack(each)
        cipher = np.stack([t.definition(i) for t, i in zip(each, x, strict=True)])
        assert np.array_equal(batch(x), cipher)
        assert np.array_equal(batch.inverse(cipher), x)


def test_channel_orders_are_rows_of_the_table():
    codes = np.random.default_rng(4).integers(0, 6, (3, 21845))
    assert np.array_equal(channel_orders(codes), CHANNEL_ORDERS[codes.ravel()])
