"""Ciphertexts of photographs as files: how small, and how fast written and read."""

import io
import time

import numpy as np

from tfpe.ciphers import CIPHERS
from tfpe.errors import TfpeError
from tfpe.lab.bench.rows import short
from tfpe.pixels.padding import pad_to_blocks
from tfpe.pixels.png import encode_png, filtered_lines, packed_lines, stored

CHOSEN = "as chosen"
ROUNDS = 3


def measure_codings(key, name):
    """What files of the ciphertexts of six photographs take.

    Returns:
        A dict from each way to bytes of the file for each byte of the pixels, and MB/s
        of pixels that one core writes and reads. "as chosen" is what `encode_png` does.
    """
    row = CIPHERS[name]
    images = [pad_to_blocks(p, row.block_size(**row.check())) for p in _photographs()]
    ciphers = [row(key, image.shape)(image) for image in images]
    total, found = sum(cipher.nbytes for cipher in ciphers), {}
    for way, encode in _WAYS.items():
        write, files = _best(encode, ciphers)
        read, pixels = _best(_decode, files)
        if not all(map(np.array_equal, pixels, ciphers)):
            raise TfpeError(f"{way} should keep each pixel of {name}")
        size = sum(map(len, files)) / total
        speeds = total / write / 1e6, total / read / 1e6
        found[way] = [short(number) for number in (size, *speeds)]
    return found


def _best(function, arguments):
    seconds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        results = [function(argument) for argument in arguments]
        seconds.append(time.process_time() - start)
    return min(seconds), results


def _pillow(pixels, form, **options):
    from PIL import Image

    file = io.BytesIO()
    shown = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    Image.fromarray(shown).save(file, form, **options)
    return file.getvalue()


def _decode(data):
    from PIL import Image

    pixels = np.asarray(Image.open(io.BytesIO(data)))
    return pixels if pixels.ndim == 3 else pixels[..., None]


_WAYS = {
    CHOSEN: encode_png,
    "stored": stored,
    "no filters, level 1": packed_lines,
    "filters, runs": filtered_lines,
    "filters, level 1": lambda x: _pillow(x, "PNG", compress_level=1),
    "WebP, lossless": lambda x: _pillow(x, "WEBP", lossless=True, quality=0, method=0),
}


def _photographs():
    from skimage import data
    from sklearn.datasets import load_sample_images

    taken = data.astronaut(), data.coffee(), data.cat(), data.rocket()
    return [*taken, *load_sample_images().images]
