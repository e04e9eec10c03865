"""Encryption-then-compression: etc and etc_gray, which move blocks and turn them."""

import math

import numpy as np

from tfpe import checks
from tfpe.algebra.plane_transform import PlaneTransform
from tfpe.algebra.transform import Transform
from tfpe.checks import index_dtype
from tfpe.ciphers.block_moves import ORIENTATIONS, move_blocks
from tfpe.ciphers.channels import (
    CHANNEL_ORDERS,
    channel_codes,
    channel_order_bits,
    shuffles_channels,
)
from tfpe.ciphers.keyspace import KeySpace, log2_factorial
from tfpe.errors import CipherOptionError, ImageError
from tfpe.keys import check_keys


def etc(key, image_shape, block_size=4, channel_shuffle=True):
    """Encryption-then-compression: blocks moved, turned, negated and recoloured.

    Args:
        key: a `tfpe.Key`.
        image_shape: (height, width, channels), height and width divisible by
            `block_size`.
        block_size: side of a block in pixels: 4 for CIFAR, 16 for JPEG.
        channel_shuffle: whether each block of a colour image gets a channel order.

    Returns:
        The `Transform` of bytes that encrypts images of `image_shape`.

    Raises:
        ImageError: `image_shape` does not fit.
        CipherOptionError: an option does not fit.

    Source: Kurihara, Kikuchi, Imaizumi, Shiota, Kiya, An Encryption-then-Compression
    System for JPEG/Motion JPEG Standard, IEICE Trans. Fundamentals E98-A(11), 2015;
    Chuman & Kiya for the colour steps. (In a published implementation the colour step
    overwrites itself and five of its six codes lose a channel; here it is a bijection.)

    Example:

    >>> from tfpe import Key
    >>> etc(Key(bytes(32)), (32, 32, 3), block_size=16)
    Transform(bits=8, input_shape=(32, 32, 3), output_shape=(32, 32, 3))
    """
    block_size = checks.block_size_of(block_size)
    shape = checks.image_shape_of(image_shape, block_size)
    channel_shuffle = shuffles_channels(channel_shuffle, shape)
    material = check_keys(key).material(
        "etc", shape, block_size=block_size, channel_shuffle=channel_shuffle
    )
    count = shape[0] * shape[1] // block_size**2
    codes = None
    if channel_shuffle:
        codes = material.integers("channel_order", count, len(CHANNEL_ORDERS))
    return _move_blocks(*_draw_moves(material, count), codes, shape, block_size)


def etc_transform(
    block_order, orientation, negate, channel_order, image_shape, block_size
):
    """etc from explicit material, one entry for each of the N blocks of the output.

    Args:
        block_order: permutation of N: the source block.
        orientation: codes r + 4 f, `(N,)`: `np.rot90` r times, counter-clockwise, then
            where f = 1 a flip from left to right.
        negate: bits, `(N,)`: whether the block is negated (255 minus each byte).
        channel_order: codes 0 to 5 of Table I, `(N,)`, or None.
        image_shape: (height, width, channels).
        block_size: side of a block in pixels.

    Returns:
        A `Transform` of bytes.

    Raises:
        CipherOptionError: the material has another shape, type or range.
        ImageError: the image shape does not fit.

    Example:

    >>> import numpy as np
    >>> t = etc_transform([0], [1], [0], None, (2, 2, 1), 2)  # one quarter turn
    >>> t(np.array([[[1], [2]], [[3], [4]]], np.uint8))[..., 0].tolist()
    [[2, 4], [1, 3]]
    """
    block_size = checks.block_size_of(block_size)
    shape = checks.image_shape_of(image_shape, block_size)
    count = shape[0] * shape[1] // block_size**2
    moves = _check_moves(block_order, orientation, negate, count)
    codes = channel_codes(channel_order, count, shape[2])
    return _move_blocks(*moves, codes, shape, block_size)


def _draw_moves(material, count):
    return (
        material.permutation("block_order", count),
        material.integers("orientation", count, ORIENTATIONS),
        material.bits("negate", count),
    )


def _check_moves(block_order, orientation, negate, count):
    return (
        checks.permutations(block_order, count, "block_order"),
        checks.integers(orientation, count, ORIENTATIONS, "orientation"),
        checks.bits(negate, count, "negate"),
    )


def _move_blocks(block_order, orientation, negate, codes, shape, block_size):
    """etc from material that fits; `codes` None leaves the channels as they are."""
    whole = orientation[..., None]  # a block is its one sub-block
    return move_blocks(block_order, whole, negate, codes, shape, block_size, block_size)


