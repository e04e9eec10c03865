"""`Hybrid`: images to smaller, encrypted bytes and back, without a loss."""

import hashlib
import math

import numpy as np

from tfpe.checks import image_shape_of, one_of, true_or_false, whole_number
from tfpe.errors import CipherOptionError, ImageError, ImageFileError
from tfpe.hybrid import pairing
from tfpe.hybrid.bit_stream import RUN, read_bits, write_bits
from tfpe.hybrid.chaotic_streams import ChaoticStream, ShakeStream
from tfpe.hybrid.code_table import CodeTable
from tfpe.hybrid.container import CODES, MOST_ORBITS, Container, require_genuine
from tfpe.keys import check_key
from tfpe.storage.signed_json import canonical

ORBITS = 1024
NONCE_BYTES = 16


class Hybrid:
    """Compression and encryption in one: permute, pair, code, substitute.

    The reading of Ahmad & Shin's hybrid: planes are permuted by the argsort of a
    chaotic sequence, neighbours become one symbol, symbols a canonical Huffman code,
    and the bytes of its bits are substituted by the bytes of the sequence. It is for
    keeping and sending: no network learns from its bytes.

    Args:
        key: a `tfpe.Key`.
        symbols: "crt": pairs, numbered by the Chinese remainder theorem; "pairs":
            numbered in order; "bytes": single values.
        neighbours: which values are a pair: "horizontal", "vertical", or "channels",
            along the row of all channels.
        permute: what moves: "pairs" (symbols), "rows", or "pixels" before pairing;
            all planes in the same way.
        table: "encrypted" or "clear", in each container; or a public `CodeTable`.
        substitution: "xor", or "add" modulo 256.
        chaos: a map of `tfpe.chaos.CHAOS`, or "shake256".
        orbits: of the map, side by side; 1 is the paper's, and slow.
        nonce: whether each image has a stream of its own; without one (the paper's
            form), all of one shape share it, and few known images open all others.

    Raises:
        CipherOptionError: an option is not one of these.

    The nonce is a keyed digest of image and context, so that the same call gives the
    same bytes, which shows only that two images are equal.

    Source: Ahmad & Shin, Signal Process. Image Commun. 98:116418, 2021, doi
    10.1016/j.image.2021.116418, as far as its text can be had.

    Example:

    >>> from tfpe import Key
    >>> hybrid = Hybrid(Key(bytes(32)))
    >>> image = np.arange(64 * 64).reshape(64, 64, 1).astype(np.uint8) // 16
    >>> container = hybrid(image)
    >>> len(container) < image.size, bool((hybrid.inverse(container) == image).all())
    (True, True)
    """

    def __init__(
        self,
        key,
        *,
        symbols="crt",
        neighbours="horizontal",
        permute="pairs",
        table="encrypted",
        substitution="xor",
        chaos="logistic",
        orbits=ORBITS,
        nonce=True,
    ):
        self._key = check_key(key)
        public = table if isinstance(table, CodeTable) else None
        if public is None:
            one_of(table, CODES["table"][:2], "table")
        elif public.symbols != symbols:
            raise CipherOptionError(
                f"`table` should be of symbols={symbols!r}. Received: one of "
                f"{public.symbols!r}"
            )
        self.table = public
        self.options = {
            "symbols": one_of(symbols, CODES["symbols"], "symbols"),
            "neighbours": one_of(neighbours, CODES["neighbours"], "neighbours"),
            "permute": one_of(permute, CODES["permute"], "permute"),
            "table": "public" if public else table,
            "substitution": one_of(substitution, CODES["substitution"], "substitution"),
            "chaos": one_of(chaos, CODES["chaos"], "chaos"),
            "orbits": whole_number(orbits, "orbits", high=MOST_ORBITS),
            "nonce": true_or_false(nonce, "nonce"),
        }

    def __repr__(self):
        options = ", ".join(f"{n}={v!r}" for n, v in self.options.items())
        return f"Hybrid({options}, key_fingerprint={self._key.fingerprint!r})"

    def nonce(self, image, context=""):
        """The nonce of an image: equal for equal images, contexts and options."""
        if not self.options["nonce"]:
            return bytes(NONCE_BYTES)
        digest = hashlib.sha256(np.ascontiguousarray(image).data).hexdigest()
        values = ["tfpe hybrid", self.options, list(image.shape), context, digest]
        return bytes.fromhex(self._key.tag(canonical(values)))[:NONCE_BYTES]

    def __call__(self, image, context=""):
        """Packs an image.

        Args:
            image: `uint8 (H, W, C)`, 1 or 3 channels, any size.
            context: text, such as a path: equal images of two contexts give unlike
                bytes. It is not needed to unpack.

        Returns:
            The bytes of a container.

        Raises:
            ImageError: the image is something else.
            CipherOptionError: a public table lacks a symbol.
        """
        image = np.asarray(image)
        if image.dtype != np.uint8:
            raise ImageError(f"`image` should be uint8. Received: dtype {image.dtype}")
        shape, options = image_shape_of(image.shape), self.options
        nonce = self.nonce(image, context)
        stream = self._stream(options, shape, nonce)
        symbols = options["symbols"]
        planes = pairing.arrange(image, symbols, options["neighbours"])
        units, size = pairing.unit_shape(planes.shape, options["permute"], symbols)
        planes = _moved(planes.reshape(len(planes), units, size), stream.order(units))
        found = pairing.to_symbols(planes, symbols).reshape(-1)
        table = self.table
        if table is None:
            least = len(pairing.numbers_of(symbols))
            table = CodeTable.of(np.bincount(found, minlength=least), symbols)
        payload, bits, index = write_bits(found, table)
        payload = _substituted(payload, stream, options["substitution"])
        index = np.frombuffer(index.astype(">u2").tobytes(), np.uint8)
        packed = np.frombuffer(b"" if self.table else table.to_bytes(), np.uint8)
        index = _substituted(index, stream, options["substitution"])
        if options["table"] == "encrypted":
            packed = _substituted(packed, stream, options["substitution"])
        digest = self.table.digest if self.table else bytes(8)
        return Container(
            *(options, shape, self._key.fingerprint, nonce, digest, bits),
            *(index.tobytes() + packed.tobytes(), payload.tobytes()),
        ).to_bytes(self._key)

    def inverse(self, container, where="`container`"):
        """Unpacks what a `Hybrid` of this key packed, whatever its options were.

        Args:
            container: bytes.
            where: names it in errors.

        Returns:
            `uint8 (H, W, C)`.

        Raises:
            WrongKeyError: another key packed it.
            ImageFileError: damaged, foreign, or of another public table.
        """
        found = Container.from_bytes(container, where)
        require_genuine(container, found, self._key, where)
        options, table = found.options, self.table
        if options["table"] == "public" and (
            table is None or table.digest != found.table_digest
        ):
            raise ImageFileError(
                f"{where} needs the public table with digest "
                f"{found.table_digest.hex()}. Received: "
                f"{'none' if table is None else table.digest.hex()}"
            )
        symbols, shape = options["symbols"], found.image_shape
        stream = self._stream(options, shape, found.nonce)
        arranged = pairing.arranged_shape(shape, symbols, options["neighbours"])
        units, size = pairing.unit_shape(arranged, options["permute"], symbols)
        order, how = stream.order(units), options["substitution"]
        count, *sides = split_sides(found)
        payload, index, packed = (
            np.frombuffer(part, np.uint8) for part in (found.payload, *sides)
        )
        payload = _restored(payload, stream, how)
        index = _restored(index, stream, how)
        if options["table"] != "public":
            if options["table"] == "encrypted":
                packed = _restored(packed, stream, how)
            table = CodeTable.from_bytes(packed.tobytes(), symbols)
        index = np.frombuffer(index.tobytes(), ">u2")
        values = read_bits(payload, index, count, table).reshape(arranged[0], -1)
        values = values.astype(np.uint8) if symbols == "bytes" else values
        planes = pairing.to_planes(values, (arranged[0], units, size), symbols)
        back = np.empty_like(order)
        back[order] = np.arange(units, dtype=order.dtype)
        planes = _moved(planes, back).reshape(arranged)
        return pairing.rearrange(planes, shape, options["neighbours"])

    def _stream(self, options, shape, nonce):
        """The stream of one image, or without a nonce of all images of one shape."""
        material = self._key.material("hybrid", shape, **options, seed=nonce.hex())
        if options["chaos"] == "shake256":
            return ShakeStream(material)
        return ChaoticStream(options["chaos"], material, options["orbits"])

    def __reduce_ex__(self, protocol):
        raise TypeError("A Hybrid should not be copied or pickled: it holds a key")


def split_sides(container):
    """How many symbols a `Container` holds, and the bytes of its index and table."""
    options, shape = container.options, container.image_shape
    arranged = pairing.arranged_shape(shape, options["symbols"], options["neighbours"])
    count = math.prod(arranged) // (1 if options["symbols"] == "bytes" else 2)
    index_bytes = 2 * -(-count // RUN)
    return count, container.sides[:index_bytes], container.sides[index_bytes:]


def _moved(planes, order):
    """Units `(planes, n, size)` in another order, the same in all planes."""
    if planes.shape[2] == 2:  # as words: many times faster than rows of two bytes
        words = np.ascontiguousarray(planes).view(np.uint16)[..., 0]
        return np.take(words, order, axis=1)[..., None].view(np.uint8)
    return np.take(planes, order, axis=1)


def _substituted(data, stream, how):
    mask = stream.bytes(data.size)
    return data ^ mask if how == "xor" else data + mask


def _restored(data, stream, how):
    mask = stream.bytes(data.size)
    return data ^ mask if how == "xor" else data - mask
