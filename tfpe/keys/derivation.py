"""What is drawn from a key: permutations, bits, whole numbers and reals.

The draws use SHAKE-256 and exact integer arithmetic only, never the generators of
NumPy, Python or TensorFlow, whose streams change between versions. Vectors in
tests/vectors pin them.
"""

import math

import numpy as np

from tfpe.keys.labelled_streams import Stream
from tfpe.keys.long_orders import long_argsort

CHUNK = 2**16  # words that the cache holds
PART_WORDS = 2**20  # that are drawn at a time, for large images
MOST_FOLDED = 2**12
SHORT_PLACES = 8  # bits


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

    lead = ()

    def __init__(self, stream):
        self._stream = stream

    def bytes(self, name, count):
        """`count` bytes of the stream, as `uint8`."""
        return np.frombuffer(self._stream(name, count), np.uint8)

    def bits(self, name, shape):
        """Fair bits of `shape`, as `bool`; the lowest bit of each byte first."""
        count = math.prod(np.atleast_1d(shape).tolist())
        drawn = self.bytes(name, -(-count // 8))
        bits = np.unpackbits(drawn, axis=-1, count=count, bitorder="little")
        return bits.view(bool).reshape(*self.lead, *np.atleast_1d(shape))

    def words(self, name, count):
        """`count` words of 64 bits, little-endian, as `uint64`."""
        return self.bytes(name, 8 * count).view("<u8")

    def permutation(self, name, length):
        """A uniform permutation of `0 .. length-1`: a stable argsort of words."""
        if not self.lead and PART_WORDS < length < 2**31:
            return long_argsort(lambda: self._parts(name, length, PART_WORDS), length)
        words = self.words(name, length)
        order = stable_argsort(words.reshape(math.prod(self.lead), length))
        return order.reshape(words.shape)

    def permutations(self, name, count, length, dtype=None):
        """`count` independent permutations, shape `(count, length)`."""
        if not self.lead and count * length > PART_WORDS:
            step = PART_WORDS // length * length
            parts = self._parts(name, count * length, step or length)
            rows = [stable_argsort(part.reshape(-1, length), dtype) for part in parts]
            return np.concatenate(rows)
        words = self.words(name, count * length)
        words = words.reshape(math.prod(self.lead) * count, length)
        return stable_argsort(words, dtype).reshape(*self.lead, count, length)

    def _parts(self, name, count, step):
        """`words`, so many at a time: what is made of them is smaller."""
        if count <= step:
            yield self.words(name, count)
        elif isinstance(self._stream, Stream):
            for part in self._stream.parts(name, 8 * count, 8 * step):
                yield np.frombuffer(part, "<u8")
        else:
            words = self.words(name, count)
            yield from (words[start : start + step] for start in range(0, count, step))

    def integers(self, name, shape, below, dtype=np.int64):
        """Unbiased whole numbers `0 .. below-1` of `shape`.

        A word is taken modulo `below`; words from the last, incomplete run of
        residues are passed over, and the stream goes on in their place.
        """
        shape = np.atleast_1d(shape).tolist()
        count = math.prod(shape)
        limit = 2**64 - 2**64 % below
        if self.lead:
            parts = [self.words(name, count).reshape(-1)]
        else:
            parts = self._parts(name, count, PART_WORDS)
        found = []
        for words in parts:
            if limit < 2**64 and words.size and words.max() >= np.uint64(limit):
                return self._others(name, shape, below, dtype, limit)
            found.append(residues(words, below, dtype))
        found = np.concatenate(found) if found else np.empty(0, dtype)
        return found.reshape(*self.lead, *shape)

    def _others(self, name, shape, below, dtype, limit):
        """`integers` where words are passed over."""
        count = drawn = math.prod(shape)
        while True:
            words = self.words(name, drawn)
            accepted = words[words < np.uint64(limit)]
            if len(accepted) >= count:
                return residues(accepted[:count], below, dtype).reshape(shape)
            drawn += count - len(accepted)

    def uniform(self, name, low, high):
        """A float64 in the open interval `(low, high)`, from 52 bits of a word."""
        unit = ((int(self.words(name, 1)[0]) >> 12) + 0.5) * 2.0**-52
        return low + (high - low) * unit


class Materials(Material):
    """The same streams of several keys: what each draw gives has their axis in front.

    Args:
        streams: as that of `Material`, one for each key.

    Example:

    >>> from tfpe import Key
    >>> from tfpe.keys import Keys
    >>> keys = [Key(bytes(32)), Key(bytes(range(32)))]
    >>> Keys(keys).material("le", (32, 32, 3)).permutation("order", 6).tolist()
    [[1, 2, 5, 3, 0, 4], [1, 3, 4, 2, 0, 5]]
    """

    def __init__(self, streams):
        self._stream, self._streams = None, streams
        self.lead = (len(streams),)

    def bytes(self, name, count):
        drawn = b"".join([stream(name, count) for stream in self._streams])
        return np.frombuffer(drawn, np.uint8).reshape(*self.lead, count)

    def _others(self, name, shape, below, dtype, limit):
        drawn = [one.integers(name, shape, below, dtype) for one in self.each()]
        return np.stack(drawn)

    def each(self):
        """The `Material` of each key."""
        return [Material(stream) for stream in self._streams]

    def uniform(self, name, low, high):
        raise NotImplementedError("Each key draws reals of its own.")


def residues(words, below, dtype=np.int64):
    """`words % below`, of `uint64` words; fast where `below` is small.

    Division of 64 bits has no vector instructions. A word is the sum of its four parts
    of 16 bits, times 65536^k, whose residues leave a sum that 32 bits hold.
    """
    if below > MOST_FOLDED:
        return (words % np.uint64(below)).astype(dtype)
    result = np.empty(words.size, dtype)
    factors = [np.uint32(2 ** (16 * part) % below) for part in range(4)]
    for start in range(0, words.size, CHUNK):
        parts = words[start : start + CHUNK].view("<u2").reshape(-1, 4)
        total = sum(
            parts[:, part].astype(np.uint32) * factor
            for part, factor in enumerate(factors)
        )
        # Of scalars the quotient has vector instructions, and the remainder has not.
        total -= total // np.uint32(below) * np.uint32(below)
        result[start : start + CHUNK] = total
    return result


def stable_argsort(words, dtype=None):
    """`np.argsort(words, axis=-1, kind="stable")` of `uint64` rows, but faster.

    Plain sorting has vector instructions, argsort has not: so what is sorted is the
    upper bits of each word with its place below them. Where upper bits are equal the
    whole words decide, and places where those are equal too.

    Args:
        words: `uint64`, C-contiguous, `(rows, length)`.
        dtype: of the result; the default is `int32` where it holds the places.
    """
    count, length = words.shape
    low = max(length - 1, 1).bit_length()
    # Of short rows 32 bits are enough to be seldom equal, and sort in half the time.
    short = low <= SHORT_PLACES
    kind = np.uint32 if short else np.uint64
    shown = words.view("<u4")[:, 1::2] if short else words
    place = np.arange(length, dtype=kind)
    places = kind(2**low - 1)
    if dtype is None:
        dtype = np.int32 if length < 2**31 else np.int64
    order = np.empty(words.shape, dtype)
    step = max(1, CHUNK // max(length, 1))
    for start in range(0, count, step):
        rows = words[start : start + step]
        packed = np.bitwise_and(shown[start : start + step], ~places)
        packed |= place
        packed.sort(axis=-1)
        order[start : start + step] = packed & places
        packed >>= kind(low)
        tied = packed[:, 1:] == packed[:, :-1]
        for row in np.flatnonzero(tied.any(axis=-1)):
            runs = np.zeros(length, bool)
            runs[1:] |= tied[row]
            runs[:-1] |= tied[row]
            moved = order[start + row, runs]
            by_word = np.argsort(rows[row, moved], kind="stable")
            order[start + row, runs] = moved[by_word]
    return order
