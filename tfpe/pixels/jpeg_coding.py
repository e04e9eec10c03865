"""JPEG between owner and cloud: ciphertexts as the cloud decodes what was sent to it.

What was done stands as `lossy` in manifests and receipts: a dict of format, quality and
sampling, so that images that come later are sent alike.
"""

import numpy as np

from tfpe.pixels.codec import decode_image, encode_jpeg

# With half of the colours, those of a square would take those of its neighbours.
SUBSAMPLING = "4:4:4"


def sent_as_jpeg(quality):
    """What manifests and receipts say of ciphertexts that are sent as JPEG.

    Args:
        quality: 1 to 100, libjpeg's scale; 0 or None where they are sent as they are.

    Returns:
        A dict for JSON, or None.
    """
    if not quality:
        return None
    return {"format": "JPEG", "quality": quality, "subsampling": SUBSAMPLING}


def coded(images, lossy):
    """What is left of images that are sent with a loss.

    Args:
        images: `uint8 (B, H, W, 1 or 3)`.
        lossy: what `sent_as_jpeg` gave.

    Returns:
        `uint8` of the same shape; `images` themselves with None.

    Raises:
        ImageFileError: they are too large for JPEG.

    Example:

    >>> images = np.arange(192, dtype=np.uint8).reshape(1, 8, 8, 3)
    >>> coded(images, None) is images, coded(images, sent_as_jpeg(50)).shape
    (True, (1, 8, 8, 3))
    """
    if lossy is None:
        return images
    how = lossy["quality"], lossy["subsampling"]
    return np.stack([decode_image(encode_jpeg(one, *how)) for one in images])
