"""Learnable encryption: le, and ele with a key for each block."""

import numpy as np

from tfpe import checks
from tfpe.algebra.block_rows import local_dtype, mask_bytes, row_parts, take_rows
from tfpe.algebra.block_transform import BlockTransform
from tfpe.ciphers.keyspace import KeySpace, log2_factorial
from tfpe.keys import check_keys

REVERSALS = ("derived", "independent")


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
    material = check_keys(key).material(
        "le", shape, block_size=block_size, reversal=reversal, word_bits=word_bits
    )
    words = block_size**2 * shape[2] * 8 // word_bits
    order, mask = material.permutation("order", words)[..., None, :], None
    if reversal == "independent":
        mask = material.bits("reversal", words)[..., None, :]
    return _shuffle_words(order, None, mask, word_bits, shape, block_size)


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

    Returns:
        A `Transform` of words of `word_bits` bits.

    Raises:
        CipherOptionError: the material has another shape, type or range.
        ImageError: the image shape does not fit.

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
    material = check_keys(key).material(
        "ele", shape, block_size=block_size, reversal=reversal
    )
    count = shape[0] * shape[1] // block_size**2
    words = 2 * block_size**2 * shape[2]
    orders = material.permutations("orders", count, words, local_dtype(words))
    masks = None
    if reversal == "independent":
        masks = material.bits("reversals", (count, words))
    block_order = material.permutation("block_order", count)
    return _shuffle_words(orders, block_order, masks, 4, shape, block_size)


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

    Returns:
        A `Transform` of nibbles.

    Raises:
        CipherOptionError: the material has another shape, type or range.
        ImageError: the image shape does not fit.

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


def _shuffle_words(orders, block_order, masks, word_bits, image_shape, block_size):
    """Shuffles the words of each source block by its order; blocks by `block_order`.

    `orders` and `masks` are `(N, n)`, or `(1, n)` where all blocks share them and
    `block_order` is None; `masks` None derives the reversals. All may have an axis of
    keys in front.
    """
    parts = 8 // word_bits
    shape, words, source = orders.shape, orders.shape[-1], block_order
    orders = orders.reshape(-1, words)
    masks = masks if masks is None else masks.reshape(orders.shape)
    if source is not None:
        # Blocks of all images are numbered one after the other.
        first = np.arange(0, len(orders), source.shape[-1])
        source = (source.reshape(len(first), -1) + first[:, None]).reshape(-1)
    order = np.empty(orders.shape, local_dtype(words))
    flips = np.empty((len(orders), words // parts), np.uint8)
    full = np.uint8(2**word_bits - 1)
    for rows in row_parts(*orders.shape):
        sources = rows if source is None else source[rows]
        order[rows] = orders[sources]
        if masks is None:
            # Reversed before and after the shuffle, strictly above n / 2: the code.
            reversed_ = order[rows] > words // 2
            flipped = reversed_ ^ take_rows(reversed_, order[rows])
        else:
            flipped = take_rows(masks[sources], order[rows])
        flips[rows] = mask_bytes(flipped * full, parts)
    order, flips = order.reshape(shape), flips.reshape(*shape[:-1], -1)
    return BlockTransform(order, flips, word_bits, image_shape, block_size, block_order)
