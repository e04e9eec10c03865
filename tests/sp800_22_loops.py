"""SP 800-22 once more: plain loops over strings, after the publication's text."""

import collections
import itertools
import math
import statistics
from fractions import Fraction

import numpy as np
from scipy import stats as scipy_stats

from tfpe.metrics.sp800_22 import patterns

NORMAL = statistics.NormalDist()


def tail(z):
    return 2 * NORMAL.cdf(-abs(z))


def chi_square_tail(counts, probabilities):
    n = sum(counts)
    statistic = sum(
        (k - n * p) ** 2 / (n * p) for k, p in zip(counts, probabilities, strict=True)
    )
    return scipy_stats.chi2.sf(statistic, len(counts) - 1)


def strings_of(text, size):
    return [text[i : i + size] for i in range(0, len(text) - size + 1, size)]


def loop_frequency(text):
    n = len(text)
    return [tail((2 * text.count("1") - n) / math.sqrt(n))]


def loop_block_frequency(text):
    blocks = strings_of(text, 128)
    statistic = sum((b.count("1") / 128 - 0.5) ** 2 for b in blocks) * 4 * 128
    return [scipy_stats.chi2.sf(statistic, len(blocks))]


def loop_runs(text):
    n, q = len(text), text.count("1") / len(text)
    count = len(list(itertools.groupby(text)))
    return [tail((count - 2 * n * q * (1 - q)) / (2 * math.sqrt(n) * q * (1 - q)))]


def loop_longest_run(text):
    counts = [0] * 6
    for block in strings_of(text, 128):
        counts[min(max(max(map(len, block.split("0"))), 4), 9) - 4] += 1
    table = [0.1174036, 0.2429560, 0.2493635, 0.1751771, 0.1027011, 0.1123988]
    return [chi_square_tail(counts, table)]


def loop_matrix_rank(text):
    counts = [0, 0, 0]
    for block in strings_of(text, 1024):
        basis = []
        for row in (int(r, 2) for r in strings_of(block, 32)):
            for pivot in basis:
                row = min(row, row ^ pivot)
            if row:
                basis.append(row)
        counts[min(32 - len(basis), 2)] += 1
    full = math.prod(1 - 0.5**k for k in range(1, 33))
    less = 2 * full * (1 - 0.5**32)
    return [chi_square_tail(counts, [full, less, 1 - full - less])]


