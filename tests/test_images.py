"""Image files to pixels: what is taken without a loss, and what is refused."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo
from sklearn.datasets import load_sample_images

from tfpe.errors import ImageFileError
from tfpe.pixels.codec import decode_image, pixel_digest
from tfpe.pixels.png import encode_png

PHOTO = load_sample_images().images[0][:60, :90]
GRAY = np.asarray(Image.fromarray(PHOTO).convert("L"))
OPAQUE = np.dstack([PHOTO, np.full(PHOTO.shape[:2], 255, np.uint8)])
TRANSPARENT = OPAQUE - np.eye(60, 90, dtype=np.uint8)[..., None] * [0, 0, 0, 1]
ORIENTATION = 0x0112


def encoded(image, format="PNG", **options):
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def palette(**info):
    image = Image.fromarray(PHOTO).quantize(16)
    image.info |= info
    return image


def exif(**tags):
    values = Image.Exif()
    values.update({ORIENTATION: tags["orientation"]})
    return values


def png_of_16_bits():
    """An RGB PNG of 16 bits, which Pillow reads but does not write."""

    def chunk(kind, body):
        crc = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + crc

    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1 + 6))
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", rows), chunk(b"IEND", b"")]
    return encoded(PHOTO)[:8] + b"".join(parts)


def tiff_of_four_samples():
    """RGB and a fourth sample that is no alpha, which Pillow reads as RGB."""
    data = encoded(OPAQUE, "TIFF")
    extra_samples = struct.Struct("<HHII")  # tag, type, count, value
    alpha, other = (extra_samples.pack(338, 3, 1, value) for value in (2, 0))
    assert data.count(alpha) == 1
    return data.replace(alpha, other)


def rgb(image):
    return np.asarray(image.convert("RGB"))


LOSSLESS = {
    "png": (encoded(PHOTO), PHOTO),
    "webp": (encoded(PHOTO, "WEBP", lossless=True), PHOTO),
    "bmp": (encoded(PHOTO, "BMP"), PHOTO),
    "gif": (encoded(palette(), "GIF"), rgb(palette())),
    "tiff": (encoded(PHOTO, "TIFF"), PHOTO),
    "tiff-deflate": (encoded(PHOTO, "TIFF", compression="tiff_deflate"), PHOTO),
    "gray": (encoded(GRAY), GRAY),
    "gray-tiff": (encoded(GRAY, "TIFF"), GRAY),
    "1-bit": (encoded(Image.fromarray(GRAY > 99)), (GRAY > 99) * np.uint8(255)),
    "1-bit-tiff": (
        encoded(Image.fromarray(GRAY > 99), "TIFF"),
        (GRAY > 99) * np.uint8(255),
    ),
    "palette": (encoded(palette()), rgb(palette())),
    "opaque": (encoded(OPAQUE), PHOTO),
    "opaque-webp": (encoded(OPAQUE, "WEBP", lossless=True), PHOTO),
    "gray-opaque": (encoded(Image.fromarray(GRAY).convert("LA")), GRAY),
    "unused-transparent-colour": (encoded(PHOTO, transparency=(1, 2, 3)), PHOTO),
}


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless(name):
    data, expected = LOSSLESS[name]
    pixels = decode_image(data)
    assert pixels.dtype == np.uint8
    assert pixels.shape[-1] == (1 if expected.ndim == 2 else 3)
    np.testing.assert_array_equal(pixels.reshape(expected.shape), expected)


def test_jpeg_is_what_pillow_decodes():
    data = encoded(PHOTO, "JPEG")
    expected = np.asarray(Image.open(io.BytesIO(data)))
    np.testing.assert_array_equal(decode_image(data), expected)


def test_the_first_picture_of_a_phones_mpo():
    image = Image.fromarray(PHOTO)
    data = encoded(image, "MPO", save_all=True, append_images=[image.rotate(180)])
    np.testing.assert_array_equal(
        decode_image(data), decode_image(encoded(image, "JPEG"))
    )


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(format, orientation):
    options = {"lossless": True} if format == "WEBP" else {}
    data = encoded(PHOTO, format, exif=exif(orientation=orientation), **options)
    stored = decode_image(encoded(PHOTO, format, **options))
    turned = Image.fromarray(stored)
    turned.getexif()[ORIENTATION] = orientation
    expected = np.asarray(ImageOps.exif_transpose(turned))
    assert (expected.shape[0] == 90) == (orientation > 4)
    np.testing.assert_array_equal(decode_image(data), expected)


def frames(format):
    image = Image.fromarray(PHOTO)
    rest = [image.rotate(90), image.rotate(180)]
    return encoded(image, format, save_all=True, append_images=rest)


DAMAGED = bytearray(encoded(PHOTO))
DAMAGED[len(DAMAGED) // 2] ^= 1

REFUSED = {
    "transparent": (encoded(TRANSPARENT.astype(np.uint8)), "transparent"),
    "transparent-palette": (encoded(palette(transparency=3)), "transparent"),
    "transparent-palette-bytes": (
        encoded(palette(transparency=b"\x80")),
        "transparent",
    ),
    "transparent-colour": (
        encoded(PHOTO, transparency=tuple(PHOTO[0, 0].tolist())),
        "transparent",
    ),
    "cmyk": (encoded(Image.fromarray(PHOTO).convert("CMYK"), "JPEG"), "CMYK"),
    "16-bit-gray": (encoded(GRAY.astype(np.uint16) * 257), "depth 16"),
    "16-bit-rgb": (png_of_16_bits(), "16 bits"),
    "four-samples": (tiff_of_four_samples(), "4 a pixel"),
    "float": (encoded(GRAY.astype(np.float32), "TIFF"), "mode F"),
    "animated-webp": (frames("WEBP"), "3 frames"),
    "animated-png": (frames("PNG"), "3 frames"),
    "pages": (frames("TIFF"), "3 frames or pages"),
    "animated-gif": (frames("GIF"), "3 frames"),
    "empty": (b"", "Received: a file"),
    "text": (b"no image at all", "Received: a file"),
    "damaged-png": (bytes(DAMAGED), "cannot be read"),
}


def test_no_damage_of_a_png_is_missed():
    """Anywhere before its end, also in chunks that hold no pixels."""
    file, text = io.BytesIO(), PngInfo()
    text.add(b"teXt", b"a\0b", after_idat=True)
    Image.fromarray(PHOTO[:3, :3]).save(file, "PNG", pnginfo=text)
    data = file.getvalue()
    end = len(data) - 12
    for place in range(8, end):
        damaged = bytearray(data)
        damaged[place] ^= 1
        with pytest.raises(ImageFileError):
            decode_image(bytes(damaged))
    for cut in range(8, end + 8):
        with pytest.raises(ImageFileError, match="cut short"):
            decode_image(data[:cut])
    # The checksum of the end, of which nothing depends, may be gone, as in Pillow.
    for whole in (data, data[:-4], data + b"more"):
        assert np.array_equal(decode_image(whole), PHOTO[:3, :3])


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    data, message = REFUSED[name]
    with pytest.raises(ImageFileError, match=message):
        decode_image(data)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_cut_short_at_any_place(format):
    data = encoded(PHOTO, format)
    whole, refused = decode_image(data), 0
    for size in np.linspace(0, len(data) - 1, 25).astype(int):
        try:
            pixels = decode_image(data[:size])
        except ImageFileError:
            refused += 1
        else:  # only an end mark was missing
            np.testing.assert_array_equal(pixels, whole)
    assert refused >= 24


def test_decompression_bomb(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(ImageFileError, match="decompression bomb"):
        decode_image(encoded(PHOTO))


@pytest.mark.parametrize("pixels", [PHOTO, GRAY[..., None]], ids=["rgb", "gray"])
def test_png_round_trip(pixels):
    np.testing.assert_array_equal(decode_image(encode_png(pixels)), pixels)


def test_digest_tells_shape_and_pixels_apart():
    shapes = [(2, 3, 1), (3, 2, 1), (6, 1, 1), (1, 2, 3)]
    digests = {pixel_digest(np.zeros(shape, np.uint8)) for shape in shapes}
    digests.add(pixel_digest(np.ones((2, 3, 1), np.uint8)))
    assert len(digests) == 5
