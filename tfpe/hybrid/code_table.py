"""Canonical Huffman codes: what is stored of one are the lengths of its code words."""

import bisect
import functools
import hashlib
import zlib

import numpy as np

from tfpe.checks import one_of
from tfpe.errors import CipherOptionError, ImageFileError
from tfpe.hybrid.pairing import SYMBOLS, VALUES, arrange, numbers_of, to_symbols

# The table of the decoder has an entry for each stream of so many bits.
LONGEST = 18
LENGTH_BITS = 5


class CodeTable:
    """A canonical code of symbols, for one image or, in public, for a set of them.

    Code words of one length follow each other in the order of the numbers of their
    symbols (`tfpe.hybrid.pairing.numbers_of`), shorter ones before longer ones.

    Args:
        lengths: of the code words, `uint8 (256,)` for bytes or `(65536,)` for pairs;
            0 where a symbol does not occur.
        symbols: a name in `tfpe.hybrid.pairing.SYMBOLS`.

    Raises:
        CipherOptionError: no whole code has such lengths.

    Example:

    >>> table = CodeTable.of(np.array([0, 5, 1, 1] + 252 * [0]), "bytes")
    >>> table.lengths[:4].tolist(), [int(code) for code in table.codes[1:4]]
    ([0, 1, 2, 2], [0, 2, 3])
    """

    def __init__(self, lengths, symbols):
        self.symbols = one_of(symbols, SYMBOLS, "symbols")
        self.lengths = np.array(lengths, np.uint8)
        used = np.flatnonzero(self.lengths)
        numbers = numbers_of(symbols)
        spans = 1 << (LONGEST - self.lengths[used].astype(np.int64))
        whole = spans.sum() == 2**LONGEST or (used.size, spans.sum() * 2) == (
            1,
            2**LONGEST,
        )
        if len(self.lengths) != len(numbers) or not whole:
            raise CipherOptionError(
                "`lengths` should be those of a whole code. Received: others"
            )
        order = np.lexsort((numbers[used], self.lengths[used]))
        self._sorted, self._spans = used[order], spans[order]
        self.lengths.setflags(write=False)

    @classmethod
    def of(cls, counts, symbols):
        """The shortest code for counts of symbols, `(256,)` or `(65536,)`."""
        lengths = np.zeros(len(counts), np.uint8)
        used = np.flatnonzero(counts)
        used = used[np.argsort(counts[used], kind="stable")]
        lengths[used] = code_lengths(counts[used])
        return cls(lengths, symbols)

    @classmethod
    def public(cls, images, symbols="crt", neighbours="horizontal"):
        """One code for a set: of pictures like `images`, and any other picture.

        Args:
            images: an iterable of `uint8 (H, W, C)`; every symbol counts once more.
            symbols, neighbours: as of `tfpe.hybrid.Hybrid`.
        """
        counts = np.ones(len(numbers_of(symbols)), np.int64)
        for image in images:
            found = to_symbols(arrange(image, symbols, neighbours), symbols)
            counts += np.bincount(found.reshape(-1), minlength=len(counts))
        return cls.of(counts, symbols)

    @functools.cached_property
    def codes(self):
        """The code words, `uint32`, for each value of a symbol."""
        ends = np.cumsum(self._spans)
        left = np.zeros(len(self.lengths), np.uint32)
        left[self._sorted] = ends - self._spans
        return left >> (LONGEST - self.lengths)

    @functools.cached_property
    def entries(self):
        """Code word and, in the lower 5 bits, its length, for each value."""
        return (self.codes << LENGTH_BITS | self.lengths).astype(np.uint64)

    @functools.cached_property
    def decoder(self):
        """Symbol and length, in one number, for each 18 bits that may come next."""
        entries = self._sorted << LENGTH_BITS | self.lengths[self._sorted]
        # The word that a lone symbol leaves unused is read as that symbol.
        return np.resize(np.repeat(entries, self._spans), 2**LONGEST).astype(np.int64)

    @property
    def digest(self):
        """8 bytes that tell this table from others."""
        text = f"{self.symbols}\n".encode() + self.lengths.tobytes()
        return hashlib.sha256(text).digest()[:8]

    def to_bytes(self):
        """The table in few bytes."""
        return zlib.compress(self.lengths[_stored_order(self.symbols)].tobytes(), 6)

    @classmethod
    def from_bytes(cls, data, symbols):
        """The table that `to_bytes` wrote; `ImageFileError` where it is none."""
        order = _stored_order(symbols)
        unpacker = zlib.decompressobj()
        try:
            # One byte more than there should be: what is longer shows as that.
            stored = unpacker.decompress(data, len(order) + 1)
            lengths = np.zeros(len(order), np.uint8)
            lengths[order] = np.frombuffer(stored, np.uint8)
            return cls(lengths, symbols)
        except (zlib.error, ValueError) as error:
            raise ImageFileError("The table of the code is damaged") from error


@functools.cache
def _stored_order(symbols):
    """The order in which lengths are stored: pairs by the size of their difference.

    Neighbours differ little, so that most of what occurs stands at the beginning.
    """
    values = numbers_of(symbols)
    if symbols == "bytes":
        return values
    a, b = np.divmod(np.arange(VALUES**2), VALUES)
    return np.lexsort((a, b < a, np.abs(b - a)))


def code_lengths(counts):
    """Lengths of the best code words of at most `LONGEST` bits: package-merge.

    Args:
        counts: positive whole numbers, ascending.

    Returns:
        `uint8`, as long.

    Source: Larmore & Hirschberg, A fast algorithm for optimal length-limited Huffman
    codes, JACM 37(3), 1990.

    Example:

    >>> code_lengths(np.array([1, 1, 2, 3])).tolist()
    [3, 3, 2, 1]
    """
    items = len(counts)
    lengths = np.zeros(items, np.uint8)
    if items < 2:
        return lengths + 1
    # Half of the time where 32 bits hold all sums.
    counts = counts.astype(np.int32 if counts.sum() < 2**30 else np.int64)
    merged, levels = counts, [counts[:0]]
    for _ in range(LONGEST - 1):
        whole = len(merged) // 2 * 2
        packages = merged[0:whole:2] + merged[1:whole:2]
        levels.append(packages)
        merged = np.concatenate([counts, packages])
        merged.sort(kind="stable")  # which merges two runs in linear time
    taken = 2 * items - 2
    for packages in reversed(levels):

        def place(item, packages=packages):
            return item + int(np.searchsorted(packages, counts[item]))

        single = bisect.bisect_left(range(items), taken, key=place)
        lengths[:single] += 1
        taken = 2 * (taken - single)
    return lengths
