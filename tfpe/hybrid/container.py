"""The container of a packed picture, a .tfpe file: what its bytes mean.

8   magic             then, big-endian: 1 version, 9 options, 1 channels,
                      4 height, 4 width, 8 fingerprint of the key, 16 nonce,
                      8 digest of a public table (or 0), 8 bits, 4 bytes of sides
s   sides             the table of the code, if it is not public, and the index
p   payload           bits of symbols, padded with zeros, substituted
16  checksum          of all before: shows damage to everyone
16  keyed tag         of all before: shows any change to whoever has the key
"""

import dataclasses
import hashlib
import hmac
import struct

from tfpe.errors import ImageFileError

MAGIC = b"\x8btfpe\r\n\x1a"
VERSION = 2
HEAD = struct.Struct(">8sB9sBII8s16s8sQI")
CHECK_BYTES = 16
# Their places number them in files: names are added at the end only.
CODES = {
    "symbols": ("crt", "pairs", "bytes"),
    "neighbours": ("horizontal", "vertical", "channels"),
    "permute": ("pairs", "rows", "pixels"),
    "table": ("encrypted", "clear", "public"),
    "substitution": ("xor", "add"),
    "chaos": ("logistic", "pwlcm", "logistic_sine", "shake256"),
    "nonce": (False, True),
}
MOST_ORBITS = 2**16 - 1


@dataclasses.dataclass(frozen=True)
class Container:
    """What a .tfpe file holds; nothing of it is secret.

    Attributes:
        options: a dict, all of `CODES` and "orbits".
        image_shape: (height, width, channels).
        fingerprint: of the key, 16 hexadecimal digits.
        nonce: 16 bytes, zeros where there is none.
        table_digest: 8 bytes, zeros where the table is in the file.
        bits: of the payload.
        sides, payload: bytes, as they are in the file.
    """

    options: dict
    image_shape: tuple
    fingerprint: str
    nonce: bytes
    table_digest: bytes
    bits: int
    sides: bytes
    payload: bytes

    def to_bytes(self, key):
        """The file, with checksum and the tag of `key`."""
        height, width, channels = self.image_shape
        options = [CODES[n].index(self.options[n]) for n in CODES]
        head = HEAD.pack(
            *(MAGIC, VERSION),
            bytes(options) + self.options["orbits"].to_bytes(2, "big"),
            *(channels, height, width, bytes.fromhex(self.fingerprint)),
            *(self.nonce, self.table_digest, self.bits, len(self.sides)),
        )
        data = b"".join((head, self.sides, self.payload))
        digest = hashlib.sha256(data).digest()
        return data + digest[:CHECK_BYTES] + _tag(key, digest)

    @classmethod
    def from_bytes(cls, data, where="The file"):
        """Reads a file as far as that takes no key.

        Raises:
            ImageFileError: it is another file, damaged, cut short or of another
                version.
        """
        if data[: len(MAGIC)] != MAGIC:
            raise ImageFileError(
                f"{where} should be a .tfpe container. Received: another file, or one "
                "whose beginning is damaged"
            )
        body, check = data[: -2 * CHECK_BYTES], data[-2 * CHECK_BYTES : -CHECK_BYTES]
        whole = len(body) >= HEAD.size
        if not whole or hashlib.sha256(body).digest()[:CHECK_BYTES] != check:
            raise ImageFileError(
                f"{where} is damaged or cut short: its checksum does not fit"
            )
        fields = HEAD.unpack_from(body)
        _, version, codes, channels, height, width, fingerprint = fields[:7]
        nonce, table_digest, bits, sides = fields[7:]
        if version != VERSION:
            raise ImageFileError(
                f"{where} should be a container of version {VERSION}. "
                f"Received: version {version}"
            )
        end = HEAD.size + sides
        try:
            options = {n: CODES[n][code] for n, code in zip(CODES, codes, strict=False)}
        except IndexError:
            raise ImageFileError(f"{where} has options of a newer tfpe") from None
        options["orbits"] = int.from_bytes(codes[-2:], "big")
        if min(height, width) < 1 or channels not in (1, 3) or options["orbits"] < 1:
            raise ImageFileError(f"{where} is damaged: it has no shape of an image")
        return cls(
            *(options, (height, width, channels), fingerprint.hex(), nonce),
            *(table_digest, bits, body[HEAD.size : end], body[end:]),
        )


def require_genuine(data, container, key, where="The file"):
    """Raises unless `key` made the container in `data`, and nothing was changed.

    Raises:
        WrongKeyError: another key made it.
        ImageFileError: it was changed.
    """
    key.require(container.fingerprint, where)
    digest = hashlib.sha256(data[: -2 * CHECK_BYTES]).digest()
    if not hmac.compare_digest(_tag(key, digest), data[-CHECK_BYTES:]):
        raise ImageFileError(f"{where} was changed: its keyed tag does not fit")


def _tag(key, digest):
    return bytes.fromhex(key.tag(b"tfpe container" + digest))[:CHECK_BYTES]
