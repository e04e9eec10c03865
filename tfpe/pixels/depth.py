"""Gray of more than 8 bits: as words of 16, without a loss, or through a window to 8.

Which of the two is for the user to say; neither is chosen here.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from tfpe.errors import ImageFileError

SIGNED_OFFSET = 2**15
TOP = 255


@dataclasses.dataclass(frozen=True)
class Gray:
    """A gray picture as a file stores it.

    Attributes:
        pixels: whole numbers `(H, W)`.
        bits: of a stored value.
        signed: whether stored values may be negative.
        inverted: whether low values are bright.
        modality: `() -> (H, W)`, the values in the unit of a DICOM modality, such as
            Hounsfield units; None where the unit is the level itself.
        own_window: `() -> (center, width)` that a DICOM file names; None elsewhere.
    """

    pixels: np.ndarray
    bits: int
    signed: bool = False
    inverted: bool = False
    modality: Callable | None = None
    own_window: Callable | None = None

    def values(self):
        """The pixels in the unit of windows."""
        return self.pixels if self.modality is None else self.modality()

    def window(self):
        """The (center, width) of the file."""
        if self.own_window is None:
            raise ImageFileError(
                "Only DICOM files name a window of their own; choose a center and a "
                "width. Received: another file"
            )
        return self.own_window()


def window_levels(values, center, width):
    """Values through a window to 256 levels: "LINEAR" of DICOM PS3.3 C.11.2.1.2.1.

    Args:
        values: array of any shape, in the unit of the window.
        center, width: of the window; width at least 1.

    Returns:
        `uint8` of the same shape: 0 below the window, 255 above it, rounded to the
        nearest level between.

    Example:

    >>> window_levels(np.array([-200, 40, 300]), 40, 400).tolist()
    [0, 128, 255]
    """
    values = np.asarray(values, np.float64)
    low, high = center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2
    # A window of width 1 is a step, and has nothing between.
    slope = (values - (center - 0.5)) / max(width - 1, 1) + 0.5
    levels = np.rint(np.clip(slope, 0, 1) * TOP)
    levels = np.where(values <= low, 0, np.where(values > high, TOP, levels))
    return levels.astype(np.uint8)


def without_window(stored):
    """What `to_depth` says of a file but for its own window, which tells no levels."""
    return {name: value for name, value in stored.items() if name != "window"}


def to_depth(gray, preparation):
    """Gray pixels as bytes or words, what they lost, and what they do not tell.

    Args:
        gray: a `Gray`.
        preparation: a `tfpe.Preparation`.

    Returns:
        `uint8` or `uint16 (H, W, 1)`; a list that is ["window"] where a window took
        them to 8 bits; and a dict: "offset", which was added to signed values;
        "inverted", where levels are as they are stored and low ones are bright;
        "window", where the file named it.

    Raises:
        ImageFileError: more than 8 bits, and neither a depth of 16 nor a window.

    Example:

    >>> from tfpe import Preparation
    >>> gray = Gray(np.array([[0, 4095]]), 12)
    >>> [to_depth(gray, Preparation(**kind))[0].ravel().tolist() for kind in
    ...     ({"depth": 16}, {"window": (2048, 4096)})]
    [[0, 4095], [0, 255]]
    """
    if preparation.window is not None and (gray.modality or gray.bits > 8):
        own = preparation.window == "own"
        center, width = gray.window() if own else preparation.window
        levels = window_levels(gray.values(), center, width)
        levels = TOP - levels if gray.inverted else levels
        return levels[..., None], ["window"], {"window": [center, width]} if own else {}
    stored, facts = gray.pixels, {"inverted": True} if gray.inverted else {}
    if gray.bits <= 8 and not gray.signed:
        return stored.astype(np.uint8)[..., None], [], facts
    if preparation.depth != 16:
        sign = ", signed" if gray.signed else ""
        raise ImageFileError(
            "Gray of more than 8 bits needs a choice: depth 16 (words of two bytes, "
            "without a loss), where it is encrypted, or a window CENTER WIDTH (to 8 "
            "bits, with a loss). "
            f"Received: {gray.bits} bits{sign}, and neither"
        )
    if gray.signed:
        stored, facts = stored + SIGNED_OFFSET, facts | {"offset": SIGNED_OFFSET}
    return stored.astype(np.uint16)[..., None], [], facts
