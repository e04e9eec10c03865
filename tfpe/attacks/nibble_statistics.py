"""Ciphertext only: one fixed key of le, from how nibbles go together."""

import math

import numpy as np

from tfpe.algebra.transform import Transform
from tfpe.algebra.words import split_words
from tfpe.attacks.puzzle.edges import turned
from tfpe.attacks.repeated_blocks import repeat_blocks
from tfpe.attacks.statistics.block_places import moved_bytes
from tfpe.attacks.statistics.nibbles import common_signs, match_low, strong_words
from tfpe.attacks.statistics.resolution import is_negative, red_green_blue
from tfpe.checks import batch_of, image_shape_of, whole_number
from tfpe.ciphers.blocks import block_indices
from tfpe.errors import AttackError

FEWEST_BLOCKS = 2_000
# Root mean square of what may remain between both matrices of correlations: on
# CIFAR-10 0.02 to 0.06 for le, 0.24 and more for ele, shuffle and pbe.
LARGEST_DIFFERENCE = 0.1
# Steps from block to block beside those inside: 1.01 to 1.04 under the right
# key, 1.13 and more where a match went wrong, 3.4 for etc.
LARGEST_STEP = 1.1
STARTS = 8
IMAGES = 500


def numbers_of_images(image_shape, block_size=4):
    """Numbers of ciphertexts to try: what hold the fewest blocks, and multiples.

    Example:

    >>> numbers_of_images((32, 32, 3))
    (32, 64, 128, 256)
    """
    least = -(-FEWEST_BLOCKS * block_size**2 // math.prod(image_shape[:2]))
    return tuple(max(least, 2) * factor for factor in (1, 2, 4, 8))


def nibble_statistics(ciphertexts, reference, block_size=4):
    """Recovers a fixed key of le from ciphertexts and other pictures.

    All blocks have one key, so the correlations of the nibbles of a block are those of
    plain pictures, permuted and with signs. High nibbles go together by far more than
    low ones; their signs are those of the first principal component; their places
    follow from matching the matrix with that of the reference (a quadratic
    assignment). A low nibble is large where the high nibbles around are larger than its
    own: its correlations with them name its place and sign (a linear assignment). The
    orientation of the blocks is that in which they continue one another; polarity and
    the names of the channels follow from the pictures.

    docs/results.md says how many ciphertexts of CIFAR-10 gave the exact key. ele has a
    key for each block, so that blocks cannot be pooled: see `block_statistics`.

    Threat model: ciphertexts under one fixed key, and pictures of a similar kind and
    scale that are no plaintexts of them. (Photographs of another scale do not do.)
    Complexity: O(N n) for N images, and the assignments, 2 to 4 seconds.

    Args:
        ciphertexts: `uint8 (N, H, W, 3)` of one key.
        reference: plain images of the same scale, `uint8 (M, H', W', 3)`.
        block_size: side of a block in pixels; at least 2.

    Returns:
        The `Transform` that encrypts; polarity may be wrong where images are few.

    Raises:
        ImageError: not `uint8` colour images that blocks divide.
        AttackError: too few blocks, or words that no key of le explains.

    Source: not published elsewhere.

    Example:

    >>> from sklearn.datasets import load_sample_images
    >>> from tfpe import Key, ciphers
    >>> photographs = np.stack(load_sample_images().images)[:, :416]
    >>> pictures = photographs.reshape(2, 26, 16, 40, 16, 3).swapaxes(2, 3)
    >>> pictures = pictures.reshape(-1, 16, 16, 3)
    >>> secret = ciphers.le(Key(bytes(32)), (16, 16, 3))
    >>> recovered = nibble_statistics(secret(pictures[::2]), pictures[1::2])
    >>> shown = recovered.inverse(secret(pictures[::2]))
    >>> from tfpe.metrics import edge_correlation
    >>> bool(edge_correlation(shown, pictures[::2]).mean() > 0.9)
    True
    """
    block_size = whole_number(block_size, "block_size", 2)
    ciphertexts, _ = batch_of(ciphertexts, "ciphertexts")
    reference, _ = batch_of(reference, "reference")
    shape = image_shape_of(ciphertexts.shape[1:], block_size)
    received = _correlations(_words(ciphertexts, block_size, "ciphertexts"))
    expected = _correlations(_words(reference, block_size, "reference"))
    source, sign = _match(received, expected)
    matched = expected[np.ix_(source, source)] * np.outer(sign, sign)
    difference = math.sqrt(np.mean((received - matched) ** 2))
    if not difference < LARGEST_DIFFERENCE:
        raise AttackError(
            "`ciphertexts` should be le under one key, of pictures like `reference`. "
            "Received: ciphertexts whose nibbles no such key explains"
        )
    block_shape = (block_size, block_size, shape[2])
    mask = np.where(sign < 0, 15, 0)
    if shape[0] == shape[1] == block_size:
        raise AttackError(
            "`ciphertexts` should hold more than one block each, which tells how they "
            f"lie. Received: images of shape {shape}"
        )
    key = Transform(source, mask, 4, block_shape)
    return _resolve(key, ciphertexts, shape, block_size)


def _words(images, block_size, name):
    """Nibbles of all blocks, `uint8 (blocks, 2 * B * B * C)`."""
    shape = image_shape_of(images.shape[1:], block_size)
    blocks = block_indices(shape, block_size)
    if len(images) * len(blocks) < FEWEST_BLOCKS:
        raise AttackError(
            f"`{name}` should hold at least {FEWEST_BLOCKS} blocks. "
            f"Received: {len(images) * len(blocks)}"
        )
    bytes_ = images.reshape(len(images), -1)[:, blocks].reshape(-1, blocks.shape[1])
    return split_words(bytes_, 4)


def _correlations(words):
    """Correlations of all words with one another; of a constant word 0."""
    deviations = words - words.mean(axis=0, dtype=np.float32)
    covariance = deviations.T @ deviations / len(words)
    scale = np.sqrt(np.maximum(np.diag(covariance), 1e-9))
    return covariance / np.outer(scale, scale)


def _match(received, expected):
    """The source of each word received and its sign, up to one sign of all."""
    low, high = np.arange(0, len(expected), 2), np.arange(1, len(expected), 2)
    high_ones, low_ones = strong_words(received)
    square = received[np.ix_(high_ones, high_ones)]
    signs = common_signs(square)
    square = square * np.outer(signs, signs)
    places = _match_high(square, expected[np.ix_(high, high)])
    source = np.empty(len(received), np.int64)
    sign = np.empty(len(received))
    source[high_ones], sign[high_ones] = high[places], signs
    expected_square = expected[np.ix_(high[places], high[places])]
    place, sign[low_ones] = match_low(
        received[np.ix_(low_ones, high_ones)] * signs,
        expected[np.ix_(low, high[places])],
        (square + expected_square) / 2,
    )
    source[low_ones] = low[place]
    return source, sign


def _match_high(received, expected):
    """The place of each word, by quadratic assignment of distances."""
    from scipy.optimize import quadratic_assignment

    received, expected = (1.0 - received).astype(float), (expected - 1.0).astype(float)
    # Seeded: the same evidence gives the same key. No secret hangs on these numbers.
    rng = np.random.default_rng(0)
    best = None
    for start in range(STARTS):
        options = {"rng": rng, "P0": "randomized" if start else "barycenter"}
        found = quadratic_assignment(received, expected, options=options)
        guess = np.stack([np.arange(len(received)), found.col_ind], axis=1)
        options = {"rng": rng, "partial_guess": guess}
        found = quadratic_assignment(received, expected, "2opt", options)
        if best is None or found.fun < best.fun:
            best = found
    return best.col_ind


def _resolve(key, ciphertexts, shape, block_size):
    """The whole key: orientation of the blocks, polarity, names of the channels."""
    ciphertexts = ciphertexts[:: -(-len(ciphertexts) // IMAGES)]
    square = np.arange(math.prod(key.input_shape)).reshape(key.input_shape)
    candidates = [key @ moved_bytes(turned(square, turn)) for turn in range(8)]
    steps = [
        _steps_between_blocks(repeat_blocks(c, shape).inverse(ciphertexts), block_size)
        for c in candidates
    ]
    if not min(steps) < LARGEST_STEP:
        raise AttackError(
            "`ciphertexts` should be le under one key, of pictures like `reference`. "
            "Received: ciphertexts whose blocks no key found makes continuous"
        )
    key = candidates[np.argmin(steps)]
    if is_negative(repeat_blocks(key, shape).inverse(ciphertexts)):
        key = Transform(key.perm, key.mask ^ 15, 4, key.input_shape)
    if shape[2] == 3:
        names = red_green_blue(repeat_blocks(key, shape).inverse(ciphertexts))
        key = key @ moved_bytes(square[..., names]).inverse
    return repeat_blocks(key, shape)


def _steps_between_blocks(images, block_size):
    """Mean difference of neighbours across blocks, as a multiple of that inside."""
    across, inside = [], []
    for axis in (1, 2):
        steps = np.abs(np.diff(images.astype(np.int16), axis=axis))
        steps = steps.mean(axis=tuple(a for a in range(4) if a != axis))
        border = np.arange(1, len(steps) + 1) % block_size == 0
        across.append(steps[border])
        inside.append(steps[~border])
    return np.concatenate(across).mean() / np.concatenate(inside).mean()
