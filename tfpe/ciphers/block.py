"""Ciphers that work block by block: le, ele, etc and etc_gray.

Blocks of B x B pixels are numbered row by row; inside a block, bytes run in (row,
column, channel) order.
"""

import math

import numpy as np

from tfpe.ciphers import checks
from tfpe.ciphers.channels import (
    CHANNEL_ORDERS,
    channel_order_bits,
    channel_sources,
    check_channel_shuffle,
)
from tfpe.ciphers.keyspace import KeySpace, log2_factorial
from tfpe.errors import CipherOptionError, ImageError
from tfpe.keys import check_key
from tfpe.transform import Transform
from tfpe.words import index_dtype

REVERSALS = ("derived", "independent")
ORIENTATIONS = 8


def le(key, image_shape, block_size=4, reversal="derived", word_bits=4):
    """Learnable encryption: one secret shuffle of nibbles for all blocks.

    A block is split into low and high nibbles, some are reversed (15 - v), all are
    shuffled, and joined to bytes again.

    Args:
        key: a `tfpe.Key`.
        image_shape: (height, width, channels), height and width divisible by
            `block_size`; 1 or 3 channels.
        block_size: side of a block in pixels.
        reversal: "derived" reverses the positions j with order[j] > n / 2, before and
            again after the shuffle, as the published code does; "independent" reverses
            at random positions of their own, once, as the papers say.
        word_bits: 4, or 8 for the byte-wise variant without the split into nibbles.

    Returns:
        The `Transform` of nibbles (or bytes) that encrypts images of `image_shape`.

    Raises:
        ImageError: `image_shape` does not fit.
        CipherOptionError: an option does not fit.

    Source: Tanaka, Learnable Image Encryption, ICCE-TW 2018, arXiv 1804.00490.

    Example:

    >>> import numpy as np
    >>> from tfpe import Key
    >>> encrypt = le(Key(bytes(32)), (32, 32, 3))
    >>> image = np.arange(3072).reshape(32, 32, 3).astype(np.uint8)
    >>> bool((encrypt.inverse(encrypt(image)) == image).all())
    True
    """
    block_size = checks.block_size_of(block_size)
    shape = checks.image_shape_of(image_shape, block_size)
    checks.one_of(reversal, REVERSALS, "reversal")
    checks.one_of(word_bits, (4, 8), "word_bits")
    material = check_key(key).material(
        "le", shape, block_size=block_size, reversal=reversal, word_bits=word_bits
    )
    words = block_size**2 * shape[2] * 8 // word_bits
    independent = reversal == "independent"
    return le_transform(
        material.permutation("order", words),
        shape,
        block_size,
        material.bits("reversal", words) if independent else None,
        word_bits,
    )


def le_transform(order, image_shape, block_size=4, mask=None, word_bits=4):
    """le from explicit material (for instance the key of the published code).

    Args:
        order: permutation of the n words of a block, `(n,)`, as a gather: shuffled
            word j is word order[j]. Words are numbered all low nibbles first, then all
            high ones (`word_bits=4`: n = 2 * B * B * C), or are bytes (n = B * B * C).
        image_shape: (height, width, channels).
        block_size: B, side of a block in pixels.
        mask: bits, `(n,)`: words reversed before the shuffle; None derives them from
            `order` and reverses before and after it, as the published code does.
        word_bits: 4 or 8.

    Example:

    >>> import numpy as np
    >>> t = le_transform([1, 0], (1, 1, 1), block_size=1, mask=[0, 0])
    >>> hex(t(np.array([[[0xA5]]], np.uint8)).item())
    '0x5a'
    """
    block_size = checks.block_size_of(block_size)
    shape = checks.image_shape_of(image_shape, block_size)
    checks.one_of(word_bits, (4, 8), "word_bits")
    words = block_size**2 * shape[2] * 8 // word_bits
    order = checks.permutations(order, words, "order")
    if mask is not None:
        mask = checks.bits(mask, words, "mask")[None]
    return _shuffle_words(order[None], None, mask, word_bits, shape, block_size)


def le_key_space(image_shape, block_size=4, reversal="derived", word_bits=4):
    """n! shuffles; the claimed 2^n reversals are no key where they are derived."""
    words = block_size**2 * image_shape[2] * 8 // word_bits
    orders = log2_factorial(words)
    return KeySpace(orders + words, orders + words * (reversal == "independent"))


