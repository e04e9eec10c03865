"""Image files in and out: PNG, JPEG, WebP, BMP, TIFF, GIF, DICOM to exact pixels.

Pixels are taken as they are stored, turned as EXIF says; what cannot become 8 bits of
gray or RGB without a loss is refused, unless a `Preparation` allows the loss, which is
named, or 16 bits of gray. Nothing but pixels comes out again.

Damage inside a JPEG is not always told: its data carry no checksum, and libjpeg decodes
flipped bits to other pixels without a word. They are encrypted as they decode. The same
holds of BMP and uncompressed TIFF; PNG has checksums, which are checked.
"""

import hashlib
import io

import numpy as np
from PIL import Image, ImageOps

from tfpe.errors import ImageFileError
from tfpe.pixels.depth import Gray, to_depth
from tfpe.pixels.dicom import is_dicom, read_dicom
from tfpe.pixels.png import SIGNATURE, require_checksums
from tfpe.pixels.preparation import Preparation

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
# The mode that each mode of Pillow becomes, all without a loss.
MODES = {
    **dict.fromkeys(("1", "L", "LA"), "L"),
    **dict.fromkeys(("P", "PA", "RGB", "RGBA", "RGBX"), "RGB"),
}
LOSSY_MODES = {"CMYK": "RGB"}
DEEP_MODES = ("I;16", "I;16B", "I;16L")
TIFF_BITS_PER_SAMPLE, TIFF_SAMPLES_PER_PIXEL, TIFF_SAMPLE_FORMAT = 258, 277, 339
TIFF_PHOTOMETRIC, WHITE_IS_ZERO = 262, 0
PNG_BIT_DEPTH = 24
JPEG_MAX_SIDE = 65_500  # of libjpeg


def decode_image(data, depth=None):
    """The pixels of an image file.

    Args:
        data: the bytes of a PNG, JPEG, WebP, BMP, TIFF, GIF or DICOM file.
        depth: 16 takes gray of more than 8 bits too.

    Returns:
        `uint8 (height, width, channels)`, 1 or 3 channels, turned as its EXIF
        orientation says; `uint16` of 1 channel where it has more bits. Palettes become
        RGB, 1 bit becomes gray, a fully opaque alpha channel is dropped. Colour
        profiles are not applied.

    Raises:
        ImageFileError: damaged, cut short, another format, transparent, animated,
            CMYK, more bits or more samples a pixel than gray, RGB and alpha have, or
            too large (a decompression bomb).

    Example:

    >>> from tfpe.pixels.png import encode_png
    >>> pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    >>> bool((decode_image(encode_png(pixels)) == pixels).all())
    True
    """
    return prepare_image(data, Preparation(depth=depth))[0]


def prepare_image(data, preparation):
    """The pixels of an image file as they are to be encrypted, and what they lost.

    Args:
        data: as for `decode_image`.
        preparation: a `tfpe.pixels.preparation.Preparation`.

    Returns:
        `uint8 (height, width, channels)` or `uint16 (height, width, 1)`, and a list of
        words, empty without a loss: "window", "frames", "cmyk", "transparency",
        "colors", "size".

    Raises:
        ImageFileError: as `decode_image`, but for what `preparation` converts.

    Example:

    >>> from tfpe.pixels.png import encode_png
    >>> png = encode_png(np.zeros((4, 6, 3), np.uint8))
    >>> pixels, lost = prepare_image(png, Preparation(size=(2, 2), color="gray"))
    >>> pixels.shape, lost
    ((2, 2, 1), ['size', 'colors'])
    """
    return read_image(data, preparation)[:2]


def read_image(data, preparation):
    """As `prepare_image`; and what gray pixels do not tell of the file, a dict.

    That is what `tfpe.pixels.depth.to_depth` says of them.
    """
    stored = {}
    if is_dicom(data):
        picture = read_dicom(data)
        pixels, lost = picture, []
        if isinstance(picture, Gray):
            pixels, lost, stored = to_depth(picture, preparation)
    else:
        pixels, lost, stored = _open(data, preparation)
    lost = lost + preparation.losses(pixels.shape)
    return preparation.apply(pixels), lost, stored


