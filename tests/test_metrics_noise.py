"""Metrics of one image against exact fractions, enumeration and other libraries."""

import collections
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from metric_pairs import CHINA, FLOWER, PAIRS, RANDOM, pairs, values_of
from scipy import stats as scipy_stats

from tfpe import metrics


@pairs
def test_entropy_and_chi_square(pair):
    image, _ = pair
    values = values_of(image)
    count, n = collections.Counter(values), len(values)
    entropy = -sum(k / n * math.log2(k / n) for k in count.values())
    assert metrics.shannon_entropy(image) == pytest.approx(entropy, abs=1e-12)
    uniform = Fraction(n, 256)
    squares = sum((count[v] - uniform) ** 2 / uniform for v in range(256))
    assert metrics.histogram_chi_square(image) == pytest.approx(float(squares))


def partitions(total, largest):
    if total == 0:
        yield ()
    for part in range(min(total, largest), 0, -1):
        for rest in partitions(total - part, part):
            yield (part, *rest)


@pytest.mark.parametrize("size", [1, 2, 5, 12])
def test_entropy_moments_by_exact_enumeration(size):
    # Every way that `size` values can coincide, with its exact probability.
    weights, entropies = [], []
    for parts in partitions(size, size):
        ways = Fraction(math.perm(256, len(parts)) * math.factorial(size), 256**size)
        for repeated in collections.Counter(parts).values():
            ways /= math.factorial(repeated)
        for part in parts:
            ways /= math.factorial(part)
        weights.append(ways)
        entropies.append(-sum(p / size * math.log2(p / size) for p in parts))
    assert sum(weights) == 1
    mean = sum(float(w) * h for w, h in zip(weights, entropies, strict=True))
    square = sum(
        float(w) * (h - mean) ** 2 for w, h in zip(weights, entropies, strict=True)
    )
    expected = (mean, math.sqrt(square))
    assert metrics.entropy_moments(size) == pytest.approx(expected, rel=1e-9, abs=1e-8)


@pytest.mark.parametrize("size", [1024, 1936, 3072])
def test_entropy_moments_of_noise(size):
    noise = RANDOM.integers(0, 256, (3000, size, 1, 1), np.uint8)
    entropies = metrics.shannon_entropy(noise)
    mean, deviation = metrics.entropy_moments(size)
    assert abs(entropies.mean() - mean) < 5 * deviation / math.sqrt(3000)
    assert entropies.std() == pytest.approx(deviation, rel=0.07)
    low, high = metrics.entropy_limits(size)
    assert np.mean((low < entropies) & (entropies < high)) == pytest.approx(0.95, 0.02)


def test_local_entropy_of_the_paper_and_its_interval():
    # Wu et al. 2013: mean 7.902469317; interval 7.901901305 to 7.903037329.
    mean, deviation = metrics.entropy_moments(1936)
    assert mean == pytest.approx(7.902469317, abs=5e-10)
    low, high = metrics.entropy_limits(1936, images=30)
    assert (low, high) == pytest.approx((7.89936, 7.90558), abs=1e-5)
    # It has the deviation over 30 instead of sqrt(30).
    reach = 1.959964 * deviation / 30
    assert mean - reach == pytest.approx(7.901901305, abs=2e-6)
    assert mean + reach == pytest.approx(7.903037329, abs=2e-6)


def test_the_deviation_joins_its_leading_term():
    below, above = (metrics.entropy_moments(2**20 + k)[1] for k in (0, 1))
    assert above == pytest.approx(below, rel=1e-3)


@pytest.mark.parametrize(
    "image", [CHINA, FLOWER, np.tile(PAIRS["noise"][0], (9, 9, 1))]
)
def test_local_entropy_is_the_mean_over_tiles(image):
    # Exactly 30 tiles: all of them, whatever the seed.
    image = image[:220, :264, :1]
    tiles = [
        values_of(image[row : row + 44, column : column + 44])
        for row in range(0, 220, 44)
        for column in range(0, 264, 44)
    ]
    entropies = [
        -sum(k / 1936 * math.log2(k / 1936) for k in collections.Counter(t).values())
        for t in tiles
    ]
    for seed in (0, 1):
        value = metrics.local_entropy(image, seed)
        assert value == pytest.approx(np.mean(entropies), abs=1e-12)


def test_chi_square_limit():
    mpmath = pytest.importorskip("mpmath")
    for alpha in (0.05, 0.01, 0.001):
        limit = metrics.histogram_chi_square_limit(alpha)
        tail = mpmath.gammainc(127.5, limit / 2, regularized=True)
        assert float(tail) == pytest.approx(alpha, rel=1e-9)
    assert metrics.histogram_chi_square_limit() == pytest.approx(293.2478, abs=1e-4)


@pairs
@pytest.mark.parametrize(
    ("direction", "down", "right"),
    [("horizontal", 0, 1), ("vertical", 1, 0), ("diagonal", 1, 1)],
)
@pytest.mark.filterwarnings("ignore:An input array is constant")
def test_adjacent_correlation(pair, direction, down, right):
    image, _ = pair
    height, width, channels = image.shape
    expected = []
    for channel in range(channels):
        first, second = [], []
        for row, column in itertools.product(
            range(height - down), range(width - right)
        ):
            first.append(int(image[row, column, channel]))
            second.append(int(image[row + down, column + right, channel]))
        expected.append(scipy_stats.pearsonr(first, second).statistic)
    value = metrics.adjacent_correlation(image, direction)
    assert value == pytest.approx(expected, abs=1e-9)
