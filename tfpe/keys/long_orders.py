"""The order of so many words that memory should not hold them: of large photographs.

Words come in parts. What is sorted, in its place, is the upper bits of each with its
number below them: eight bytes a word while it is sorted, and four when it is done.
"""

import numpy as np

STEP = 2**18  # words that the cache holds


def long_argsort(parts, length):
    """`np.argsort(words, kind="stable")` of words that come in parts.

    Args:
        parts: a function that gives them from the beginning on, arrays of `uint64`. It
            is called again where upper bits are equal.
        length: how many there are, below 2^31.

    Returns:
        `int32 (length,)`.

    Example:

    >>> words = np.array([5, 3, 3, 2], np.uint64)
    >>> long_argsort(lambda: iter([words[:3], words[3:]]), 4).tolist()
    [3, 1, 2, 0]
    """
    low = max(length - 1, 1).bit_length()
    places = np.uint64(2**low - 1)
    packed, start = np.empty(length, np.uint64), 0
    for words in parts():
        part = packed[start : start + words.size]
        np.bitwise_and(words, ~places, out=part)
        part |= np.arange(start, start + words.size, dtype=np.uint64)
        start += words.size
    packed.sort()
    tied = _tied(packed, np.uint64(2**low))
    order = packed.view(np.int32)[:length]
    for start in range(0, length, STEP):
        # The right side is there before the left, which is of words that are done.
        order[start : start + STEP] = packed[start : start + STEP] & places
    del order, part
    packed.resize((length + 1) // 2, refcheck=False)  # gives the other half back
    order = packed.view(np.int32)[:length]
    if tied.size:
        _settle(order, tied, parts)
    return order


def _tied(packed, unit):
    """Where the upper bits are those of the one before."""
    found = []
    for start in range(0, packed.size - 1, STEP):
        part = packed[start : start + STEP + 1]
        equal = (part[1:] ^ part[:-1]) < unit
        found.append(np.flatnonzero(equal) + start + 1)
    return np.concatenate(found or [np.empty(0, np.intp)])


def _settle(order, tied, parts):
    """Puts those of equal upper bits in the order of their whole words."""
    members = np.union1d(tied - 1, tied)
    run = np.cumsum(~np.isin(members, tied))
    moved = order[members]
    # Where whole words are equal too, places stay in order: the sort is stable.
    order[members] = moved[np.lexsort((_words_at(moved, parts), run))]


def _words_at(places, parts):
    """The words of some places, which are drawn again."""
    by_place = np.argsort(places)
    wanted, found = places[by_place], np.empty(places.size, np.uint64)
    start = done = 0
    for words in parts():
        end = np.searchsorted(wanted, start + words.size)
        found[by_place[done:end]] = words[wanted[done:end] - start]
        start, done = start + words.size, end
    return found
