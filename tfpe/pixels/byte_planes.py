"""Gray images of 16 bits as two planes of bytes, which every cipher takes, and back.

The high bytes stand to the left of the low bytes, as one gray image of twice the width:
ciphers stay what they are, and blocks hold bytes of one kind.
"""

import numpy as np

from tfpe.errors import ImageError


def to_planes(images):
    """`uint16 (..., H, W, 1)` as `uint8 (..., H, 2 W, 1)`; `uint8` images stay.

    Args:
        images: NumPy array.

    Returns:
        An array: high bytes to the left, low bytes to the right.

    Raises:
        ImageError: another dtype, or 16 bits with more than one channel.

    Example:

    >>> to_planes(np.array([[[0x0102], [0x0304]]], np.uint16))[..., 0].tolist()
    [[1, 3, 2, 4]]
    """
    if images.dtype == np.uint8:
        return images
    if images.dtype != np.uint16 or images.ndim < 3 or images.shape[-1] != 1:
        raise ImageError(
            "Images should be uint8, or uint16 of one channel. Received: "
            f"{images.dtype} of shape {images.shape}"
        )
    high, low = images >> 8, images & 255
    return np.concatenate([high, low], axis=-2).astype(np.uint8)


def from_planes(planes, dtype):
    """Undoes `to_planes`.

    Args:
        planes: `uint8 (..., H, 2 W, 1)`, or any image where `dtype` is uint8.
        dtype: of the images that `to_planes` was given.

    Returns:
        `uint16 (..., H, W, 1)`; `planes` itself where `dtype` is uint8.

    Raises:
        ImageError: these are no such planes.

    Example:

    >>> words = np.array([[[0x0102], [0x0304]]], np.uint16)
    >>> bool((from_planes(to_planes(words), words.dtype) == words).all())
    True
    """
    if dtype == np.uint8:
        return planes
    if planes.ndim < 3 or planes.shape[-1] != 1 or planes.shape[-2] % 2:
        raise ImageError(
            "Two planes of bytes should be one gray image of even width. "
            f"Received: shape {planes.shape}"
        )
    high, low = np.split(planes.astype(np.uint16), 2, axis=-2)
    return high << 8 | low


def dtype_of(depth):
    """The dtype of images of 8 or 16 bits."""
    return np.uint16 if depth == 16 else np.uint8


def planes_shape(image_shape, depth):
    """The shape of `to_planes` of an image of `image_shape` and 8 or 16 bits.

    Sizes may be None.

    Example:

    >>> planes_shape((8, 8, 1), 16)
    (8, 16, 1)
    """
    height, width, channels = image_shape
    return (height, width and width * (depth // 8), channels)
