"""Arrays and shapes that users give: checked once, where they come in."""

import operator

import numpy as np

from tfpe.errors import CipherOptionError, ImageError


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
            f"`{name}` should hold integers. Received: dtype {array.dtype}"
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
