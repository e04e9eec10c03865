"""Encryption inside and between blocks, for JPEG: iib, which turns parts of blocks."""

import math

import numpy as np

from tfpe import checks
from tfpe.checks import index_dtype
from tfpe.ciphers.block_moves import ORIENTATIONS, move_blocks
from tfpe.ciphers.channels import (
    CHANNEL_ORDERS,
    channel_codes,
    channel_order_bits,
    shuffles_channels,
)
from tfpe.ciphers.keyspace import KeySpace, log2_factorial
from tfpe.errors import CipherOptionError
from tfpe.keys import check_key

TURNS = ("shared", "per_channel")


def iib(
    key,
    image_shape,
    block_size=4,
    sub_block_size=2,
    channel_shuffle=True,
    block_shuffle=True,
    sub_block_shuffle=False,
    turns="shared",
):
    """Inside and between blocks: blocks moved, negated, recoloured, sub-blocks turned.

    Args:
        key: a `tfpe.Key`.
        image_shape: (height, width, channels), height and width divisible by
            `block_size`.
        block_size: side B of a block in pixels: 4 or 8 for CIFAR, 16 for JPEG.
        sub_block_size: side b of a sub-block, which divides B: 8 keeps the squares of
            JPEG whole, 4 and 2 cut them.
        channel_shuffle: whether each block of a colour image gets a channel order.
        block_shuffle: whether blocks move; where they stay, a network sees each in its
            place.
        sub_block_shuffle: whether the sub-blocks of a block change places, too.
        turns: "shared": a sub-block is turned alike in all channels; "per_channel":
            each channel of it by a code of its own.

    Returns:
        The `Transform` of bytes that encrypts images of `image_shape`.

    Raises:
        ImageError: `image_shape` does not fit.
        CipherOptionError: an option does not fit.

    Source: Ahmad & Shin, IIB-CPE: Inter and Intra Block Processing-Based Compressible
    Perceptual Encryption Method for Privacy-Preserving Deep Learning, Sensors 22:8074,
    2022, doi 10.3390/s22208074. Its "inside-out" step turns or flips each sub-block in
    its place; the channels by codes of their own are a later variant of its authors.

    Example:

    >>> from tfpe import Key
    >>> iib(Key(bytes(32)), (32, 32, 3), block_size=16, sub_block_size=8)
    Transform(bits=8, input_shape=(32, 32, 3), output_shape=(32, 32, 3))
    """
    block_size, sub_block_size = _sizes(block_size, sub_block_size)
    shape = checks.image_shape_of(image_shape, block_size)
    channel_shuffle = shuffles_channels(channel_shuffle, shape)
    checks.true_or_false(block_shuffle, "block_shuffle")
    checks.true_or_false(sub_block_shuffle, "sub_block_shuffle")
    checks.one_of(turns, TURNS, "turns")
    material = check_key(key).material(
        "iib",
        shape,
        block_size=block_size,
        sub_block_size=sub_block_size,
        channel_shuffle=channel_shuffle,
        block_shuffle=block_shuffle,
        sub_block_shuffle=sub_block_shuffle,
        turns=turns,
    )
    count, parts = _counts(shape, block_size, sub_block_size)
    order = np.arange(count, dtype=index_dtype(count))
    if block_shuffle:
        order = material.permutation("block_order", count)
    turned = (count, parts, shape[2])[: 3 if turns == "per_channel" else 2]
    orientation = material.integers("orientation", math.prod(turned), ORIENTATIONS)
    negate = material.bits("negate", count)
    codes = sub_order = None
    if channel_shuffle:
        codes = material.integers("channel_order", count, len(CHANNEL_ORDERS))
    if sub_block_shuffle:
        sub_order = material.permutations("sub_block_order", count, parts)
    moves = order, orientation.reshape(turned), negate, codes
    return move_blocks(*moves, shape, block_size, sub_block_size, sub_order)


def iib_transform(
    block_order,
    orientation,
    negate,
    channel_order,
    image_shape,
    block_size,
    sub_block_size,
    sub_block_order=None,
):
    """iib from explicit material, one entry for each of the N blocks of the output.

    Args:
        block_order: permutation of N: the source block.
        orientation: codes r + 4 f as in `etc_transform`, `(N, s)` for the
            s = (B / b)^2 sub-blocks of each block, row by row; or `(N, s, channels)`,
            for each channel of the output.
        negate: bits, `(N,)`: whether the block is negated (255 minus each byte).
        channel_order: codes 0 to 5 of Table I, `(N,)`, or None.
        image_shape: (height, width, channels).
        block_size: side B of a block in pixels.
        sub_block_size: side b of a sub-block in pixels.
        sub_block_order: permutations of s, `(N, s)`: the source sub-block; None leaves
            all in their places.

    Returns:
        A `Transform` of bytes.

    Raises:
        CipherOptionError: the material has another shape, type or range.
        ImageError: the image shape does not fit.

    Example:

    >>> import numpy as np
    >>> t = iib_transform([0], [[1, 0, 0, 2]], [0], None, (4, 4, 1), 4, 2)
    >>> t(np.arange(16, dtype=np.uint8).reshape(4, 4, 1))[..., 0].tolist()
    [[1, 5, 2, 3], [0, 4, 6, 7], [8, 9, 15, 14], [12, 13, 11, 10]]
    """
    block_size, sub_block_size = _sizes(block_size, sub_block_size)
    shape = checks.image_shape_of(image_shape, block_size)
    count, parts = _counts(shape, block_size, sub_block_size)
    order = checks.permutations(block_order, count, "block_order")
    turned = (count, parts)
    if np.ndim(checks.as_array(orientation, "orientation")) == 3:
        turned = (count, parts, shape[2])
    orientation = checks.integers(orientation, turned, ORIENTATIONS, "orientation")
    negate = checks.bits(negate, count, "negate")
    codes = channel_codes(channel_order, count, shape[2])
    if sub_block_order is not None:
        sub_block_order = checks.permutations(
            sub_block_order, parts, "sub_block_order", count
        )
    moves = order, orientation, negate, codes
    return move_blocks(*moves, shape, block_size, sub_block_size, sub_block_order)


def iib_key_space(
    image_shape,
    block_size=4,
    sub_block_size=2,
    channel_shuffle=True,
    block_shuffle=True,
    sub_block_shuffle=False,
    turns="shared",
):
    """N! block orders, 2^N negatives, 6^N channel orders, 8^(s N) orientations."""
    height, width, channels = image_shape
    count, parts = _counts(image_shape, block_size, sub_block_size)
    codes = count * parts * (channels if turns == "per_channel" else 1)
    blocks = (height // block_size, width // block_size, channels)
    bits = count + channel_order_bits(blocks, channel_shuffle)
    bits += 3 * codes if sub_block_size > 1 else 0
    bits += log2_factorial(count) if block_shuffle else 0
    bits += count * log2_factorial(parts) if sub_block_shuffle else 0
    return KeySpace(bits, bits)


def _sizes(block_size, sub_block_size):
    block_size = checks.block_size_of(block_size)
    sub_block_size = checks.whole_number(sub_block_size, "sub_block_size")
    if block_size % sub_block_size:
        raise CipherOptionError(
            f"`sub_block_size` should divide block_size={block_size}. "
            f"Received: sub_block_size={sub_block_size}"
        )
    return block_size, sub_block_size


def _counts(shape, block_size, sub_block_size):
    """The blocks of an image, and the sub-blocks of a block."""
    blocks = (shape[0] // block_size) * (shape[1] // block_size)
    return blocks, (block_size // sub_block_size) ** 2
