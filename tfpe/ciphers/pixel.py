"""Ciphers that keep every pixel in its place: pbe and Ahmad & Shin's logistic cipher.

Both are one exclusive or, then one of the six channel orders for each pixel.
"""

import math

import numpy as np

from tfpe import chaos as chaos_module
from tfpe import checks
from tfpe.algebra.block_rows import take_rows
from tfpe.algebra.block_transform import BlockTransform
from tfpe.algebra.xor_transform import XorTransform
from tfpe.ciphers.channels import (
    CHANNEL_ORDERS,
    channel_codes,
    channel_order_bits,
    channel_orders,
    shuffles_channels,
)
from tfpe.ciphers.keyspace import KeySpace
from tfpe.keys import check_keys

STREAMS = ("per_channel", "shared")
# Entropy of the sequence: of the parameters it grows from (mu and d0 about 103 bits).
CHAOS_BITS = {"logistic": 103, "pwlcm": 104, "logistic_sine": 156, "shake256": 256}


def pbe(key, image_shape, channel_shuffle=True):
    """Pixel-based encryption: random negatives, then random channel orders.

    Args:
        key: a `tfpe.Key`.
        image_shape: (height, width, channels); any size.
        channel_shuffle: whether each pixel of a colour image gets a channel order (the
            paper calls it optional).

    Returns:
        The `Transform` of bytes that encrypts images of `image_shape`.

    Raises:
        ImageError: `image_shape` does not fit.
        CipherOptionError: an option does not fit.

    Source: Sirichotedumrong, Kinoshita, Kiya, Pixel-Based Image Encryption Without Key
    Management for Privacy-Preserving Deep Neural Networks, IEEE Access 2019,
    doi 10.1109/ACCESS.2019.2959017; Eq. 1-2 of Ahmad & Shin 2022.

    Example:

    >>> import numpy as np
    >>> from tfpe import Key
    >>> encrypt = pbe(Key(bytes(32)), (2, 2, 3))
    >>> image = np.full((2, 2, 3), 10, np.uint8)
    >>> sorted(set(encrypt(image).ravel().tolist()))
    [10, 245]
    """
    shape = checks.image_shape_of(image_shape)
    channel_shuffle = shuffles_channels(channel_shuffle, shape)
    material = check_keys(key).material("pbe", shape, channel_shuffle=channel_shuffle)
    order = _draw_channel_order(material, shape) if channel_shuffle else None
    negate = material.bits("negate", shape)
    return _xor_then_channel_order(np.negative(negate.view(np.uint8)), order, shape)


def pbe_transform(negate, channel_order):
    """pbe from explicit material.

    Args:
        negate: bits, `(H, W, 3)` or, without channel order, `(H, W, 1)`: the values to
            be replaced by 255 minus themselves.
        channel_order: codes 0 to 5 of Table I, `(H, W)`, or None.

    Returns:
        A `Transform` of bytes.

    Raises:
        CipherOptionError: the material has another shape, type or range.
        ImageError: the image shape does not fit.

    Example:

    >>> import numpy as np
    >>> t = pbe_transform(np.array([[[0, 1, 0]]]), np.array([[5]]))
    >>> t(np.array([[[1, 2, 3]]], np.uint8)).tolist()
    [[[3, 253, 1]]]
    """
    shape = checks.image_shape_of(checks.shape_of(negate, "negate"))
    negate = checks.bits(negate, shape, "negate")
    codes = channel_codes(channel_order, shape[:2], shape[2])
    return _xor_then_channel_order(negate * np.uint8(255), codes, shape)


def pbe_key_space(image_shape, channel_shuffle=True):
    """2^(3n) negatives and 6^n channel orders of n pixels."""
    bits = math.prod(image_shape) + channel_order_bits(image_shape, channel_shuffle)
    return KeySpace(bits, bits)


