"""Ciphertext only: one fixed key of ele, from how blocks and nibbles go together."""

import math

import numpy as np

from tfpe.algebra.transform import Transform
from tfpe.attacks.puzzle.edges import turned
from tfpe.attacks.statistics.block_places import (
    BlockWords,
    match_blocks,
    match_positions,
    moved_bytes,
    neighbours,
)
from tfpe.attacks.statistics.nibbles import (
    common_signs,
    correlations,
    match_low,
    strong_words,
)
from tfpe.checks import whole_number
from tfpe.errors import AttackError

# How well correlations of high nibbles should go with those of the reference, over all
# pairs in a block, in the mean of the blocks: under the right key 0.91 to 0.99 (100
# images of CIFAR-10 or more), 0.87 and less for shuffle, logistic and keystream.
LEAST_AGREEMENT = 0.89
# The same of the least of all pairs of blocks that touch: 0.54 and more where at most
# some words are wrong, 0.31 and less where a block is.
LEAST_NEIGHBOUR_AGREEMENT = 0.4


def block_statistics(ciphertexts, reference, block_size=4):
    """Recovers a fixed key of ele from ciphertexts and other pictures.

    Across many images under one key every word of a ciphertext is the same word of the
    picture, or its negative: correlations of words are those of plain pictures,
    permuted and with signs. High nibbles of a block go together by far more than low
    ones, and their signs are those of the first principal component. Blocks fall into
    place by the correlations of their means (a quadratic assignment), high nibbles by
    those with the means of all blocks and then with the nibbles around, low ones by
    those with the high ones (linear assignments). All this is the same for a picture
    that is turned, mirrored or negative: of these 16 (8 where it is no square) the one
    is taken under which the blocks are likeliest, as normal variates of the reference.

    Left and right are nearly alike in pictures: only thousands of ciphertexts of
    CIFAR-10 tell them apart. With fewer, mirrored pictures are a matter of chance, and
    a person who sees them knows (writing, clocks, traffic). docs/results.md says from
    how many ciphertexts of CIFAR-10 it gave the exact key, up to that mirror, for every
    key tried; with fewer it mostly raises.

    Threat model: ciphertexts under one fixed key, and pictures of a similar kind and
    scale that are no plaintexts of them. It also breaks le, etc, blockshuffle, pbe and
    negpos, which are forms of ele's class.
    Complexity: O(N n B) for N images of n words in B blocks, and the assignments: 1 to
    10 seconds for 32 x 32; the quadratic one takes the third power of B.

    Args:
        ciphertexts: `uint8 (N, H, W, C)` of one key, 100 or more; more than 5,000 are
            thinned out.
        reference: plain images of the same shape, `uint8 (M, H, W, C)`, likewise.
        block_size: side of a block in pixels; at least 2.

    Returns:
        The `Transform` that encrypts, or that of mirrored pictures: `mirrored` makes
        either of the other.

    Raises:
        ImageError: not `uint8` images that blocks divide.
        AttackError: too few images, or words that no key of ele explains.

    Source: not published elsewhere.

    Example:

    >>> from sklearn.datasets import load_sample_images
    >>> from tfpe import Key, ciphers
    >>> photographs = np.stack(load_sample_images().images)[:, :416]
    >>> pictures = photographs.reshape(2, 26, 16, 40, 16, 3).swapaxes(2, 3)
    >>> pictures = pictures.reshape(-1, 16, 16, 3)
    >>> secret = ciphers.ele(Key(bytes(32)), (16, 16, 3))
    >>> recovered = block_statistics(secret(pictures[::2]), pictures[1::2])
    >>> keys = recovered, mirrored(recovered)
    >>> shown = [key.inverse(secret(pictures)) for key in keys]
    >>> from tfpe.metrics import edge_correlation
    >>> bool(max(edge_correlation(s, pictures).mean() for s in shown) > 0.9)
    True
    """
    block_size = whole_number(block_size, "block_size", 2)
    received = BlockWords(ciphertexts, block_size, "ciphertexts")
    expected = BlockWords(reference, block_size, "reference")
    if received.shape != expected.shape:
        raise AttackError(
            f"`reference` should have images of shape {received.shape}, as "
            f"`ciphertexts`. Received: images of shape {expected.shape}"
        )
    high, low = strong_words(correlations(received.values, received.values))
    strong, weak = _words(received.values, high), _words(received.values, low)
    plain_weak, plain_strong = expected.values[..., ::2], expected.values[..., 1::2]
    sign = _signs(strong)
    strong = strong * sign[:, None]
    block = match_blocks(strong, plain_strong)
    strong, weak = strong[np.argsort(block)], weak[np.argsort(block)]
    position = match_positions(strong, plain_strong, received.grid)
    strong = _words(strong, np.argsort(position))
    _check(strong, plain_strong, received.grid)
    weak_position, weak_sign = _match_low_words(weak, strong, plain_weak, plain_strong)
    key = _key(
        received,
        block,
        {
            1: (high, sign, position[block]),
            0: (low, weak_sign[block], weak_position[block]),
        },
    )
    return _upright(key, received.images, expected.images, block_size)


