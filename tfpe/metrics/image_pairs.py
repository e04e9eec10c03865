"""How two images differ: plain against cipher, cipher against cipher, attack result.

Each measure takes one pair or a batch of pairs, and has beside it what random bytes
in place of the second image would give.
"""

import math

import numpy as np
import scipy

from tfpe.checks import batch_of, pair_of
from tfpe.metrics import noise
from tfpe.metrics.arrays import correlation, per_image

LARGEST = 255
LUMINANCE = 0.2125, 0.7154, 0.0721


def npcr(first, second):
    """Number of pixels change rate: the share of values that differ.

    NPCR = mean[c1 != c2]; 255/256 = 99.6094 % between random images. Meant for two
    ciphertexts, of plain images that differ in one pixel (ciphers without diffusion,
    all of these, give 1/n) or under keys that differ in one bit.

    Args:
        first, second: `uint8`, `(H, W, C)` or `(B, H, W, C)`, of one shape.

    Returns:
        A float in [0, 1], or `float64 (B,)`.

    Raises:
        ImageError: another dtype, or shapes that differ.

    Source: Wu, Noonan, Agaian, NPCR and UACI randomness tests for image encryption,
    Journal of Selected Areas in Telecommunications, 2011, Eq. 1-2.

    Example:

    >>> a = np.zeros((2, 2, 1), np.uint8)
    >>> npcr(a, a), npcr(a, a + np.uint8(1))
    (0.0, 1.0)
    """
    first, second, single = pair_of(first, second)
    return per_image((first != second).mean(axis=(1, 2, 3)), single)


def uaci(first, second):
    """Unified average changing intensity: mean|c1 - c2| / 255.

    257/768 = 33.4635 % between random images; `uaci_expectation` for one given image.

    Args, returns, errors and source as `npcr`; Eq. 3 there.

    Example:

    >>> a = np.zeros((2, 2, 1), np.uint8)
    >>> uaci(a, a + np.uint8(51))
    0.2
    """
    first, second, single = pair_of(first, second)
    change = np.maximum(first, second) - np.minimum(first, second)
    return per_image(change.mean(axis=(1, 2, 3)) / LARGEST, single)


def npcr_limit(size, alpha=0.05):
    """The NPCR that two random images of `size` values fall below with `alpha`.

    (F - z(alpha) sqrt(F / N)) / (F + 1), F = 255, z(.05) = 1.6449: 99.2887 % for 1024
    values, 99.4243 % for 3072, 99.5693 % for 65536.

    Args:
        size: number of values N = H * W * C.
        alpha: significance level in (0, 1).

    Returns:
        A fraction, a float.

    Source: Wu, Noonan, Agaian 2011, Eq. 12.

    Example:

    >>> round(100 * npcr_limit(3072), 4)
    99.4243
    """
    z = scipy.stats.norm.isf(noise.check_alpha(alpha))
    spread = math.sqrt(LARGEST / noise.check_size(size))
    return float((LARGEST - z * spread) / (LARGEST + 1))


def uaci_limits(size, alpha=0.05):
    """The interval that the UACI of two random images leaves with `alpha`.

    mean (F + 2) / (3F + 3), variance (F + 2)(F^2 + 2F + 3) / (18 (F + 1)^2 F N), F =
    255, mean -+ z(alpha / 2) deviations: 32.0142-34.9129 % for 1024 values,
    32.6268-34.3003 % for 3072, 33.2824-33.6447 % for 65536.

    Args:
        size: number of values N = H * W * C.
        alpha: significance level in (0, 1).

    Returns:
        `(low, high)`, as shares of 1.

    Source: Wu, Noonan, Agaian 2011, Eq. 13-15.

    Example:

    >>> [round(100 * limit, 4) for limit in uaci_limits(3072)]
    [32.6268, 34.3003]
    """
    f = LARGEST
    mean = (f + 2) / (3 * f + 3)
    variance = (f + 2) * (f * f + 2 * f + 3) / (18 * (f + 1) ** 2 * f)
    z = scipy.stats.norm.isf(noise.check_alpha(alpha) / 2)
    reach = float(z) * math.sqrt(variance / noise.check_size(size))
    return mean - reach, mean + reach


