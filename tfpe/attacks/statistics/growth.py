"""A first key from second moments: growth from an anchor, then sweeps."""

import numpy as np

from tfpe.attacks.statistics.moments import KEY_WEIGHTS
from tfpe.attacks.statistics.pixel_keys import PixelKeys, channel_orders

MOST_SWEEPS = 8


def grow(moments):
    """Keys that minimise the mean squared distance of neighbours.

    From a pair of pixels in the middle, whose keys are searched together (9 x 65,536
    distances), each ring of pixels takes the channel order and key bytes that fit the
    ring inside; then all pixels that of all four neighbours, until nothing changes.
    Images are not needed: each distance is a product of moments.

    Args:
        moments: `Moments` of pairs of neighbours.

    Returns:
        `PixelKeys`, up to an order of the channels and a negative of each.
    """
    height, width, size, _ = moments.own.shape
    keys = PixelKeys(height, width, size // 8)
    own = own_costs(moments.own)
    row, column = height // 2, (width - 1) // 2
    _solve_anchor(moments, own, keys, row, column)
    rows, columns = np.indices((height, width))
    distance = abs(rows - row) + abs(columns - column)
    known = (distance == 0) | ((rows == row) & (columns == column + 1))
    for ring in range(1, distance.max() + 1):
        chosen = (distance == ring) & ~known
        _update(moments, own, keys, chosen, known)
        known |= chosen
    for _ in range(MOST_SWEEPS):
        # As on a chessboard: neighbours of a pixel are never changed with it.
        changed = [
            _update(moments, own, keys, (rows + columns) % 2 == colour, known)
            for colour in (0, 1)
        ]
        if not sum(changed):
            break
    return keys


def own_costs(moments):
    """E (x - 127.5)^2 of each ciphertext channel under each key byte.

    Args:
        moments: of the bits of a pixel, `(..., 8C, 8C)`.

    Returns:
        `float32 (..., C, 256)`.
    """
    channels = moments.shape[-1] // 8
    blocks = moments.reshape(*moments.shape[:-2], channels, 8, channels, 8)
    blocks = np.stack([blocks[..., c, :, c, :] for c in range(channels)], axis=-3)
    return ((KEY_WEIGHTS @ blocks) * KEY_WEIGHTS).sum(axis=-1)


def _solve_anchor(moments, own, keys, row, column):
    """The keys of a pixel and its right neighbour that bring them nearest."""
    channels = keys.key.shape[-1]
    pair = moments.right[row, column].reshape(channels, 8, channels, 8).swapaxes(1, 2)
    costs = (
        own[row, column, :, None, :, None]
        + own[row, column + 1, None, :, None, :]
        - 2 * (KEY_WEIGHTS @ pair @ KEY_WEIGHTS.T)
    )
    # The negative of both is as near: the first key may have its top bit 0.
    costs = costs[:, :, :128].reshape(channels, channels, -1)
    orders = channel_orders(channels)
    first = np.arange(channels)
    order = orders[costs.min(axis=-1)[first, orders].sum(axis=-1).argmin()]
    keys.source[row, column + 1] = order
    keys.key[row, column], keys.key[row, column + 1] = np.divmod(
        costs[first, order].argmin(axis=-1), 256
    )


def _update(moments, own, keys, chosen, known):
    """Solves the `chosen` pixels, given the `known` ones; returns how many changed."""
    values = keys.combinations() * known[..., None, None]
    linear = np.zeros_like(values)
    linear[:, :-1] += moments.right @ values[:, 1:]
    linear[:, 1:] += moments.right.swapaxes(-1, -2) @ values[:, :-1]
    linear[:-1] += moments.down @ values[1:]
    linear[1:] += moments.down.swapaxes(-1, -2) @ values[:-1]
    number = np.zeros(known.shape, np.float32)
    number[:, :-1] += known[:, 1:]
    number[:, 1:] += known[:, :-1]
    number[:-1] += known[1:]
    number[1:] += known[:-1]
    channels = keys.key.shape[-1]
    linear = linear[chosen].reshape(-1, channels, 8, channels)
    # (pixel, ciphertext channel, key byte, plain channel)
    costs = (number[chosen][:, None, None] * own[chosen])[..., None]
    costs = costs - 2 * (KEY_WEIGHTS @ linear)
    least = costs.min(axis=2)
    orders = channel_orders(channels)
    source = orders[least[:, orders, np.arange(channels)].sum(axis=-1).argmin(axis=-1)]
    key = np.take_along_axis(costs.argmin(axis=2), source[:, None], axis=1)[:, 0]
    changed = (keys.source[chosen] != source) | (keys.key[chosen] != key)
    keys.source[chosen], keys.key[chosen] = source, key
    return np.count_nonzero(changed)
