"""What a network may know of a `Transform` without its key: words, regions, moves.

A network fits a cipher where its first layer is dense over the regions that the cipher
mixes, on words that the cipher at most moves and negates. Both are read off the arrays
of any `Transform`, so that a cipher of one's own is fitted as those of the table are.
"""

import dataclasses
import math

import numpy as np

from tfpe.algebra.transform import Transform
from tfpe.algebra.words import split_words
from tfpe.errors import CipherOptionError

PIXEL, BLOCK, IMAGE = "pixel", "block", "image"


@dataclasses.dataclass(frozen=True)
class Regions:
    """How a transform treats square regions of one size.

    Attributes:
        side: of a region, in pixels.
        tied: whether the same key acts in all regions.
        moved: whether regions change their places.
    """

    side: int
    tied: bool
    moved: bool


@dataclasses.dataclass(frozen=True)
class Structure:
    """What `structure` found.

    Attributes:
        bits: the longest word, 8, 4 or 1 bits, of which each is moved and at most
            negated: centred words then come out as a signed permutation.
        region: what the key mixes: "pixel", "block", or "image" where it keeps to
            nothing smaller.
        side: of a region, in pixels; None for the image.
        tied: whether the same key acts in all regions.
        moved: whether regions change their places.
        fitting: a `Regions` for every side at which each region of the ciphertext comes
            from one region of the image.
    """

    bits: int
    region: str
    side: int | None
    tied: bool
    moved: bool
    fitting: tuple = ()

    def at(self, side):
        """The `Regions` of a side, or None where the key mixes more than those."""
        return next((one for one in self.fitting if one.side == side), None)


def structure(transform):
    """Reads the structure of a transform off its permutation and mask.

    Args:
        transform: a `Transform` of images `(height, width, channels)` under one key.

    Returns:
        A `Structure`. Where the key keeps to places, the region is the smallest one
        that it keeps to; where regions move, the largest ones that move as wholes. It
        tells the cipher and its options and nothing of the key.

    Raises:
        CipherOptionError: no `Transform`, one of several keys, or of other shapes.

    Source: signed words after Kiya et al. 2022 (arXiv 2207.05366), there for bytes.

    Example:

    >>> import tfpe
    >>> key = tfpe.Key.generate()
    >>> found = structure(tfpe.ciphers.le(key, (32, 32, 3)))
    >>> found.bits, found.region, found.side, found.tied, found.moved
    (4, 'block', 4, True, False)
    >>> found = structure(tfpe.ciphers.ele(key, (32, 32, 3)))
    >>> found.bits, found.region, found.side, found.tied, found.moved
    (4, 'block', 4, False, True)
    """
    if not isinstance(transform, Transform):
        raise CipherOptionError(
            f"`transform` should be a Transform. Received: {type(transform).__name__}"
        )
    if transform.batch_size is not None or len(transform.input_shape) != 3:
        raise CipherOptionError(
            "`transform` should act on images (height, width, channels) under one key. "
            f"Received: {transform!r}"
        )
    words = signed_words(transform)
    fitting = tuple(
        found
        for side in _sides(transform)
        if (found := _regions(words, side)) is not None
    )
    still = [one for one in fitting if not one.moved]
    chosen = still[0] if still else fitting[-1] if fitting else None
    if chosen is None:
        return Structure(words.bits, IMAGE, None, True, False)
    region = PIXEL if chosen.side == 1 else BLOCK
    return Structure(
        words.bits, region, chosen.side, chosen.tied, chosen.moved, fitting
    )


def signed_words(transform):
    """The same transform on the longest words that it at most negates.

    Example:

    >>> import tfpe
    >>> signed_words(tfpe.ciphers.logistic(tfpe.Key.generate(), (8, 8, 3))).bits
    1
    """
    longest = transform.coarsen()
    for bits in (8, 4):
        if bits <= longest.bits:
            refined = longest.refine(bits)
            if np.isin(refined.mask, (0, 2**bits - 1)).all():
                return refined
    return longest.refine(1)


def source_regions(transform, side):
    """Where the words of each region come from.

    Args:
        transform: a `Transform` of images `(height, width, channels)`.
        side: of the regions, in pixels; divides height and width.

    Returns:
        `(source, place, mask)`: for each region of the output the region of the input
        that its words come from, `(regions,)`, and the place there and the mask of
        each of its words, `(regions, words)`; None where one region takes words from
        several. Words of a region are in the order of its pixels, row by row.
    """
    height, width, channels = transform.input_shape
    if (
        height % side
        or width % side
        or transform.output_shape != (height, width, channels)
    ):
        return None
    order = _order(transform.input_shape, side, transform.bits)
    region = np.empty(transform.perm.size, np.int64)
    place = np.empty_like(region)
    region[order] = np.arange(len(order))[:, None]
    place[order] = np.arange(order.shape[1])
    taken = transform.perm[order]
    source = region[taken]
    if (source != source[:, :1]).any():
        return None
    return source[:, 0], place[taken], transform.mask[order]


def transform_of_regions(source, place, mask, image_shape, side, bits):
    """The transform that `source_regions` tells so, on words of `bits` bits."""
    order = _order(image_shape, side, bits)
    perm, masks = np.empty(order.size, np.int64), np.empty(order.size, np.uint8)
    perm[order] = np.take_along_axis(order[source], place, axis=1)
    masks[order] = mask
    return Transform(perm, masks, bits, image_shape)


def words_of_regions(images, side, bits):
    """The words of each square region of images, in the order of `source_regions`.

    Args:
        images: `uint8 (B, H, W, C)`; the sides are divisible by `side`.
        side: of the regions, in pixels.
        bits: of a word.

    Returns:
        `uint8 (B, regions, words)`.

    Example:

    >>> words_of_regions(np.full((1, 4, 4, 3), 0xA5, np.uint8), 2, 4)[0, 0, :4].tolist()
    [5, 10, 5, 10]
    """
    words = split_words(images.reshape(len(images), -1), bits)
    return words[:, _order(images.shape[1:], side, bits)]


def _order(image_shape, side, bits):
    """The number of each word of each region, region by region, row by row."""
    height, width, channels = image_shape
    count = channels * 8 // bits
    places = np.arange(height * width * count).reshape(
        height // side, side, width // side, side, count
    )
    return places.swapaxes(1, 2).reshape(-1, side * side * count)


def _regions(transform, side):
    found = source_regions(transform, side)
    if found is None:
        return None
    source, place, mask = found
    tied = bool((place == place[0]).all() and (mask == mask[0]).all())
    return Regions(side, tied, bool((source != np.arange(len(source))).any()))


def _sides(transform):
    """The sides of squares that an image is cut into, smaller than the image."""
    height, width, _ = transform.input_shape
    whole = math.gcd(height, width)
    sides = [side for side in range(1, whole + 1) if whole % side == 0]
    return [side for side in sides if side < max(height, width)]


def refined_kernel(kernel, bits, finer):
    """A kernel on centred words of `bits` bits as one on words of `finer` bits.

    Args:
        kernel: floats, `(patches, words, units)`.
        bits, finer: 8, 4 or 1.
    """
    shifts = np.arange(0, bits, finer)
    weights = 2.0**shifts * (2**finer - 1) / (2**bits - 1)
    kernel = kernel[:, :, None] * weights[:, None]
    return kernel.reshape(len(kernel), -1, kernel.shape[-1])
