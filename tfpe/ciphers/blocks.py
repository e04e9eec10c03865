"""The bytes of each block of an image."""

from tfpe.algebra.block_layout import block_positions


def block_indices(image_shape, block_size):
    """Byte indices of each block, `(N, B * B * C)`, blocks and bytes row by row."""
    origins, offsets = block_positions(image_shape, block_size)
    return origins[:, None] + offsets
