"""Values that move inside their pixels, in NumPy: shifted and masked, no gather.

A shift, `int8`, says how far the source of a value stands from it. Pixels have few
values: for each distance one comparison, one "and" and one "or" of a row of values have
vector instructions, where an index has none.
"""

import numpy as np

MOST_CHANNELS = 4  # more take more distances than a gather is worth
ROW_BYTES = 2**18


def row_slices(size, channels):
    """Slices of whole pixels, of as many values as the cache holds."""
    step = ROW_BYTES - ROW_BYTES % channels
    return [slice(start, start + step) for start in range(0, size, step)]


def distances(channels):
    """How far values move inside a pixel, 0 first."""
    return sorted(range(1 - channels, channels), key=abs)


def sources(shift, channels):
    """For each distance 255 where a value comes from so far off, else 0."""
    for distance in distances(channels):
        source = (shift == distance).view(np.uint8)
        yield np.negative(source, out=source)


def move(row, moved, masks, channels):
    """`moved[i] = row[i + shift[i]]`, both `uint8` and of whole pixels.

    Args:
        masks: as `sources` gives them; at least as long as the row.
    """
    picked = np.empty(row.size, np.uint8)
    for distance, mask in zip(distances(channels), masks, strict=True):
        # Masks are 0 where a shift would fetch a value of another pixel.
        here, there = max(-distance, 0), max(distance, 0)
        count = max(row.size - abs(distance), 0)
        source, mask = row[there : there + count], mask[here : here + count]
        if not distance:
            np.bitwise_and(source, mask, out=moved)
            continue
        np.bitwise_and(source, mask, out=picked[:count])
        moved[here : here + count] |= picked[:count]


def moved_rows(values, shift, channels):
    """`values[i + shift[i]]`, `uint8` arrays of any one shape."""
    moved = np.empty(values.shape, np.uint8)
    flat, out, shift = values.reshape(-1), moved.reshape(-1), shift.reshape(-1)
    for part in row_slices(flat.size, channels):
        move(flat[part], out[part], sources(shift[part], channels), channels)
    return moved


def shifts_of(order):
    """Shifts of channel orders, `(..., channels)`: channel c comes from order[c]."""
    return _less_places(order, order.shape[-1]).view(np.int8)


def orders_of(shift, channels):
    """Undoes `shifts_of`."""
    return _less_places(shift.view(np.uint8), channels, -1)


def inverse_shifts(shift, channels):
    """The shifts of the way back."""
    inverse = np.zeros(shift.shape, np.uint8)
    flat, out = shift.reshape(-1), inverse.reshape(-1)
    for part in row_slices(flat.size, channels):
        row, back = flat[part], out[part]
        for distance, mask in zip(
            distances(channels)[1:], list(sources(row, channels))[1:], strict=True
        ):
            # What comes from so far off goes back as far.
            here, there = max(-distance, 0), max(distance, 0)
            count = max(row.size - abs(distance), 0)
            mask = mask[here : here + count] & np.uint8(-distance % 256)
            back[there : there + count] |= mask
    return inverse.view(np.int8)


def _less_places(values, channels, sign=1):
    """`uint8` values less the channel that each one is."""
    result = np.empty(values.shape, np.uint8)
    flat, out = values.reshape(-1), result.reshape(-1)
    count = min(ROW_BYTES, values.size) // channels
    places = np.tile(np.arange(channels, dtype=np.uint8), count)
    if sign < 0:
        places = np.negative(places)
    for part in row_slices(flat.size, channels):
        row = flat[part]
        np.subtract(row, places[: row.size], out=out[part])
    return result
