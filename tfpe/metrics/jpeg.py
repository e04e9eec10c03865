"""What JPEG makes of an image: its size in bytes, and what comes back."""

import numpy as np

from tfpe.checks import batch_of
from tfpe.errors import ImageError, TfpeError
from tfpe.pixels.codec import decode_image, encode_jpeg


def jpeg_round_trip(image, quality=85, subsampling="4:2:0"):
    """One image through JPEG.

    Args:
        image: `uint8 (H, W, 1 or 3)`.
        quality: 1 to 100, libjpeg's scale.
        subsampling: of the colour differences: "4:4:4", "4:2:2" or "4:2:0".

    Returns:
        `(decoded, size)`: the image that comes back, and the bytes of the file.

    Raises:
        ImageError: more than one image, or not 1 or 3 channels.
        TfpeError: an option out of range.

    Example:

    >>> decoded, size = jpeg_round_trip(np.zeros((16, 16, 3), np.uint8))
    >>> decoded.shape, 0 < size < 1000
    ((16, 16, 3), True)
    """
    batch, single = batch_of(image, "image")
    if not single or batch.shape[-1] not in (1, 3):
        raise ImageError(
            "`image` should be one image with 1 or 3 channels. Received: image of "
            f"shape {np.shape(image)}"
        )
    samplings = ("4:4:4", "4:2:2", "4:2:0")
    whole = isinstance(quality, int) and not isinstance(quality, bool)
    if not whole or not 1 <= quality <= 100 or subsampling not in samplings:
        raise TfpeError(
            f"`quality` should be from 1 to 100 and `subsampling` one of {samplings}. "
            f"Received: quality={quality!r}, subsampling={subsampling!r}"
        )
    data = encode_jpeg(batch[0], quality, subsampling)
    return decode_image(data), len(data)
