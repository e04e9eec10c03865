"""SP 800-22, tests of balance and runs: sections 2.1 to 2.4.

Every test returns p-values, `float64 (k,)`: the probability that an ideal sequence
looks less random than this one.
"""

import math

import numpy as np
import scipy

from tfpe.metrics.sp800_22.bits import (
    bits_of,
    blocks_of,
    chi_square_p,
    fit_p,
    positive,
)

# Section 2.4.2 and 3.4: least n, block size M, the longest run of the first and the
# last class, and the classes' probabilities as sts has them. Those of M = 10,000 are
# the publication's and up to .002 off (exact for the first class: .0866); with its 100
# blocks in 10^6 bits that is within the noise, and results stay comparable.
LONGEST_RUN_TABLE = (
    (
        750_000,
        10_000,
        (10, 16),
        (0.0882, 0.2092, 0.2483, 0.1933, 0.1208, 0.0675, 0.0727),
    ),
    (
        6272,
        128,
        (4, 9),
        (
            0.1174035788,
            0.242955959,
            0.249363483,
            0.17517706,
            0.102701071,
            0.112398847,
        ),
    ),
    (128, 8, (1, 4), (0.21484375, 0.3671875, 0.23046875, 0.1875)),
)


def frequency(bits):
    """Monobit test: as many ones as zeros. erfc(|sum of signs| / sqrt(2n)).

    Args:
        bits: 0 and 1, `(n,)`; recommended n >= 100.

    Returns:
        `float64 (1,)`.

    Raises:
        KeystreamError: these are no bits, or none.

    Source: NIST SP 800-22 Rev. 1a, section 2.1.

    Example (section 2.1.8):

    >>> frequency([1, 0, 1, 1, 0, 1, 0, 1, 0, 1]).round(6).tolist()
    [0.527089]
    """
    bits = bits_of(bits)
    excess = abs(2 * int(bits.sum()) - len(bits))
    return np.array([scipy.special.erfc(excess / math.sqrt(2 * len(bits)))])


def block_frequency(bits, block_size=128):
    """Ones in blocks of M bits: 4 M sum (share - 1/2)^2, chi-square with n // M.

    Args:
        bits: 0 and 1, `(n,)`; recommended n >= 100.
        block_size: M; recommended at least 20 and more than n / 100.

    Returns:
        `float64 (1,)`.

    Raises:
        KeystreamError: these are no bits, or fewer than one block.

    Source: NIST SP 800-22 Rev. 1a, section 2.2.

    Example (section 2.2.4):

    >>> block_frequency([0, 1, 1, 0, 0, 1, 1, 0, 1, 0], 3).round(6).tolist()
    [0.801252]
    """
    size = positive(block_size, "block_size")
    shares = blocks_of(bits_of(bits, size), size).mean(axis=1)
    statistic = 4 * size * ((shares - 0.5) ** 2).sum()
    return np.array([chi_square_p(statistic, len(shares))])


def runs(bits):
    """Number of runs: erfc(|V - 2n q (1 - q)| / (2 sqrt(2n) q (1 - q))), q = mean.

    0 where the bits are so uneven, |q - 1/2| >= 2 / sqrt(n), that the frequency test
    fails already.

    Args:
        bits: 0 and 1, `(n,)`; recommended n >= 100.

    Returns:
        `float64 (1,)`.

    Raises:
        KeystreamError: these are no bits, or none.

    Source: NIST SP 800-22 Rev. 1a, section 2.3.

    Example (section 2.3.4):

    >>> runs([1, 0, 0, 1, 1, 0, 1, 0, 1, 1]).round(6).tolist()
    [0.147232]
    """
    bits = bits_of(bits)
    n, share = len(bits), bits.mean()
    spread = share * (1 - share)
    if abs(share - 0.5) >= 2 / math.sqrt(n) or spread == 0:
        return np.array([0.0])
    count = 1 + np.count_nonzero(bits[1:] != bits[:-1])
    distance = abs(count - 2 * n * spread)
    return np.array([scipy.special.erfc(distance / (2 * math.sqrt(2 * n) * spread))])


def longest_run(bits):
    """Longest run of ones in blocks of 8, 128 or 10,000 bits, as n allows.

    Args:
        bits: 0 and 1, `(n,)`, n >= 128.

    Returns:
        `float64 (1,)`.

    Raises:
        KeystreamError: these are no bits, or fewer than 128.

    Source: NIST SP 800-22 Rev. 1a, sections 2.4 and 3.4.

    Example:

    >>> longest_run([1] * 256).round(6).tolist()
    [0.0]
    """
    bits = bits_of(bits, LONGEST_RUN_TABLE[-1][0])
    return np.array([fit_p(*longest_run_counts(bits))])


def longest_run_counts(bits):
    """Blocks by their longest run, and the probabilities of those classes."""
    size, (first, last), probabilities = next(
        row[1:] for row in LONGEST_RUN_TABLE if len(bits) >= row[0]
    )
    longest = np.clip(_longest_ones(blocks_of(bits, size)), first, last)
    return np.bincount(longest - first, minlength=len(probabilities)), probabilities


def _longest_ones(blocks):
    """The longest run of ones in each row."""
    places = np.arange(1, blocks.shape[1] + 1)
    # Every place minus that of the last zero up to it: the run that ends there.
    last_zero = np.maximum.accumulate(np.where(blocks == 0, places, 0), axis=1)
    return (places - last_zero).max(axis=1)