def ele(key, image_shape, block_size=4, reversal="derived"):
    """Extended learnable encryption: le with a key for each block, blocks shuffled.

    Args:
        key: a `tfpe.Key`.
        image_shape: (height, width, channels), height and width divisible by
            `block_size`; 1 or 3 channels.
        block_size: side of a block in pixels.
        reversal: "derived" or "independent", as in `le`.

    Returns:
        The `Transform` of nibbles that encrypts images of `image_shape`.

    Raises:
        ImageError: `image_shape` does not fit.
        CipherOptionError: an option does not fit.

    Source: Madono, Tanaka, Onishi, Ogawa, Block-wise Scrambled Image Recognition Using
    Adaptation Network, 2020, arXiv 2001.07761. (The paper shuffles the blocks first;
    with keys numbered by source block that is the same set of ciphers.)

    Example:

    >>> from tfpe import Key
    >>> ele(Key(bytes(32)), (8, 8, 3))
    Transform(bits=4, input_shape=(8, 8, 3), output_shape=(8, 8, 3))
    """
    block_size = checks.block_size_of(block_size)
    shape = checks.image_shape_of(image_shape, block_size)
    checks.one_of(reversal, REVERSALS, "reversal")
    material = check_key(key).material(
        "ele", shape, block_size=block_size, reversal=reversal
    )
    count = shape[0] * shape[1] // block_size**2
    words = 2 * block_size**2 * shape[2]
    independent = reversal == "independent"
    return ele_transform(
        material.permutations("orders", count, words),
        material.permutation("block_order", count),
        shape,
        block_size,
        material.bits("reversals", (count, words)) if independent else None,
    )


def ele_transform(orders, block_order, image_shape, block_size=4, masks=None):
    """ele from explicit material.

    Args:
        orders: `(N, 2 * B * B * C)`, the `order` of `le_transform` for each of the N
            source blocks.
        block_order: permutation of N: block i of the output is the encrypted source
            block block_order[i].
        image_shape: (height, width, channels).
        block_size: B, side of a block in pixels.
        masks: bits, `(N, 2 * B * B * C)`, or None, as in `le_transform`.

    Example:

    >>> import numpy as np
    >>> t = ele_transform([[0, 1], [1, 0]], [1, 0], (1, 2, 1), 1, np.zeros((2, 2), int))
    >>> t(np.array([[[0x12], [0x34]]], np.uint8)).ravel().tolist() == [0x43, 0x12]
    True
    """
    block_size = checks.block_size_of(block_size)
    shape = checks.image_shape_of(image_shape, block_size)
    count = shape[0] * shape[1] // block_size**2
    words = 2 * block_size**2 * shape[2]
    orders = checks.permutations(orders, words, "orders", count)
    block_order = checks.permutations(block_order, count, "block_order")
    if masks is not None:
        masks = checks.bits(masks, orders.shape, "masks")
    return _shuffle_words(orders, block_order, masks, 4, shape, block_size)


def ele_key_space(image_shape, block_size=4, reversal="derived"):
    """A key of le for each of N blocks, and N! block orders."""
    block = le_key_space((block_size, block_size, image_shape[2]), block_size, reversal)
    count = image_shape[0] * image_shape[1] // block_size**2
    orders = log2_factorial(count)
    return KeySpace(count * block.claimed + orders, count * block.effective + orders)


