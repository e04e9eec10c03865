"""The colour step that pbe, logistic and etc share: one of six channel orders."""

import functools
import math

import numpy as np

from tfpe import checks
from tfpe.errors import CipherOptionError

# Table I, printed in Sirichotedumrong et al. 2019: code k means out_c = in_{T[k][c]}.
CHANNEL_ORDERS = np.array(
    [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]], np.int8
)

CHUNK = 2**14  # fours of pixels, which the cache holds


def channel_codes(channel_order, shape, channels):
    """Explicit codes of Table I, of `shape`, or None as it is; or an error."""
    if channel_order is None:
        return None
    if channels != 3:
        raise CipherOptionError(
            "`channel_order` should be None for images without 3 channels. "
            f"Received: an array, and images of {channels}"
        )
    return checks.integers(channel_order, shape, len(CHANNEL_ORDERS), "channel_order")


def channel_orders(codes):
    """The rows of `CHANNEL_ORDERS` by their codes, `uint8 (codes, 3)`.

    Four at a time, from a table of all fours: a row of three bytes takes as long.
    """
    count, table = len(CHANNEL_ORDERS), _orders_of_fours()
    codes = codes.reshape(-1)
    fours = codes[: codes.size // 4 * 4].reshape(-1, 4)
    orders = np.empty((codes.size, 3), np.uint8)
    filled = orders[: fours.size].reshape(-1, 12)
    for start in range(0, len(fours), CHUNK):
        four = fours[start : start + CHUNK].astype(np.uint16)
        place = four[:, 0]
        for column in range(1, 4):
            place = place * np.uint16(count) + four[:, column]
        filled[start : start + CHUNK] = table.take(place, axis=0)
    orders[fours.size :] = CHANNEL_ORDERS[codes[fours.size :]]
    return orders


@functools.cache
def _orders_of_fours():
    codes = np.indices((len(CHANNEL_ORDERS),) * 4).reshape(4, -1).T
    return CHANNEL_ORDERS.astype(np.uint8)[codes].reshape(-1, 12)


def shuffles_channels(channel_shuffle, image_shape):
    """Whether images of this shape get channel orders: gray ones have none.

    A gray image is encrypted alike with and without `channel_shuffle`, so that gray and
    colour pictures of one folder take the same options.
    """
    return checks.true_or_false(channel_shuffle, "channel_shuffle") and (
        image_shape[2] == 3
    )


def channel_order_bits(image_shape, channel_shuffle):
    """Key space of one channel order for each pixel (or block), in bits."""
    height, width, channels = image_shape
    orders = channel_shuffle and channels == 3
    return orders * height * width * math.log2(len(CHANNEL_ORDERS))
