"""What etc and iib do to an image: blocks move, and what is inside them is turned."""

import numpy as np

from tfpe.algebra.block_layout import block_positions
from tfpe.algebra.block_rows import local_dtype
from tfpe.algebra.block_transform import BlockTransform
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
    lead = block_order.shape  # an axis of keys may be in front
    orientation = orientation.reshape(-1, *orientation.shape[len(lead) :])
    negate, codes = negate.reshape(-1), codes if codes is None else codes.reshape(-1)
    colours = np.arange(channels, dtype=np.int8)[None]
    if codes is not None:
        colours = CHANNEL_ORDERS[codes]
    # Bytes of a block are those of an image of its size.
    square = block_size, block_size, channels
    within, offsets = block_positions(square, sub_block_size)
    dtype = local_dtype(block_size**2 * channels)
    # Inside a sub-block: output pixel p takes input pixel turned[p].
    turned = offsets[::channels][orientations(sub_block_size)].astype(dtype)
    within, colours = within.astype(dtype), colours.astype(dtype)
    inside = within if sub_block_order is None else within[sub_block_order]
    local = turned[orientation]
    if orientation.ndim == 3:
        local = local.swapaxes(2, 3) + colours[:, None, None, :]
    else:
        local = local[..., None] + colours[:, None, None, :]
    local += inside[..., None, None]
    # Bytes of each block in (row, column, channel) order: rows of sub-blocks between.
    local = local.reshape(-1, across, across, sub_block_size, sub_block_size * channels)
    local = local.swapaxes(2, 3).reshape(*lead, -1)
    negatives = np.where(negate, np.uint8(255), np.uint8(0))
    masks = np.broadcast_to(negatives.reshape(*lead, 1), local.shape)
    return BlockTransform(local, masks, 8, shape, block_size, block_order)


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
