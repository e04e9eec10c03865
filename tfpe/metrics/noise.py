"""How far the values of one image are from noise, and what noise itself would give.

Every measure has its expectation for uniform random bytes at the size of the image:
entropy never reaches 8 bits in a small one. A ciphertext that meets all of them can
still fall to three chosen images; these figures say nothing about an attacker.
"""

import functools
import math

import numpy as np
import scipy

from tfpe.checks import batch_of, whole_number
from tfpe.errors import ImageError, TfpeError
from tfpe.metrics.arrays import correlation, per_image

LOCAL_BLOCKS, LOCAL_BLOCK_SIDE = 30, 44
DIRECTIONS = {"horizontal": (0, 1), "vertical": (1, 0), "diagonal": (1, 1)}
BYTE_VALUES = 256
EXACT_DEVIATION_LIMIT = 2**20


def shannon_entropy(images):
    """Entropy of the histogram of all values of an image, in bits: at most 8.

    H = -sum p_v log2 p_v over the 256 values v, p_v the share of v among the
    n = H * W * C values. Compare with `entropy_expectation(n)`, not with 8.

    Args:
        images: `uint8`, `(H, W, C)` or `(B, H, W, C)`.

    Returns:
        A float, or `float64 (B,)`.

    Raises:
        ImageError: another dtype or shape.

    Source: Shannon, A Mathematical Theory of Communication, 1948, section 6.

    Example:

    >>> shannon_entropy(np.arange(256, dtype=np.uint8).reshape(16, 16, 1))
    8.0
    """
    batch, single = batch_of(images)
    return per_image([_entropy(image) for image in batch], single)


@functools.lru_cache(maxsize=64)
def entropy_moments(size):
    """Exact mean and standard deviation of the entropy of `size` random bytes.

    With N_v the count of value v and h(N) = -(N/n) log2(N/n), the mean is
    256 E h(N_v), N_v binomial (n, 1/256); the second moment adds 256 * 255
    E h(N_u) h(N_v), where N_v given N_u is binomial (n - N_u, 1/255). Above 2^20
    values the deviation is its leading term sqrt(255 / 2) / (n ln 2), right to .1 %.

    Args:
        size: number of values n, at least 1.

    Returns:
        `(mean, standard_deviation)` in bits.

    Example:

    >>> tuple(round(x, 4) for x in entropy_moments(3072))
    (7.9392, 0.0054)
    """
    check_size(size)
    # What lies outside carries less than 1e-18 of the mass.
    low, high = scipy.stats.binom.ppf([1e-18, 1 - 1e-16], size, 1 / BYTE_VALUES)
    counts = np.arange(max(low - 8, 0), min(high + 24, size) + 1)
    share = counts / size
    terms = -share * np.log2(share, where=share > 0, out=np.zeros_like(share))
    weights = scipy.stats.binom.pmf(counts, size, 1 / BYTE_VALUES)
    mean = BYTE_VALUES * (weights @ terms)
    if size > EXACT_DEVIATION_LIMIT:
        return float(mean), math.sqrt((BYTE_VALUES - 1) / 2) / (size * math.log(2))
    # Centred first: the raw moments cancel to a millionth of their size.
    centred = terms - mean / BYTE_VALUES
    given = scipy.stats.binom.pmf(counts, size - counts[:, None], 1 / (BYTE_VALUES - 1))
    cross = (weights * centred) @ (given @ centred)
    variance = BYTE_VALUES * (weights @ centred**2 + (BYTE_VALUES - 1) * cross)
    return float(mean), math.sqrt(max(float(variance), 0.0))


def entropy_expectation(size):
    """The mean entropy of `size` random bytes, in bits (see `entropy_moments`).

    Args:
        size: number of bytes, 1 or more.

    Returns:
        In bits, a float.

    Example:

    >>> [round(entropy_expectation(n), 4) for n in (1936, 3072, 65536)]
    [7.9025, 7.9392, 7.9972]
    """
    return entropy_moments(size)[0]


def entropy_limits(size, alpha=0.05, images=1):
    """The interval that entropies of random bytes leave with probability `alpha`.

    mean -+ z(alpha / 2) * deviation / sqrt(images), by `entropy_moments`: close to
    normal from a few hundred values on.

    Args:
        size: number of values of one image.
        alpha: significance level in (0, 1).
        images: number of images, or blocks, whose entropies are averaged.

    Returns:
        `(low, high)` in bits.

    Example:

    >>> tuple(round(x, 4) for x in entropy_limits(1936, images=30))
    (7.8994, 7.9056)
    """
    mean, deviation = entropy_moments(size)
    z = float(scipy.stats.norm.isf(check_alpha(alpha) / 2))
    reach = z * deviation / math.sqrt(check_size(images))
    return mean - reach, mean + reach


