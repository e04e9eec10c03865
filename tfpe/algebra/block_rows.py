"""Rows of small permutations, one for each block: taken, inverted, joined to bytes.

Rows are `(N, words)`: in a block all first parts of bytes stand before all others.
NumPy makes an index of 64 bits of any other, so that rows are worked on in parts.
"""

import numpy as np

from tfpe.algebra.pixel_moves import (
    MOST_CHANNELS,
    inverse_shifts,
    moved_rows,
    orders_of,
    shifts_of,
)

ROW_WORDS = 2**16


def local_dtype(words):
    """The smallest integers that number the words of a block."""
    return next(t for t in (np.uint8, np.uint16, np.int32) if words <= np.iinfo(t).max)


def row_parts(count, words):
    """Slices of `count` rows, of as many rows as the cache holds."""
    step = max(1, ROW_WORDS // words)
    return [slice(start, start + step) for start in range(0, count, step)]


def take_rows(values, order):
    """`values[i, order[i, j]]`; `values` is `(N, words)`, or `(1, words)` for all."""
    if len(values) == 1:
        return values[0].take(order, mode="clip")
    if order.shape[1] <= MOST_CHANNELS and values.dtype == np.uint8:
        return moved_rows(values, shifts_of(order), order.shape[1])
    taken = np.empty(order.shape, values.dtype)
    width = values.shape[1]
    for part in row_parts(*order.shape):
        index = order[part] + np.arange(len(order[part]))[:, None] * width
        taken[part] = values[part].reshape(-1).take(index, mode="clip")
    return taken


def inverted_rows(order):
    """The inverse of each row."""
    if order.shape[1] <= MOST_CHANNELS:
        channels = order.shape[1]
        return orders_of(inverse_shifts(shifts_of(order), channels), channels)
    inverse = np.empty_like(order)
    count, words = order.shape
    place = np.arange(words, dtype=order.dtype)
    for part in row_parts(count, words):
        index = order[part] + np.arange(len(order[part]))[:, None] * words
        inverse[part].reshape(-1)[index] = place
    return inverse


def mask_words(masks, parts):
    """Bytes, `(N, bytes)`, as their words, `(N, parts * bytes)`; parts is 1 or 2."""
    if parts == 1:
        return masks
    return np.concatenate([masks & 15, masks >> 4], axis=-1)


def mask_bytes(masks, parts):
    """Undoes `mask_words`."""
    if parts == 1:
        return masks
    size = masks.shape[-1] // 2
    return masks[..., :size] | masks[..., size:] << 4
