"""Canonical Huffman codes: what is stored of one are the lengths of its code words."""

import functools
import hashlib
import pathlib
import zlib

import numpy as np

from tfpe.checks import one_of
from tfpe.errors import CipherOptionError, ImageFileError
from tfpe.hybrid.pairing import SYMBOLS, VALUES, arrange, numbers_of, to_symbols
from tfpe.storage.atomic import write_file

# The table of the decoder has an entry for each stream of so many bits.
LONGEST = 18
LENGTH_BITS = 5
FILE_HEAD = b"tfpe code table 1 "
# Code words so short are rare, and are stored apart.
SHORT = 4


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
        if not _whole(self.lengths[used]) or len(self.lengths) != len(numbers):
            raise CipherOptionError(
                "`lengths` should be those of a whole code. Received: others"
            )
        # Sorted by length and number, with the place below them: faster than argsort.
        order = self.lengths[used].astype(np.int64) << 17 | numbers[used]
        order = np.sort(order << 16 | used) & (VALUES**2 - 1)
        self._sorted = order
        self._spans = 1 << LONGEST - self.lengths[order].astype(np.int64)
        self.lengths.setflags(write=False)

    @classmethod
    def of(cls, counts, symbols):
        """The shortest code for counts of symbols, `(256,)` or `(65536,)`."""
        lengths = np.zeros(len(counts), np.uint8)
        used = np.flatnonzero(counts)
        order = np.sort(np.asarray(counts, np.int64)[used] << 16 | used)
        lengths[order & (VALUES**2 - 1)] = code_lengths(order >> 16)
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
    def next_symbols(self):
        """The symbol, `uint16`, for each 18 bits that may come next."""
        # The word that a lone symbol leaves unused is read as that symbol.
        found = np.repeat(self._sorted.astype(np.uint16), self._spans)
        return np.resize(found, 2**LONGEST)

    @functools.cached_property
    def next_lengths(self):
        """The length of the code word, `uint8`, for each 18 bits that may come next."""
        found = np.repeat(self.lengths[self._sorted], self._spans)
        return np.resize(found, 2**LONGEST)

    @property
    def digest(self):
        """8 bytes that tell this table from others."""
        text = f"{self.symbols}\n".encode() + self.lengths.tobytes()
        return hashlib.sha256(text).digest()[:8]

    def save(self, path):
        """Writes a public table to a file, for those who pack and unpack with it."""
        head = f"{self.symbols} {self.digest.hex()}\n"
        write_file(path, FILE_HEAD + head.encode() + self.to_bytes())

    @classmethod
    def load(cls, path):
        """The table that `save` wrote.

        Raises:
            ImageFileError: the file is another one, damaged, or cannot be read.
        """
        try:
            data = pathlib.Path(path).read_bytes()
        except OSError as error:
            raise ImageFileError(f"Cannot read {path}: {error.strerror}") from error
        head, _, stored = data.removeprefix(FILE_HEAD).partition(b"\n")
        symbols, _, digest = head.decode("latin-1").partition(" ")
        if not data.startswith(FILE_HEAD) or symbols not in SYMBOLS:
            raise ImageFileError(
                f"{path} should be a public table of a code. Received: another file"
            )
        try:
            table = cls.from_bytes(stored, symbols)
        except ImageFileError as error:
            raise ImageFileError(f"{path}: {error}") from error
        if table.digest.hex() != digest:
            raise ImageFileError(f"{path} is damaged: its digest does not fit")
        return table

    def to_bytes(self):
        """The table in few bytes."""
        lengths = self.lengths[_stored_order(self.symbols)]
        few = lengths[(lengths > 0) & (lengths <= SHORT)]
        # Half a byte each: 0 where there is none, and from the longest down.
        halves = np.where(lengths, np.minimum(LONGEST + 1 - lengths, 15), 0)
        halves = halves.astype(np.uint8)
        return zlib.compress(
            (halves[::2] << 4 | halves[1::2]).tobytes() + few.tobytes(), 4
        )

    @classmethod
    def from_bytes(cls, data, symbols):
        """The table that `to_bytes` wrote; `ImageFileError` where it is none."""
        order = _stored_order(symbols)
        unpacker = zlib.decompressobj()
        try:
            # One byte more than there may be: what is longer shows as that.
            size = len(order) // 2
            stored = unpacker.decompress(data, size + 2**SHORT + 1)
            if not unpacker.eof or unpacker.unused_data:
                raise ValueError("cut short, or followed by something else")
            stored = np.frombuffer(stored, np.uint8)
            halves = np.stack([stored[:size] >> 4, stored[:size] & 15], 1).reshape(-1)
            few = halves == 15
            found = np.where(halves, LONGEST + 1 - halves, 0).astype(np.uint8)
            found[few] = stored[size:]
            lengths = np.zeros(len(order), np.uint8)
            lengths[order] = found
            return cls(lengths, symbols)
        except (zlib.error, ValueError) as error:
            raise ImageFileError("The table of the code is damaged") from error


def _whole(lengths):
    """Whether some code words leave no stream of bits out; or there is only one."""
    counts = np.bincount(lengths, minlength=LONGEST + 1)
    covered = sum(int(n) << (LONGEST - i) for i, n in enumerate(counts[: LONGEST + 1]))
    fits = len(counts) == LONGEST + 1
    return fits and (covered == 2**LONGEST or lengths.tolist() == [1])


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
    # Twice each weight, and 1 more for a package: sorting tells them apart, a single
    # one before a package of its weight. Half of the time where 32 bits hold all sums.
    singles = counts.astype(np.int32 if counts.sum() < 2**25 else np.int64) * 2
    merged, levels = singles, [singles]
    for _ in range(LONGEST - 1):
        whole = len(merged) // 2 * 2
        packages = ((merged[0:whole:2] & -2) + (merged[1:whole:2] & -2)) | 1
        merged = np.concatenate([singles, packages])
        merged.sort(kind="stable")  # which merges two runs in linear time
        levels.append(merged)
    taken = 2 * items - 2
    for merged in reversed(levels):
        packages = int((merged[:taken] & 1).sum())
        lengths[: taken - packages] += 1
        taken = 2 * packages
    return lengths
