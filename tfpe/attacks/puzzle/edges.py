"""Edges of blocks, and which of them continue one another.

A block in one of its 8 orientations, 2 negatives and 6 channel orders has one right
edge. Of a pair only the relative state matters, and a negative is a change of sign
about 127.5: 4 x 8 edges and 6 orders remain, compared by one matrix product.
"""

from typing import NamedTuple

import numpy as np

from tfpe.attacks.statistics.pixel_keys import channel_orders

MIDDLE = np.float32(127.5)
# What an orientation code r + 4 f of etc does to the offset (rows, columns) of a pixel
# from the centre: r quarter turns counter-clockwise, then f flips from left to right.
_QUARTER = np.array([[0, -1], [1, 0]])
_FLIP = np.array([[1, 0], [0, -1]])
TURNS = np.stack(
    [
        np.linalg.matrix_power(_FLIP, f) @ np.linalg.matrix_power(_QUARTER, r)
        for f in (0, 1)
        for r in range(4)
    ]
)
CANDIDATES = 6
# Squared error of one value that noise and rounding explain; keeps flat edges modest.
NOISE = 4.0
EDGES_AT_ONCE = 512


class Matches(NamedTuple):
    """Likely neighbours, best first; one entry an array for each match.

    The first block in orientation `turn` stands to the left of the second one in
    orientation `other_turn`, negative if `negated`, its channels in order `order`.
    """

    first: np.ndarray
    turn: np.ndarray
    second: np.ndarray
    other_turn: np.ndarray
    negated: np.ndarray
    order: np.ndarray


def turned(block, turn):
    """Orientation code `turn` of etc, applied to `(..., B, B, C)`."""
    block = np.rot90(block, turn % 4, axes=(-3, -2))
    return np.flip(block, axis=-2) if turn >= 4 else block


def turn_code(matrix):
    """The code of an orientation given as a matrix."""
    return int((TURNS == matrix).all(axis=(1, 2)).argmax())


def right_edges(blocks):
    """Right edges of all blocks in all orientations, ready to be compared.

    The edge is continued by half a pixel, and the difference of the channels weighs
    more than what they have in common, as much as it varies less inside blocks.

    Args:
        blocks: `uint8 (N, B, B, C)`.

    Returns:
        `float32 (N, 8, B, C)`.
    """
    values = blocks - MIDDLE
    channels = values.shape[-1]
    steps = np.diff(values, axis=2)
    common = steps.mean(axis=-1, keepdims=True)
    variances = [common.var() * channels, (steps - common).var() * channels]
    variances[1] /= max(channels - 1, 1)
    deviations = np.sqrt(np.array(variances, np.float32) + np.float32(NOISE))
    edges = np.stack([_right_edge(turned(values, t)) for t in range(8)], axis=1)
    common = edges.mean(axis=-1, keepdims=True)
    return common / deviations[0] + (edges - common) / deviations[1]


def _right_edge(values):
    if values.shape[2] == 1:
        return values[:, :, 0]
    return 1.5 * values[:, :, -1] - 0.5 * values[:, :, -2]


def left_turn(turn):
    """The orientation whose left edge is the right edge of orientation `turn`."""
    return turn_code(_FLIP @ TURNS[turn])


def find_matches(edges):
    """The likeliest pairs of neighbours.

    A pair is as likely as its distance is small beside that of the next best neighbour
    of either edge: in flat places everything is near.

    Args:
        edges: from `right_edges`, `(N, 8, B, C)`.

    Returns:
        `Matches`, best first.
    """
    count, _, size, channels = edges.shape
    orders = channel_orders(channels)
    flat = edges.reshape(count, 8, -1)
    length = (flat**2).sum(axis=-1)
    variants = np.stack([edges[..., order] for order in orders], axis=2)
    variants = variants.reshape(-1, size * channels)
    rows = flat[:, :4].reshape(-1, size * channels)
    kept = min(CANDIDATES, count - 1)
    near = np.empty((len(rows), kept), np.int64)
    distance = np.empty((len(rows), kept), np.float32)
    state = np.empty((len(rows), kept), np.int64)
    negated = np.empty((len(rows), kept), bool)
    for start in range(0, len(rows), EDGES_AT_ONCE):
        part = slice(start, start + EDGES_AT_ONCE)
        products = (rows[part] @ variants.T).reshape(-1, count, 8, len(orders))
        squares = length[None, :, :, None] - 2 * abs(products)
        squares = squares.reshape(len(squares), count, -1)
        best = squares.argmin(axis=2)
        least = np.take_along_axis(squares, best[..., None], axis=2)[..., 0]
        number = np.arange(start, start + len(least))
        least[np.arange(len(least)), number // 4] = np.inf
        chosen = np.argpartition(least, kept - 1, axis=1)[:, :kept]
        found = np.take_along_axis(least, chosen, axis=1)
        ranks = found.argsort(axis=1)
        near[part] = chosen = np.take_along_axis(chosen, ranks, axis=1)
        distance[part] = np.take_along_axis(found, ranks, axis=1)
        state[part] = np.take_along_axis(best, chosen, axis=1)
        products = products.reshape(len(least), count, -1)
        picked = products[np.arange(len(least))[:, None], chosen, state[part]]
        negated[part] = picked < 0
    distance += length[:, :4].reshape(-1, 1)
    distance = np.maximum(distance, 0) + size * channels * 0.01
    other, order = np.divmod(state, len(orders))
    row = np.repeat(np.arange(len(rows)), kept).reshape(-1, kept)
    # The same edge of the other block, seen from its side: turns r and r + 4 ... share
    # an edge when one is the other upside down.
    partner = 4 * near + np.array([_same_edge(t) for t in range(8)])[other]
    rival = [
        np.where(near[r, 0] == block, distance[r, min(1, kept - 1)], distance[r, 0])
        for r, block in ((row, near), (partner, row // 4))
    ]
    ratio = distance / np.minimum(*rival)
    ranks = ratio.ravel().argsort(kind="stable")
    lefts = np.array([left_turn(t) for t in range(8)])
    return Matches(
        *(
            values.ravel()[ranks]
            for values in (row // 4, row % 4, near, lefts[other], negated, order)
        )
    )


def _same_edge(turn):
    """The quarter turn (0 to 3) that puts the same edge of the block to the right."""
    side = np.array([0, 1])
    source = TURNS[turn].T @ side
    return next(t for t in range(4) if (TURNS[t].T @ side == source).all())
