"""SP 800-22, tests of patterns: sections 2.7 to 2.9, 2.11 and 2.12."""

import functools
import math

import numpy as np
import scipy

from tfpe.errors import KeystreamError
from tfpe.metrics.sp800_22.bits import (
    bits_of,
    blocks_of,
    chi_square_p,
    fit_p,
    pattern_codes,
    positive,
)

TEMPLATE_LENGTH = 9
OVERLAPPING_BLOCK = 1032
OVERLAPPING_CLASSES = 6
# Section 2.9.7: least n for words of L = 6, 7, ... bits.
UNIVERSAL_LEAST = (
    *(387_840, 904_960, 2_068_480, 4_654_080, 10_342_400, 22_753_280, 49_643_520),
    *(107_560_960, 231_669_760, 496_435_200, 1_059_061_760),
)


@functools.lru_cache(maxsize=8)
def aperiodic_templates(length=TEMPLATE_LENGTH):
    """The templates that cannot overlap themselves, as tuples of bits in order.

    Example:

    >>> aperiodic_templates(3), len(aperiodic_templates(9))
    (((0, 0, 1), (0, 1, 1), (1, 0, 0), (1, 1, 0)), 148)
    """
    every = (
        tuple(code >> place & 1 for place in reversed(range(length)))
        for code in range(2**length)
    )
    return tuple(t for t in every if _is_aperiodic(t))


def non_overlapping_templates(bits, templates=None, blocks=8):
    """Occurrences of aperiodic templates in each of N blocks, against their mean.

    With M = n // N and m the length of a template: mean (M - m + 1) / 2^m, variance
    M (2^-m - (2m - 1) 2^-2m), chi-square with N degrees of freedom.

    Args:
        bits: 0 and 1, `(n,)`; recommended n >= 10^6.
        templates: tuples of bits of one length m; default: all 148 of 9 bits.
        blocks: N, 1 to 100.

    Returns:
        `float64 (templates,)`.

    Raises:
        KeystreamError: these are no bits, too few, or a template can overlap itself.

    Source: NIST SP 800-22 Rev. 1a, section 2.7.

    Example (section 2.7.4):

    >>> bits = [int(b) for b in "10100100101110010110"]
    >>> non_overlapping_templates(bits, [(0, 0, 1)], 2).round(6).tolist()
    [0.344154]
    """
    templates = aperiodic_templates() if templates is None else list(templates)
    lengths = {len(template) for template in templates}
    if len(lengths) != 1 or not all(_is_aperiodic(t) for t in templates):
        raise KeystreamError(
            "`templates` should hold templates of one length that cannot overlap "
            "themselves. Received: none, several lengths, or one that can"
        )
    (m,) = lengths
    codes = [int("".join(str(int(b)) for b in t), 2) for t in templates]
    count = positive(blocks, "blocks", 100)
    bits = bits_of(bits, 2 * m * count)
    size = len(bits) // count
    # They cannot overlap: skipping ahead after a match, as the publication does,
    # passes over no other match.
    found = np.stack(
        [
            np.bincount(pattern_codes(block, m, cyclic=False), minlength=2**m)[codes]
            for block in blocks_of(bits, size)[:count]
        ]
    )
    mean = (size - m + 1) / 2**m
    variance = size * (2.0**-m - (2 * m - 1) * 2.0 ** (-2 * m))
    return chi_square_p(((found - mean) ** 2 / variance).sum(axis=0), count)


def overlapping_template(bits):
    """Blocks of 1032 bits by their number of runs of nine ones: 0, 1, ..., 5 or more.

    The class probabilities are exact (`overlapping_probabilities`).

    Args:
        bits: 0 and 1, `(n,)`, at least 1032; recommended n >= 10^6.

    Returns:
        `float64 (1,)`.

    Raises:
        KeystreamError: these are no bits, or fewer.

    Source: NIST SP 800-22 Rev. 1a, section 2.8; Hamano & Kaneko, Correction of
    overlapping template matching test, IEICE Trans. E90-A, 2007.

    Example:

    >>> overlapping_template([1] * 103_200).round(6).tolist()
    [0.0]
    """
    counts = overlapping_counts(bits_of(bits, OVERLAPPING_BLOCK))
    return np.array([fit_p(counts, overlapping_probabilities())])


