"""High and low nibbles, told apart and matched by how they go together.

Steps that the attacks on nibbles share, for one block or for each of many. Words are
those that a key permutes and negates; correlations of them keep their size under it.
"""

import numpy as np

# Variance along an independent direction of the high nibbles below which it is noise.
LEAST_VARIANCE = 1e-3


def correlations(one, other):
    """Of words of mean 0 and variance 1: `(..., N, a)`, `(..., N, b)` to `(..., a, b)`.

    Example:

    >>> words = np.array([[1.0, -1.0], [-1.0, 1.0]])
    >>> correlations(words, words)
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    return one.swapaxes(-1, -2) @ other / np.float32(one.shape[-2])


def strong_words(square):
    """Which words are high nibbles and which low: two arrays `(..., n / 2)`.

    As many high nibbles as low ones: those that go with most others.

    Args:
        square: correlations of all words with one another, `(..., n, n)`.
    """
    half = square.shape[-1] // 2
    strength = np.sort(abs(square), axis=-1)[..., half // 2 : -1].mean(axis=-1)
    ranks = strength.argsort(axis=-1)
    return np.sort(ranks[..., half:]), np.sort(ranks[..., :half])


def common_signs(square):
    """Signs under which words go together, `(..., n)`, up to one of all.

    Those of the first principal component of the correlations `(..., n, n)`.
    """
    return np.where(np.linalg.eigh(square)[1][..., -1] < 0, -1, 1).astype(np.float32)


def match_low(found, wanted, square):
    """Place and sign of each low nibble of a block, by a linear assignment.

    A low nibble is large where the high nibbles around are larger than its own: its
    correlations with them name it. They are taken along independent directions of the
    high nibbles, so that each counts by its noise.

    Args:
        found: correlations of the low nibbles received with the high ones, these in
            their places and with their signs, `(n, n)`.
        wanted: the same of the reference.
        square: correlations of the high nibbles with one another.

    Returns:
        `(place, sign)`, `(n,)` each.
    """
    from scipy.optimize import linear_sum_assignment

    values, vectors = np.linalg.eigh(square)
    white = vectors / np.sqrt(np.maximum(values, LEAST_VARIANCE))
    found, wanted = found @ white, wanted @ white
    products = found @ wanted.T
    lengths = (found**2).sum(axis=1)[:, None] + (wanted**2).sum(axis=1)
    rows, place = linear_sum_assignment(lengths - 2 * abs(products))
    return place, np.where(products[rows, place] < 0, -1, 1)
