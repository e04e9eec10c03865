"""What the tests of SP 800-22 take: a checked sequence of bits."""

import numpy as np
import scipy

from tfpe.checks import whole_number
from tfpe.errors import KeystreamError


def bits_of(bits, least=1):
    """A sequence of bits as `uint8 (n,)`, or an error.

    Args:
        bits: 0 and 1, shape `(n,)`, integers or booleans.
        least: how many are needed.

    Raises:
        KeystreamError: other values, another rank, or fewer bits.

    Example:

    >>> bits_of([True, False]).tolist()
    [1, 0]
    """
    array = np.asarray(bits)
    if array.ndim != 1 or array.dtype.kind not in "biu":
        raise KeystreamError(
            "`bits` should be a sequence of 0 and 1. Received: dtype "
            f"{array.dtype}, shape {array.shape}"
        )
    if array.size < least:
        raise KeystreamError(
            f"`bits` should hold at least {least} for this test. Received: {array.size}"
        )
    if array.min() < 0 or array.max() > 1:
        raise KeystreamError(
            "`bits` should be 0 and 1; bytes go through keystream_bits. "
            "Received: other values"
        )
    return array.astype(np.uint8)


def positive(value, name, largest=None):
    """A whole number from 1 (to `largest`), or an error."""
    return whole_number(value, name, high=largest, error=KeystreamError)


def blocks_of(bits, size):
    """The whole blocks of `size` bits, `(blocks, size)`; the rest is left out."""
    count = len(bits) // size
    return bits[: count * size].reshape(count, size)


def chi_square_p(statistic, degrees):
    """The tail of chi-square: the publication's igamc(degrees / 2, statistic / 2)."""
    return scipy.special.gammaincc(np.asarray(degrees) / 2, np.asarray(statistic) / 2)


def fit_p(counts, probabilities):
    """P-value of Pearson's chi-square of counts in classes of given probability."""
    counts = np.asarray(counts)
    expected = counts.sum(axis=-1, keepdims=True) * np.asarray(probabilities)
    statistic = ((counts - expected) ** 2 / expected).sum(axis=-1)
    return chi_square_p(statistic, counts.shape[-1] - 1)


def pattern_codes(bits, length, cyclic):
    """The number that each window of `length` bits spells, first bit highest.

    Example:

    >>> pattern_codes(np.array([0, 1, 1], np.uint8), 2, cyclic=True).tolist()
    [1, 3, 2]
    """
    if cyclic:
        # resize, not a slice: the window may be longer than the sequence.
        bits = np.resize(bits, len(bits) + length - 1)
    codes = np.zeros(len(bits) - length + 1, np.int64)
    for place in range(length):
        codes = 2 * codes + bits[place : place + len(codes)]
    return codes
