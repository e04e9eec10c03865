"""Random crops and mirrored images, as arrays of what was drawn for each image."""

import numpy as np

AUGMENTATIONS = ("crop", "flip")
CROP_FRACTION = 8  # zeros around an image before the crop: its sides over this


def crop_and_flip(images, offsets, flips, padding):
    """Crops of zero-padded images, some of them mirrored.

    Args:
        images: `(B, H, W, C)`.
        offsets: integers `(B, 2)`, 0 to 2 * padding: top and left of each crop.
        flips: bool `(B,)`.
        padding: zero pixels on each side, or a pair: above and below, left and right.

    Returns:
        `(B, H, W, C)` of the same dtype.

    Example:

    >>> image = np.array([[[[1], [2]], [[3], [4]]]], np.uint8)
    >>> crop_and_flip(image, np.array([[0, 1]]), np.array([True]), 1).ravel().tolist()
    [0, 0, 2, 1]
    """
    count, height, width, _ = images.shape
    above, left = np.broadcast_to(padding, 2)
    padded = np.pad(images, ((0, 0), (above, above), (left, left), (0, 0)))
    rows = offsets[:, :1] + np.arange(height)
    columns = np.arange(width)
    columns = offsets[:, 1:] + np.where(flips[:, None], columns[::-1], columns)
    return padded[
        np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]
    ]


def crop_padding(image_shape):
    """(rows, columns) of zeros on each side: an eighth of the image, rounded up.

    Example:

    >>> crop_padding((32, 32, 3)), crop_padding((28, 100, 1))
    ((4, 4), (4, 13))
    """
    return tuple(-(-side // CROP_FRACTION) for side in image_shape[:2])