def local_entropy(images, seed=0):
    """Mean entropy of 30 random blocks of 44 x 44 = 1936 values, in bits.

    The blocks are drawn without overlap from the grid of 44 x 44 tiles of all
    channels. Random bytes give 7.9025, and 7.8994 to 7.9056 at the level .05:
    `entropy_limits(1936, images=30)`. The paper's mean, 7.902469317, is the same; its
    interval 7.901901-7.903037 has the deviation divided by 30 where the mean of 30
    blocks asks for sqrt(30), and truly random images leave it in 73 % of the cases.

    Args:
        images: `uint8`, `(H, W, C)` or `(B, H, W, C)`, each with at least 30 tiles.
        seed: whole number that chooses the blocks, the same in every image.

    Returns:
        In bits: a float, or `float64 (B,)`.

    Raises:
        ImageError: the images are too small: use `shannon_entropy`.

    Source: Wu, Zhou, Saveriades, Agaian, Noonan, Natarajan, Local Shannon entropy
    measure with statistical tests for image randomness, Information Sciences 222,
    2013.

    Example:

    >>> image = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)
    >>> round(local_entropy(image), 2)
    7.9
    """
    batch, single = batch_of(images)
    side = LOCAL_BLOCK_SIDE
    count, height, width, channels = batch.shape
    rows, columns = height // side, width // side
    tiles = rows * columns * channels
    if tiles < LOCAL_BLOCKS:
        raise ImageError(
            f"Local entropy needs {LOCAL_BLOCKS} blocks of {side} x {side} values. "
            f"Received: images of shape {batch.shape[1:]}, which hold {tiles}"
        )
    grid = batch[:, : rows * side, : columns * side].reshape(
        count, rows, side, columns, side, channels
    )
    chosen = np.random.default_rng(seed).choice(tiles, LOCAL_BLOCKS, replace=False)
    r, c, k = np.unravel_index(chosen, (rows, columns, channels))
    means = [
        np.mean(
            [_entropy(image[i, :, j, :, m]) for i, j, m in zip(r, c, k, strict=True)]
        )
        for image in grid
    ]
    return per_image(means, single)


def histogram_chi_square(images):
    """Chi-square of the histogram of all values against the uniform one.

    X = sum (o_v - n/256)^2 / (n/256): for random bytes chi-square distributed with
    255 degrees of freedom, mean 255, below `histogram_chi_square_limit()` = 293.25 at
    the level .05. The distribution is approximate below 1280 values (n/256 < 5).

    Args:
        images: `uint8`, `(H, W, C)` or `(B, H, W, C)`.

    Returns:
        A float, or `float64 (B,)`.

    Example:

    >>> histogram_chi_square(np.zeros((16, 16, 1), np.uint8))
    65280.0
    """
    batch, single = batch_of(images)
    return per_image(
        [scipy.stats.chisquare(_histogram(i)).statistic for i in batch], single
    )


def histogram_chi_square_limit(alpha=0.05):
    """What chi-square with 255 degrees of freedom passes with probability `alpha`.

    Args:
        alpha: significance level in (0, 1).

    Returns:
        A float.

    Example:

    >>> round(histogram_chi_square_limit(), 2)
    293.25
    """
    return float(scipy.stats.chi2.isf(check_alpha(alpha), BYTE_VALUES - 1))


def adjacent_correlation(images, direction):
    """Correlation of every pixel with its neighbour, for each channel.

    Pearson's coefficient over all pairs (x, y), y one step to the right, below, or
    both. Photographs have 0.9 and more; random bytes 0 with a deviation of
    1 / sqrt(number of pairs). NaN where the pixels are constant.

    Args:
        images: `uint8`, `(H, W, C)` or `(B, H, W, C)`.
        direction: "horizontal", "vertical" or "diagonal".

    Returns:
        `float64 (C,)` or `(B, C)`.

    Raises:
        ImageError: another dtype or shape, or less than 2 pixels in a direction.
        TfpeError: another direction.

    Source: Chen, Mao, Chui, A symmetric image encryption scheme based on 3D chaotic
    cat maps, Chaos, Solitons and Fractals 21, 2004, section 5.

    Example:

    >>> ramp = np.tile(np.arange(8, dtype=np.uint8)[:, None], (8, 1, 1))
    >>> adjacent_correlation(ramp, "horizontal").tolist()
    [1.0]
    """
    if direction not in DIRECTIONS:
        raise TfpeError(
            f"`direction` should be one of {list(DIRECTIONS)}. "
            f"Received: direction={direction!r}"
        )
    batch, single = batch_of(images)
    down, right = DIRECTIONS[direction]
    count, height, width, channels = batch.shape
    if height <= down or width <= right:
        raise ImageError(
            f"Images should have 2 pixels in the {direction} direction. "
            f"Received: images of shape {batch.shape[1:]}"
        )
    first = batch[:, : height - down, : width - right]
    second = batch[:, down:, right:]
    coefficients = [
        correlation(a.reshape(-1, channels).T, b.reshape(-1, channels).T)
        for a, b in zip(first, second, strict=True)
    ]
    return per_image(coefficients, single)


def check_size(size):
    """`size`, or an error where it is no whole number from 1 up."""
    return whole_number(size, "size", error=TfpeError)


def check_alpha(alpha):
    """`alpha`, or an error where it is no level between 0 and 1."""
    if not isinstance(alpha, (int, float)) or not 0 < alpha < 1:
        raise TfpeError(
            "`alpha` should be a significance level between 0 and 1. "
            f"Received: alpha={alpha!r}"
        )
    return alpha


def _histogram(values):
    return np.bincount(values.ravel(), minlength=BYTE_VALUES)


def _entropy(values):
    return scipy.stats.entropy(_histogram(values), base=2)
