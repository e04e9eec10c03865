"""What a cipher leaves as it was: the properties that its attacks start from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_ciphers import cases, random_images

from tfpe import CIPHERS, Key, ciphers
from tfpe.algebra.words import split_words

SEEDS = st.integers(0, 2**32 - 1)


def encrypted(case, seed, count=2):
    """Plain images and their ciphertexts."""
    name, secret, shape, options = case
    x = random_images(shape, count, seed)
    return x, CIPHERS[name](Key(secret), shape, **options)(x)


def blocks_of(images, block_size):
    """`(batch, blocks, bytes)`, by slices."""
    _, height, width, _ = images.shape
    parts = [
        images[:, r : r + block_size, c : c + block_size].reshape(len(images), -1)
        for r in range(0, height, block_size)
        for c in range(0, width, block_size)
    ]
    return np.stack(parts, axis=1)


def fold_bytes(values):
    """min(v, 255 - v), in order: what no negative and no shuffle changes."""
    return np.sort(np.minimum(values, 255 - values), axis=-1)


def fold_nibbles(values):
    nibbles = split_words(values, 4)
    return np.sort(np.minimum(nibbles, 15 - nibbles), axis=-1)


def rows(array):
    """The rows of a matrix as a multiset."""
    return sorted(map(tuple, array.tolist()))


@given(cases(("le",), word_bits=4), SEEDS)
def test_le_keeps_the_folded_nibbles_of_each_block(case, seed):
    x, y = (blocks_of(v, case[3]["block_size"]) for v in encrypted(case, seed))
    assert np.array_equal(fold_nibbles(x), fold_nibbles(y))


@given(cases(("le",), word_bits=8), SEEDS)
def test_bytewise_le_keeps_the_folded_bytes_of_each_block(case, seed):
    x, y = (blocks_of(v, case[3]["block_size"]) for v in encrypted(case, seed))
    assert np.array_equal(fold_bytes(x), fold_bytes(y))


@given(cases(("ele",)), SEEDS)
def test_ele_keeps_the_folded_nibbles_of_the_blocks_as_a_set(case, seed):
    x, y = (blocks_of(v, case[3]["block_size"]) for v in encrypted(case, seed, 1))
    assert rows(fold_nibbles(x[0])) == rows(fold_nibbles(y[0]))


@given(cases(("pbe",)), SEEDS)
def test_pbe_keeps_the_folded_bytes_of_each_pixel(case, seed):
    x, y = encrypted(case, seed)
    assert np.array_equal(fold_bytes(x), fold_bytes(y))


@given(cases(("etc",)), SEEDS)
def test_etc_keeps_the_folded_bytes_of_the_blocks_as_a_set(case, seed):
    x, y = (blocks_of(v, case[3]["block_size"]) for v in encrypted(case, seed, 1))
    assert rows(fold_bytes(x[0])) == rows(fold_bytes(y[0]))


@given(cases(("iib",), turns="shared"), SEEDS)
def test_iib_keeps_the_folded_bytes_of_the_blocks_as_a_set(case, seed):
    x, y = (blocks_of(v, case[3]["block_size"]) for v in encrypted(case, seed, 1))
    assert rows(fold_bytes(x[0])) == rows(fold_bytes(y[0]))
    # Where sub-blocks stay in their blocks, each is a turned one, of either sign.
    if not (case[3]["sub_block_shuffle"] or case[3]["block_shuffle"]):
        parts = [blocks_of(v, case[3]["sub_block_size"]) for v in encrypted(case, seed)]
        assert np.array_equal(*map(fold_bytes, parts))


@given(cases(("etc_gray",), fold=False), SEEDS)
def test_etc_gray_keeps_the_folded_bytes_of_the_gray_blocks(case, seed):
    x, y = encrypted(case, seed, 1)
    planes = np.concatenate(list(np.moveaxis(x[0], -1, 0)), axis=1)[None, ..., None]
    x, y = (blocks_of(v, case[3]["block_size"])[0] for v in (planes, y))
    assert rows(fold_bytes(x)) == rows(fold_bytes(y))


@given(cases(("blockshuffle",)), SEEDS)
def test_blockshuffle_keeps_the_bytes_of_each_block(case, seed):
    x, y = (blocks_of(v, case[3]["block_size"]) for v in encrypted(case, seed))
    assert np.array_equal(np.sort(x), np.sort(y))


@given(cases(("shuffle", "negpos")), SEEDS)
def test_shuffle_and_negpos_keep_the_folded_bytes_of_the_image(case, seed):
    x, y = (v.reshape(len(v), -1) for v in encrypted(case, seed))
    assert np.array_equal(fold_bytes(x), fold_bytes(y))
    if case[0] == "shuffle":
        assert np.array_equal(np.sort(x), np.sort(y))


# --- logistic and the exclusive or ----------------------------------------------------


@given(SEEDS)
def test_logistic_leaves_what_is_not_selected_up_to_the_channel_order(seed):
    rng = np.random.default_rng(seed)
    shape = (3, 4, 3)
    sequence = rng.integers(0, 256, shape, np.uint8)
    select, order = rng.integers(0, 2, shape), rng.integers(0, 6, shape[:2])
    x = random_images(shape, 1, seed)[0]
    y = ciphers.logistic_transform(sequence, select, order)(x)
    for p in np.ndindex(shape[:2]):
        kept = x[p][select[p] == 0].tolist()
        for value in y[p].tolist():
            if value in kept:
                kept.remove(value)
        assert not kept
    assert ciphers.logistic_transform(sequence, 0 * select, None)(x).tolist() == (
        x.tolist()
    )


@given(cases(("logistic", "pbe", "keystream")), SEEDS)
def test_the_xor_of_two_ciphertexts_is_that_of_the_images_up_to_channels(case, seed):
    x, y = encrypted(case, seed)
    difference = np.sort(x[0] ^ x[1]), np.sort(y[0] ^ y[1])
    assert np.array_equal(*difference)
    if not case[3].get("channel_shuffle", False):
        assert np.array_equal(x[0] ^ x[1], y[0] ^ y[1])


@given(SEEDS)
def test_pbe_of_the_negative_is_pbe_under_the_complementary_key(seed):
    rng = np.random.default_rng(seed)
    negate, order = rng.integers(0, 2, (4, 5, 3)), rng.integers(0, 6, (4, 5))
    x = random_images((4, 5, 3), seed=seed)
    complement = ciphers.pbe_transform(1 - negate, order)(255 - x)
    assert np.array_equal(ciphers.pbe_transform(negate, order)(x), complement)


# --- distances --------------------------------------------------------------------

ISOMETRIES = (
    *("pbe", "etc", "etc_gray", "iib", "shuffle", "blockshuffle"),
    *("negpos", "identity"),
)


def centred(images):
    """2 v - 255: twice the values about 127.5, exactly."""
    return 2 * images.reshape(len(images), -1).astype(np.int64) - 255


@given(cases(ISOMETRIES), SEEDS)
def test_isometries_about_the_middle_keep_inner_products(case, seed):
    x, y = (centred(v) for v in encrypted(case, seed, 3))
    assert np.array_equal(x @ x.T, y @ y.T)


@given(cases(("le", "ele")), SEEDS)
def test_le_and_ele_keep_inner_products_of_nibbles(case, seed):
    def nibbles(images):
        words = split_words(images.reshape(len(images), -1), 4).astype(np.int64)
        return 2 * words - 15

    x, y = (nibbles(v) for v in encrypted(case, seed, 3))
    assert np.array_equal(x @ x.T, y @ y.T)


@pytest.mark.parametrize("name", ["le", "ele", "logistic", "keystream"])
def test_the_others_are_no_isometries(name, key, photographs):
    x = np.stack([photograph[:32, :32] for photograph in photographs])
    y = CIPHERS[name](key, (32, 32, 3))(x)
    x, y = centred(x), centred(y)
    assert not np.array_equal(x @ x.T, y @ y.T)