def overlapping_counts(bits):
    """Blocks by their number of windows of nine ones, `int64 (6,)`."""
    blocks = blocks_of(bits, OVERLAPPING_BLOCK)
    windows = np.lib.stride_tricks.sliding_window_view(blocks, TEMPLATE_LENGTH, axis=1)
    matches = windows.all(axis=2).sum(axis=1)
    return np.bincount(
        np.minimum(matches, OVERLAPPING_CLASSES - 1), minlength=OVERLAPPING_CLASSES
    )


@functools.lru_cache(maxsize=8)
def overlapping_probabilities(size=OVERLAPPING_BLOCK, length=TEMPLATE_LENGTH):
    """Probabilities of 0, 1, ..., 4 and more windows of ones in a random block.

    A Markov chain over (ones at the end, matches so far), bit by bit.

    Example:

    >>> [round(p, 6) for p in overlapping_probabilities()]
    [0.364091, 0.185659, 0.139381, 0.100571, 0.070432, 0.139865]
    """
    chain = np.zeros((length + 1, OVERLAPPING_CLASSES))
    chain[0, 0] = 1
    for _ in range(size):
        after = np.zeros_like(chain)
        after[0] = chain.sum(axis=0) / 2
        after[1:length] = chain[: length - 1] / 2
        # A match: the run has `length` ones now, or had and goes on.
        matched = (chain[length - 1] + chain[length]) / 2
        after[length, 1:] = matched[:-1]
        after[length, -1] += matched[-1]
        chain = after
    return tuple(chain.sum(axis=0).tolist())


def universal(bits):
    """Maurer's test: mean log2 distance of each word of L bits to the same before.

    The first Q = 10 * 2^L words only fill the table. With the K that follow:
    p = erfc(|f - mean| / (sqrt 2 sigma)), sigma = c sqrt(variance / K), c = 0.7 - 0.8/L
    + (4 + 32/L) K^(-3/L) / 15; L grows with n from 6 to 16.

    Args:
        bits: 0 and 1, `(n,)`, n >= 387,840.

    Returns:
        `float64 (1,)`.

    Raises:
        KeystreamError: these are no bits, or fewer.

    Source: NIST SP 800-22 Rev. 1a, section 2.9; Maurer, A universal statistical test
    for random bit generators, J. Cryptology 5, 1992.

    Example:

    >>> universal([0, 1] * 200_000).round(6).tolist()
    [0.0]
    """
    bits = bits_of(bits, UNIVERSAL_LEAST[0])
    length = 5 + sum(len(bits) >= least for least in UNIVERSAL_LEAST)
    initial = 10 * 2**length
    value = universal_statistic(bits, length, initial)
    words = len(bits) // length - initial
    mean, variance = universal_moments(length)
    correction = (4 + 32 / length) * words ** (-3 / length) / 15
    sigma = (0.7 - 0.8 / length + correction) * math.sqrt(variance / words)
    return np.array([scipy.special.erfc(abs(value - mean) / (math.sqrt(2) * sigma))])


def universal_statistic(bits, length, initial):
    """Mean log2 distance of the words after the first `initial` ones.

    Example (section 2.9.4):

    >>> bits = np.array([int(b) for b in "01011010011101010111"], np.uint8)
    >>> round(universal_statistic(bits, 2, 4), 7)
    1.1949875
    """
    words = blocks_of(bits, length) @ (1 << np.arange(length)[::-1])
    places = np.arange(1, len(words) + 1)
    # Equal words side by side, in order: each stands behind the one before it.
    order = np.argsort(words, kind="stable")
    same = words[order][1:] == words[order][:-1]
    before = np.zeros(len(words), np.int64)
    before[order[1:]] = np.where(same, places[order[:-1]], 0)
    return float(np.log2((places - before)[initial:]).mean())


