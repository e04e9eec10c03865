"""Images as bytes: `uint8` as they are, floats as the 256 levels of a value range.

Images are rounded to the nearest level, since resized and turned ones lie between two.
Ciphertexts are not: one that lies between two levels is damaged.
"""

import math

import numpy as np

from tfpe.algebra.backends import TORCH, backend_of
from tfpe.errors import ImageError
from tfpe.pixels.value_ranges import BYTE_RANGE, Refusal, levels_of

# How far from a level a value may lie: what rounding to the dtype can do to k / 255.
TOLERANCES = {"float16": 0.25, "bfloat16": 0.5}
DEFAULT_TOLERANCE = 1e-3


def to_bytes(images, value_range=BYTE_RANGE, exact=False):
    """Images of any dtype as `uint8`, rounded to the nearest of the 256 levels.

    Halves are rounded to the even level. On (0, 255) that is the same on every path;
    on other ranges values within 1e-4 levels of the middle of two may go either way
    where a compiler merges their scaling with one before it.

    What does not fit: NaN; more than half a level beyond the range; and a batch (or an
    image alone) whose values all round to level 0 or 1, some of them between the two:
    almost always images of 0..1 with the range 0..255. All black and masks of whole 0
    and 1 do fit. So one dark image alone may be refused that a batch takes, where it is
    rounded; that is the only difference between the two.

    Args:
        images: `(H, W, C)` or `(B, H, W, C)`, integers or floats, any framework.
        value_range: the values of levels 0 and 255; integers need (0, 255).
        exact: whether values between two levels are errors, as they are in ciphertexts.

    Returns:
        `(data, valid)`: `uint8` images, and None where all values are known to fit, or
        else (in a graph, before there are values) a boolean tensor `(B, 1, 1, 1)` or
        `(1, 1, 1)` that tells the images whose values do.

    Raises:
        ImageError: another dtype; or values that do not fit, where there are values to
            look at.

    Example:

    >>> to_bytes(np.array([[[0.0, 0.2, 0.201, 1.0]]]), (0, 1))[0].tolist()
    [[[0, 51, 51, 255]]]
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
        valid = backend.all_values(valid)
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
        valid = _fitting(levels, nearest, tolerance, exact, backend)
    else:
        raise ImageError(
            f"Images should be of integers or floats. Received: dtype {dtype}"
        )
    if backend.is_concrete(images):
        if not bool(backend.always(valid)):
            images = backend.cast(images, "float32")
            Refusal(value_range, exact).throw(*backend.extremes(images))
        valid = None
    return backend.cast(nearest, "uint8"), valid


def _fitting(levels, nearest, tolerance, exact, backend):
    """Which images hold values that fit, on their levels with `exact`."""
    inside = (nearest >= 0) & (nearest <= 255)

    def on_level():
        return (levels >= nearest - tolerance) & (levels <= nearest + tolerance)

    if exact:
        return backend.all_values(inside & on_level())
    dark = backend.always(nearest <= 1)
    if backend.is_concrete(dark) and not bool(dark):
        return backend.all_values(inside)
    return backend.all_values(inside) & ~(dark & ~backend.always(on_level()))


def from_bytes(data, valid, dtype, value_range=BYTE_RANGE):
    """`uint8` images in a dtype and range; images that are not valid become NaN.

    `uint8` output keeps the bytes 0 to 255 whatever the range. Integers cannot say NaN:
    those images become black.
    """
    backend = backend_of(data)
    if backend.dtype_name(data) != "uint8":
        images = backend.cast(data, dtype)  # a ciphertext of real numbers
    elif dtype == "uint8":
        images = data
    elif value_range == BYTE_RANGE:
        images = backend.cast(data, dtype)
    else:
        # A table: compilers may round a division or a multiplication with addition
        # in other ways than NumPy.
        table = backend.cast(backend.constant(levels_of(value_range), data), dtype)
        shape = tuple(-1 if s is None else s for s in backend.static_shape(data))
        index = backend.cast(backend.reshape(data, (-1,)), "int32")
        images = backend.reshape(backend.take(table, index), shape)
    if valid is None:
        return images
    nothing = np.float32(math.nan if "float" in dtype else 0)
    nothing = backend.cast(backend.constant(nothing, data), dtype)
    return backend.where(valid, images, nothing)


def words_or_bytes(data, value_range=BYTE_RANGE):
    """Images of 8 or 16 bits as `float32` in a range; NumPy alone.

    Args:
        data: `uint8` or `uint16` array, or a `float32` ciphertext, which stays.
        value_range: the values of the lowest and the highest level; (0, 255) keeps
            levels as they are, those of 16 bits too.

    Example:

    >>> words = np.array([0, 65535], np.uint16)
    >>> words_or_bytes(words).tolist(), words_or_bytes(words, (0, 1)).tolist()
    ([0.0, 65535.0], [0.0, 1.0])
    """
    if data.dtype == np.float32:
        return data
    if data.dtype == np.uint8:
        return from_bytes(data, None, "float32", value_range)
    if value_range == BYTE_RANGE:
        return data.astype(np.float32)
    low, high = value_range
    return (low + data / (2**16 - 1) * (high - low)).astype(np.float32)
