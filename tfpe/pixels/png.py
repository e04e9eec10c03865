"""PNG files of pixels alone: stored, packed or filtered, as a trial of the image says.

Ciphertext hardly shrinks. To look for what repeats in it takes most of the time of a
folder of photographs, and to undo that most of the time of reading it: what would save
little is stored as it is. Filters, which take differences of neighbours, are for what
still has neighbours: plain images, and pictures in whole squares.
"""

import functools
import io
import struct
import zlib

import numpy as np
from PIL import Image

from tfpe.errors import ImageFileError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GRAY, RGB = 0, 2  # colour types
BAND_BYTES = 2**20
WINDOW = 2**15
TRIAL_BYTES, TRIAL_BANDS = 2**16, 4
WORTH = 7 / 8  # of the bytes of the pixels: what is not smaller is stored


def require_checksums(data):
    """Raises `ImageFileError` unless a PNG file is whole and its checksums are right.

    Pillow checks those of the pixels in `verify` only, which uses the file up.

    Args:
        data: bytes that begin with `SIGNATURE`.

    Example:

    >>> png = encode_png(np.zeros((1, 1, 3), np.uint8))
    >>> require_checksums(png)
    >>> require_checksums(png[:-16] + bytes(4) + png[-12:])
    Traceback (most recent call last):
    ...
    tfpe.errors.ImageFileError: Image file cannot be read: a PNG with a wrong checksum
    """
    data, place = memoryview(data), len(SIGNATURE)
    while True:
        head = data[place : place + 8]
        size, name = struct.unpack(">I4s", head) if len(head) == 8 else (0, b"")
        if name == b"IEND":  # what follows, also its checksum, holds no pixel
            return
        end = place + 8 + size
        if end + 4 > len(data):
            raise ImageFileError("Image file cannot be read: a PNG that is cut short")
        if data[end : end + 4] != _checksum(data[place + 4 : end]):
            raise ImageFileError(
                "Image file cannot be read: a PNG with a wrong checksum"
            )
        place = end + 4


def encode_png(pixels):
    """The bytes of a PNG file that holds `pixels` alone.

    The same pixels give the same file (with one version of zlib, where it shrinks).

    Args:
        pixels: `uint8 (H, W, 1 or 3)`, or `uint16 (H, W, 1)`.

    Example:

    >>> len(encode_png(np.zeros((100, 100, 3), np.uint8))) < 1000
    True
    >>> noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    >>> 0 < len(encode_png(noise)) - noise.nbytes < 200
    True
    """
    lines = _trial_lines(pixels)
    # In less than its window deflate finds next to nothing that repeats.
    packed = 1
    if lines.size >= WINDOW:
        packed = len(zlib.compress(lines, 1)) / lines.size
    step = pixels.shape[-1] * pixels.itemsize
    filtered = _entropy(lines[:, step:] - lines[:, :-step]) / 8
    if min(packed, filtered) > WORTH:
        return stored(pixels)
    return packed_lines(pixels) if packed < filtered else filtered_lines(pixels)


def stored(pixels):
    """A PNG file without compression."""
    return _encode(pixels, 0)


def packed_lines(pixels):
    """A PNG file in which what repeats is found, without filters."""
    return _encode(pixels, 1)


def filtered_lines(pixels):
    """A PNG file of differences: of each line the filter that makes them small."""
    if pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    file = io.BytesIO()
    # Runs of equal differences are all that pays to look for: faster, and smaller.
    Image.fromarray(np.ascontiguousarray(pixels)).save(
        file, "PNG", compress_level=1, compress_type=zlib.Z_RLE
    )
    return file.getvalue()


def _trial_lines(pixels):
    """Some lines of an image, as bytes: all of a small one, bands of a large one."""
    height, size = len(pixels), pixels[0].nbytes
    count = max(1, TRIAL_BYTES // TRIAL_BANDS // size)
    if height <= TRIAL_BANDS * count:
        return _as_bytes(pixels)
    first = np.linspace(0, height - count, TRIAL_BANDS).astype(int)
    return _as_bytes(np.concatenate([pixels[top : top + count] for top in first]))


def _encode(pixels, level):
    height, width, channels = pixels.shape
    file = io.BytesIO()
    write = functools.partial(_write_chunk, file)
    file.write(SIGNATURE)
    kind = GRAY if channels == 1 else RGB
    size = struct.pack(">2I5B", width, height, 8 * pixels.itemsize, kind, 0, 0, 0)
    write(b"IHDR", size)
    deflate = zlib.compressobj(level)
    step = max(1, BAND_BYTES // pixels[0].nbytes)
    for top in range(0, height, step):
        band = _as_bytes(pixels[top : top + step])
        # Before each line the number of its filter: 0, none.
        lines = np.zeros((len(band), 1 + band.shape[1]), np.uint8)
        lines[:, 1:] = band
        write(b"IDAT", deflate.compress(lines))
    write(b"IDAT", deflate.flush())
    write(b"IEND", b"")
    return file.getvalue()


def _write_chunk(file, name, data):
    file.write(struct.pack(">I", len(data)))
    file.write(name)
    file.write(data)
    file.write(_checksum(data, zlib.crc32(name)))


def _checksum(data, before=0):
    return struct.pack(">I", zlib.crc32(data, before))


def _as_bytes(pixels):
    """Lines of bytes, the higher byte of 16 bits first."""
    if pixels.itemsize == 2:
        pixels = pixels.astype(">u2")
    return np.ascontiguousarray(pixels).reshape(len(pixels), -1).view(np.uint8)


def _entropy(values):
    """Bits that a code of single values needs for each of them."""
    counts = np.bincount(values.reshape(-1))
    counts = counts[counts > 0]
    total = max(counts.sum(), 1)
    return float(np.log2(total) - (counts * np.log2(counts)).sum() / total)
