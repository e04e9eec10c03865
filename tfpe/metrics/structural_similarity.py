"""SSIM and MS-SSIM: how much of the structure of one image another one has."""

import numpy as np
import scipy

from tfpe.checks import pair_of
from tfpe.errors import ImageError
from tfpe.metrics.arrays import per_image

LARGEST = 255
# Of the five scales of MS-SSIM.
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
SSIM_WINDOW, SSIM_DEVIATION = 11, 1.5
SSIM_CONSTANTS = (0.01 * LARGEST) ** 2, (0.03 * LARGEST) ** 2


def ssim(first, second):
    """Structural similarity, mean over pixels and channels: 1 for equal images.

    With the paper's constants: Gaussian window of deviation 1.5 and 11 x 11 pixels,
    K1 = .01, K2 = .03, L = 255, population covariances; as scikit-image computes it.

    Args:
        first, second: `uint8`, `(H, W, C)` or `(B, H, W, C)`, at least 11 x 11.

    Returns:
        A float in [-1, 1], or `float64 (B,)`.

    Raises:
        ImageError: another dtype, shapes that differ, or images that are too small.

    Source: Wang, Bovik, Sheikh, Simoncelli, Image Quality Assessment: From Error
    Visibility to Structural Similarity, IEEE TIP 13(4), 2004.

    Example:

    >>> image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    >>> ssim(image, image)
    1.0
    """
    first, second, single = pair_of(first, second)
    if min(first.shape[1:3]) < SSIM_WINDOW:
        raise ImageError(
            f"SSIM needs images of at least {SSIM_WINDOW} x {SSIM_WINDOW} pixels. "
            f"Received: images of shape {first.shape[1:]}"
        )
    return per_image([_ssim(a, b) for a, b in zip(first, second, strict=True)], single)


def ms_ssim(first, second):
    """Structural similarity over several scales: 1 for equal images.

    Each scale is half the last one, by means of 2 x 2. The paper's five scales need
    176 x 176 pixels; smaller images have as many scales as hold the window of 11 x 11,
    two at 32 x 32, with the first of the paper's weights, over their sum.

    Args:
        first, second: `uint8`, `(H, W, C)` or `(B, H, W, C)`, at least 11 x 11.

    Returns:
        A float in [0, 1], or `float64 (B,)`, the mean over the channels.

    Raises:
        ImageError: another dtype, shapes that differ, or images that are too small.

    Source: Wang, Simoncelli, Bovik, Multi-Scale Structural Similarity for Image Quality
    Assessment, Asilomar 2003.

    Example:

    >>> image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    >>> ms_ssim(image, image)
    1.0
    """
    first, second, single = pair_of(first, second)
    side = min(first.shape[1:3])
    if side < SSIM_WINDOW:
        raise ImageError(
            f"MS-SSIM needs images of at least {SSIM_WINDOW} x {SSIM_WINDOW} pixels. "
            f"Received: images of shape {first.shape[1:]}"
        )
    fitting = [w for k, w in enumerate(SCALE_WEIGHTS) if side >> k >= SSIM_WINDOW]
    weights = np.array(fitting) / sum(fitting)
    return per_image(
        [_ms_ssim(a, b, weights) for a, b in zip(first, second, strict=True)], single
    )


def _ms_ssim(first, second, weights):
    product = 1.0
    for scale, weight in enumerate(weights):
        similarity, structure = _similarities(first, second)
        last = scale == len(weights) - 1
        means = (similarity if last else structure).mean(axis=(0, 1))
        product = product * np.maximum(means, 0) ** weight
        first, second = _halved(first), _halved(second)
    return product.mean()


def _halved(image):
    """Means of 2 x 2 pixels; an odd last row or column is left out."""
    rows, columns = (size // 2 * 2 for size in image.shape[:2])
    parts = image[:rows, :columns].reshape(rows // 2, 2, columns // 2, 2, -1)
    return parts.mean(axis=(1, 3))


def _ssim(first, second):
    return _similarities(first, second)[0].mean()


def _similarities(first, second):
    """SSIM around each pixel, and its factor of contrast and structure alone."""
    first, second = first.astype(float), second.astype(float)
    c1, c2 = SSIM_CONSTANTS
    m1, m2 = _window_mean(first), _window_mean(second)
    v1 = _window_mean(first * first) - m1 * m1
    v2 = _window_mean(second * second) - m2 * m2
    covariance = _window_mean(first * second) - m1 * m2
    similarity = (2 * m1 * m2 + c1) * (2 * covariance + c2)
    whole = similarity / ((m1 * m1 + m2 * m2 + c1) * (v1 + v2 + c2))
    return whole, (2 * covariance + c2) / (v1 + v2 + c2)


def _window_mean(image):
    """Gaussian means of an image `(H, W, C)`, where the whole window lies in it."""
    reach = SSIM_WINDOW // 2
    deviations = SSIM_DEVIATION, SSIM_DEVIATION, 0
    means = scipy.ndimage.gaussian_filter(image, deviations, radius=(reach, reach, 0))
    return means[reach:-reach, reach:-reach]
