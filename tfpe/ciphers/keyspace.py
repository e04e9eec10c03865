"""Sizes of key spaces, in bits."""

import math
from typing import NamedTuple


class KeySpace(NamedTuple):
    """Size of a key space in bits: as published, and of the cipher as it runs.

    `effective` counts the transforms that the explicit material can give, or the seed
    of a pseudorandom stream where one is used. A `tfpe.Key` holds 256 bits, so no
    keyed cipher has more. Neither figure says what an attack needs:
    see `tfpe.attacks.broken_by`.

    Attributes:
        claimed: bits, as its paper counts them.
        effective: bits, at most, of what runs here.
    """

    claimed: float
    effective: float


def log2_factorial(n):
    """log2(n!), in bits.

    Example:

    >>> round(log2_factorial(96), 1)
    498.3
    """
    return math.lgamma(n + 1) / math.log(2)