def logistic(
    key,
    image_shape,
    chaos="logistic",
    stream="per_channel",
    select=True,
    channel_shuffle=True,
):
    """Ahmad & Shin's cipher: half of the values are xored with a chaotic sequence.

    Args:
        key: a `tfpe.Key`; the parameters of the map, the selection and the channel
            orders are drawn from it.
        image_shape: (height, width, channels); any size.
        chaos: "logistic" (the paper), "pwlcm" or "logistic_sine" (more robust maps, the
            paper's future work) or "shake256" (a cryptographic stream, as a control).
        stream: "per_channel" takes one value of the sequence for each byte, channel
            after channel; "shared" uses the values of one channel for all of them (the
            seed's Algorithm 2 and its Eq. 5 differ here).
        select: whether a random half of the values is left as it is (K_c of the paper);
            False xors every value.
        channel_shuffle: whether each pixel of a colour image gets a channel order
            (K_s of the paper).

    Returns:
        The `Transform` of bytes that encrypts images of `image_shape`.

    Raises:
        ImageError: `image_shape` does not fit.
        CipherOptionError: an option does not fit.

    Source: Ahmad & Shin, A Pixel-based Encryption Method for Privacy-Preserving Deep
    Learning Models, 2022, arXiv 2203.16780; Eq. 3-6, Algorithm 2.

    Example:

    >>> import numpy as np
    >>> from tfpe import Key
    >>> encrypt = logistic(Key(bytes(32)), (32, 32, 3))
    >>> image = np.zeros((32, 32, 3), np.uint8)
    >>> bool(0.4 < (encrypt(image) == 0).mean() < 0.6)  # left as they are
    True
    """
    shape = checks.image_shape_of(image_shape)
    checks.one_of(chaos, tuple(CHAOS_BITS), "chaos")
    checks.one_of(stream, STREAMS, "stream")
    checks.true_or_false(select, "select")
    channel_shuffle = shuffles_channels(channel_shuffle, shape)
    material = check_keys(key).material(
        "logistic",
        shape,
        chaos=chaos,
        stream=stream,
        select=select,
        channel_shuffle=channel_shuffle,
    )
    height, width, channels = shape
    planes = channels if stream == "per_channel" else 1
    length = height * width * planes
    if chaos == "shake256":
        sequence = material.bytes("sequence", length)
    else:
        sequence = chaos_module.drawn_sequence(chaos, material, length)
    # One value for each byte, channel-major: S_c = sequence[c * H * W:(c + 1) * H * W].
    sequence = sequence.reshape(*material.lead, planes, height, width)
    if select:
        mask = np.negative(material.bits("select", shape).view(np.uint8))
    else:
        mask = np.full((*material.lead, *shape), 255, np.uint8)
    for channel in range(channels):
        mask[..., channel] &= sequence[..., min(channel, planes - 1), :, :]
    order = _draw_channel_order(material, shape) if channel_shuffle else None
    return _xor_then_channel_order(mask, order, shape)


def logistic_transform(sequence, select, channel_order):
    """Ahmad & Shin's cipher from explicit material (for instance published keys).

    Args:
        sequence: `uint8 (H, W, C)`. The paper's one stream of C * H * W values
            (`tfpe.chaos.logistic_sequence`) is channel-major:
            `np.moveaxis(stream.reshape(C, H, W), 0, -1)`.
        select: bits, `(H, W, C)`: where the sequence is xored to the image (K_c).
        channel_order: codes 0 to 5 of Table I, `(H, W)` (K_s), or None.

    Returns:
        A `Transform` of bytes.

    Raises:
        CipherOptionError: the material has another shape, type or range.
        ImageError: the image shape does not fit.

    Example:

    >>> import numpy as np
    >>> t = logistic_transform([[[7, 7, 7]]], [[[1, 0, 1]]], [[3]])
    >>> t(np.array([[[0, 10, 255]]], np.uint8)).tolist()
    [[[10, 248, 7]]]
    """
    shape = checks.image_shape_of(checks.shape_of(sequence, "sequence"))
    sequence = checks.integers(sequence, shape, 256, "sequence").astype(np.uint8)
    select = checks.bits(select, shape, "select")
    codes = channel_codes(channel_order, shape[:2], shape[2])
    return _xor_then_channel_order(sequence * select, codes, shape)


def logistic_key_space(
    image_shape,
    chaos="logistic",
    stream="per_channel",
    select=True,
    channel_shuffle=True,
):
    """Claimed: 256^(3n) sequences (Eq. 6); effective: those of the map's parameters."""
    values = math.prod(image_shape)
    other = select * values + channel_order_bits(image_shape, channel_shuffle)
    sequence = 8 * values // (1 if stream == "per_channel" else image_shape[2])
    return KeySpace(8 * values + other, min(sequence, CHAOS_BITS[chaos]) + other)


def _xor_then_channel_order(mask, codes, shape):
    """`mask` is `(H, W, C)`, `codes` `(H, W)`; an axis of keys may be in front."""
    mask = mask.reshape(*mask.shape[:-3], -1, shape[2])
    if codes is None:
        return XorTransform(mask.reshape(*mask.shape[:-2], -1), shape)
    order = channel_orders(codes).reshape(mask.shape)
    # What was xored moves with the channels.
    rows = (-1, shape[2])
    moved = take_rows(mask.reshape(rows), order.reshape(rows)).reshape(mask.shape)
    return BlockTransform(order, moved, 8, shape, 1)


def _draw_channel_order(material, shape):
    count = len(CHANNEL_ORDERS)
    return material.integers("channel_order", shape[:2], count, np.uint8)
