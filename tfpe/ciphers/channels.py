"""The colour step that pbe, logistic and etc share: one of six channel orders."""

import math

import numpy as np

from tfpe import checks
from tfpe.errors import CipherOptionError

# Table I, printed in Sirichotedumrong et al. 2019: code k means out_c = in_{T[k][c]}.
CHANNEL_ORDERS = np.array(
    [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]], np.int8
)


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
