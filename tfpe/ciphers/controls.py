"""Controls and baselines: they give every comparison its two ends."""

import math

import numpy as np

from tfpe import checks
from tfpe.algebra.block_rows import local_dtype
from tfpe.algebra.block_transform import BlockTransform
from tfpe.algebra.transform import Transform
from tfpe.algebra.xor_transform import XorTransform
from tfpe.ciphers.keyspace import KeySpace, log2_factorial
from tfpe.keys import check_key, check_keys


def identity(key, image_shape):
    """No encryption: the plain end of every table.

    Args:
        key: a `tfpe.Key`, which is not used.
        image_shape: (height, width, channels).

    Returns:
        A `Transform` of bytes.

    Example:

    >>> from tfpe import Key
    >>> identity(Key(bytes(32)), (1, 1, 3)).perm.tolist()
    [0, 1, 2]
    """
    check_key(key)
    shape = checks.image_shape_of(image_shape)
    return XorTransform(np.zeros(math.prod(shape), np.uint8), shape)


def identity_key_space(image_shape):
    """One transform: 0 bits."""
    return KeySpace(0.0, 0.0)


def negpos(key, image_shape):
    """Negative-positive: a secret half of the bytes become 255 minus themselves.

    Args:
        key: a `tfpe.Key`.
        image_shape: (height, width, channels).

    Returns:
        A `Transform` of bytes.

    Example:

    >>> from tfpe import Key
    >>> sorted(set(negpos(Key(bytes(32)), (4, 4, 3)).mask.tolist()))
    [0, 255]
    """
    shape = checks.image_shape_of(image_shape)
    mask = check_keys(key).material("negpos", shape).bits("negate", math.prod(shape))
    return XorTransform(np.uint8(255) * mask, shape)


def negpos_key_space(image_shape):
    """2^n negatives of n bytes."""
    bits = float(math.prod(image_shape))
    return KeySpace(bits, bits)


def shuffle(key, image_shape):
    """One secret permutation of all bytes of the image.

    Args:
        key: a `tfpe.Key`.
        image_shape: (height, width, channels).

    Returns:
        A `Transform` of bytes.

    Example:

    >>> from tfpe import Key
    >>> sorted(shuffle(Key(bytes(32)), (1, 2, 3)).perm.tolist())
    [0, 1, 2, 3, 4, 5]
    """
    shape = checks.image_shape_of(image_shape)
    order = (
        check_keys(key).material("shuffle", shape).permutation("perm", math.prod(shape))
    )
    return Transform.composed(order, np.zeros(order.shape, np.uint8), 8, shape)


def shuffle_transform(perm, image_shape):
    """shuffle from explicit material.

    Args:
        perm: permutation of the bytes as a gather, `(H * W * C,)`.
        image_shape: (height, width, channels).

    Returns:
        A `Transform` of bytes.

    Raises:
        CipherOptionError: the material has another shape, type or range.
        ImageError: the image shape does not fit.

    Example:

    >>> shuffle_transform([2, 0, 1], (1, 1, 3)).perm.tolist()
    [2, 0, 1]
    """
    shape = checks.image_shape_of(image_shape)
    perm = checks.permutations(perm, math.prod(shape), "perm")
    return Transform.composed(perm.copy(), np.zeros(perm.size, np.uint8), 8, shape)


def shuffle_key_space(image_shape):
    """n! permutations of n bytes."""
    bits = log2_factorial(math.prod(image_shape))
    return KeySpace(bits, bits)


def blockshuffle(key, image_shape, block_size=4):
    """One secret permutation of bytes inside every block, the same for all blocks.

    Args:
        key: a `tfpe.Key`.
        image_shape: (height, width, channels).
        block_size: B, side of a block in pixels; divides height and width.

    Returns:
        A `Transform` of bytes.

    Source: MaungMaung & Kiya, Block-wise image transformation with secret key for
    adversarially robust defense, IEEE TIFS 16, 2021.

    Example:

    >>> from tfpe import Key
    >>> t = blockshuffle(Key(bytes(32)), (2, 4, 1), block_size=2)
    >>> (t.perm.reshape(2, 2, 2)[:, 1] - t.perm.reshape(2, 2, 2)[:, 0]).tolist()
    [[2, 2], [2, 2]]
    """
    block_size = checks.block_size_of(block_size)
    shape = checks.image_shape_of(image_shape, block_size)
    material = check_keys(key).material("blockshuffle", shape, block_size=block_size)
    perm = material.permutation("perm", block_size**2 * shape[2])
    return _shuffle_in_blocks(perm, shape, block_size)


def blockshuffle_transform(perm, image_shape, block_size):
    """blockshuffle from explicit material.

    Args:
        perm: permutation of the bytes of a block as a gather, `(B * B * C,)`.
        image_shape: (height, width, channels), height and width divisible by B.
        block_size: B, side of a block in pixels.

    Returns:
        A `Transform` of bytes.

    Raises:
        CipherOptionError: the material has another shape, type or range.
        ImageError: the image shape does not fit.

    Example:

    >>> blockshuffle_transform([1, 0, 2], (1, 2, 3), block_size=1).perm.tolist()
    [1, 0, 2, 4, 3, 5]
    """
    block_size = checks.block_size_of(block_size)
    shape = checks.image_shape_of(image_shape, block_size)
    perm = checks.permutations(perm, block_size**2 * shape[2], "perm")
    return _shuffle_in_blocks(perm, shape, block_size)


def _shuffle_in_blocks(perm, shape, block_size):
    order = perm.astype(local_dtype(perm.shape[-1]))[..., None, :]
    masks = np.zeros(order.shape, np.uint8)
    return BlockTransform(order, masks, 8, shape, block_size)


def blockshuffle_key_space(image_shape, block_size=4):
    """(B * B * C)! permutations of a block."""
    bits = log2_factorial(block_size**2 * image_shape[2])
    return KeySpace(bits, bits)


def keystream(key, image_shape):
    """Every byte xored with one fixed SHAKE-256 stream.

    The same as AES in counter mode with a repeated nonce: strong to the eye, broken by
    any two images.

    Args:
        key: a `tfpe.Key`.
        image_shape: (height, width, channels).

    Returns:
        A `Transform` of bytes.

    Example:

    >>> from tfpe import Key
    >>> t = keystream(Key(bytes(32)), (32, 32, 3))
    >>> len(set(t.mask.tolist()))
    256
    """
    shape = checks.image_shape_of(image_shape)
    stream = (
        check_keys(key).material("keystream", shape).bytes("stream", math.prod(shape))
    )
    return XorTransform(stream, shape)


def keystream_transform(stream):
    """keystream from explicit material.

    Args:
        stream: `uint8 (H, W, C)`, xored to every image.

    Returns:
        A `Transform` of bytes.

    Raises:
        CipherOptionError: the material has another shape, type or range.
        ImageError: the image shape does not fit.

    Example:

    >>> keystream_transform([[[1, 2, 3]]]).mask.tolist()
    [1, 2, 3]
    """
    shape = checks.image_shape_of(checks.shape_of(stream, "stream"))
    mask = checks.integers(stream, shape, 256, "stream", np.uint8)
    return XorTransform(mask.flatten(), shape)


def keystream_key_space(image_shape):
    """Claimed: every stream; effective: the 256 bits of the seed."""
    bits = 8.0 * math.prod(image_shape)
    return KeySpace(bits, min(bits, 256.0))
