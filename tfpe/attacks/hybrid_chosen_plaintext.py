"""Chosen pictures against the hybrid in the form of its paper, without a nonce."""

import numpy as np

from tfpe.errors import AttackError
from tfpe.hybrid.bit_stream import LENGTH_MASK, write_bits
from tfpe.hybrid.code_table import LENGTH_BITS, LONGEST
from tfpe.hybrid.container import Container
from tfpe.hybrid.pairing import to_planes


def hybrid_chosen_plaintext(oracle, image_shape, table):
    """Key stream and permutation of a hybrid with one key for all images.

    An image of one pair everywhere is the same after any permutation: with a public
    table its bits are known, and those of the longest code word are as many as any
    image has. With the key stream, images whose pairs spell their places can be read.

    Threat model: chosen plaintext, one fixed key, public table of pairs, horizontal
    pairs that move as pairs, xor. Complexity: O(n) a query; 2 queries for up to 65,536
    pairs a plane.

    Args:
        oracle: `uint8 (H, W, C) -> bytes`, a `Hybrid` with `nonce=False`.
        image_shape: (height, width, channels), of even width.
        table: the public `CodeTable`.

    Returns:
        The key stream as `uint8`, and the permutation of the pairs of a plane.

    Raises:
        AttackError: the oracle uses a nonce, or another key each time.

    Source: as for CRT schemes in Li et al. 2014, arXiv 1306.5615.

    Example:

    >>> from tfpe import Key
    >>> from tfpe.hybrid import CodeTable, Hybrid
    >>> table = CodeTable.public([])
    >>> secret = Hybrid(Key(bytes(32)), table=table, nonce=False)
    >>> hybrid_chosen_plaintext(secret, (4, 8, 3), table)[1].shape
    (16,)
    """
    height, width, channels = image_shape
    pairs = height * width // 2

    def image_of(values):
        planes = np.broadcast_to(values.astype(np.uint16), (channels, pairs))
        planes = to_planes(planes, (channels, height, width), "crt")
        return np.ascontiguousarray(planes.transpose(1, 2, 0))

    longest = int(table.lengths.argmax())
    constant = image_of(np.full(pairs, longest))
    known, _, _ = write_bits(np.full(channels * pairs, longest), table)
    stream = _payload(oracle, constant) ^ known
    order = np.zeros(pairs, np.int64)
    for digit in range(-(-(pairs - 1).bit_length() // 16)):
        spelled = np.arange(pairs) >> (16 * digit) & 0xFFFF
        cipher = _payload(oracle, image_of(spelled))
        # The index of an attacker: the lengths of code words as he reads them.
        read = _read(cipher ^ stream[: cipher.size], pairs, table)
        order |= read.astype(np.int64) << (16 * digit)
    if (np.bincount(order, minlength=pairs) != 1).any():
        raise AttackError(
            "The oracle should use one key stream and one permutation for all images. "
            "Received: answers in which pairs do not name each place once"
        )
    return stream, order


def _payload(oracle, image):
    return np.frombuffer(Container.from_bytes(oracle(image)).payload, np.uint8)


def _read(stream, count, table):
    """The first symbols of a stream without an index, one after the other."""
    text = int.from_bytes(stream.tobytes() + bytes(4), "big")
    size, place, found = 8 * (stream.size + 4), 0, np.empty(count, np.uint16)
    for number in range(count):
        if place > size - LONGEST:
            raise AttackError(
                "The oracle should use one key stream for all images. Received: "
                "answers that the code of the table does not explain"
            )
        entry = int(table.decoder[text >> (size - LONGEST - place) & (2**LONGEST - 1)])
        found[number] = entry >> LENGTH_BITS
        place += entry & LENGTH_MASK
    return found
