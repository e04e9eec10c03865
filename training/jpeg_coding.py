"""JPEG between owner and cloud: images as the cloud decodes what was sent to it."""

import numpy as np

from tfpe.metrics.jpeg import jpeg_round_trip


def coded(images, quality):
    """What is left of images that are sent as JPEG 4:4:4.

    Args:
        images: `uint8 (B, H, W, 1 or 3)`.
        quality: 1 to 100, libjpeg's scale; 0 sends them as they are.

    Returns:
        `uint8` of the same shape; `images` themselves with 0.

    Example:

    >>> images = np.arange(192, dtype=np.uint8).reshape(1, 8, 8, 3)
    >>> coded(images, 0) is images, coded(images, 50).shape
    (True, (1, 8, 8, 3))
    """
    if not quality:
        return images
    return np.stack([jpeg_round_trip(one, quality, "4:4:4")[0] for one in images])