def loop_fourier(text):
    n = len(text)
    signs = [2 * int(bit) - 1 for bit in text]
    angles = np.outer(np.arange(n // 2), np.arange(n)) % n * (2 * math.pi / n)
    power = (np.cos(angles) @ signs) ** 2 + (np.sin(angles) @ signs) ** 2
    below = int((power < n * math.log(1 / 0.05)).sum())
    return [tail((below - 0.95 * n / 2) / math.sqrt(n * 0.95 * 0.05 / 4))]


def loop_non_overlapping_templates(text):
    size, p_values = len(text) // 8, []
    mean, variance = (size - 8) / 512, size * (1 / 512 - 17 / 2**18)
    for template in ("".join(map(str, t)) for t in patterns.aperiodic_templates(9)):
        # str.count goes on behind a match, as the publication's window does.
        found = [b.count(template) for b in strings_of(text, size)]
        statistic = sum((k - mean) ** 2 / variance for k in found)
        p_values.append(scipy_stats.chi2.sf(statistic, 8))
    return p_values


def loop_overlapping_template(text):
    counts = [0] * 6
    for block in strings_of(text, 1032):
        matches = sum(block[i : i + 9] == "1" * 9 for i in range(1024))
        counts[min(matches, 5)] += 1
    # Section 3.8, Hamano & Kaneko.
    table = [0.364091, 0.185659, 0.139381, 0.100571, 0.070432, 0.139866]
    return [chi_square_tail(counts, table)]


def loop_universal(text):
    last, total, words = {}, 0.0, strings_of(text, 6)
    for place, word in enumerate(words):
        if place >= 640:
            total += math.log2(place - last.get(word, -1))
        last[word] = place
    k = len(words) - 640
    c = 0.7 - 0.8 / 6 + (4 + 32 / 6) * k ** (-3 / 6) / 15
    return [tail((total / k - 5.2177052) / (c * math.sqrt(2.954 / k)))]


def loop_linear_complexity(text):
    counts = [0] * 7
    for block in strings_of(text, 500):
        s, c, b, length, last = [int(x) for x in block], [1], [1], 0, -1
        for n in range(500):
            if sum(c[i] * s[n - i] for i in range(min(len(c), n + 1))) % 2:
                longer = [0] * (n - last) + b
                size = max(len(c), len(longer))
                new = [
                    x ^ y
                    for x, y in zip(
                        c + [0] * (size - len(c)),
                        longer + [0] * (size - len(longer)),
                        strict=True,
                    )
                ]
                if 2 * length <= n:
                    length, last, b = n + 1 - length, n, c
                c = new
        t = length - (250 + 8 / 36) + 2 / 9
        counts[sum(t > bound for bound in (-2.5, -1.5, -0.5, 0.5, 1.5, 2.5))] += 1
    exact = [1 / 96, 1 / 32, 1 / 8, 1 / 2, 1 / 4, 1 / 16, 1 / 48]
    return [chi_square_tail(counts, exact)]


def windows(text, m):
    longer = text + text[: m - 1]
    return collections.Counter(longer[i : i + m] for i in range(len(text)))


def loop_serial(text):
    n = len(text)
    psi = [
        Fraction(2**m, n) * sum(k * k for k in windows(text, m).values()) - n
        for m in (16, 15, 14)
    ]
    return [
        scipy_stats.chi2.sf(float(psi[0] - psi[1]), 2**15),
        scipy_stats.chi2.sf(float(psi[0] - 2 * psi[1] + psi[2]), 2**14),
    ]


def loop_approximate_entropy(text):
    n = len(text)
    phi = [
        sum(k / n * math.log(k / n) for k in windows(text, m).values())
        for m in (10, 11)
    ]
    return [scipy_stats.chi2.sf(2 * n * (math.log(2) - phi[0] + phi[1]), 2**10)]


def loop_cumulative_sums(text):
    p_values = []
    for order in (text, text[::-1]):
        n, place, z = len(text), 0, 0
        for bit in order:
            place += 1 if bit == "1" else -1
            z = max(z, abs(place))
        # The range of Brownian motion: a series of images over all k.
        total = sum(
            NORMAL.cdf((4 * k + 1) * z / math.sqrt(n))
            - NORMAL.cdf((4 * k - 1) * z / math.sqrt(n))
            - NORMAL.cdf((4 * k + 3) * z / math.sqrt(n))
            + NORMAL.cdf((4 * k + 1) * z / math.sqrt(n))
            for k in range(-300, 300)
        )
        p_values.append(1 - total)
    return p_values


def cycles_of(text):
    cycles, place = [collections.Counter()], 0
    for bit in text:
        place += 1 if bit == "1" else -1
        cycles[-1][place] += 1
        if place == 0:
            cycles.append(collections.Counter())
    return cycles if cycles[-1] else cycles[:-1]


def loop_random_excursions(text):
    p_values, cycles = [], cycles_of(text)
    for x in (-4, -3, -2, -1, 1, 2, 3, 4):
        counts = [0] * 6
        for cycle in cycles:
            counts[min(cycle[x], 5)] += 1
        a = 1 / (2 * abs(x))
        middle = [a * a * (1 - a) ** (k - 1) for k in range(1, 5)]
        p_values.append(chi_square_tail(counts, [1 - a, *middle, a * (1 - a) ** 4]))
    return p_values


def loop_random_excursions_variant(text):
    cycles = cycles_of(text)
    j = len(cycles)
    total = sum(cycles, collections.Counter())
    return [
        tail((total[x] - j) / math.sqrt(j * (4 * abs(x) - 2)))
        for x in [*range(-9, 0), *range(1, 10)]
    ]


LOOPS = {
    "frequency": (1000, loop_frequency),
    "block_frequency": (20_000, loop_block_frequency),
    "runs": (1000, loop_runs),
    "longest_run": (12_000, loop_longest_run),
    "matrix_rank": (60_000, loop_matrix_rank),
    "fourier": (1500, loop_fourier),
    "non_overlapping_templates": (30_000, loop_non_overlapping_templates),
    "overlapping_template": (60_000, loop_overlapping_template),
    "universal": (400_000, loop_universal),
    "linear_complexity": (10_000, loop_linear_complexity),
    "serial": (70_000, loop_serial),
    "approximate_entropy": (30_000, loop_approximate_entropy),
    "cumulative_sums": (5000, loop_cumulative_sums),
    "random_excursions": (40_000, loop_random_excursions),
    "random_excursions_variant": (40_000, loop_random_excursions_variant),
}
