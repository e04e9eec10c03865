"""A photograph of 63 megapixels is encrypted in less than 2 GB: bytes for each byte."""

import tracemalloc

import numpy as np
import pytest

from tfpe import Key
from tfpe.ciphers import byte_ciphers, find_cipher
from tfpe.ciphers.cache import TransformCache
from tfpe.keys import derivation

KEY, SHAPE = Key(bytes(range(32))), (1200, 1000, 3)
# Of 2 GB: 10.6 for each byte of 9000 x 7000 pixels, of which Python, NumPy and Pillow
# take 0.5, and the image itself 1. (What is told here is a little more than is taken:
# it counts a mask of zeros, which stays unwritten.)
MOST = 9.2
# Python makes a number of each value of the map, and each would be written down.
OPTIONS = {"logistic": {"chaos": "shake256"}}


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("name", byte_ciphers())
def test_the_memory_of_a_large_image(name, invert, monkeypatch):
    pytest.importorskip("cryptography", "46", reason="SHAKE-256 in parts needs it")
    # As small beside this image as the parts are beside one of 63 megapixels.
    monkeypatch.setattr(derivation, "PART_WORDS", 2**14)
    image = np.random.default_rng(0).integers(0, 256, SHAPE, np.uint8)
    options = OPTIONS.get(name, {})
    cache = TransformCache(find_cipher(name), KEY, options, invert=invert)
    tracemalloc.start()
    result = cache.apply(image)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MOST * image.nbytes
    other = TransformCache(find_cipher(name), KEY, options, invert=not invert)
    assert np.array_equal(other.apply(result), image)
