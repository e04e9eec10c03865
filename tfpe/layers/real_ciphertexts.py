"""Ciphertexts that are real numbers, back to bytes: only those that are genuine."""

import dataclasses

from tfpe.algebra.backends import backend_of
from tfpe.errors import ImageError
from tfpe.pixels.value_ranges import Reason, Refusal

# How far a number may lie from what its bytes encrypt to; one level is 2 / 255.
TOLERANCE = 1e-3


@dataclasses.dataclass(frozen=True)
class RealRefusal(Refusal):
    """What is said of ciphertexts that are none of this key."""

    @property
    def opening(self):
        return "Ciphertexts should be what this key gave. Received: values from"

    @property
    def reasons(self):
        return [Reason(", of another key or changed since")]


def restored(ciphertexts, restore, refusal):
    """Bytes of real ciphertexts, which are encrypted once more to see that they are.

    Args:
        ciphertexts: floats, `(H, W, C)` or `(B, H, W, C)`, any framework. Those that
            went through bfloat16 have lost too much, and are refused.
        restore: the inverse of a `Keyed` map that gives `float32`.
        refusal: what is said of others.

    Returns:
        `(data, valid)`, as of `to_bytes`.

    Raises:
        ImageError: another dtype, or, where there are values, others.
    """
    backend = backend_of(ciphertexts)
    dtype = backend.dtype_name(ciphertexts)
    if not dtype.startswith(("float", "bfloat")):
        raise ImageError(
            "Ciphertexts should be floats, as the cipher gives them. "
            f"Received: dtype {dtype}"
        )
    values = backend.cast(ciphertexts, "float32")
    data = restore(values)
    far = backend.xp.abs(restore.inverse(data) - values)
    valid = backend.all_values(far <= TOLERANCE)  # NaN is not
    if backend.is_concrete(values):
        if not bool(backend.always(valid)):
            refusal.throw(*backend.extremes(values))
        valid = None
    return data, valid
