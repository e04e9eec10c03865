"""Transforms that move nothing are what their permutation says, and hold none."""

import tracemalloc

import numpy as np
import pytest
from flat_twins import check_twins
from hypothesis import given, settings
from hypothesis import strategies as st

from tfpe import CIPHERS, Key, Transform
from tfpe.algebra.block_transform import BlockTransform
from tfpe.algebra.xor_transform import XorTransform

KEY, SHAPE = Key(bytes(range(32))), (4, 6, 3)


def flat(transform):
    return Transform(transform.perm, transform.mask, 8, SHAPE)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([None, 3]))
def test_all_that_it_does_is_what_its_permutation_does(seed, batch):
    rng, lead = np.random.default_rng(seed), () if batch is None else (batch,)
    x = rng.integers(0, 256, (3, *SHAPE), np.uint8)
    f, g = (
        XorTransform(rng.integers(0, 256, (*lead, 72), np.uint8), SHAPE) for _ in x[:2]
    )
    order = rng.permuted(np.tile(np.arange(3, dtype=np.uint8), (24, 1)), axis=-1)
    moves = BlockTransform(order, np.zeros((24, 3), np.uint8), 8, SHAPE, 1)
    check_twins(f, g, flat, x)
    assert f @ g == flat(f) @ flat(g) and f @ flat(g) == flat(f) @ flat(g)
    assert f @ moves == flat(f) @ moves.flat() and moves @ f == moves.flat() @ flat(f)
    assert f.coarsen().bits == 8
    assert f.batch_size == batch and (f @ f).is_identity and not f.is_identity


@pytest.mark.parametrize("name", ["identity", "negpos", "keystream", "ffx"])
def test_images_are_encrypted_in_the_memory_of_masks(name):
    """Of an index of the image it would be four times as many, and eight more."""
    shape, most = (1000, 1000, 3), {"ffx": 6}.get(name, 2)
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    tracemalloc.start()
    transform = CIPHERS[name](KEY, shape).prepare()
    cipher = transform(image)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < (most + 1.6) * image.nbytes
    assert transform.held_bytes < 4.1 * image.nbytes
    assert np.array_equal(cipher, transform.definition(image))
