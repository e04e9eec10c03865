"""Gray of more than 8 bits: as words of 16, without a loss, or through a window to 8.

Which of the two is for the user to say; neither is chosen here.
"""

import numpy as np

from tfpe.errors import ImageFileError

SIGNED_OFFSET = 2**15
TOP = 255


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


def to_depth(stored, bits, signed, inverted, values, own_window, depth, window):
    """Gray pixels as bytes or words, and what decryption cannot tell of them.

    Args:
        stored: whole numbers `(H, W)`.
        bits: of a stored value; up to 8 unsigned ones need no choice.
        signed: whether stored values may be negative.
        inverted: whether low values are bright.
        values: `() -> (H, W)`, in the unit of windows.
        own_window: `() -> (center, width)`, of the file itself.
        depth: 16 or None.
        window: (center, width), "own" or None.

    Returns:
        `uint8` or `uint16 (H, W, 1)`, and a dict: "offset", which was added to signed
        values; "inverted", where levels are stored as they are and low ones are bright;
        "window", where the file named it.

    Raises:
        ImageFileError: more than 8 bits, and neither `depth` nor `window`.
    """
    if window is not None:
        center, width = own_window() if window == "own" else window
        levels = window_levels(values(), center, width)
        levels = TOP - levels if inverted else levels
        facts = {"window": [center, width]} if window == "own" else {}
        return levels[..., None], facts
    facts = {"inverted": True} if inverted else {}
    if bits <= 8 and not signed:
        return stored.astype(np.uint8)[..., None], facts
    if depth != 16:
        raise ImageFileError(
            f"Gray of more than 8 bits needs a choice. Received: {bits} bits"
            f"{', signed' if signed else ''}, and neither depth 16 (words of two bytes, "
            "without a loss) nor a window CENTER WIDTH (to 8 bits, with a loss)"
        )
    if signed:
        stored, facts = stored + SIGNED_OFFSET, facts | {"offset": SIGNED_OFFSET}
    return stored.astype(np.uint16)[..., None], facts
