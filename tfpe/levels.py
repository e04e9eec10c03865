"""Images as bytes: `uint8` as they are, floats as the 256 levels of a value range."""

import math
import numbers

import numpy as np

from tfpe.backends import TORCH, backend_of
from tfpe.errors import CipherOptionError, ImageError

BYTE_RANGE = (0, 255)

# How far from a level a value may lie: what rounding to the dtype can do to k / 255.
TOLERANCES = {"float16": 0.25, "bfloat16": 0.5}
DEFAULT_TOLERANCE = 1e-3


def check_value_range(value_range, dtype="float32"):
    """`value_range` as a tuple, if `dtype` can tell its 256 levels apart; or an error.

    Example:

    >>> check_value_range((0, 1))
    (0, 1)
    """
    try:
        low, high = value_range
        finite = all(
            isinstance(v, numbers.Real) and math.isfinite(v) for v in (low, high)
        )
    except (TypeError, ValueError, OverflowError):
        finite = False
    if not finite or not low < high:
        raise CipherOptionError(
            "`value_range` should be (lowest, highest) value. "
            f"Received: value_range={value_range!r}"
        )
    if "float" not in dtype and dtype != "uint8":
        if dtype == "bool" or (low, high) != BYTE_RANGE:
            raise CipherOptionError(
                f"`value_range` should be {BYTE_RANGE}, and a dtype of integers wide "
                f"enough for it. Received: value_range={value_range!r}, dtype {dtype}"
            )
    levels = _levels((low, high)).astype(_numpy_dtype(dtype)).astype(np.float32)
    nearest = np.round((levels - np.float32(low)) * np.float32(255 / (high - low)))
    if not np.array_equal(nearest, np.arange(256)):
        raise CipherOptionError(
            f"`value_range` should hold 256 levels that {dtype} tells apart. "
            f"Received: value_range={value_range!r}"
        )
    return (low, high)


def _levels(value_range):
    low, high = value_range
    return (low + np.arange(256) / 255 * (high - low)).astype(np.float32)


def _numpy_dtype(dtype):
    if dtype == "bfloat16":
        import ml_dtypes

        return ml_dtypes.bfloat16
    return dtype if "float" in dtype else "float32"


def to_bytes(images, value_range=BYTE_RANGE):
    """Images of any dtype as `uint8`, rounded to the nearest of the 256 levels.

    Args:
        images: `(H, W, C)` or `(B, H, W, C)`, integers or floats, any framework.
        value_range: the values of levels 0 and 255; integers need (0, 255).

    Returns:
        `(data, valid)`: `uint8` images, and None where all values are known to be
        levels, or else (in a graph, before there are values) a boolean tensor
        `(B, 1, 1, 1)` or `(1, 1, 1)` that tells the images whose values are.

    Raises:
        ImageError: another dtype; or values that are NaN, out of range or between two
            levels, where there are values to look at.

    Example:

    >>> to_bytes(np.array([[[0.0, 0.2, 1.0]]]), (0, 1))[0].tolist()
    [[[0, 51, 255]]]
    """
    backend = backend_of(images)
    dtype = backend.dtype_name(images)
    whole_bytes = value_range == BYTE_RANGE
    if dtype == "uint8" and whole_bytes:
        return images, None
    if dtype.startswith(("int", "uint")):
        if not whole_bytes:
            raise ImageError(
                f"Integer images need value_range={BYTE_RANGE}. "
                f"Received: dtype {dtype} and value_range={value_range}"
            )
        if backend is TORCH and dtype.startswith("uint"):
            images = backend.cast(images, "int64")  # torch cannot compare the others
        nearest = images
        valid = images >= 0
        if dtype != "int8":  # in which 255 would be -1
            valid = valid & (images <= 255)
    elif dtype.startswith(("float", "bfloat")):
        low, high = value_range
        levels = backend.cast(images, "float32")
        if not whole_bytes:
            levels = (levels - low) * (255 / (high - low))
        nearest = backend.round(levels)
        # Whole bytes are exact in every float; fractions of 255 are rounded.
        tolerance = DEFAULT_TOLERANCE
        if not whole_bytes:
            tolerance = TOLERANCES.get(dtype, DEFAULT_TOLERANCE)
        valid = (nearest >= 0) & (nearest <= 255) & (abs(levels - nearest) <= tolerance)
    else:
        raise ImageError(
            f"Images should be of integers or floats. Received: dtype {dtype}"
        )
    if not backend.is_concrete(images):
        return backend.cast(nearest, "uint8"), backend.all_values(valid)
    if not bool(backend.all_values(backend.reshape(valid, (-1, 1, 1)))):
        raise ImageError(
            "Images should hold the 256 levels of a byte, scaled to "
            f"value_range={value_range}. Received: values that are NaN, out of range "
            "or between two levels"
        )
    return backend.cast(nearest, "uint8"), None


def from_bytes(data, valid, dtype, value_range=BYTE_RANGE):
    """`uint8` images in a dtype and range; images that are not valid become NaN.

    `uint8` output keeps the bytes 0 to 255 whatever the range, and cannot say NaN.
    """
    backend = backend_of(data)
    if dtype == "uint8":
        return data
    if value_range == BYTE_RANGE:
        images = backend.cast(data, dtype)
    else:
        # A table: compilers may round a division or a multiplication with addition
        # in other ways than NumPy.
        table = backend.cast(backend.constant(_levels(value_range), data), dtype)
        shape = tuple(-1 if s is None else s for s in backend.static_shape(data))
        index = backend.cast(backend.reshape(data, (-1,)), "int32")
        images = backend.reshape(backend.take(table, index), shape)
    if valid is None or "float" not in dtype:
        return images
    nan = backend.cast(backend.constant(np.float32(math.nan), data), dtype)
    return backend.where(valid, images, nan)