@functools.lru_cache(maxsize=16)
def universal_moments(length):
    """Mean and variance of log2 of the distance, which is geometric with 2^-L.

    Example:

    >>> tuple(round(moment, 7) for moment in universal_moments(7))
    (6.1962507, 3.1253919)
    """
    share = 2.0**-length
    # Behind 50 / share distances less than 1e-21 of the mass is left.
    distances = np.arange(1, 50 * 2**length)
    weights = share * np.exp((distances - 1) * np.log1p(-share))
    logs = np.log2(distances)
    mean = float(weights @ logs)
    return mean, float(weights @ (logs - mean) ** 2)


def serial(bits, length=16):
    """Frequencies of all overlapping patterns of m, m - 1 and m - 2 bits.

    psi2_m = 2^m / n sum (count^2) - n over the cyclic windows; first and second
    difference of psi2 in m, chi-square with 2^(m-1) and 2^(m-2) degrees of freedom.

    Args:
        bits: 0 and 1, `(n,)`.
        length: m, 2 to 24; recommended below log2(n) - 2.

    Returns:
        `float64 (2,)`.

    Raises:
        KeystreamError: these are no bits, fewer than m, or another m.

    Source: NIST SP 800-22 Rev. 1a, section 2.11.

    Example:

    >>> serial([0, 0, 1, 1, 0, 1, 1, 1, 0, 1], 3).round(6).tolist()
    [0.808792, 0.67032]
    """
    m = positive(length, "length", 24)
    if m < 2:
        raise KeystreamError(
            f"`length` should be from 2 to 24. Received: length={length}"
        )
    bits = bits_of(bits, m)
    psi = [_psi_square(bits, k) for k in (m, m - 1, m - 2)]
    first, second = psi[0] - psi[1], psi[0] - 2 * psi[1] + psi[2]
    # Equal counts leave a rounding error below 0.
    statistics = np.maximum([first, second], 0)
    return chi_square_p(statistics, [2 ** (m - 1), 2 ** (m - 2)])


def approximate_entropy(bits, length=10):
    """Entropy of overlapping patterns of m + 1 bits, given their first m.

    ApEn = phi_m - phi_(m+1), phi_m = sum p ln p over the cyclic windows of m bits;
    2n (ln 2 - ApEn) is chi-square with 2^m degrees of freedom.

    Args:
        bits: 0 and 1, `(n,)`.
        length: m, 1 to 24; recommended below log2(n) - 5.

    Returns:
        `float64 (1,)`.

    Raises:
        KeystreamError: these are no bits, fewer than m + 1, or another m.

    Source: NIST SP 800-22 Rev. 1a, section 2.12.

    Example (section 2.12.4):

    >>> approximate_entropy([0, 1, 0, 0, 1, 1, 0, 1, 0, 1], 3).round(6).tolist()
    [0.261961]
    """
    m = positive(length, "length", 24)
    bits = bits_of(bits, m + 1)
    entropy = _phi(bits, m) - _phi(bits, m + 1)
    statistic = max(2 * len(bits) * (math.log(2) - entropy), 0.0)
    return np.array([chi_square_p(statistic, 2**m)])


def _psi_square(bits, length):
    if length == 0:
        return 0.0
    counts = np.bincount(pattern_codes(bits, length, cyclic=True))
    return 2**length / len(bits) * float(counts @ counts) - len(bits)


def _phi(bits, length):
    counts = np.bincount(pattern_codes(bits, length, cyclic=True))
    return float(scipy.special.xlogy(counts, counts / len(bits)).sum()) / len(bits)


def _is_aperiodic(template):
    template = tuple(template)
    if not template or not set(template) <= {0, 1}:
        return False
    return all(template[k:] != template[:-k] for k in range(1, len(template)))
