"""PNG files as they are written: exact, for every reader, small where it pays."""

import io
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.datasets import load_sample_image

from tfpe import CIPHERS, Key
from tfpe.pixels.codec import decode_image
from tfpe.pixels.png import encode_png, filtered_lines, packed_lines, stored

KEY = Key(bytes(range(32)))
PHOTOGRAPH = load_sample_image("flower.jpg")[:416, :640]
WAYS = (encode_png, stored, packed_lines, filtered_lines)


def level_1(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def image(seed, height, width, channels, dtype, kind):
    rng = np.random.default_rng(seed)
    if kind == "noise":
        values = rng.integers(0, np.iinfo(dtype).max, (height, width, channels))
    elif kind == "flat":
        values = np.full((height, width, channels), rng.integers(0, 256))
    else:  # a ramp, whose lines differ by little
        values = np.add.outer(np.arange(height), np.arange(width))[..., None]
        values = values + rng.integers(0, 9, channels)
    return values.astype(dtype)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32),
    st.integers(1, 90),
    st.sampled_from([1, 2, 31, 700]),
    st.sampled_from([(1, np.uint8), (3, np.uint8), (1, np.uint16)]),
    st.sampled_from(["noise", "flat", "ramp"]),
)
def test_every_way_gives_the_pixels_back(seed, height, width, form, kind):
    pixels = image(seed, height, width, *form, kind)
    for way in WAYS:
        found = decode_image(way(pixels), depth=16 if form[1] == np.uint16 else None)
        assert found.dtype == pixels.dtype and np.array_equal(found, pixels), way
    part = pixels[::-1, ::-1]  # not in the order of memory
    assert np.array_equal(decode_image(stored(part), depth=16), part)


@pytest.mark.parametrize("way", WAYS)
def test_tensorflow_reads_them(way):
    import tensorflow as tf

    for pixels in (PHOTOGRAPH[:50, :70], PHOTOGRAPH[..., :1]):
        assert np.array_equal(tf.io.decode_png(way(pixels)), pixels)
    words = PHOTOGRAPH[..., :1].astype(np.uint16) * 257
    assert np.array_equal(tf.io.decode_png(way(words), dtype=tf.uint16), words)


@pytest.mark.parametrize("name", ["le", "pbe", "logistic", "ele"])
def test_what_hardly_shrinks_is_stored(name):
    cipher = CIPHERS[name](KEY, PHOTOGRAPH.shape)(PHOTOGRAPH)
    assert encode_png(cipher) == stored(cipher)
    assert len(stored(cipher)) < 1.01 * cipher.nbytes
    small = CIPHERS[name](KEY, (32, 32, 3))(PHOTOGRAPH[:32, :32])
    assert encode_png(small) == stored(small)


def test_what_shrinks_is_about_as_small_as_level_1_makes_it():
    etc = CIPHERS["etc"](KEY, PHOTOGRAPH.shape, block_size=16)(PHOTOGRAPH)
    flat = np.full(PHOTOGRAPH.shape, 7, np.uint8)
    # Blocks of one colour become a pattern of le: only what repeats tells.
    le = CIPHERS["le"](KEY, flat.shape)(flat)
    for pixels, way in (
        (PHOTOGRAPH, filtered_lines),
        (etc, filtered_lines),
        (le, packed_lines),
    ):
        assert encode_png(pixels) == way(pixels)
        assert len(encode_png(pixels)) < 1.1 * len(level_1(pixels)) < pixels.nbytes


def test_a_large_file_is_right_and_made_without_a_copy_of_its_pixels():
    pixels = image(0, 2400, 2400, 3, np.uint8, "noise")
    tracemalloc.start()
    data = encode_png(pixels)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(data) > pixels.nbytes and peak < 1.4 * pixels.nbytes
    assert np.array_equal(decode_image(data), pixels)  # of many bands
