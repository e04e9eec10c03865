"""Words: the nibbles and bits of bytes, numbered from the lowest bits up.

And what happens to a permutation and a mask of words when words are cut into shorter
ones, joined to longer ones, or go back. These take and give arrays `(..., words)`.
"""

import numpy as np

from tfpe.checks import index_dtype

WORD_BITS = (8, 4, 1)
PART = 2**16  # words; NumPy makes an index of 64 bits of one of 32


def split_words(data, bits):
    """Splits bytes, `uint8 (..., n)`, into words: `uint8 (..., n * 8 // bits)`.

    Example:

    >>> import numpy as np
    >>> split_words(np.array([0xA5, 0x01], np.uint8), 4).tolist()
    [5, 10, 1, 0]
    """
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    words = (data[..., None] >> shifts) & np.uint8(2**bits - 1)
    return words.reshape(*data.shape[:-1], -1)


def join_words(words, bits):
    """Joins words, `uint8 (..., n)`, into bytes; undoes `split_words`."""
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    parts = words.reshape(*words.shape[:-1], -1, len(shifts))
    return np.bitwise_or.reduce(parts << shifts, axis=-1)


def refined(perm, mask, bits, shorter):
    """Permutation and mask of words of `bits` bits, on words of `shorter` bits."""
    count = bits // shorter
    words = (*perm.shape[:-1], perm.shape[-1] * count)
    parts = np.arange(count, dtype=index_dtype(words[-1]))
    perm = perm[..., None].astype(parts.dtype) * count + parts
    shifts = (parts * shorter).astype(np.uint8)
    mask = (mask[..., None] >> shifts) & np.uint8(2**shorter - 1)
    return perm.reshape(words), mask.reshape(words)


def coarsened(perm, mask, bits, longer):
    """Permutation and mask on words of `longer` bits, or None where they split them."""
    count = longer // bits
    words = (*perm.shape[:-1], perm.shape[-1] // count, count)
    first, *others = np.moveaxis(perm.reshape(words), -1, 0)
    if (first & (count - 1)).any():
        return None
    if any((other != first + k).any() for k, other in enumerate(others, 1)):
        return None
    shifts = np.arange(count, dtype=np.uint8) * np.uint8(bits)
    mask = np.bitwise_or.reduce(mask.reshape(words) << shifts, axis=-1)
    return (first // count).astype(index_dtype(words[-2]), copy=False), mask


def in_place(perm, unit=1):
    """Whether all words stay in their places, or inside units of so many words.

    Example:

    >>> in_place(np.array([1, 0, 2, 3])), in_place(np.array([1, 0, 2, 3]), 2)
    (False, True)
    """
    for start in range(0, perm.shape[-1], PART):
        part = perm[..., start : start + PART]
        places = np.arange(start, start + part.shape[-1], dtype=part.dtype)
        if (part // unit != places // unit if unit > 1 else part != places).any():
            return False
    return True


def inverted(perm, mask):
    """Permutation and mask of the way back."""
    masked = mask.any()
    inverse, back = np.empty_like(perm), np.empty_like(mask) if masked else mask
    words = perm.shape[-1]
    rows = [array.reshape(-1, words) for array in (inverse, back, perm, mask)]
    for inverse_row, back_row, perm_row, mask_row in zip(*rows, strict=True):
        for start in range(0, words, PART):
            part = slice(start, start + PART)
            sources = perm_row[part]
            place = np.arange(start, start + sources.size, dtype=inverse.dtype)
            inverse_row[sources] = place
            if masked:
                back_row[sources] = mask_row[part]
    return inverse, back


def composed(first, second):
    """Permutation and mask of `second` after `first`, pairs on words of one size."""
    (inner, inner_mask), (outer, outer_mask) = first, second
    if inner.ndim == 1:
        perm, mask = inner.take(outer), inner_mask.take(outer)
    else:
        index = np.broadcast_to(outer, inner.shape)
        perm = np.take_along_axis(inner, index, axis=-1)
        mask = np.take_along_axis(inner_mask, index, axis=-1)
    return perm, mask ^ outer_mask
