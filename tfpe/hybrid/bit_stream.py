"""Symbols to bits and back, by a `CodeTable`, without a loop over symbols.

The bits are one stream, as a coder of the paper writes them. An index beside it, which
holds how many bits each run of 384 symbols takes, lets all runs be read at once.
"""

import numpy as np

from tfpe.errors import CipherOptionError, ImageFileError
from tfpe.hybrid.code_table import LENGTH_BITS, LONGEST

# Symbols are written three at a time, at most 54 bits, which a word of 64 holds.
TOGETHER = 3
RUN = 128 * TOGETHER
WRITTEN_AT_ONCE = 128 * RUN
RUNS_AT_ONCE = 2048
LENGTH_MASK = np.uint64(2**LENGTH_BITS - 1)


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
    places, bits = [], 0
    for start in range(0, symbols.size, WRITTEN_AT_ONCE):
        part = symbols[start : start + WRITTEN_AT_ONCE].astype(np.intp)
        starts, bits = _write(words, bits, *_joined(part, table))
        places.append(starts[:: RUN // TOGETHER])
    stream = words.byteswap().view(np.uint8)[: -(-bits // 8)]
    index = np.diff(np.concatenate(places), append=np.uint64(bits))
    return stream, bits, index.astype(np.uint16)


def _joined(symbols, table):
    """Code words of three symbols in one, and their lengths, as `uint64`."""
    codes = lengths = np.uint64(0)
    for first in range(TOGETHER):
        entries = table.entries.take(symbols[first::TOGETHER])
        length = entries & LENGTH_MASK
        if not length.all():
            raise CipherOptionError(
                "`table` should have a code for each symbol. Received: one "
                "that lacks some"
            )
        entries >>= np.uint64(LENGTH_BITS)
        if first and entries.size < codes.size:
            entries, length = (np.append(a, np.uint64(0)) for a in (entries, length))
        codes = codes << length | entries
        lengths = lengths + length
    return codes, lengths


def _write(words, first, codes, lengths):
    """Writes code words from bit `first` of `words` on.

    Returns:
        Where each of them begins, and the bit after the last.
    """
    ends = np.cumsum(lengths)
    starts = ends - lengths + np.uint64(first)
    codes = codes << np.uint64(64) - lengths
    places, shifts = (starts >> np.uint64(6)).view(np.int64), starts & np.uint64(63)
    begun = np.flatnonzero(np.diff(places, prepend=-1))
    words[places[begun]] |= np.bitwise_or.reduceat(codes >> shifts, begun)
    # Of all that begin in a word only the last one reaches into the next.
    last = np.append(begun[1:], len(places)) - 1
    rest = (codes[last] << np.uint64(1)) << (np.uint64(63) - shifts[last])
    words[places[last] + 1] |= rest
    return starts, first + int(ends[-1])


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
    # The 64 bits that begin at each 32nd.
    halves = np.zeros(len(stream) // 4 + 2, ">u4")
    halves.view(np.uint8)[: len(stream)] = stream
    halves = halves.astype(np.uint64)
    words = (halves[:-1] << np.uint64(32) | halves[1:]).view(np.int64)
    found = np.empty((runs, RUN), np.uint16)
    for first in range(0, runs, RUNS_AT_ONCE):
        part = slice(first, first + RUNS_AT_ONCE)
        lengths = np.full(len(starts[part]), RUN)
        if part.stop >= runs:
            lengths[-1] = count - (runs - 1) * RUN
        found[part] = _read(words, starts[part], ends[part], lengths[-1], table)
    return found.reshape(-1)[:count]


def _read(words, starts, ends, last, table):
    """The symbols of some runs, `(runs, RUN)`, all of them one symbol at a time.

    Only the lengths are looked up as the runs are read; the symbols, in a table that is
    larger, when all of what they begin with is known.
    """
    places, end = starts.copy(), None
    number, bits, length = places.copy(), places.copy(), np.empty(len(places), np.uint8)
    ahead = np.empty((RUN, len(places)), np.int64)
    unsigned = bits.view(np.uint64), ahead.view(np.uint64)
    for step in range(RUN):
        if step == last:
            end = int(places[-1])
        np.right_shift(places, 5, out=number)
        # Past the end, where damage leads, the last word is as good as any.
        words.take(number, out=bits, mode="clip")
        np.bitwise_and(places, 31, out=number)
        np.left_shift(bits, number, out=bits)
        np.right_shift(unsigned[0], np.uint64(64 - LONGEST), out=unsigned[1][step])
        table.next_lengths.take(ahead[step], out=length, mode="clip")
        places += length
    if end is not None:
        places[-1] = end
    if (places != ends).any():
        raise ImageFileError("The bits are damaged: they do not end where they should")
    return table.next_symbols.take(ahead, mode="clip").T
