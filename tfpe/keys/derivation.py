"""What is drawn from a key: permutations, bits, whole numbers and reals.

The draws use SHAKE-256 and exact integer arithmetic only, never the generators of
NumPy, Python or TensorFlow, whose streams change between versions. Vectors in
tests/vectors pin them.
"""

import math

import numpy as np


class Material:
    """The named streams of one cipher under one key; see `Key.material`.

    Args:
        stream: `(name, size) -> bytes`; a longer size must extend a shorter one.

    Draws of one name give the same numbers each time; different names are
    independent streams.

    Example:

    >>> from tfpe import Key
    >>> material = Key(bytes(32)).material("le", (32, 32, 3))
    >>> material.permutation("order", 6).tolist()
    [1, 2, 5, 3, 0, 4]
    >>> material.integers("orientation", 5, 8).tolist()
    [3, 7, 3, 4, 3]
    """

    def __init__(self, stream):
        self._stream = stream

    def bytes(self, name, count):
        """`count` bytes of the stream, as `uint8`."""
        return np.frombuffer(self._stream(name, count), np.uint8)

    def bits(self, name, shape):
        """Fair bits of `shape`, as `bool`; the lowest bit of each byte first."""
        count = math.prod(np.atleast_1d(shape).tolist())
        bits = np.unpackbits(
            self.bytes(name, -(-count // 8)), count=count, bitorder="little"
        )
        return bits.astype(bool).reshape(shape)

    def words(self, name, count):
        """`count` words of 64 bits, little-endian, as `uint64`."""
        return np.frombuffer(self._stream(name, 8 * count), "<u8")

    def permutation(self, name, length):
        """A uniform permutation of `0 .. length-1`: a stable argsort of words."""
        return stable_argsort(self.words(name, length)[None])[0]

    def permutations(self, name, count, length):
        """`count` independent permutations, shape `(count, length)`."""
        return stable_argsort(self.words(name, count * length).reshape(count, length))

    def integers(self, name, shape, below):
        """Unbiased whole numbers `0 .. below-1` of `shape`, as `int64`.

        A word is taken modulo `below`; words from the last, incomplete run of
        residues are passed over, and the stream goes on in their place.
        """
        count = math.prod(np.atleast_1d(shape).tolist())
        limit = 2**64 - 2**64 % below
        drawn = count
        while True:
            words = self.words(name, drawn)
            accepted = words if limit == 2**64 else words[words < np.uint64(limit)]
            if len(accepted) >= count:
                break
            drawn += count - len(accepted)
        return (accepted[:count] % np.uint64(below)).astype(np.int64).reshape(shape)

    def uniform(self, name, low, high):
        """A float64 in the open interval `(low, high)`, from 52 bits of a word."""
        unit = ((int(self.words(name, 1)[0]) >> 12) + 0.5) * 2.0**-52
        return low + (high - low) * unit


def stable_argsort(words):
    """`np.argsort(words, axis=-1, kind="stable")` of `uint64` rows, but faster.

    Plain sorting has vector instructions, argsort has not: so what is sorted is the
    upper bits of each word with its place below them. Where upper bits are equal the
    whole words decide, and places where those are equal too.
    """
    count, length = words.shape
    low = max(length - 1, 1).bit_length()
    place = np.arange(length, dtype=np.uint64)
    places = np.uint64(2**low - 1)
    order = np.empty(words.shape, np.int32 if length < 2**31 else np.int64)
    step = max(1, 2**16 // max(length, 1))
    for start in range(0, count, step):
        rows = words[start : start + step]
        packed = np.bitwise_and(rows, ~places)
        packed |= place
        packed.sort(axis=-1)
        order[start : start + step] = packed & places
        packed >>= np.uint64(low)
        tied = packed[:, 1:] == packed[:, :-1]
        for row in np.flatnonzero(tied.any(axis=-1)):
            runs = np.zeros(length, bool)
            runs[1:] |= tied[row]
            runs[:-1] |= tied[row]
            moved = order[start + row, runs]
            by_word = np.argsort(rows[row, moved], kind="stable")
            order[start + row, runs] = moved[by_word]
    return order