def uaci_expectation(images):
    """Mean UACI between given images and random bytes.

    A value v is |v - u| away from a random u on average by
    (v (v + 1) + (255 - v)(256 - v)) / 512; the mean over the values, over 255. It is
    33.46 % only for an image with a uniform histogram, and 50 % for a black one.

    Args:
        images: `uint8`, `(H, W, C)` or `(B, H, W, C)`.

    Returns:
        A fraction, a float.

    Example:

    >>> uaci_expectation(np.zeros((2, 2, 1), np.uint8))
    0.5
    """
    batch, single = batch_of(images)
    v = np.arange(256)
    distance = (v * (v + 1) + (255 - v) * (256 - v)) / 512
    return per_image(distance[batch].mean(axis=(1, 2, 3)) / LARGEST, single)


def psnr(first, second):
    """Peak signal-to-noise ratio in dB: 10 log10(255^2 / mean (a - b)^2).

    Infinite for equal images; about 8 to 9 dB between a photograph and noise.

    Args:
        first, second: `uint8`, `(H, W, C)` or `(B, H, W, C)`, of one shape.

    Returns:
        A float, or `float64 (B,)`.

    Raises:
        ImageError: another dtype, or shapes that differ.

    Example:

    >>> psnr(np.zeros((2, 2, 1), np.uint8), np.full((2, 2, 1), 255, np.uint8))
    0.0
    """
    first, second, single = pair_of(first, second)
    squares = [
        np.square(a - b.astype(float)).mean()
        for a, b in zip(first, second, strict=True)
    ]
    with np.errstate(divide="ignore"):
        return per_image(10 * np.log10(LARGEST**2 / np.array(squares)), single)


def psnr_expectation(images):
    """PSNR in dB at the mean squared error between given images and random bytes.

    E (v - u)^2 = (v - 127.5)^2 + (256^2 - 1) / 12.

    Args:
        images: `uint8`, `(H, W, C)` or `(B, H, W, C)`.

    Returns:
        In dB, a float.

    Example:

    >>> round(psnr_expectation(np.full((2, 2, 1), 127, np.uint8)), 4)
    10.7577
    """
    batch, single = batch_of(images)
    error = (batch - 127.5) ** 2 + (256**2 - 1) / 12
    return per_image(10 * np.log10(LARGEST**2 / error.mean(axis=(1, 2, 3))), single)


def gray(images):
    """Luminance in [0, 255]: 0.2125 R + 0.7154 G + 0.0721 B (ITU-R BT.709).

    Images that do not have 3 channels give the mean of their channels.

    Args:
        images: `uint8`, `(H, W, C)` or `(B, H, W, C)`.

    Returns:
        `float64 (H, W)` or `(B, H, W)`.

    Example:

    >>> gray(np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8)).round(1).tolist()
    [[54.2, 182.4]]
    """
    batch, single = batch_of(images)
    if batch.shape[-1] == 3:
        # No matrix product: equal pixels stay equal, also in the last bit.
        luminance = sum(w * batch[..., c] for c, w in enumerate(LUMINANCE))
    else:
        luminance = batch.mean(axis=-1)
    return luminance[0] if single else luminance


def gray_correlation(first, second):
    """Pearson's correlation of the luminances: what of a picture still shows.

    Its absolute value is blind to a negative. NaN where an image is constant.

    Args:
        first, second: `uint8`, `(H, W, C)` or `(B, H, W, C)`, of one shape.

    Returns:
        A float in [-1, 1], or `float64 (B,)`.

    Example:

    >>> image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    >>> round(gray_correlation(image, 255 - image), 6)
    -1.0
    """
    first, second, single = pair_of(first, second)
    values = correlation(_flat(gray(first)), _flat(gray(second)))
    return per_image(values, single)


def edge_correlation(first, second):
    """Pearson's correlation of the edge strengths (Sobel) of the luminances.

    It does not see polarity or slow shading, as the eye hardly does. NaN where an
    image has no edges, or the same at every pixel.

    Args, returns and errors as `gray_correlation`.

    Example:

    >>> image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    >>> round(edge_correlation(image, 255 - image), 6)
    1.0
    """
    first, second, single = pair_of(first, second)
    edges = [
        _flat(np.stack([_edge_strength(image) for image in gray(batch)]))
        for batch in (first, second)
    ]
    return per_image(correlation(*edges), single)


def _edge_strength(luminance):
    """Of an image `(H, W)`, by Sobel, up to a factor."""
    return np.hypot(
        scipy.ndimage.sobel(luminance, 0), scipy.ndimage.sobel(luminance, 1)
    )


def _flat(images):
    return images.reshape(len(images), -1)
