"""What every image metric returns: a number an image, and correlations."""

import numpy as np


def per_image(values, single):
    """A float for one image, `float64 (B, ...)` for a batch."""
    values = np.asarray(values, np.float64)
    if not single:
        return values
    return values[0] if values.ndim > 1 else float(values[0])


def correlation(first, second):
    """Pearson's coefficient along the last axis; NaN where a side is constant.

    Example:

    >>> correlation([1, 2, 3], [2, 4, 6]).item(), correlation([1, 1], [0, 1]).item()
    (1.0, nan)
    """
    first = np.asarray(first, np.float64)
    second = np.asarray(second, np.float64)
    # A constant is told by its values: rounding would leave its variance above 0.
    constant = (np.ptp(first, axis=-1) == 0) | (np.ptp(second, axis=-1) == 0)
    first = first - first.mean(axis=-1, keepdims=True)
    second = second - second.mean(axis=-1, keepdims=True)
    scale = np.sqrt((first**2).sum(axis=-1) * (second**2).sum(axis=-1))
    product = (first * second).sum(axis=-1)
    ratio = np.divide(product, scale, out=np.full_like(scale, np.nan), where=scale > 0)
    return np.where(constant, np.nan, np.clip(ratio, -1, 1))
