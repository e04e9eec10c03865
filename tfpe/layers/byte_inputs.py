"""Inputs of layers that take bytes: what is none is not taken for one."""

import math

from keras import ops

from tfpe.algebra.backends import backend_of
from tfpe.pixels.byte_levels import to_bytes


def bytes_of(images):
    """Images of any dtype as bytes.

    Args:
        images: `(..., height, width, channels)`, 0 to 255.

    Returns:
        `(data, sealed)`: the images as `uint8`, rounded to whole bytes, and a function
        of values made from them, which turns those of images that do not fit into NaN:
        inside a graph nothing can raise on every backend.

    Raises:
        ImageError: another dtype; or, where there are values to look at, some beyond
            0 to 255, or images of 0 to 1.
    """
    backend = backend_of(images)
    if backend.dtype_name(images) == "uint8":
        return images, lambda values: values
    data, valid = backend.untraced(to_bytes)(images)
    if valid is None:
        return data, lambda values: values
    return data, lambda values: ops.where(valid, values, math.nan)
