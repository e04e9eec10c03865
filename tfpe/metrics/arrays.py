"""What every image metric takes and returns: checked `uint8` images, one or a batch."""

import numpy as np

from tfpe.errors import ImageError


def batch_of(images, name="images", dtype="uint8"):
    """Checks images and gives them a batch axis.

    Returns:
        `(batch, single)`: `(B, H, W, C)` of the dtype, and whether there was no batch
        axis.

    Raises:
        ImageError: another dtype or rank, or an empty axis.

    Example:

    >>> batch, single = batch_of(np.zeros((4, 4, 3), np.uint8))
    >>> batch.shape, single
    ((1, 4, 4, 3), True)
    """
    array = np.asarray(images)
    if array.dtype != dtype:
        raise ImageError(
            f"`{name}` should be {dtype}. Received: {name} of dtype {array.dtype}"
        )
    if array.ndim not in (3, 4) or 0 in array.shape:
        raise ImageError(
            f"`{name}` should have shape (height, width, channels) or (batch, height, "
            f"width, channels). Received: {name} of shape {array.shape}"
        )
    single = array.ndim == 3
    return (array[None] if single else array), single


def pair_of(first, second, names=("first", "second")):
    """Checks two images, or two batches, of one shape: `(first, second, single)`."""
    first, single = batch_of(first, names[0])
    second, second_single = batch_of(second, names[1])
    if first.shape != second.shape or single != second_single:
        raise ImageError(
            f"`{names[0]}` and `{names[1]}` should have one shape. Received: "
            f"shapes {first.shape[single:]} and {second.shape[second_single:]}"
        )
    return first, second, single


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
