"""Fills the picture: the largest component first, then what fits its edges best."""

import numpy as np

from tfpe.attacks.puzzle.edges import TURNS, left_turn, turn_code
from tfpe.attacks.statistics.pixel_keys import channel_orders

QUARTER = TURNS[1]
# The four neighbours of a cell.
SIDES = np.array([[0, 1], [-1, 0], [0, -1], [1, 0]])


def fill(assembly, edges, grid):
    """A place in the picture for every block.

    Args:
        assembly: `Assembly`.
        edges: from `right_edges`, `(N, 8, B, C)`.
        grid: (rows, columns) of blocks.

    Returns:
        block, turn, negated, order: for each cell of the picture, row by row, the block
        in it, the codes of its orientation and channel order and whether it is negated.
    """
    count, channels = len(edges), edges.shape[-1]
    orders = channel_orders(channels)
    core = assembly.largest()
    extent = np.ptp(assembly.place[core], axis=0) + 1
    if (extent > grid).any():
        assembly.rotate(core, QUARTER)
    # A canvas in which the picture may still turn out to reach to any side.
    place = assembly.place[core] - assembly.place[core].min(axis=0) + grid
    canvas = np.full(3 * np.array(grid), -1)
    canvas[tuple(place.T)] = core
    placed = np.zeros(count, bool)
    placed[core] = True
    variants = np.stack([edges[..., order] for order in orders], axis=2)
    length = (edges**2).sum(axis=(2, 3))[:, :, None]
    while not placed.all():
        cell = _next_cell(canvas, grid)
        free = np.flatnonzero(~placed)
        total = np.zeros((len(free), 8, len(orders), 2), np.float32)
        for number, side in enumerate(SIDES):
            neighbour = canvas[tuple(cell + side)]
            if neighbour < 0:
                continue
            wanted = _facing_edge(assembly, edges, neighbour, number)
            # The edge of each orientation that faces this side.
            facing = [_edge_towards(turn, number) for turn in range(8)]
            products = (variants[free][:, facing] * wanted).sum(axis=(3, 4))
            square = length[free][:, facing] + (wanted**2).sum()
            total[..., 0] += square - 2 * products
            total[..., 1] += square + 2 * products
        best, turn, order, negated = np.unravel_index(total.argmin(), total.shape)
        block = free[best]
        assembly.place[block] = cell
        assembly.turn[block] = TURNS[turn]
        assembly.negated[block] = bool(negated)
        assembly.order[block] = orders[order]
        canvas[tuple(cell)] = block
        placed[block] = True
    rows, columns = (np.flatnonzero((canvas >= 0).any(axis=a)) for a in (1, 0))
    block = canvas[rows[0] :, columns[0] :][: grid[0], : grid[1]].ravel()
    turn = np.array([turn_code(assembly.turn[b]) for b in block])
    same = (assembly.order[block][:, None] == orders).all(axis=-1)
    return block, turn, assembly.negated[block], same.argmax(axis=1)


def _next_cell(canvas, grid):
    """The empty cell with most neighbours that the picture can still hold."""
    taken = canvas >= 0
    neighbours = sum(
        np.roll(taken, tuple(-side), axis=(0, 1)).astype(np.int64) for side in SIDES
    )
    for axis, size in enumerate(grid):
        used = np.flatnonzero(taken.any(axis=1 - axis))
        allowed = np.zeros(canvas.shape[axis], bool)
        allowed[max(used[-1] - size + 1, 0) : used[0] + size] = True
        neighbours *= np.expand_dims(allowed, 1 - axis)
    neighbours[taken] = 0
    return np.array(np.unravel_index(neighbours.argmax(), canvas.shape))


def _facing_edge(assembly, edges, block, side):
    """The edge that a placed block shows to a cell from whose `side` it is seen.

    As the cell sees it with that side turned to the right, read from the top.
    """
    # Turned by the quarter turns that put the side to the right, the block stands
    # there and shows its left edge.
    turn = turn_code(_to_the_right(side) @ assembly.turn[block])
    edge = edges[block, left_turn(turn)][:, assembly.order[block]]
    return -edge if assembly.negated[block] else edge


def _edge_towards(turn, side):
    """The orientation whose right edge faces `side` when the block lies as `turn`."""
    return turn_code(_to_the_right(side) @ TURNS[turn])


def _to_the_right(side):
    """The turn that puts side number `side` to the right."""
    return next(t for t in TURNS[:4] if (t @ SIDES[side] == [0, 1]).all())