def mirrored(key):
    """The key under which ciphertexts show the same pictures, left and right swapped.

    Args:
        key: the `Transform` of images.

    Returns:
        The `Transform` of mirrored images to the same ciphertexts.

    Example:

    >>> from tfpe import Key, ciphers
    >>> key = ciphers.ele(Key(bytes(32)), (8, 8, 3))
    >>> image = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
    >>> bool((mirrored(key).inverse(key(image)) == image[:, ::-1]).all())
    True
    """
    places = np.arange(math.prod(key.input_shape)).reshape(key.input_shape)
    return key @ moved_bytes(places[:, ::-1])


def _words(values, columns):
    """Words of each block: `(blocks, N, n)` and `(blocks, k)` to `(blocks, N, k)`."""
    return np.take_along_axis(values, columns[:, None, :], axis=2)


def _signs(strong):
    """Signs of the high nibbles, `(blocks, n)`, up to one of all."""
    sign = common_signs(correlations(strong, strong))
    means = (strong * sign[:, None]).mean(axis=-1).T
    return sign * common_signs(correlations(means, means))[:, None]


def _match_low_words(weak, strong, plain_weak, plain_strong):
    """Position and sign of the low nibbles of each block: `(blocks, n)` each."""
    square = (
        correlations(strong, strong) + correlations(plain_strong, plain_strong)
    ) / 2
    found = correlations(weak, strong)
    wanted = correlations(plain_weak, plain_strong)
    matches = [match_low(*one) for one in zip(found, wanted, square, strict=True)]
    return tuple(np.stack(part) for part in zip(*matches, strict=True))


def _check(strong, plain_strong, grid):
    """Raises where what was matched does not go together as pictures do."""
    agreement = {}
    for one, other in neighbours(grid):
        found = correlations(strong[one], strong[other])
        wanted = correlations(plain_strong[one], plain_strong[other])
        # A word goes with itself in any case.
        counts = ~np.eye(len(found), dtype=bool) | (one != other)
        agreement[one, other] = np.corrcoef(found[counts], wanted[counts])[0, 1]
    inside = [value for (one, other), value in agreement.items() if one == other]
    if not (
        np.mean(inside) >= LEAST_AGREEMENT
        and min(agreement.values()) >= LEAST_NEIGHBOUR_AGREEMENT
    ):
        raise AttackError(
            "`ciphertexts` should be ele under one key, of pictures like `reference`. "
            "Received: ciphertexts whose blocks no key found explains"
        )


def _key(received, block, parts):
    """The `Transform` of whole images.

    Args:
        received: a `BlockWords`.
        block: the place of each block received.
        parts: for low (0) and high (1) nibbles: which words of each block received,
            their signs, and their positions in the block, `(blocks, n)` each.
    """
    perm = np.empty(2 * received.indices.size, np.int64)
    mask = np.empty(perm.size, np.uint8)
    words = (2 * received.indices[..., None] + np.arange(2)).reshape(len(block), -1)
    for part, (columns, sign, position) in parts.items():
        there = np.take_along_axis(words, columns, axis=1)
        source = 2 * received.indices[block] + part
        perm[there] = np.take_along_axis(source, position, axis=1)
        mask[there] = np.where(sign < 0, 15, 0)
    return Transform(perm, mask, 4, received.shape)


def _upright(key, ciphertexts, reference, block_size):
    """The key of the picture as it stands, neither turned nor mirrored nor negative."""
    wanted = _block_means(reference, block_size)
    middle = wanted.mean(axis=0)
    # Rounding alone gives each mean some variance.
    inverse = np.linalg.inv(np.cov(wanted.T) + np.eye(len(middle)))
    places = np.arange(math.prod(key.input_shape)).reshape(key.input_shape)
    moves = [turned(places, turn) for turn in range(8)]
    keys = [key @ moved_bytes(m) for m in moves if m.shape == key.input_shape]
    keys += [Transform(k.perm, k.mask ^ 15, 4, key.input_shape) for k in keys]

    def unlikely(candidate):
        shown = candidate.inverse(ciphertexts)
        deviations = _block_means(shown, block_size) - middle
        return ((deviations @ inverse) * deviations).sum()

    return min(keys, key=unlikely)


def _block_means(images, block_size):
    """Means of blocks, by channel: `float64 (N, blocks * C)`."""
    count, height, width, channels = images.shape
    rows, columns = height // block_size, width // block_size
    blocks = images.reshape(count, rows, block_size, columns, block_size, channels)
    return blocks.mean(axis=(2, 4)).reshape(count, -1)
