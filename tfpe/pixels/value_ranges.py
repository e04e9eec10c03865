"""Value ranges of float images, and what is said of images that do not fit theirs."""

import dataclasses
import math
import numbers

import numpy as np

from tfpe.errors import CipherOptionError, ImageError

BYTE_RANGE = (0, 255)
USUAL_RANGES = ((0, 1), (-1, 1), BYTE_RANGE)


def check_value_range(value_range, dtype="float32"):
    """`value_range` as a tuple, if `dtype` can tell its 256 levels apart; or an error.

    Example:

    >>> check_value_range((0, 1))
    (0, 1)
    """
    try:
        low, high = value_range
        finite = all(
            isinstance(v, numbers.Real) and math.isfinite(v) for v in (low, high)
        )
    except (TypeError, ValueError, OverflowError):
        finite = False
    if not finite or not low < high:
        raise CipherOptionError(
            "`value_range` should be (lowest, highest) value. "
            f"Received: value_range={value_range!r}"
        )
    if "float" not in dtype and dtype != "uint8":
        if dtype == "bool" or (low, high) != BYTE_RANGE:
            raise CipherOptionError(
                f"`value_range` should be {BYTE_RANGE}, and a dtype of integers wide "
                f"enough for it. Received: value_range={value_range!r}, dtype {dtype}"
            )
    levels = levels_of((low, high)).astype(_numpy_dtype(dtype)).astype(np.float32)
    nearest = np.round((levels - np.float32(low)) * np.float32(255 / (high - low)))
    if not np.array_equal(nearest, np.arange(256)):
        raise CipherOptionError(
            f"`value_range` should hold 256 levels that {dtype} tells apart. "
            f"Received: value_range={value_range!r}"
        )
    return (low, high)


def levels_of(value_range):
    """The 256 levels of a value range, `float32 (256,)`."""
    low, high = value_range
    return (low + np.arange(256) / 255 * (high - low)).astype(np.float32)


def _numpy_dtype(dtype):
    if dtype == "bfloat16":
        import ml_dtypes

        return ml_dtypes.bfloat16
    return dtype if "float" in dtype else "float32"


@dataclasses.dataclass(frozen=True)
class Reason:
    """Why images do not fit, for images with values in these bounds."""

    text: str
    low: float = -math.inf
    high: float = math.inf
    spread: float = 0

    def covers(self, lowest, highest):
        """Whether it tells of images with these extremes: numbers or tensors."""
        inside = (lowest >= self.low) & (highest <= self.high)
        return inside & (highest - lowest >= self.spread)


@dataclasses.dataclass(frozen=True)
class Refusal:
    """What is said of images that do not fit `value_range`, whoever says it.

    Args:
        value_range: the one that was asked for.
        exact: whether values between two levels are refused too, as in ciphertexts.

    Example:

    >>> print(Refusal((0, 255)).message(0.0, 1.0))
    Images should have values in value_range=(0, 255). Received: values from 0 to 1, \
which fit value_range=(0, 1)
    """

    value_range: tuple
    exact: bool = False

    @property
    def opening(self):
        """The first part of the message, up to the lowest value."""
        what = "Images should have values in"
        if self.exact:
            what = "Ciphertexts should hold the 256 levels of"
        return f"{what} value_range={self.value_range}. Received: values from"

    @property
    def reasons(self):
        """In order: the first that covers the extremes of the images is the likely."""
        low, high = self.value_range
        span, margin = high - low, (high - low) / 510
        others = [usual for usual in USUAL_RANGES if usual != self.value_range]
        fitting = [
            Reason(f", which fit value_range={other}", other[0] - edge, other[1] + edge)
            for other in others
            for edge in [(other[1] - other[0]) / 510]
        ]
        narrower = [other[1] - other[0] < span for other in others]
        if self.exact:
            own = ", some between two levels: resized, normalised or lossy ciphertext"
            beyond = ", out of range: this ciphertext was changed"
        else:
            own = ", all below its second level: were they scaled twice?"
            beyond = (
                ", beyond the range: clip the images to it (bicubic and lanczos "
                "resizing overshoot)"
            )
        return [
            *(reason for reason, first in zip(fitting, narrower, strict=True) if first),
            Reason(own, low - margin, high + margin),
            Reason(beyond, low - span / 4, high + span / 4, span / 2),
            *(
                reason
                for reason, first in zip(fitting, narrower, strict=True)
                if not first
            ),
            Reason(", which fit no usual range (NaN? standardised?): scale them to it"),
        ]

    def message(self, lowest, highest):
        """The message for images with these extremes, which may be NaN."""
        lowest, highest = float(lowest), float(highest)
        *special, otherwise = self.reasons
        found = (reason for reason in special if reason.covers(lowest, highest))
        text = next(found, otherwise).text
        return f"{self.opening} {lowest:g} to {highest:g}{text}"

    def throw(self, lowest, highest):
        """Raises the `ImageError`, by what name ever a framework passes it on."""
        raise ImageError(self.message(lowest, highest))
