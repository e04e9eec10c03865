"""SP 800-22, tests of linear structure and periodicity: 2.5, 2.6 and 2.10."""

import math

import numpy as np
import scipy

from tfpe.errors import KeystreamError
from tfpe.metrics.sp800_22.bits import bits_of, blocks_of, fit_p, positive

RANK_SIDE = 32
# Section 3.10 of the publication derives these; its code and table round the first to
# 0.01047 instead of 0.010417, which changes a p-value by some 1e-3.
COMPLEXITY_PROBABILITIES = (1 / 96, 1 / 32, 1 / 8, 1 / 2, 1 / 4, 1 / 16, 1 / 48)


def matrix_rank(bits):
    """Ranks of 32 x 32 matrices over GF(2), row by row from the bits: 32, 31, less.

    Args:
        bits: 0 and 1, `(n,)`, n >= 38 * 1024 = 38,912.

    Returns:
        `float64 (1,)`.

    Raises:
        KeystreamError: these are no bits, or fewer.

    Source: NIST SP 800-22 Rev. 1a, sections 2.5 and 3.5.

    Example:

    >>> matrix_rank([0, 1] * 20_000).round(6).tolist()
    [0.0]
    """
    side = RANK_SIDE
    matrices = blocks_of(bits_of(bits, 38 * side**2), side**2).reshape(-1, side, side)
    lost = np.minimum(side - ranks(matrices), 2)
    full, one_less = rank_probability(side, side), rank_probability(side, side - 1)
    probabilities = full, one_less, 1 - full - one_less
    return np.array([fit_p(np.bincount(lost, minlength=3), probabilities)])


def ranks(matrices):
    """Ranks over GF(2) of a batch of bit matrices, `(B, rows, columns)`; `(B,)`.

    Example:

    >>> ranks(np.array([[[1, 1], [1, 1]], [[0, 1], [1, 1]]])).tolist()
    [1, 2]
    """
    matrices = np.array(matrices, bool)
    batch, rows, columns = matrices.shape
    result = np.zeros(batch, np.int64)
    which = np.arange(batch)
    for column in range(columns):
        # Rows from `result` on are not yet used as pivots.
        free = matrices[:, :, column] & (np.arange(rows) >= result[:, None])
        found = free.any(axis=1)
        pivot, place = free.argmax(axis=1), np.minimum(result, rows - 1)
        row = matrices[which, pivot]
        free[which, pivot] = False
        matrices ^= (free & found[:, None])[:, :, None] & row[:, None, :]
        moved = which[found]
        matrices[moved, pivot[found]] = matrices[moved, place[found]]
        matrices[moved, place[found]] = row[found]
        result += found
    return result


def rank_probability(size, rank):
    """The probability that a random `size` x `size` bit matrix has this rank.

    2^(r(2s - r) - s^2) prod_(i<r) (1 - 2^(i-s))^2 / (1 - 2^(i-r)), section 3.5.

    Example:

    >>> round(rank_probability(32, 32), 4), round(rank_probability(32, 31), 4)
    (0.2888, 0.5776)
    """
    power = 2.0 ** (rank * (2 * size - rank) - size * size)
    return power * math.prod(
        (1 - 2.0 ** (i - size)) ** 2 / (1 - 2.0 ** (i - rank)) for i in range(rank)
    )


def fourier(bits):
    """Spectral test: 95 % of the first n/2 moduli of the DFT of the signs lie below
    sqrt(n ln 20).

    d = (N1 - .95 n/2) / sqrt(.95 * .05 n / 4), p = erfc(|d| / sqrt 2). The variance is
    that of the publication; it is known to be an approximation.

    Args:
        bits: 0 and 1, `(n,)`; recommended n >= 1000.

    Returns:
        `float64 (1,)`.

    Raises:
        KeystreamError: these are no bits, or fewer than 2.

    Source: NIST SP 800-22 Rev. 1a, section 2.6.

    Example:

    >>> fourier([1, 0, 0, 1, 0, 1, 0, 0, 1, 1]).round(6).tolist()
    [0.46816]
    """
    bits = bits_of(bits, 2)
    n = len(bits)
    moduli = np.abs(np.fft.rfft(2.0 * bits - 1))[: n // 2]
    below = np.count_nonzero(moduli < math.sqrt(n * math.log(20)))
    distance = (below - 0.95 * n / 2) / math.sqrt(0.95 * 0.05 * n / 4)
    return np.array([scipy.special.erfc(abs(distance) / math.sqrt(2))])


def linear_complexity(bits, block_size=500):
    """Lengths of the shortest feedback registers that make blocks of M bits.

    T = (-1)^M (L - mu) + 2/9, mu = M/2 + (9 + (-1)^(M+1)) / 36 - (M/3 + 2/9) / 2^M, in
    seven classes with bounds -2.5, -1.5, ..., 2.5.

    Args:
        bits: 0 and 1, `(n,)`; recommended n >= 10^6, 200 blocks at least.
        block_size: M, 500 to 5000.

    Returns:
        `float64 (1,)`.

    Raises:
        KeystreamError: these are no bits, fewer than one block, or another M.

    Source: NIST SP 800-22 Rev. 1a, sections 2.10 and 3.10; Massey, Shift-register
    synthesis and BCH decoding, IEEE Trans. Information Theory 15, 1969.

    Example:

    >>> linear_complexity([0, 1] * 10_000).round(6).tolist()
    [0.0]
    """
    size = positive(block_size, "block_size", 5000)
    if size < 500:
        raise KeystreamError(
            f"`block_size` should be from 500 to 5000. Received: block_size={size}"
        )
    counts = linear_complexity_counts(bits_of(bits, size), size)
    return np.array([fit_p(counts, COMPLEXITY_PROBABILITIES)])


def linear_complexity_counts(bits, size):
    """Blocks of `size` bits by class of T, `int64 (7,)`."""
    lengths = np.array([shortest_register(b) for b in blocks_of(bits, size)])
    sign = (-1) ** size
    mean = size / 2 + (9 - sign) / 36 - (size / 3 + 2 / 9) / 2.0**size
    deviations = sign * (lengths - mean) + 2 / 9
    classes = np.searchsorted(np.arange(-2.5, 3), deviations, side="left")
    return np.bincount(classes, minlength=len(COMPLEXITY_PROBABILITIES))


def shortest_register(bits):
    """Length of the shortest linear feedback register that makes these bits.

    Berlekamp-Massey, with polynomials as Python integers: a step is a few operations
    on whole words.

    Example (section 2.10.4):

    >>> shortest_register([1, 1, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0, 1])
    4
    """
    connection, previous, length, shift, window = 1, 1, 0, 1, 0
    for place, bit in enumerate(np.asarray(bits).tolist()):
        window = window << 1 | bit  # bit j is that of j places before
        if (connection & window).bit_count() & 1:
            corrected = connection ^ previous << shift
            if 2 * length <= place:
                length, previous, shift = place + 1 - length, connection, 0
            connection = corrected
        shift += 1
    return length
