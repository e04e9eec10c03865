"""What a hybrid without a nonce does to all images of one shape, once recovered."""

import numpy as np

from tfpe.errors import AttackError
from tfpe.hybrid.code_table import LONGEST, CodeTable
from tfpe.hybrid.container import Container
from tfpe.hybrid.pairing import arrange, numbers_of, to_planes, to_symbols

# What the attacks are on; "crt" and "pairs" differ in the code of the table only.
ATTACKED = {"neighbours": "horizontal", "permute": "pairs", "substitution": "xor"}


class HybridForm:
    """Key stream and permutation, which open every container of the same key and shape.

    Args:
        stream: `uint8`, the key stream from its beginning.
        order: the permutation of the pairs of a plane: which one stands at each place.
        image_shape: (height, width, channels), of even width.
        table: the public `CodeTable`.
        undetermined: places of `order` that are a guess among pairs which were equal in
            all that was known.

    Example:

    >>> from tfpe import Key
    >>> from tfpe.hybrid import Hybrid
    >>> table = CodeTable.public([])
    >>> container = Hybrid(Key(bytes(32)), table=table)(np.ones((2, 4, 3), np.uint8))
    >>> form = HybridForm(np.zeros(0, np.uint8), np.arange(4), (2, 4, 3), table)
    >>> _, known = form.open(container)
    >>> bool(known.any())
    False
    """

    def __init__(self, stream, order, image_shape, table, undetermined=()):
        self.stream, self.order, self.table = stream, order, table
        self.image_shape = image_shape
        self.undetermined = np.asarray(undetermined, np.int64)

    def open(self, container):
        """The picture of a container.

        Args:
            container: bytes.

        Returns:
            `uint8 (H, W, C)`, and which of its values are known, bools of that shape:
            those beyond the key stream, and at undetermined places, are not, and are 0.

        Raises:
            AttackError: the key stream does not explain it.
        """
        payload = payload_of(container, self.table, self.image_shape)
        bits = payload[: self.stream.size] ^ self.stream[: payload.size]
        height, width, channels = self.image_shape
        count = channels * len(self.order)
        found = read_in_turn(bits, count, self.table, payload.size <= bits.size)
        known = np.zeros((channels, len(self.order)), bool)
        known.reshape(-1)[: found.size] = True
        known[:, self.undetermined] = False
        symbols = np.zeros((channels, len(self.order)), np.uint16)
        symbols.reshape(-1)[: found.size] = found
        symbols *= known
        planes, told = np.empty_like(symbols), np.empty_like(known)
        planes[:, self.order], told[:, self.order] = symbols, known
        told = np.repeat(told, 2, axis=1).reshape(channels, height, width)
        return image_of(planes, self.image_shape), told.transpose(1, 2, 0)


def image_of(symbols, image_shape):
    """The image whose planes are these pairs, `(channels, n)`."""
    height, width, channels = image_shape
    planes = to_planes(symbols.astype(np.uint16), (channels, height, width), "crt")
    return np.ascontiguousarray(planes.transpose(1, 2, 0))


def payload_of(container, table, image_shape):
    """The payload of a container, `uint8`.

    Raises:
        AttackError: it is none of the form attacked, of this shape and table.
    """
    if not isinstance(container, bytes):
        raise AttackError(
            "Ciphertexts should be the bytes of containers. Received: "
            f"{type(container).__name__}"
        )
    found = Container.from_bytes(container)
    options = found.options | {"table": found.table_digest}
    wanted = ATTACKED | {"table": table.digest}
    unlike = [name for name in wanted if options[name] != wanted[name]]
    if unlike or found.image_shape != tuple(image_shape):
        raise AttackError(
            f"Containers should have the options {ATTACKED}, the public table given "
            f"and shape {tuple(image_shape)}. Received: another {(*unlike, 'shape')[0]}"
        )
    return np.frombuffer(found.payload, np.uint8)


def checked_table(table, image_shape):
    """The pairs of a plane, where a table and a shape fit the form attacked."""
    height, width, _ = image_shape
    if not isinstance(table, CodeTable) or table.symbols == "bytes" or width % 2:
        raise AttackError(
            "The hybrid attacked should have a public table of pairs, and images of "
            f"even width. Received: {type(table).__name__}, {height} x {width}"
        )
    return height * width // 2


def read_in_turn(stream, count, table, whole=True):
    """The first symbols of a stream without an index, one after the other.

    Args:
        stream: `uint8`.
        count: how many at most.
        table: a `CodeTable`.
        whole: whether all of them should be there.

    Raises:
        AttackError: there are fewer.
    """
    # In pieces, which are shifted in little time.
    pieces = [
        int.from_bytes(stream[start : start + 12].tobytes().ljust(12, b"\0"), "big")
        for start in range(0, stream.size, 8)
    ]
    size, place, found = 8 * stream.size, 0, np.empty(count, np.uint16)
    symbols, lengths = table.next_symbols, table.next_lengths
    for number in range(count):
        piece, inside = divmod(place, 64)
        if piece == len(pieces):
            break
        ahead = pieces[piece] >> (96 - LONGEST - inside) & (2**LONGEST - 1)
        place += int(lengths[ahead])
        if place > size:
            break
        found[number] = symbols[ahead]
    else:
        return found
    if whole:
        raise AttackError(
            "The oracle should use one key stream for all images. Received: answers "
            "that the code of the table does not explain"
        )
    return found[:number]


def bits_of(image, options, table=None):
    """How many bits the symbols of an image take, whatever the key is.

    Args:
        image: `uint8 (H, W, C)`.
        options: of its `Container`; pixels that are permuted make other pairs.
        table: the public `CodeTable`; None for one of the image.
    """
    symbols = options["symbols"]
    found = to_symbols(arrange(image, symbols, options["neighbours"]), symbols)
    counts = np.bincount(found.reshape(-1), minlength=len(numbers_of(symbols)))
    table = CodeTable.of(counts, symbols) if table is None else table
    return int((counts * table.lengths.astype(np.int64)).sum())
