"""What would give a key away: pieces of all arrays that keyed maps really hold.

Nothing is looked up by name: whatever array hangs on an object of the library, or is
handed to a framework as key material, is searched for.
"""

import base64
import functools
import json
from unittest import mock

import numpy as np

from tfpe.algebra.backends import TENSORFLOW

ENOUGH = 64  # bits that a piece should tell, lest it is found by chance
PIECES = 2  # of each array


def arrays_of(*holders):
    """All arrays that can be reached from objects of the library, and secret bytes."""
    found, seen, left = [], set(), list(holders)
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, np.ndarray):
            found.append(one)
        elif isinstance(one, bytes) and len(one) >= 16:
            found.append(np.frombuffer(one, np.uint8))
        elif isinstance(one, dict):
            left += one.values()
        elif isinstance(one, (list, tuple, set, frozenset)):
            left += one
        elif type(one).__module__.partition(".")[0] == "tfpe":
            left += getattr(one, "__dict__", {}).values()
            for kind in type(one).__mro__:
                slots = getattr(kind, "__slots__", ())
                names = [slots] if isinstance(slots, str) else slots
                left += [getattr(one, name) for name in names if hasattr(one, name)]
    return found


def handed_to_tensorflow(function, *arguments):
    """The arrays that are handed over as key material while `function` is traced."""
    import tensorflow as tf

    handed, secret = [], type(TENSORFLOW).secret

    def spy(self, array, like):
        handed.append(np.asarray(array))
        return secret(self, array, like)

    with mock.patch.object(type(TENSORFLOW), "secret", spy):
        tf.function(function).get_concrete_function(*arguments)
    return handed


def information(piece):
    """About how many bits a piece tells: of its steps, so that counting tells none."""
    if piece.dtype.kind == "f" and (piece != np.rint(piece)).any():
        piece = piece.view(f"i{piece.itemsize}")  # their bits
    steps = np.diff(piece.astype(np.int64))
    _, counts = np.unique(steps, return_counts=True)
    shares = counts / max(1, steps.size)
    return -steps.size * float((shares * np.log2(shares)).sum())


def telling_pieces(array):
    """Short pieces of an array that nobody writes by chance; none of constant ones."""
    flat = array.reshape(-1)
    for size in 2 ** np.arange(3, 12):
        starts = np.linspace(0, flat.size - size, 8 * PIECES, dtype=int)
        pieces = [flat[s : s + size] for s in starts if s >= 0]
        telling = [piece for piece in pieces if information(piece) >= ENOUGH]
        if telling:
            return telling[:: -(-len(telling) // PIECES)]
    return []


def forms(piece):
    """A piece as it may be written: in integers of each size, packed, or as text."""
    lists = [piece.tolist()]
    written = [piece.astype(kind).tobytes() for kind in ("f4", "f8")]
    written.append(piece.tobytes())
    whole = (piece == np.rint(piece)).all()
    if whole:
        piece = piece.astype(np.int64)
        lists.append(piece.tolist())
        written += [piece.astype(kind).tobytes() for kind in (np.int32, np.int64)]
    values = np.unique(piece)
    if whole and 0 <= values[0] and values[-1] < 256:
        written.append(piece.astype(np.uint8).tobytes())
    if values.size == 2:
        # Of two values, such as negatives: however they are called.
        high = piece == values[1]
        written += [high.tobytes(), (high * np.uint8(255)).tobytes()]
        written += [np.packbits(high, bitorder=order).tobytes() for order in _ORDERS]
        lists += [high.tolist(), high.astype(int).tolist()]
    if whole:
        written.append(b"".join(map(_varint, piece.tolist())))
    written += [base64.b64encode(data[: len(data) // 3 * 3]) for data in written]
    for numbers in lists:
        for comma in (" ", ",", ", ", "\n"):
            written.append(comma.join(map(str, numbers)).encode())
            written.append(comma.join(map(json.dumps, numbers)).encode())
    return set(written)


def secret_forms(arrays):
    """All forms of all pieces of arrays: bytes that no file and no text may hold."""
    unique = {(a.dtype.str, a.tobytes()): a for a in arrays}
    pieces = [piece for array in unique.values() for piece in telling_pieces(array)]
    return frozenset(functools.reduce(set.union, map(forms, pieces), set()))


_ORDERS = ("big", "little")


def _varint(number):
    """A whole number as protocol buffers write it."""
    number, parts = number % 2**64, []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])