def encode_jpeg(pixels, quality, subsampling="4:4:4"):
    """The bytes of a JPEG file of `pixels`, which it keeps with a loss.

    Args:
        pixels: `uint8 (H, W, 1 or 3)`.
        quality: 1 to 100, libjpeg's scale.
        subsampling: of the colour differences: "4:4:4", "4:2:2" or "4:2:0".

    Raises:
        ImageFileError: more than 8 bits, or a side of more than 65,500 pixels.
    """
    if pixels.dtype != np.uint8 or max(pixels.shape) > JPEG_MAX_SIDE:
        raise ImageFileError(
            f"JPEG holds 8 bits and at most {JPEG_MAX_SIDE:,} pixels a side. "
            f"Received: {pixels.dtype} of shape {pixels.shape}"
        )
    if pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(
        file, "JPEG", quality=quality, subsampling=subsampling
    )
    return file.getvalue()


def pixel_digest(pixels):
    """SHA-256 of shape and pixels, which any lossless copy of the file keeps.

    Example:

    >>> pixel_digest(np.zeros((1, 1, 3), np.uint8))[:16]
    'e814703d04ab4521'
    """
    shape = "x".join(str(size) for size in pixels.shape)
    digest = hashlib.sha256(f"{shape}\n".encode())
    digest.update(np.ascontiguousarray(pixels).data)  # no copy: pictures are large
    return digest.hexdigest()


def _open(data, preparation):
    try:
        if data.startswith(SIGNATURE):
            require_checksums(data)  # the one format of which Pillow verifies anything
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.mode in DEEP_MODES:
                return to_depth(_deep(image), preparation)
            return *_pixels(image, data, preparation.convert), {}
    except ImageFileError:
        raise
    except Image.UnidentifiedImageError:
        raise ImageFileError(
            f"Image files should be whole and one of {(*FORMATS, 'DICOM')}. "
            "Received: a file that is damaged or none of them"
        ) from None
    except Exception as error:  # decoders raise a dozen kinds on damaged files
        raise ImageFileError(
            f"Image file cannot be read: {error or type(error).__name__}"
        ) from error


def _deep(image):
    """A `Gray` of a 16-bit PNG or TIFF."""
    tags = image.tag_v2 if image.format == "TIFF" else {}
    if getattr(image, "n_frames", 1) > 1 or "transparency" in image.info:
        _refuse(
            "one opaque picture", "several pages or a transparent level, of 16 bits"
        )
    bits = max(tags.get(TIFF_BITS_PER_SAMPLE, (16,)))
    inverted = tags.get(TIFF_PHOTOMETRIC) == WHITE_IS_ZERO
    pixels = np.array(ImageOps.exif_transpose(image)).astype(np.int64)
    return Gray(pixels, bits, inverted=inverted)


def _pixels(image, data, convert):
    """The pixels, and what was lost; where `convert` is false, losses are refused."""

    def lose(what, expected, received):
        if not convert:
            _refuse(expected, f"{received}; `convert` takes them, with that loss")
        lost.append(what)

    lost, modes = [], MODES | LOSSY_MODES
    # Phones write MPO, a JPEG with more pictures behind it: the first is the image.
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        lose("frames", "one picture", f"{image.n_frames} frames or pages")
    if image.mode in LOSSY_MODES:
        lose("cmyk", "gray or RGB with 8 bits a channel", f"mode {image.mode}")
    elif image.mode not in MODES:
        _refuse("gray or RGB with 8 bits a channel", f"mode {image.mode}")
    _check_depth(image, data)
    mode = modes[image.mode]
    ImageOps.exif_transpose(image, in_place=True)
    if "transparency" in image.info or image.mode == "PA":
        image = image.convert("RGBA")
    if "A" in image.getbands() and image.getchannel("A").getextrema()[0] < 255:
        lose("transparency", "opaque", "transparent pixels")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    if image.mode != mode:
        image = image.convert(mode)
    pixels = np.array(image)
    return (pixels[..., None] if mode == "L" else pixels), lost


def _check_depth(image, data):
    """Refuses the bits above 8, and the samples, that Pillow drops without a word."""
    depths, sample_formats = (8,), (1,)
    if image.format == "PNG":
        depths = (data[PNG_BIT_DEPTH],)
    elif image.format == "TIFF":
        depths = image.tag_v2.get(TIFF_BITS_PER_SAMPLE, (1,))
        sample_formats = image.tag_v2.get(TIFF_SAMPLE_FORMAT, (1,))
        samples = image.tag_v2.get(TIFF_SAMPLES_PER_PIXEL, 1)
        if samples > len(image.getbands()):
            _refuse(f"{image.mode} without more samples", f"{samples} a pixel")
    if max(depths) > 8 or set(sample_formats) != {1}:
        received = f"{max(depths)} bits, or signed or real values"
        _refuse("of 8 bits a channel, or gray of 16", received)


def _refuse(expected, received):
    raise ImageFileError(f"Images should be {expected}. Received: {received}")
