"""What a reconstruction is good for: whether it finds the picture among many."""

import numpy as np

from tfpe.checks import batch_of
from tfpe.errors import ImageError

CHUNK = 500
ROUNDING = 1e-6  # of a correlation, in float32


def identified(recovered, gallery, places=None):
    """Whether the picture of a gallery nearest to each reconstruction is the right one.

    Nearest is of the largest correlation of all values: brightness and contrast, which
    a mean over what may be has less of, do not count.

    Args:
        recovered: `uint8 (B, H, W, C)`.
        gallery: plain pictures, `uint8 (N, H, W, C)`, among them the right ones.
        places: where in the gallery the picture of each reconstruction is, `(B,)`;
            default the first B in their order.

    Returns:
        `bool (B,)`; False where a reconstruction is of one value throughout, or another
        picture of the gallery is as near.

    Raises:
        ImageError: other dtypes or shapes, or fewer pictures than reconstructions.

    Example:

    >>> gallery = np.random.default_rng(0).integers(0, 256, (9, 8, 8, 3), np.uint8)
    >>> identified(gallery[:2] // 4, gallery).tolist()
    [True, True]
    >>> identified(gallery[:2] // 4, gallery, [0, 5]).tolist()
    [True, False]
    """
    recovered, _ = batch_of(recovered, "recovered")
    gallery, _ = batch_of(gallery, "gallery")
    places = np.arange(len(recovered)) if places is None else np.asarray(places)
    if recovered.shape[1:] != gallery.shape[1:] or len(places) != len(recovered):
        raise ImageError(
            "`gallery` should be pictures of the shape of `recovered`, with a place "
            f"for each. Received: shapes {recovered.shape} and {gallery.shape}, "
            f"{len(places)} places"
        )
    if len(places) and not 0 <= places.min() <= places.max() < len(gallery):
        raise ImageError(
            "`gallery` should hold the picture of each reconstruction. Received: "
            f"{len(gallery)} pictures, places to {places.max()}"
        )
    known, found = _directions(gallery), np.zeros(len(recovered), bool)
    for first in range(0, len(recovered), CHUNK):
        part = slice(first, first + CHUNK)
        shown = _directions(recovered[part])
        near = shown @ known.T
        own = np.arange(len(near)), places[part]
        right = near[own].copy()
        near[own] = -np.inf
        others = near.max(axis=1, initial=-np.inf)
        found[part] = (right > others + ROUNDING) & shown.any(axis=1)
    return found


def identification_rate(recovered, gallery, places=None):
    """The share of reconstructions that find their picture in a gallery.

    Args:
        recovered, gallery, places: as of `identified`.

    Returns:
        A float; by chance 1 / N of N pictures.

    Example:

    >>> gallery = np.random.default_rng(0).integers(0, 256, (9, 8, 8, 3), np.uint8)
    >>> identification_rate(gallery, gallery)
    1.0
    """
    return float(identified(recovered, gallery, places).mean())


def _directions(images):
    """Images as vectors of mean 0 and length 1; 0 where they are constant."""
    values = images.reshape(len(images), -1).astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    values[np.ptp(images.reshape(len(images), -1), axis=1) == 0] = 0
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return values / np.maximum(lengths, np.finfo(np.float32).tiny)