def etc(key, image_shape, block_size=4, channel_shuffle=True):
    """Encryption-then-compression: blocks moved, turned, negated and recoloured.

    Args:
        key: a `tfpe.Key`.
        image_shape: (height, width, channels), height and width divisible by
            `block_size`; one channel only with `channel_shuffle=False`.
        block_size: side of a block in pixels: 4 for CIFAR, 16 for JPEG.
        channel_shuffle: whether each block gets a channel order.

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
    check_channel_shuffle(channel_shuffle, shape)
    material = check_key(key).material(
        "etc", shape, block_size=block_size, channel_shuffle=channel_shuffle
    )
    count = shape[0] * shape[1] // block_size**2
    return etc_transform(
        material.permutation("block_order", count),
        material.integers("orientation", count, ORIENTATIONS),
        material.bits("negate", count),
        material.integers("channel_order", count, len(CHANNEL_ORDERS))
        if channel_shuffle
        else None,
        shape,
        block_size,
    )


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

    Example:

    >>> import numpy as np
    >>> t = etc_transform([0], [1], [0], None, (2, 2, 1), 2)  # one quarter turn
    >>> t(np.array([[[1], [2]], [[3], [4]]], np.uint8))[..., 0].tolist()
    [[2, 4], [1, 3]]
    """
    block_size = checks.block_size_of(block_size)
    shape = checks.image_shape_of(image_shape, block_size)
    channels = shape[2]
    count = shape[0] * shape[1] // block_size**2
    block_order = checks.permutations(block_order, count, "block_order")
    orientation = checks.integers(orientation, count, ORIENTATIONS, "orientation")
    negate = checks.bits(negate, count, "negate")
    colours = np.arange(channels, dtype=np.int8)[None]
    if channel_order is not None:
        colours = channel_sources(channel_order, count, channels)
    # Inside a block: output pixel p takes input pixel turned[p], channel colours[c].
    origins, offsets = block_positions(shape, block_size)
    turned = offsets[::channels][_orientations(block_size)]
    local = turned[orientation][:, :, None] + colours[:, None, :]
    local = local.reshape(count, -1)
    local += origins[block_order][:, None]
    negatives = np.where(negate, np.uint8(255), np.uint8(0))[:, None]
    return Transform.composed(
        lay_out(local, shape, block_size),
        lay_out(np.broadcast_to(negatives, local.shape), shape, block_size),
        8,
        shape,
    )


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
    checks.true_or_false(fold, "fold")
    material = check_key(key).material(
        "etc_gray", shape, block_size=block_size, fold=fold
    )
    count = math.prod(shape) // block_size**2
    return etc_gray_transform(
        material.permutation("block_order", count),
        material.integers("orientation", count, ORIENTATIONS),
        material.bits("negate", count),
        shape,
        block_size,
        fold,
    )


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

    Example:

    >>> t = etc_gray_transform([2, 0, 1], [0, 0, 0], [0, 0, 0], (1, 1, 3), 1)
    >>> t.perm.tolist()
    [2, 0, 1]
    """
    block_size = checks.block_size_of(block_size)
    shape = checks.image_shape_of(image_shape, block_size)
    checks.true_or_false(fold, "fold")
    if not fold and shape[2] != 3:
        raise CipherOptionError(
            "`fold=False` needs images of 3 channels; on gray images both are the "
            f"same, fold=True. Received: image_shape={shape}"
        )
    planes = side_by_side(shape)
    gray = etc_transform(
        block_order, orientation, negate, None, planes.output_shape, block_size
    )
    return planes.inverse @ gray @ planes if fold else gray @ planes


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


def _shuffle_words(orders, block_order, masks, word_bits, image_shape, block_size):
    """Shuffles the words of each source block by its order; blocks by `block_order`.

    `orders` and `masks` are `(N, n)`, or `(1, n)` where all blocks share them and
    `block_order` is None; `masks` None derives the reversals.
    """
    parts = 8 // word_bits
    origins, offsets = block_positions(image_shape, block_size)
    # The papers' numbering: all low nibbles of the block, then all high ones.
    offsets = np.concatenate([parts * offsets + part for part in range(parts)])
    full = np.uint8(2**word_bits - 1)
    flips = np.empty(orders.shape, np.uint8)
    local = np.empty(orders.shape, offsets.dtype)
    step = max(1, 2**16 // offsets.size)
    for start in range(0, len(orders), step):
        rows = slice(start, start + step)
        local[rows] = offsets[orders[rows]]
        if masks is None:
            # Reversed before and after the shuffle, strictly above n / 2: the code.
            reversed_ = orders[rows] > offsets.size / 2
            moved = np.take_along_axis(reversed_, orders[rows], axis=1)
            flips[rows] = (reversed_ ^ moved) * full
        else:
            flips[rows] = np.take_along_axis(masks[rows], orders[rows], axis=1) * full
    sources = local + parts * origins[:, None]
    if block_order is None:
        flips = np.broadcast_to(flips, sources.shape)
    else:
        sources, flips = sources[block_order], flips[block_order]
    return Transform.composed(
        lay_out(sources, image_shape, block_size, parts),
        lay_out(flips, image_shape, block_size, parts),
        word_bits,
        image_shape,
    )


def _orientations(block_size):
    """Gather indices, `(8, B * B)`, of the eight orientations of a block."""
    square = np.arange(block_size**2, dtype=np.int32).reshape(block_size, -1)
    turned = [np.rot90(square, r) for r in range(4)]
    turned += [np.fliplr(t) for t in turned]
    return np.stack([t.ravel() for t in turned])
