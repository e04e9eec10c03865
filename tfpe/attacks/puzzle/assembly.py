"""Puts blocks together, likeliest pairs first, as Kruskal's spanning tree."""

import numpy as np

from tfpe.attacks.puzzle.edges import TURNS
from tfpe.attacks.statistics.pixel_keys import channel_orders

RIGHT = np.array([0, 1])


class Assembly:
    """Blocks with a place and a state each, in components that share one frame.

    Attributes:
        place: row and column in the frame of the component, `int64 (N, 2)`.
        turn: the orientation as a matrix, `(N, 2, 2)`.
        negated: bool `(N,)`.
        order: picture channel c is channel order[c] of the block, `(N, C)`.
        component: label of the component, `(N,)`.
    """

    def __init__(self, count, channels):
        self.place = np.zeros((count, 2), np.int64)
        self.turn = np.tile(np.eye(2, dtype=np.int64), (count, 1, 1))
        self.negated = np.zeros(count, bool)
        self.order = np.tile(np.arange(channels), (count, 1))
        self.component = np.arange(count)

    def members(self, component):
        """The blocks of one component."""
        return np.flatnonzero(self.component == component)

    def largest(self):
        """The blocks of the largest component."""
        return self.members(np.bincount(self.component).argmax())

    def rotate(self, members, turn):
        """Turns the frame of `members` by a matrix."""
        self.place[members] = self.place[members] @ turn.T
        self.turn[members] = turn @ self.turn[members]

    def join(self, match, grid):
        """Joins the components of two blocks as `match` says, where that fits.

        Args:
            match: first, turn, second, other_turn, negated, order.
            grid: (rows, columns) of blocks of the picture, which may lie on its side.

        Returns:
            Whether they were joined; False if they are one component already, would
            lie on one another or reach over the picture.
        """
        first, turn, second, other_turn, negated, order = match
        if self.component[first] == self.component[second]:
            return False
        # From the frame of the match, where the first block is upright, to its own.
        frame = self.turn[first] @ TURNS[turn].T
        wanted_turn = frame @ TURNS[other_turn]
        wanted_place = self.place[first] + frame @ RIGHT
        wanted_order = channel_orders(len(self.order[0]))[order][self.order[first]]
        rotate = wanted_turn @ self.turn[second].T
        moved = self.members(self.component[second])
        kept = self.members(self.component[first])
        places = wanted_place + (self.place[moved] - self.place[second]) @ rotate.T
        if not _fits(self.place[kept], places, grid):
            return False
        exchange = np.argsort(self.order[second])[wanted_order]
        self.negated[moved] ^= self.negated[first] ^ negated ^ self.negated[second]
        self.place[moved] = places
        self.turn[moved] = rotate @ self.turn[moved]
        self.order[moved] = self.order[moved][:, exchange]
        self.component[moved] = self.component[first]
        return True


def assemble(matches, count, channels, grid):
    """Joins blocks by `matches`, the likeliest first, wherever they fit."""
    assembly = Assembly(count, channels)
    left = count - 1
    for match in zip(*matches, strict=True):
        left -= assembly.join(match, grid)
        if not left:
            break
    return assembly


def _fits(kept, moved, grid):
    low = np.minimum(kept.min(axis=0), moved.min(axis=0))
    size = np.maximum(kept.max(axis=0), moved.max(axis=0)) - low + 1
    if not ((size <= grid).all() or (size[::-1] <= grid).all()):
        return False
    taken = np.zeros(size, bool)
    taken[tuple((kept - low).T)] = True
    return not taken[tuple((moved - low).T)].any()
