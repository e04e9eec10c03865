"""Symbols to bits and back, by a `CodeTable`, without a loop over symbols.

The bits are one stream, as a coder of the paper writes them. An index beside it, which
holds how many bits each run of 512 symbols takes, lets all runs be read at once.
"""

import numpy as np

from tfpe.errors import CipherOptionError, ImageFileError
from tfpe.hybrid.code_table import LENGTH_BITS, LONGEST

RUN = 512
WRITTEN_AT_ONCE = 3 * RUN * 128
RUNS_AT_ONCE = 4096
LENGTH_MASK = 2**LENGTH_BITS - 1


def write_bits(symbols, table):
    """The bits of symbols.

    Args:
        symbols: whole numbers `(n,)`.
        table: a `CodeTable` that has them all.

    Returns:
        The stream as `uint8`, padded with zero bits; its length in bits; and the index,
        `uint16`, the bits of each run.

    Raises:
        CipherOptionError: a symbol is not in the table.
    """
    words = np.zeros(symbols.size * LONGEST // 64 + 2, np.uint64)
    index, bits = [], 0
    for start in range(0, symbols.size, WRITTEN_AT_ONCE):
        entries = table.entries[symbols[start : start + WRITTEN_AT_ONCE]]
        lengths = entries & np.uint64(LENGTH_MASK)
        if not lengths.all():
            raise CipherOptionError(
                "`table` should have a code for each symbol. Received: one "
                "that lacks some"
            )
        index.append(np.add.reduceat(lengths, np.arange(0, lengths.size, RUN)))
        bits = _write(words, bits, entries >> np.uint64(LENGTH_BITS), lengths)
    stream = words.byteswap().view(np.uint8)[: -(-bits // 8)]
    return stream, bits, np.concatenate(index).astype(np.uint16)


def _write(words, first, codes, lengths):
    """Writes code words from bit `first` of `words` on; returns the bit after them."""
    missing = -codes.size % 3
    codes, lengths = (np.pad(a, (0, missing)).reshape(-1, 3) for a in (codes, lengths))
    # Three at a time: at most 54 bits.
    codes = (codes[:, 0] << lengths[:, 1] | codes[:, 1]) << lengths[:, 2] | codes[:, 2]
    lengths = lengths.sum(axis=1)
    ends = np.cumsum(lengths)
    starts = ends - lengths + np.uint64(first)
    codes <<= np.uint64(64) - lengths
    places, shifts = (starts >> np.uint64(6)).astype(np.int64), starts & np.uint64(63)
    begun = np.flatnonzero(np.diff(places, prepend=-1))
    words[places[begun]] |= np.bitwise_or.reduceat(codes >> shifts, begun)
    # Of all that begin in a word only the last one reaches into the next.
    rest = (codes << np.uint64(1)) << (np.uint64(63) - shifts)
    over = np.flatnonzero(rest)
    words[places[over] + 1] |= rest[over]
    return first + int(ends[-1])


def read_bits(stream, index, count, table):
    """The symbols that `write_bits` wrote, `uint16 (count,)`.

    Raises:
        ImageFileError: stream, index and table do not fit each other.
    """
    runs = -(-count // RUN)
    ends = np.cumsum(index, dtype=np.int64)
    if len(index) != runs or -(-int(ends[-1]) // 8) != len(stream):
        raise ImageFileError("The bits are damaged: their index does not fit")
    starts = ends - index
    found = np.empty((runs, RUN), np.uint16)
    for first in range(0, runs, RUNS_AT_ONCE):
        part = slice(first, first + RUNS_AT_ONCE)
        lengths = np.full(len(starts[part]), RUN)
        if part.stop >= runs:
            lengths[-1] = count - (runs - 1) * RUN
        found[part] = _read(stream, starts[part], ends[part], lengths, table.decoder)
    return found.reshape(-1)[:count]


def _read(stream, starts, ends, lengths, decoder):
    """The symbols of some runs, `(runs, RUN)`, all of them one symbol at a time."""
    base = int(starts[0]) // 8
    data = np.zeros((int(ends[-1]) + 7) // 8 - base + RUN * LONGEST // 8 + 8, np.int64)
    data[: -(-int(ends[-1]) // 8) - base] = stream[base : -(-int(ends[-1]) // 8)]
    # What stands in the four bytes from each byte on.
    ahead = data[:-3] << 24 | data[1:-2] << 16 | data[2:-1] << 8 | data[3:]
    places, found = starts - 8 * base, np.empty((RUN, starts.size), np.int64)
    last, end = lengths[-1], None
    for step in range(RUN):
        if step == last:
            end = int(places[-1])
        bits = ahead[places >> 3] >> (32 - LONGEST - (places & 7))
        entries = decoder[bits & (2**LONGEST - 1)]
        found[step] = entries
        places += entries & LENGTH_MASK
    if end is not None:
        places[-1] = end
    if (places != ends - 8 * base).any():
        raise ImageFileError("The bits are damaged: they do not end where they should")
    return found.T >> LENGTH_BITS
