"""How images fall into blocks of B x B pixels.

Blocks are numbered row by row; inside a block, bytes run in (row, column, channel)
order.
"""

import numpy as np

from tfpe.checks import index_dtype


def block_indices(image_shape, block_size):
    """Byte indices of each block, `(N, B * B * C)`, blocks and bytes row by row."""
    origins, offsets = block_positions(image_shape, block_size)
    return origins[:, None] + offsets


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
    """Values of blocks, `(N, words)`, as one vector in the order of the image's words.

    Each byte has `parts` words; in a block all first parts stand before all others.
    """
    height, width, channels = image_shape
    rows, columns = height // block_size, width // block_size
    values = values.reshape(rows, columns, parts, block_size, -1)
    return values.transpose(0, 3, 1, 4, 2).reshape(-1)
