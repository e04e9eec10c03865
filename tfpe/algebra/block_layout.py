"""How the words of an image fall into blocks of B x B pixels.

Blocks are numbered row by row; inside a block, bytes run in (row, column, channel)
order, and where bytes have several words, all first ones stand before all others.
"""

import numpy as np

from tfpe.checks import index_dtype


def block_positions(image_shape, block_size):
    """Indices of the first byte of each block, `(N,)`, and from there, `(B * B * C,)`.

    Byte d of block k is byte `origins[k] + offsets[d]` of the image.
    """
    height, width, channels = image_shape
    dtype = index_dtype(2 * height * width * channels)
    row = np.arange(0, height, block_size, dtype=dtype)[:, None] * (width * channels)
    column = np.arange(0, width, block_size, dtype=dtype) * channels
    line = np.arange(block_size, dtype=dtype)[:, None] * (width * channels)
    byte = np.arange(block_size * channels, dtype=dtype)
    return (row + column).ravel(), (line + byte).ravel()


def lay_out(values, image_shape, block_size, parts=1):
    """Values of blocks, `(..., N, words)`, in the order of the image's words.

    Each byte has `parts` words.
    """
    height, width, channels = image_shape
    rows, columns = height // block_size, width // block_size
    lead = values.shape[:-2]
    values = values.reshape(*lead, rows, columns, parts, block_size, -1)
    first, axes = len(lead), range(len(lead))
    order = (first, first + 3, first + 1, first + 4, first + 2)
    return values.transpose(*axes, *order).reshape(*lead, -1)


def as_blocks(images, block_size):
    """Images `(..., H, W, C)` as the bytes of their blocks, `(..., N, B * B * C)`."""
    *lead, height, width, channels = images.shape
    shape = (height // block_size, block_size, width // block_size)
    strips = images.reshape(*lead, *shape, block_size * channels)
    return strips.swapaxes(-3, -2).reshape(*lead, shape[0] * shape[2], -1)
