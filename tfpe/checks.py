"""Checks of what users give: arrays, shapes, numbers, options, key material.

Messages never quote key material, only its type, shape or range.
"""

import operator

import numpy as np

from tfpe.errors import CipherOptionError, ImageError

MAX_BLOCK_SIZE = 1024


def shape_tuple(shape, name):
    """`shape` as a tuple of positive Python integers, or a clear error."""
    try:
        shape = tuple(operator.index(size) for size in shape)
    except TypeError:
        shape = shape if isinstance(shape, (tuple, list)) else (shape,)
        raise ImageError(
            f"`{name}` should be a tuple of whole numbers. "
            f"Received: {name}={tuple(shape)}"
        ) from None
    if not shape or min(shape) < 1:
        raise ImageError(
            f"`{name}` should hold positive sizes. Received: {name}={shape}"
        )
    return shape


def as_array(values, name):
    """`values` as a NumPy array, or an error where rows differ in length."""
    try:
        return np.asarray(values)
    except ValueError:
        raise CipherOptionError(
            f"`{name}` should be an array. Received: rows of different lengths"
        ) from None


def integer_array(values, name):
    """`values` as a NumPy array of integers, or a clear error."""
    array = as_array(values, name)
    if array.dtype == bool or not np.issubdtype(array.dtype, np.integer):
        raise CipherOptionError(
            f"`{name}` should hold whole numbers. Received: dtype {array.dtype}"
        )
    return array


def is_permutation(perm):
    """Whether each row of integers, `(..., n)`, holds every number `0 .. n-1` once."""
    words = perm.shape[-1]
    if words and perm.size and not 0 <= perm.min() <= perm.max() < words:
        return False
    rows = perm.reshape(-1, words)
    # As many rows at a time as the cache holds: blocks have thousands of short ones.
    step = max(1, 2**16 // words)
    for start in range(0, len(rows), step):
        chunk = rows[start : start + step]
        seen = np.zeros(chunk.shape, bool)
        first = np.arange(len(chunk), dtype=np.intp)[:, None] * words
        seen.reshape(-1)[chunk + first] = True
        if not seen.all():
            return False
    return True


def image_shape_of(image_shape, block_size=1):
    """`image_shape` as (height, width, channels), in whole blocks; or an error."""
    shape = shape_tuple(image_shape, "image_shape")
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise ImageError(
            "`image_shape` should be (height, width, channels) with 1 or 3 channels. "
            f"Received: image_shape={shape}"
        )
    if shape[0] % block_size or shape[1] % block_size:
        raise ImageError(
            f"`image_shape` should be divisible by block_size={block_size}; pad images "
            f"with tfpe.pad_to_blocks first. Received: image_shape={shape}"
        )
    return shape


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


def whole_number(value, name, low=1, high=None, error=CipherOptionError):
    """`value` as a Python integer of at least `low`, at most `high`; or an `error`."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    whole = number is not None and not isinstance(value, bool)
    if not whole or number < low or (high is not None and number > high):
        raise error(
            f"`{name}` should be a whole number from {low} "
            f"{'up' if high is None else f'to {high}'}. Received: {name}={value!r}"
        )
    return number


def block_size_of(block_size):
    """`block_size` as a Python integer, 1 to 1024; or an error."""
    block_size = whole_number(block_size, "block_size")
    if block_size > MAX_BLOCK_SIZE:
        raise CipherOptionError(
            f"`block_size` should be at most {MAX_BLOCK_SIZE}. "
            f"Received: block_size={block_size}"
        )
    return block_size


def one_of(value, choices, name, error=CipherOptionError):
    """`value` if it is one of `choices`, of the same type; or an `error`."""
    if not any(type(value) is type(c) and value == c for c in choices):
        raise error(
            f"`{name}` should be one of {list(choices)}. Received: {name}={value!r}"
        )
    return value


def true_or_false(value, name):
    """`value` if it is a bool; or an error."""
    return one_of(value, (True, False), name)


def permutations(values, length, name, count=None):
    """Integer array `(length,)` or `(count, length)` of permutations; or an error."""
    shape = (length,) if count is None else (count, length)
    array = integers(values, shape, length, name, index_dtype(length))
    if not is_permutation(array):
        raise CipherOptionError(
            f"`{name}` should hold every number from 0 to {length - 1} once. "
            "Received: repeated numbers"
        )
    return array


def integers(values, shape, below, name, dtype=np.int64):
    """Array of `shape` and `dtype` with values `0 .. below-1`; or an error."""
    array = integer_array(values, name)
    _check_material_shape(array, shape, name)
    if array.size and not 0 <= array.min() <= array.max() < below:
        raise CipherOptionError(
            f"`{name}` should hold numbers from 0 to {below - 1}. "
            "Received: numbers outside"
        )
    return array.astype(dtype, copy=False)


def bits(values, shape, name):
    """Bool array of `shape` from bools or from integers 0 and 1; or an error."""
    array = as_array(values, name)
    if array.dtype != bool:
        array = integers(array, shape, 2, name).astype(bool)
    _check_material_shape(array, shape, name)
    return array


def shape_of(values, name, rank=3):
    """The shape of explicit material that itself gives the image shape."""
    shape = as_array(values, name).shape
    if len(shape) != rank:
        raise CipherOptionError(
            f"`{name}` should have {rank} axes. Received: shape {shape}"
        )
    return shape


def _check_material_shape(array, shape, name):
    shape = tuple(np.atleast_1d(shape).tolist())
    if array.shape != shape:
        raise CipherOptionError(
            f"`{name}` should have shape {shape}. Received: shape {array.shape}"
        )


def index_dtype(words):
    """The integers that number the words of an image: half the memory where 32 do."""
    return np.int32 if words < 2**31 else np.int64
