"""All image metrics of a cipher at once, each beside what ideal noise would give."""

import math

import numpy as np

from tfpe.checks import pair_of
from tfpe.errors import ImageError
from tfpe.metrics import image_pairs, noise, structural_similarity
from tfpe.metrics.jpeg import jpeg_round_trip


def image_metrics(plain, cipher, decrypt=None, quality=85):
    """Every image metric of plain images and their ciphertexts, ready for JSON.

    Args:
        plain: `uint8`, `(H, W, C)` or `(B, H, W, C)`.
        cipher: `uint8`, of the shape of `plain`.
        decrypt: takes one ciphertext `(H, W, C)` to the plain image; it adds what is
            left of the picture after the *ciphertext* went through JPEG.
        quality: of JPEG, 1 to 95, the same for plain and cipher.

    Returns:
        A dict from metric to a dict: `value`, the mean over the images (or `plain` and
        `cipher`, where the metric is of one image; the absolute value of the gray
        correlation), `ideal`, what uniform noise in place of the ciphertext has on
        average, and `limits` [low, high], which one image of noise leaves with
        probability .05. None is no limit, or the value of a metric that the images do
        not have (too small, or constant), or the infinite PSNR of equal images.
        `jpeg`, for 1 or 3 channels, is what `jpeg_metrics` gives.

    Raises:
        ImageError: another dtype, or shapes that differ.

    Example:

    >>> plain = np.zeros((2, 32, 32, 3), np.uint8)
    >>> cipher = np.random.default_rng(0).integers(0, 256, plain.shape, np.uint8)
    >>> metrics = image_metrics(plain, cipher)
    >>> [round(v, 2) for v in metrics["entropy"]["limits"]], metrics["ssim"]["ideal"]
    ([7.93, 7.95], 0.0)
    """
    plain, cipher, _ = pair_of(plain, cipher, ("plain", "cipher"))
    size = math.prod(plain.shape[1:])
    results = {
        "npcr": _row(
            image_pairs.npcr(plain, cipher),
            255 / 256,
            (image_pairs.npcr_limit(size), None),
        ),
        "uaci": _row(
            image_pairs.uaci(plain, cipher), image_pairs.uaci_expectation(plain)
        ),
        "psnr": _row(
            image_pairs.psnr(plain, cipher), image_pairs.psnr_expectation(plain)
        ),
        "ssim": _row(_or_none(structural_similarity.ssim, plain, cipher), 0.0),
        # Negatives of some images must not cancel what shows in the others.
        "gray_correlation": _row(
            np.abs(image_pairs.gray_correlation(plain, cipher)),
            noise_correlation(math.prod(plain.shape[1:3])),
        ),
        "edge_correlation": _row(image_pairs.edge_correlation(plain, cipher), 0.0),
        "entropy": _both(
            noise.shannon_entropy,
            plain,
            cipher,
            noise.entropy_expectation(size),
            noise.entropy_limits(size),
        ),
        "local_entropy": _both(
            noise.local_entropy,
            plain,
            cipher,
            noise.entropy_expectation(noise.LOCAL_BLOCK_SIDE**2),
            noise.entropy_limits(noise.LOCAL_BLOCK_SIDE**2, images=noise.LOCAL_BLOCKS),
        ),
        "histogram_chi_square": _both(
            noise.histogram_chi_square,
            plain,
            cipher,
            255.0,
            (None, noise.histogram_chi_square_limit()),
        ),
    }
    for direction in noise.DIRECTIONS:
        results[f"{direction}_correlation"] = _both(
            lambda batch, d=direction: noise.adjacent_correlation(batch, d),
            plain,
            cipher,
            0.0,
        )
    if plain.shape[-1] in (1, 3):
        results["jpeg"] = jpeg_metrics(plain, cipher, decrypt, quality)
    return results


def jpeg_metrics(plain, cipher, decrypt=None, quality=85):
    """JPEG at equal settings: size and quality of ciphertexts against plain images.

    Args:
        plain, cipher, decrypt, quality: as for `image_metrics`; 4:2:0 subsampling.

    Returns:
        A dict: `quality`; `plain_bytes` and `cipher_bytes`, mean sizes of the files;
        `plain_psnr` in dB, of the decoded plain images against the plain ones;
        `cipher_psnr`, of the decoded ciphertexts against the ciphertexts; with
        `decrypt`, `decrypted_psnr`, of the decoded and decrypted ciphertexts against
        the plain images. Means of PSNR that are infinite are None.

    Example:

    >>> plain = np.zeros((1, 16, 16, 3), np.uint8)
    >>> noise = np.random.default_rng(0).integers(0, 256, plain.shape, np.uint8)
    >>> sizes = jpeg_metrics(plain, noise)
    >>> sizes["cipher_bytes"] > sizes["plain_bytes"]
    True
    """
    plain, cipher, _ = pair_of(plain, cipher, ("plain", "cipher"))
    decoded_plain, plain_bytes = _through_jpeg(plain, quality)
    decoded_cipher, cipher_bytes = _through_jpeg(cipher, quality)
    results = {
        "quality": quality,
        "plain_bytes": plain_bytes,
        "cipher_bytes": cipher_bytes,
        "plain_psnr": _mean(image_pairs.psnr(plain, decoded_plain)),
        "cipher_psnr": _mean(image_pairs.psnr(cipher, decoded_cipher)),
    }
    if decrypt is not None:
        decrypted = np.stack([decrypt(image) for image in decoded_cipher])
        results["decrypted_psnr"] = _mean(image_pairs.psnr(plain, decrypted))
    return results


def noise_correlation(pixels):
    """Mean absolute correlation of an image with independent noise of as many pixels.

    sqrt(2 / (pi (n - 1))), the mean of |r| for r normal with variance 1 / (n - 1).

    Example:

    >>> round(noise_correlation(32 * 32), 4)
    0.0249
    """
    return math.sqrt(2 / (math.pi * max(pixels - 1, 1)))


def _through_jpeg(batch, quality):
    trips = [jpeg_round_trip(image, quality) for image in batch]
    decoded = np.stack([image for image, _ in trips])
    return decoded, float(np.mean([size for _, size in trips]))


def _row(value, ideal, limits=(None, None)):
    return {"value": _mean(value), "ideal": _mean(ideal), "limits": list(limits)}


def _both(measure, plain, cipher, ideal, limits=(None, None)):
    return {
        "plain": _mean(_or_none(measure, plain)),
        "cipher": _mean(_or_none(measure, cipher)),
        "ideal": ideal,
        "limits": list(limits),
    }


def _or_none(measure, *batches):
    """None where the images are too small for the measure; dtypes are checked."""
    try:
        return measure(*batches)
    except ImageError:
        return None


def _mean(values):
    """The mean over the images that have the value, as JSON takes it."""
    if values is None:
        return None
    values = np.asarray(values, np.float64)
    values = values[~np.isnan(values)]
    if not values.size or np.isinf(values).any():
        return None
    return float(values.mean())
