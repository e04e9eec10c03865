"""Gray images of 16 bits: as words without a loss, or through a window."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_folders import CHINA
from key_arrays import BYTES
from PIL import Image, TiffImagePlugin

from tfpe import CIPHERS, Key, Preparation
from tfpe.ciphers.cache import TransformCache
from tfpe.errors import CipherOptionError, ImageError, ImageFileError
from tfpe.pixels.byte_planes import from_planes, to_planes
from tfpe.pixels.codec import decode_image, prepare_image, read_image
from tfpe.pixels.depth import window_levels
from tfpe.pixels.png import encode_png

KEY = Key(bytes(range(32)))
WORDS = CHINA[:24, :20, 0].astype(np.uint16) * 257 ^ CHINA[24:48, :20, 1]


def encoded(words, kind="TIFF", **arguments):
    file = io.BytesIO()
    Image.fromarray(words).save(file, kind, **arguments)
    return file.getvalue()


@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9)), st.booleans(), st.integers(0, 99)
)
def test_words_and_planes(size, batched, seed):
    shape = (3, *size, 1) if batched else (*size, 1)
    random = np.random.default_rng(seed)
    words = random.integers(0, 2**16, shape, np.uint16)
    planes = to_planes(words)
    assert planes.dtype == np.uint8
    np.testing.assert_array_equal(planes[..., : size[1], :], words >> 8)
    np.testing.assert_array_equal(from_planes(planes, words.dtype), words)
    images = planes[..., :1, :]
    assert from_planes(to_planes(images), images.dtype) is images


def test_what_has_no_planes():
    for wrong in (np.zeros((4, 4, 3), np.uint16), np.zeros((4, 4, 1), np.float32)):
        with pytest.raises(ImageError):
            to_planes(wrong)
    for wrong in (np.zeros((4, 5, 1), np.uint8), np.zeros((4, 4, 3), np.uint8)):
        with pytest.raises(ImageError):
            from_planes(wrong, np.uint16)


@pytest.mark.parametrize("cipher", BYTES)
def test_every_cipher_takes_words(cipher):
    words = np.stack([WORDS, WORDS.T[::-1].reshape(WORDS.shape)])[..., None]
    gray = {"channel_shuffle"} & CIPHERS[cipher].defaults.keys()
    options = dict.fromkeys(gray, False)
    encrypt, decrypt = (
        TransformCache(CIPHERS[cipher], KEY, options, invert=invert)
        for invert in (False, True)
    )
    ciphertext = encrypt.apply(words[:, :, :16])
    assert ciphertext.dtype == np.uint16 and ciphertext.shape == (2, 24, 16, 1)
    np.testing.assert_array_equal(decrypt.apply(ciphertext), words[:, :, :16])
    # The same algebra: a gray image of bytes, twice as wide.
    transform = CIPHERS[cipher](KEY, (24, 32, 1), **options)
    planes = transform(to_planes(words[:, :, :16]))
    np.testing.assert_array_equal(to_planes(ciphertext), planes)
    assert (ciphertext != words[:, :, :16]).any() or cipher == "identity"


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_files_of_words(kind):
    data = encoded(WORDS, kind)
    with pytest.raises(ImageFileError, match="depth 16.*window CENTER WIDTH"):
        decode_image(data)
    words = decode_image(data, depth=16)
    np.testing.assert_array_equal(words[..., 0], WORDS)
    png = encode_png(words)
    assert Image.open(io.BytesIO(png)).mode == "I;16"
    np.testing.assert_array_equal(decode_image(png, depth=16), words)
    levels, lost = prepare_image(data, Preparation(window=(50000, 30000)))
    np.testing.assert_array_equal(levels[..., 0], window_levels(WORDS, 50000, 30000))
    assert lost == ["window"] and 0 < levels.mean() < 255
    with pytest.raises(ImageFileError, match="Only DICOM files name a window"):
        prepare_image(data, Preparation(window="own"))


def test_the_order_of_bytes_and_the_orientation():
    exif = Image.Exif()
    exif[274] = 6
    turned = decode_image(encoded(WORDS, "PNG", exif=exif), depth=16)
    np.testing.assert_array_equal(turned[..., 0], np.rot90(WORDS, -1))
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[262] = 0  # white is zero
    _, _, stored = read_image(encoded(WORDS, tiffinfo=tags), Preparation(depth=16))
    assert stored == {"inverted": True}
    big = io.BytesIO()
    Image.frombytes("I;16B", WORDS.T.shape, WORDS.astype(">u2").tobytes()).save(
        big, "TIFF"
    )
    words = decode_image(big.getvalue(), depth=16)
    np.testing.assert_array_equal(words[..., 0], WORDS)


def test_bytes_stay_bytes():
    for pixels in (CHINA[:8, :8], CHINA[:8, :8, :1]):
        for kind in ({"depth": 16}, {"window": (40, 400)}):
            found, lost = prepare_image(encode_png(pixels), Preparation(**kind))
            np.testing.assert_array_equal(found, pixels)
            assert lost == []


def test_words_get_a_size():
    words = np.repeat(np.repeat(WORDS[..., None], 4, 0), 4, 1)
    small = Preparation(size=WORDS.shape, depth=16).apply(words)
    assert small.dtype == np.uint16 and small.shape == (*WORDS.shape, 1)
    error = np.abs(small[2:-2, 2:-2, 0] - WORDS[2:-2, 2:-2].astype(float))
    assert np.median(error) < 2000  # of 65,535
    flat = Preparation(size=(9, 7), fit="pad", depth=16).apply(words * 0 + 65535)
    assert set(flat.ravel()) <= {0, 65535}


@pytest.mark.parametrize(
    "wrong",
    [
        {"depth": 8}, {"depth": "16"}, {"depth": 16, "window": (1, 2)},
        {"depth": 16, "color": "rgb"}, {"window": (40, 0.5)}, {"window": (40,)},
        {"window": "auto"}, {"window": 40}, {"window": (float("nan"), 2)},
        {"window": "40"},
    ],
    ids=str,
)  # fmt: skip
def test_wrong_preparations(wrong):
    with pytest.raises(CipherOptionError, match="window|depth"):
        Preparation(**wrong)


def test_preparations_in_manifests():
    for kind in ({"depth": 16}, {"window": (-600, 1500.5)}, {"window": "own"}):
        preparation = Preparation(**kind)
        assert Preparation.from_json(preparation.to_json()) == preparation
    assert Preparation(window=(40.0, 400)).to_json() == {"window": [40, 400]}
