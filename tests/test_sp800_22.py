"""SP 800-22 against plain loops, and its constants by independent ways."""

import collections
import itertools
import random
from fractions import Fraction

import numpy as np
import pytest
from sp800_22_loops import LOOPS

from tfpe.metrics import sp800_22
from tfpe.metrics.sp800_22 import balance, linearity, patterns, walks


def test_class_probabilities_by_enumeration():
    # All blocks of 8 bits (table of 2.4.2), and of 12 bits with windows of three ones.
    longest = collections.Counter(
        min(max(max(map(len, f"{n:08b}".split("0"))), 1), 4) for n in range(256)
    )
    table = balance.LONGEST_RUN_TABLE[-1][3]
    assert [longest[k] / 256 for k in (1, 2, 3, 4)] == list(table)
    matches = collections.Counter(
        min(sum(f"{n:012b}"[i : i + 3] == "111" for i in range(10)), 5)
        for n in range(2**12)
    )
    expected = [matches[k] / 2**12 for k in range(6)]
    assert patterns.overlapping_probabilities(12, 3) == pytest.approx(expected)
    # All bit matrices of 3 x 3.
    cubes = np.array(list(itertools.product((0, 1), repeat=9))).reshape(-1, 3, 3)
    found = np.bincount(linearity.ranks(cubes), minlength=4) / 512
    expected = [linearity.rank_probability(3, rank) for rank in range(4)]
    assert found == pytest.approx(expected)


def test_longest_run_probabilities_of_128_by_exact_counting():
    def share_below(longest, size):
        # Strings without a run over `longest`: a linear recurrence.
        ways = [1]
        for n in range(1, size + 1):
            ways.append((n <= longest) + sum(ways[max(0, n - longest - 1) : n]))
        return Fraction(ways[size], 2**size)

    for size, (first, last), table in (row[1:] for row in balance.LONGEST_RUN_TABLE):
        below = [share_below(k, size) for k in range(first, last)]
        exact = np.diff([0, *map(float, below), 1])
        assert table == pytest.approx(exact, abs=1e-8 if size < 10_000 else 2e-3)


@pytest.mark.parametrize(
    # Section 2.9.4, table: L, mean, variance.
    ("length", "mean", "variance"),
    [
        *[(6, 5.2177052, 2.954), (7, 6.1962507, 3.125), (8, 7.1836656, 3.238)],
        *[(9, 8.1764248, 3.311), (10, 9.1723243, 3.356), (12, 11.168765, 3.401)],
        *[(16, 15.167379, 3.421)],
    ],
)
def test_universal_moments(length, mean, variance):
    moments = patterns.universal_moments(length)
    assert moments == pytest.approx((mean, variance), abs=1e-3)
    assert moments[0] == pytest.approx(mean, abs=6e-7)


@pytest.mark.parametrize("state", walks.EXCURSION_STATES)
def test_excursion_probabilities_by_the_walk(state):
    # Exact: from 0 the state is reached with 1 / (2|x|); from it, back to it before 0.
    reach, again = Fraction(1, 2 * abs(state)), 1 - Fraction(1, 2 * abs(state))
    exact = [1 - reach] + [reach * again ** (k - 1) * (1 - again) for k in range(1, 5)]
    exact.append(1 - sum(exact))
    found = walks.excursion_probabilities(state)
    assert found == pytest.approx([float(p) for p in exact], abs=1e-15)


@pytest.mark.parametrize("name", sp800_22.TESTS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_test_against_a_loop(name, seed):
    size, loop = LOOPS[name]
    generator = np.random.default_rng(seed)
    bits = (generator.random(size) < (0.5, 0.502, 0.498)[seed - 1]).astype(np.uint8)
    arguments = {"min_cycles": 1} if "excursions" in name else {}
    p_values = sp800_22.TESTS[name].run(bits, **arguments)
    expected = loop("".join(map(str, bits)))
    # The tables of the loops have six or seven digits, and variances of four.
    tolerance = 1e-4 if name in ("universal", "overlapping_template") else 1e-6
    assert p_values == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_shortest_register_by_trying_all(seed):
    bits = [random.Random(seed).getrandbits(1) for _ in range(14)]

    def fits(length, taps):
        return all(
            bits[n] == sum(taps[i] & bits[n - 1 - i] for i in range(length)) % 2
            for n in range(length, len(bits))
        )

    least = next(
        length
        for length in itertools.count()
        if any(fits(length, taps) for taps in itertools.product((0, 1), repeat=length))
    )
    assert linearity.shortest_register(bits) == least
