"""Padding to whole blocks, and cropping back: kept outside the algebra.

Edge replication has no inverse, so it is no `Transform`; the layer, the data map and
the file tool pad, record the original size, and crop after decryption.
"""

import numpy as np

from tfpe.algebra.backends import backend_of
from tfpe.checks import whole_number
from tfpe.errors import ImageError


def padded_size(size, block_size):
    """The least multiple of `block_size` that is not below `size`."""
    return -(-size // block_size) * block_size


def pad_to_blocks(images, block_size):
    """Repeats the last row and column up to whole blocks.

    Args:
        images: `(H, W, C)` or `(B, H, W, C)`, any dtype; NumPy, TensorFlow, JAX, torch.
        block_size: side of a block in pixels.

    Returns:
        The same kind, `(..., H', W', C)`, H' and W' the next multiples of `block_size`;
        `images` itself where nothing is missing.

    Raises:
        CipherOptionError: `block_size` is no whole number from 1 up.
        ImageError: `images` are no images.

    Example:

    >>> import numpy as np
    >>> pad_to_blocks(np.array([[[1], [2], [3]]]), 2)[..., 0].tolist()
    [[1, 2, 3, 3], [1, 2, 3, 3]]
    """
    block_size = whole_number(block_size, "block_size")
    backend, height, width = _image_axes(images)
    if height % block_size == width % block_size == 0:
        return images
    rows = np.minimum(np.arange(padded_size(height, block_size)), height - 1)
    columns = np.minimum(np.arange(padded_size(width, block_size)), width - 1)
    if len(rows) > height:
        images = backend.take(images, backend.constant(rows, images), axis=-3)
    if len(columns) > width:
        images = backend.take(images, backend.constant(columns, images), axis=-2)
    return images


def crop(images, height, width):
    """The upper left part of `height` x `width` pixels; undoes `pad_to_blocks`.

    Args:
        images: `(H, W, C)` or `(B, H, W, C)`, NumPy, TensorFlow, JAX or torch.
        height, width: of the result, in pixels.

    Returns:
        An array of the same kind, `(..., height, width, C)`.

    Raises:
        ImageError: the images are smaller than that.

    Example:

    >>> import numpy as np
    >>> crop(np.zeros((4, 4, 3)), 3, 2).shape
    (3, 2, 3)
    """
    _, from_height, from_width = _image_axes(images)
    whole = hasattr(height, "__index__") and hasattr(width, "__index__")
    if not whole or not (0 < height <= from_height and 0 < width <= from_width):
        raise ImageError(
            f"`height` and `width` should be at most {from_height} and {from_width}. "
            f"Received: height={height!r}, width={width!r}"
        )
    return images[..., :height, :width, :]


def _image_axes(images):
    backend = backend_of(images)
    shape = backend.static_shape(images)
    if len(shape) not in (3, 4) or None in shape[-3:]:
        raise ImageError(
            "Images should have shape (height, width, channels) or (batch, height, "
            f"width, channels) with known sizes. Received: shape {shape}"
        )
    return backend, *shape[-3:-1]
