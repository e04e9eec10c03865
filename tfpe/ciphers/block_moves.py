"""What etc and iib do to an image: blocks move, and what is inside them is turned."""

import numpy as np

from tfpe.algebra.transform import Transform
from tfpe.ciphers.blocks import block_positions, lay_out
from tfpe.ciphers.channels import CHANNEL_ORDERS

ORIENTATIONS = 8


def move_blocks(
    block_order,
    orientation,
    negate,
    codes,
    shape,
    block_size,
    sub_block_size,
    sub_block_order=None,
):
    """The `Transform` of material that fits, for the N blocks of the output.

    Args:
        block_order: permutation of N: the source block.
        orientation: codes of the s sub-blocks of each block, `(N, s)`, or one for each
            channel of the output, `(N, s, C)`.
        negate: bits, `(N,)`.
        codes: channel orders, `(N,)`, or None, which leaves the channels as they are.
        shape: (height, width, channels).
        block_size: side B of a block in pixels.
        sub_block_size: side b of a sub-block, which divides B; s = (B / b)^2.
        sub_block_order: permutations of s, `(N, s)`: the source sub-block; or None.
    """
    channels, across = shape[2], block_size // sub_block_size
    colours = np.arange(channels, dtype=np.int8)[None]
    if codes is not None:
        colours = CHANNEL_ORDERS[codes]
    origins, offsets = block_positions(shape, sub_block_size)
    # Inside a sub-block: output pixel p takes input pixel turned[p].
    turned = offsets[::channels][orientations(sub_block_size)]
    corners = origins.reshape(shape[0] // sub_block_size, -1)
    first = corners[::across, ::across].ravel()  # of each block, its first byte
    within = corners[:across, :across].ravel()
    inside = within if sub_block_order is None else within[sub_block_order]
    local = turned[orientation]
    if orientation.ndim == 3:
        local = local.swapaxes(2, 3) + colours[:, None, None, :]
    else:
        local = local[..., None] + colours[:, None, None, :]
    local += (first[block_order][:, None] + inside)[..., None, None]
    # Bytes of each block in (row, column, channel) order: rows of sub-blocks between.
    local = local.reshape(-1, across, across, sub_block_size, sub_block_size * channels)
    local = local.swapaxes(2, 3).reshape(len(block_order), -1)
    negatives = np.where(negate, np.uint8(255), np.uint8(0))[:, None]
    return Transform.composed(
        lay_out(local, shape, block_size),
        lay_out(np.broadcast_to(negatives, local.shape), shape, block_size),
        8,
        shape,
    )


def sub_pixels(block_size, sub_block_size):
    """The pixels of each sub-block of a block, `int32 (s, b * b)`, row by row."""
    square = np.arange(block_size**2, dtype=np.int32).reshape(block_size, -1)
    across, side = block_size // sub_block_size, sub_block_size
    parts = square.reshape(across, side, across, side).swapaxes(1, 2)
    return parts.reshape(across * across, side * side)


def orientations(block_size):
    """Gather indices, `(8, B * B)`, of the eight orientations of a block."""
    square = np.arange(block_size**2, dtype=np.int32).reshape(block_size, -1)
    turned = [np.rot90(square, r) for r in range(4)]
    turned += [np.fliplr(t) for t in turned]
    return np.stack([t.ravel() for t in turned])