def etc_key_space(image_shape, block_size=4, channel_shuffle=True):
    """N! block orders, 8^N orientations, 2^N negatives and 6^N channel orders."""
    height, width, channels = image_shape
    blocks = (height // block_size, width // block_size, channels)
    count = blocks[0] * blocks[1]
    turns = 3 * count if block_size > 1 else 0
    colours = channel_order_bits(blocks, channel_shuffle)
    bits = log2_factorial(count) + turns + count + colours
    return KeySpace(bits, bits)


def etc_gray(key, image_shape, block_size=8, fold=True):
    """Grayscale-based encryption-then-compression: etc on the colour planes.

    The planes stand side by side as one gray image of height x 3 width, whose blocks
    are moved, turned and negated; there is no colour step.

    Args:
        key: a `tfpe.Key`.
        image_shape: (height, width, channels), height and width divisible by
            `block_size`; 1 or 3 channels.
        block_size: side of a block in pixels.
        fold: whether the planes are put together again, to (height, width, 3), as
            networks want them; otherwise the output is (height, 3 width, 1), and the
            images need 3 channels.

    Returns:
        The `Transform` of bytes that encrypts images of `image_shape`.

    Raises:
        ImageError: `image_shape` does not fit.
        CipherOptionError: an option does not fit.

    Source: Chuman, Sirichotedumrong, Kiya, Encryption-Then-Compression Systems Using
    Grayscale-Based Image Encryption for JPEG Images, IEEE TIFS 14(6), 2019,
    doi 10.1109/TIFS.2018.2881677.

    Example:

    >>> from tfpe import Key
    >>> etc_gray(Key(bytes(32)), (32, 32, 3), fold=False).output_shape
    (32, 96, 1)
    """
    block_size = checks.block_size_of(block_size)
    shape = checks.image_shape_of(image_shape, block_size)
    _check_fold(fold, shape)
    material = check_keys(key).material(
        "etc_gray", shape, block_size=block_size, fold=fold
    )
    count = math.prod(shape) // block_size**2
    return _move_blocks_of_planes(_draw_moves(material, count), shape, block_size, fold)


def etc_gray_transform(
    block_order, orientation, negate, image_shape, block_size=8, fold=True
):
    """etc_gray from explicit material; the blocks are those of the gray image.

    Args:
        block_order, orientation, negate: as in `etc_transform`, one entry for each
            block of the image of height x (channels * width).
        image_shape: (height, width, channels) of the colour image.
        block_size: side of a block in pixels.
        fold: whether the output is (height, width, channels) again.

    Returns:
        A `Transform` of bytes.

    Raises:
        CipherOptionError: the material has another shape, type or range.
        ImageError: the image shape does not fit.

    Example:

    >>> t = etc_gray_transform([2, 0, 1], [0, 0, 0], [0, 0, 0], (1, 1, 3), 1)
    >>> t.perm.tolist()
    [2, 0, 1]
    """
    block_size = checks.block_size_of(block_size)
    shape = checks.image_shape_of(image_shape, block_size)
    _check_fold(fold, shape)
    count = math.prod(shape) // block_size**2
    moves = _check_moves(block_order, orientation, negate, count)
    return _move_blocks_of_planes(moves, shape, block_size, fold)


def _check_fold(fold, shape):
    checks.true_or_false(fold, "fold")
    if not fold and shape[2] != 3:
        raise CipherOptionError(
            "`fold=False` needs images of 3 channels; on gray images both are the "
            f"same, fold=True. Received: image_shape={shape}"
        )


def _move_blocks_of_planes(moves, shape, block_size, fold):
    gray = _move_blocks(*moves, None, side_by_side_shape(shape), block_size)
    return PlaneTransform(gray, shape, shape if fold else gray.output_shape)


def etc_gray_key_space(image_shape, block_size=8, fold=True):
    """N! block orders, 8^N orientations and 2^N negatives of the gray blocks."""
    height, width, channels = image_shape
    return etc_key_space((height, channels * width, 1), block_size, False)


def side_by_side(image_shape):
    """The transform (H, W, C) -> (H, C * W, 1) that puts the planes side by side."""
    height, width, channels = image_shape
    size = height * width * channels
    index = np.arange(size, dtype=index_dtype(size)).reshape(image_shape)
    perm = np.moveaxis(index, -1, 1).ravel()
    mask = np.zeros(size, np.uint8)
    shape = side_by_side_shape(image_shape)
    return Transform.composed(perm, mask, 8, image_shape, shape)


def side_by_side_shape(image_shape):
    """Shape of the gray image that the planes of `image_shape` make side by side."""
    height, width, channels = image_shape
    return height, width and channels * width, 1


def planes_shape(gray_shape):
    """Shape of the colour image whose planes stand side by side in `gray_shape`."""
    height, width, channels = gray_shape
    if channels != 1 or (width or 0) % 3:
        raise ImageError(
            "Ciphertexts of etc_gray with fold=False should have shape (height, 3 * "
            f"width, 1). Received: shape {tuple(gray_shape)}"
        )
    return height, width and width // 3, 3
