"""What is done to pictures before they are encrypted: size, gray or RGB, conversions.

None of it has an inverse, so it is no part of the algebra: decryption gives back the
prepared pictures. The manifest says what was done, and new images for a model that was
trained on the ciphertext are prepared alike.
"""

import dataclasses
import math

import numpy as np
from PIL import Image

from tfpe.checks import one_of, true_or_false, whole_number
from tfpe.errors import CipherOptionError, ImageError, ManifestError

FITS = ("crop", "pad", "stretch")
COLORS = ("gray", "rgb")
CHANNELS = {"gray": 1, "rgb": 3}
KINDS = {"u1": (1, 3), "u2": (1,)}  # of pixels: dtype, in any byte order, and channels
MAX_SIDE = 2**14
# Antialiased: a picture made small is averaged, and not one pixel in twenty taken.
FILTER = Image.Resampling.LANCZOS
REDUCING_GAP = 3.0  # as without it to the eye, at a third of the time on photographs


@dataclasses.dataclass(frozen=True)
class Preparation:
    """How pictures are prepared for encryption; by default they stay as they are.

    Attributes:
        size: (height, width) of the result; None keeps each picture as it is.
        fit: what happens to a picture of another shape than `size`: "crop" cuts off
            what is too long, as much at both ends; "pad" puts black bars beside it;
            "stretch" distorts it. "crop" by default where there is a size.
        color: "gray" or "rgb" makes all pictures so; None keeps each as it is.
        convert: whether files are taken that lose something in 8 bits of gray or RGB:
            CMYK (its colour profile), transparency (put on white), several frames or
            pages (all but the first).
        depth: 16 takes gray of more than 8 bits without a loss, as 16-bit words; what
            has 8 bits stays so. Not with `window` or color="rgb".
        window: (center, width) reduces gray of more than 8 bits, and DICOM, to 8 bits:
            what lies in the window is spread over the 256 levels. Its unit is that of
            DICOM (rescaled values), or levels for other files. "own" takes the window
            that each DICOM file names.

    Raises:
        CipherOptionError: an attribute does not fit.

    Example:

    >>> square = Preparation(size=(8, 8), fit="pad")
    >>> square.apply(np.full((10, 20, 3), 255, np.uint8))[:, 4, 0].tolist()
    [0, 0, 255, 255, 255, 255, 0, 0]
    """

    size: tuple | None = None
    fit: str | None = None
    color: str | None = None
    convert: bool = False
    depth: int | None = None
    window: tuple | str | None = None

    def __post_init__(self):
        if self.size is not None:
            object.__setattr__(self, "size", _checked_size(self.size))
        elif self.fit is not None:
            raise CipherOptionError(
                f"`fit` needs a `size`. Received: fit={self.fit!r} without one"
            )
        if self.fit is None and self.size is not None:
            object.__setattr__(self, "fit", FITS[0])
        if self.fit is not None:
            one_of(self.fit, FITS, "fit")
        if self.color is not None:
            one_of(self.color, COLORS, "color")
        true_or_false(self.convert, "convert")
        if self.depth is not None:
            one_of(self.depth, (16,), "depth")
            if self.window is not None or self.color == "rgb":
                raise CipherOptionError(
                    "`depth=16` is for gray without a `window`. Received: "
                    f"window={self.window!r}, color={self.color!r}"
                )
        if self.window is not None:
            object.__setattr__(self, "window", _checked_window(self.window))

    def apply(self, pixels):
        """Pixels in the size and colours that are asked for.

        Args:
            pixels: `uint8 (height, width, 1 or 3)` or `uint16 (height, width, 1)`.

        Returns:
            Such an array; `pixels` itself where nothing is to do. Colours become gray
            as in Pillow, by the weights of ITU-R 601-2; sizes change by its Lanczos
            filter, on all pixels (antialiased).

        Raises:
            ImageError: `pixels` are no such array.
        """
        shape = self.shape(_checked(pixels).shape)
        if shape == pixels.shape:
            return pixels
        if pixels.dtype == np.uint16:
            return self._resized_words(pixels)
        mode = "L" if shape[2] == 1 else "RGB"
        image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
        if image.mode == "RGB" and mode == "L":
            image = image.convert(mode)
        image = image if self.size is None else self._resized(image)
        # Gray is resized before it gets three equal channels: a third of the work.
        pixels = np.array(image if image.mode == mode else image.convert(mode))
        return pixels.reshape(shape)

    def shape(self, shape):
        """(height, width, channels) of what `apply` makes of a picture of `shape`."""
        height, width = self.size or shape[:2]
        return height, width, CHANNELS.get(self.color, shape[2])

    def losses(self, shape):
        """What `apply` takes from a picture of `shape` for good, in words; a list."""
        after = self.shape(shape)
        return ["size"] * (after[:2] != tuple(shape[:2])) + ["colors"] * (
            after[2] < shape[2]
        )

    def to_json(self):
        """What a manifest holds under "preparation": a dict of what is asked for."""
        given = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(self).items()
        }
        return {name: value for name, value in given.items() if value not in (None, 0)}

    @classmethod
    def from_json(cls, document):
        """The `Preparation` of a manifest; `None` (an older one) is none at all.

        Raises:
            ManifestError: it is none that this version of tfpe knows.
        """
        try:
            return cls(**(document or {}))
        except (TypeError, CipherOptionError) as error:
            raise ManifestError(
                "`preparation` of a manifest should be one that this tfpe knows. "
                f"Received: {document!r}"
            ) from error

    def _resized_words(self, pixels):
        # Pillow resizes words of 16 bits as floats only.
        image = self._resized(Image.fromarray(pixels[..., 0].astype(np.float32)))
        levels = np.rint(np.array(image))
        return np.clip(levels, 0, 2**16 - 1).astype(np.uint16)[..., None]

    def _resized(self, image):
        height, width = self.size
        if image.size == (width, height):
            return image
        if self.fit == "crop":
            box = _middle(image.size, width / height)
            return image.resize(
                (width, height), FILTER, box=box, reducing_gap=REDUCING_GAP
            )
        if self.fit == "stretch":
            return image.resize((width, height), FILTER, reducing_gap=REDUCING_GAP)
        scale = min(width / image.width, height / image.height)
        inner = tuple(
            min(most, max(1, round(side * scale)))
            for side, most in zip(image.size, (width, height), strict=True)
        )
        small = image.resize(inner, FILTER, reducing_gap=REDUCING_GAP)
        padded = Image.new(image.mode, (width, height))
        padded.paste(small, ((width - inner[0]) // 2, (height - inner[1]) // 2))
        return padded


def check_preparation(preparation):
    """A `Preparation`, also for None, or `CipherOptionError` where it is another."""
    if preparation is None:
        return Preparation()
    if not isinstance(preparation, Preparation):
        raise CipherOptionError(
            "`preparation` should be a tfpe.Preparation. Received: "
            f"{type(preparation).__name__}"
        )
    return preparation


def _middle(size, aspect):
    """The largest box (left, upper, right, lower) of this aspect, in the middle."""
    width, height = size
    inner = min(width, height * aspect), min(height, width / aspect)
    left, upper = (width - inner[0]) / 2, (height - inner[1]) / 2
    return left, upper, left + inner[0], upper + inner[1]


def _checked_size(size):
    try:
        height, width = size
    except (TypeError, ValueError):
        height = width = None
    if height is None or isinstance(size, str):
        raise CipherOptionError(
            f"`size` should be (height, width). Received: size={size!r}"
        )
    sides = whole_number(height, "size"), whole_number(width, "size")
    if max(sides) > MAX_SIDE:
        raise CipherOptionError(
            f"`size` should be at most {MAX_SIDE} a side. Received: size={sides}"
        )
    return sides


def _checked_window(window):
    if isinstance(window, str) and window == "own":
        return window
    try:
        center, width = (float(number) for number in window)
        fits = math.isfinite(center) and 1 <= width < math.inf
    except (TypeError, ValueError):
        fits = False
    if not fits or isinstance(window, str):
        raise CipherOptionError(
            "`window` should be (center, width), width at least 1, or 'own'. "
            f"Received: window={window!r}"
        )
    return tuple(int(n) if n.is_integer() else n for n in (center, width))


def _checked(pixels):
    fits = isinstance(pixels, np.ndarray) and pixels.ndim == 3 and pixels.size
    if not fits or pixels.shape[2] not in KINDS.get(pixels.dtype.str[1:], ()):
        received = getattr(pixels, "dtype", type(pixels).__name__)
        raise ImageError(
            "`pixels` should be uint8 of shape (height, width, 1 or 3), or uint16 of "
            "shape (height, width, 1). Received: "
            f"{received} of shape {getattr(pixels, 'shape', None)}"
        )
    return pixels
