"""What is done to pictures before encryption, and the loss that it names."""

import dataclasses
import io
import json

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from image_folders import CHINA, FLOWER
from PIL import Image
from skimage.metrics import structural_similarity

from tfpe.errors import CipherOptionError, ImageError, ImageFileError, ManifestError
from tfpe.pixels.codec import decode_image, prepare_image
from tfpe.pixels.preparation import COLORS, FITS, Preparation

PHOTO = np.ascontiguousarray(CHINA[:120, :200])
ALPHA = np.linspace(0, 255, 200).astype(np.uint8)[None].repeat(120, 0)

sizes = st.tuples(st.integers(1, 40), st.integers(1, 40))
preparations = st.builds(
    lambda size, fit, color: Preparation(size, size and fit, color),
    st.none() | sizes,
    st.sampled_from(FITS),
    st.sampled_from((None, *COLORS)),
)


def encoded(image, format="PNG", **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


@hypothesis.given(preparations, sizes, st.sampled_from((1, 3)))
def test_every_preparation_gives_what_it_says(preparation, size, channels):
    pixels = FLOWER[: size[0], : size[1], :channels]
    prepared = preparation.apply(pixels)
    assert prepared.dtype == np.uint8
    assert prepared.shape == preparation.shape(pixels.shape)
    lost = preparation.losses(pixels.shape)
    if not lost:
        np.testing.assert_array_equal(prepared[..., 0], pixels[..., 0])
    # Prepared pictures stay as they are: a second run over them changes nothing.
    np.testing.assert_array_equal(preparation.apply(prepared), prepared)
    assert preparation.losses(prepared.shape) == []
    document = json.loads(json.dumps(preparation.to_json()))
    assert Preparation.from_json(document) == preparation


@hypothesis.given(st.integers(0, 255), sizes, sizes, st.sampled_from(FITS))
def test_one_colour_stays_one_colour(level, size, before, fit):
    pixels = np.full((*before, 3), level, np.uint8)
    prepared = Preparation(size, fit).apply(pixels)
    inside = prepared.any(-1) if fit == "pad" else np.ones(size, bool)
    assert (prepared[inside] == level).all()
    if fit == "pad":  # one side is filled, and the picture is in the middle
        assert level == 0 or inside.all(0).any() or inside.all(1).any()
        margins = [np.flatnonzero(inside.any(axis)) for axis in (0, 1)]
        for places, length in zip(margins, size[::-1], strict=True):
            if level:
                assert abs(places[0] - (length - 1 - places[-1])) <= 1


def test_sizes_change_antialiased():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    small = Preparation((16, 16)).apply(stripes)[:, 2:-2]
    assert (
        abs(small.astype(int) - 127).max() < 20
    )  # one pixel in four would be 0 or 255


def test_a_photograph_under_each_fit():
    crop = Preparation((60, 60)).apply(PHOTO)
    middle = Image.fromarray(PHOTO[:, 40:160]).resize((60, 60), Image.BOX)
    stretched = Preparation((60, 60), "stretch").apply(PHOTO)
    whole = Image.fromarray(PHOTO).resize((60, 60), Image.BICUBIC)
    padded = Preparation((60, 100), "pad").apply(PHOTO)
    half = Image.fromarray(PHOTO).resize((100, 60), Image.BOX)
    for ours, other in ((crop, middle), (stretched, whole), (padded, half)):
        assert structural_similarity(ours, np.array(other), channel_axis=-1) > 0.95
    np.testing.assert_array_equal(
        Preparation(color="gray").apply(PHOTO)[..., 0],
        np.array(Image.fromarray(PHOTO).convert("L")),
    )


WRONG = {
    "fit alone": {"fit": "pad"},
    "unknown fit": {"size": (8, 8), "fit": "zoom"},
    "unknown colour": {"color": "sepia"},
    "no size": {"size": (0, 8)},
    "a number": {"size": 8},
    "text": {"size": "8x8"},
    "fraction": {"size": (8.0, 8)},
    "huge": {"size": (8, 10**6)},
    "not a bool": {"convert": 1},
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_preparations_are_refused(name):
    with pytest.raises(CipherOptionError, match="should be|needs a"):
        Preparation(**WRONG[name])
    with pytest.raises(ManifestError, match="preparation"):
        Preparation.from_json(WRONG[name])


def test_other_pixels_are_refused():
    for pixels in (PHOTO[..., 0], PHOTO / 255, PHOTO[None], PHOTO[:0], "a"):
        with pytest.raises(ImageError, match="`pixels` should be uint8"):
            Preparation((8, 8)).apply(pixels)
    with pytest.raises(ManifestError, match="knows"):
        Preparation.from_json({"sharpen": True})
    assert Preparation.from_json(None) == Preparation() == Preparation.from_json({})
    with pytest.raises(dataclasses.FrozenInstanceError):
        Preparation().size = (8, 8)


RGB = Image.fromarray(PHOTO)
RGBA = Image.fromarray(np.dstack([PHOTO, ALPHA]))
FRAMES = {"save_all": True, "append_images": [RGB.rotate(90), RGB.rotate(180)]}
PALETTE = RGB.quantize(16)
ON_WHITE = (
    PHOTO * (ALPHA / 255)[..., None] + 255 * (1 - ALPHA / 255)[..., None]
)  # fmt: skip

CONVERTED = {
    "cmyk": (encoded(RGB.convert("CMYK"), "TIFF"), PHOTO, ["cmyk"]),
    "transparent": (encoded(RGBA), ON_WHITE, ["transparency"]),
    "gif": (
        encoded(PALETTE, "GIF", save_all=True, append_images=[PALETTE.rotate(180)]),
        np.array(PALETTE.convert("RGB")),
        ["frames"],
    ),
    "webp": (encoded(RGB, "WEBP", lossless=True, **FRAMES), PHOTO, ["frames"]),
    "apng": (encoded(RGB, **FRAMES), PHOTO, ["frames"]),
    "pages": (encoded(RGB, "TIFF", **FRAMES), PHOTO, ["frames"]),
    "gray and transparent": (
        encoded(RGBA.convert("LA")),
        np.array(Image.fromarray(ON_WHITE.astype(np.uint8)).convert("L"))[..., None],
        ["transparency"],
    ),
}


@pytest.mark.parametrize("name", CONVERTED)
def test_conversions_are_asked_for_and_named(name):
    data, expected, loss = CONVERTED[name]
    with pytest.raises(ImageFileError, match="`convert` takes them"):
        decode_image(data)
    pixels, lost = prepare_image(data, Preparation(convert=True))
    assert lost == loss
    assert pixels.shape == expected.shape
    assert abs(pixels.astype(float) - expected).max() <= 2
    both = Preparation((30, 30), color="gray", convert=True)
    colours = ["colors"] * (expected.shape[2] == 3)
    assert prepare_image(data, both)[1] == [*loss, "size", *colours]


def test_what_is_lossless_needs_no_asking():
    for image in (PALETTE, RGB, RGB.convert("RGBA"), RGB.convert("1")):
        formats = ("PNG", "GIF") if image is PALETTE else ("PNG",)
        for format in formats:
            pixels, lost = prepare_image(encoded(image, format), Preparation())
            assert lost == []
            kind = "L" if image.mode == "1" else "RGB"
            same = np.array(image.convert(kind)).reshape(pixels.shape)
            np.testing.assert_array_equal(pixels, same)
