"""Transforms of planes side by side are what their permutation says, in every way."""

import numpy as np
import pytest
from flat_twins import check_twins
from hypothesis import given, settings
from hypothesis import strategies as st
from test_block_transform import random_blocks

from tfpe import CIPHERS, Key
from tfpe.algebra.backends import CHUNK_BYTES
from tfpe.algebra.plane_transform import PlaneTransform
from tfpe.ciphers.scrambled import side_by_side

KEY, SHAPE, GRAY = Key(bytes(range(32))), (4, 8, 3), (4, 24, 1)
SHAPES = st.sampled_from([(SHAPE, SHAPE), (SHAPE, GRAY), (GRAY, SHAPE)])


def flat(transform):
    """By permutations alone, the way the paper tells it."""
    planes = side_by_side(SHAPE)
    found = transform.gray.flat()
    if transform.input_shape == SHAPE:
        found = found @ planes
    return planes.inverse @ found if transform.output_shape == SHAPE else found


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), SHAPES, st.sampled_from([None, 3]))
def test_all_that_it_does_is_what_its_permutation_does(seed, shapes, batch):
    rng = np.random.default_rng(seed)
    f, g = (
        PlaneTransform(random_blocks(rng, 8, False, True, 2, GRAY, batch), *shapes)
        for _ in range(2)
    )
    x = rng.integers(0, 256, (3, *shapes[0]), np.uint8)
    assert f.output_shape == shapes[1] and f.batch_size == batch
    check_twins(f, g, flat, x)
    assert f.inverse == flat(f).inverse and f != g
    assert f.inverse @ g == flat(f).inverse @ flat(g)
    assert not f.is_identity


@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize("shape", [(16, 24, 3), (320, 328, 3)])
def test_small_and_large_images_in_every_framework(fold, shape):
    import jax
    import tensorflow as tf

    f = CIPHERS["etc_gray"](KEY, shape, fold=fold)
    x = np.random.default_rng(0).integers(0, 256, (2, *shape), np.uint8)
    cipher = f.definition(x)
    assert (x[0].size > CHUNK_BYTES) == (shape[0] > 16)
    assert np.array_equal(f(x), cipher) and np.array_equal(f.inverse(cipher), x)
    assert np.array_equal(f(tf.constant(x)), cipher)
    assert np.array_equal(jax.jit(f)(x), cipher)
