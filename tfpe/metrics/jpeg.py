"""What JPEG makes of an image: its size in bytes, and what comes back."""

import io

import numpy as np
from PIL import Image

from tfpe.checks import batch_of
from tfpe.errors import ImageError, TfpeError


def jpeg_round_trip(image, quality=85, subsampling="4:2:0"):
    """One image through JPEG.

    Args:
        image: `uint8 (H, W, 1 or 3)`.
        quality: 1 to 95, libjpeg's scale.
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
    if not whole or not 1 <= quality <= 95 or subsampling not in samplings:
        raise TfpeError(
            f"`quality` should be from 1 to 95 and `subsampling` one of {samplings}. "
            f"Received: quality={quality!r}, subsampling={subsampling!r}"
        )
    pixels = batch[0, ..., 0] if batch.shape[-1] == 1 else batch[0]
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(
        file, "JPEG", quality=quality, subsampling=subsampling
    )
    decoded = np.array(Image.open(file)).reshape(batch.shape[1:])
    return decoded, file.getbuffer().nbytes
