"""Ciphertexts as files: PNG, which keeps each bit, or JPEG, where squares stay whole.

JPEG codes squares of 8 pixels. A cipher that moves, turns and negates such squares, and
mixes none, leaves it pictures of squares: they become about as small as those of the
image, and decryption gives the image back with about the loss that JPEG makes anyway.
Of all other ciphertexts JPEG leaves noise.
"""

import hashlib
import pathlib

from tfpe.checks import whole_number
from tfpe.ciphers import CIPHERS
from tfpe.errors import CipherOptionError
from tfpe.pixels.codec import decode_image, encode_jpeg, pixel_digest
from tfpe.pixels.jpeg_coding import sent_as_jpeg
from tfpe.pixels.png import encode_png

JPEG_SQUARE = 8
PNG_SUFFIX, JPEG_SUFFIX = ".png", ".jpg"
# Options that leave squares whole, where a cipher has them: for what to say.
MEANT = {"block_size": 2 * JPEG_SQUARE, "sub_block_size": JPEG_SQUARE, "fold": False}


def check_jpeg(quality, row, options, preparation):
    """What a manifest says of JPEG of this quality; None where `quality` is None.

    Args:
        quality: 1 to 100, libjpeg's scale, or None.
        row: of `tfpe.CIPHERS`.
        options: of the cipher, complete.
        preparation: a `tfpe.Preparation`.

    Raises:
        CipherOptionError: JPEG leaves nothing of this cipher's images, or an argument
            does not fit.
    """
    if quality is None:
        return None
    quality = whole_number(quality, "jpeg", high=100)
    if not survives_jpeg(row, options):
        meant = ", ".join(
            f"{name} ({', '.join(f'{k}={v}' for k, v in fitting.items())})"
            for name, fitting in _fitting()
        )
        raise CipherOptionError(
            "`jpeg` should be given a cipher that leaves squares of 8 x 8 pixels "
            f"whole: {meant}. Received: {row.name} with {options}"
        )
    if preparation.depth == 16:
        raise CipherOptionError(
            "`jpeg` holds 8 bits: it should be without depth=16. Received: both"
        )
    return sent_as_jpeg(quality)


def survives_jpeg(row, options):
    """Whether images come back from the JPEG of their ciphertexts.

    Example:

    >>> survives_jpeg(CIPHERS["etc"], {"block_size": 8})
    True
    >>> survives_jpeg(CIPHERS["etc"], {"block_size": 4})
    False
    """
    square = row.traits(**options).whole_square
    return square > 0 and square % JPEG_SQUARE == 0


def suffix_of(header):
    """The suffix of the ciphertexts of a folder whose manifest has this header."""
    return JPEG_SUFFIX if header.get("lossy") else PNG_SUFFIX


def encode(ciphertext, lossy):
    """The file of a ciphertext, bytes, and the digest that a manifest has of it.

    Args:
        ciphertext: `uint8 (H, W, 1 or 3)`, or `uint16 (H, W, 1)`.
        lossy: what `check_jpeg` gave.

    Raises:
        ImageFileError: it is too large for JPEG.
    """
    if lossy is None:
        return encode_png(ciphertext), pixel_digest(ciphertext)
    data = encode_jpeg(ciphertext, lossy["quality"], lossy["subsampling"])
    return data, hashlib.sha256(data).hexdigest()


def decode(path, data):
    """The pixels of a ciphertext's file, and its digest.

    A PNG is its pixels, whoever wrote it again. Of a JPEG the bytes count: decoders
    differ in the last bit of a pixel, and notice no damage.
    """
    pixels = decode_image(data, depth=16)
    if pathlib.PurePath(path).suffix == JPEG_SUFFIX:
        return pixels, hashlib.sha256(data).hexdigest()
    return pixels, pixel_digest(pixels)


def _fitting():
    """(name, options) of the ciphers of bytes that survive JPEG, as they are meant."""
    for name, row in CIPHERS.items():
        options = {k: v for k, v in MEANT.items() if k in row.defaults}
        if row.traits().keyed and survives_jpeg(row, options):
            yield name, options
