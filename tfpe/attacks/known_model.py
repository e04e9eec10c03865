"""A key, from the model that was matched to it and the plain one: not published."""

import dataclasses

import numpy as np

from tfpe.algebra.structure import refined_kernel, transform_of_regions
from tfpe.errors import AttackError

# A word is told from all others by less of this share of its own length.
LEAST_MARGIN = 1e-6


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Stem:
    """The first layer of a model of patches, as `tfpe.matching.stem_of` reads it.

    Attributes:
        kernel: floats on centred words, `(patches, words, units)`; one for all where
            `patches` is 1.
        side: of a patch, in pixels.
        order: which patch is behind each place of the tokens, `(patches,)`; None for
            each its own.
    """

    kernel: np.ndarray
    side: int
    order: np.ndarray | None = None


def known_model(plain, matched, image_shape):
    """The key, from a public model and the one that its owner matched to the key.

    The columns of the matched first layer are those of the plain one, permuted and with
    changed signs: each is assigned to the one that is nearest with either sign.

    Args:
        plain: the `Stem` of the model for plain images.
        matched: the `Stem` of the model for ciphertexts, trained on or not.
        image_shape: (height, width, channels) of the images.

    Returns:
        The `Transform`.

    Raises:
        AttackError: the stems do not belong together, or columns of the plain one are
            equal, so that words cannot be told apart.

    Threat model: known model: the plain model is public, such as a pre-trained one, and
        the matched one is at hand; no image and no ciphertext.
    Complexity: O(P w^3) for P patches of w words; it stands noise of a third of the
        weights, as of training after matching.
    Source: not published elsewhere; the matching is of Kiya et al. 2022,
        arXiv 2207.05366.

    Example:

    >>> import keras, tfpe
    >>> from tfpe.matching import stem_of
    >>> layers = [keras.Input((8, 8, 3)), keras.layers.Conv2D(64, 4, 4)]
    >>> plain = keras.Sequential(layers)
    >>> secret = tfpe.ciphers.etc(tfpe.Key.generate(), (8, 8, 3))
    >>> stems = stem_of(plain), stem_of(tfpe.match(plain, secret))
    >>> known_model(*stems, (8, 8, 3)) == secret
    True
    """
    height, width, channels = image_shape
    side, words = matched.side, matched.kernel.shape[1]
    size = side * side * channels
    if plain.side != side or words % size or 8 % (words // size):
        raise AttackError(
            "Stems should be of one patch size and of these images, or they do not "
            f"belong together. Received: patches of side {plain.side} and {side}, "
            f"images {image_shape}"
        )
    bits = 8 * size // words
    patches = (height // side) * (width // side)
    own = plain.kernel.shape[1] // size  # words of a byte in the plain stem
    kernel = refined_kernel(plain.kernel, 8 // own, bits)
    source = np.arange(patches) if matched.order is None else np.argsort(matched.order)
    if {len(kernel), len(matched.kernel)} - {1, patches} or len(source) != patches:
        raise AttackError(
            f"Stems should be of {patches} patches. Received: "
            f"{len(plain.kernel)} and {len(matched.kernel)}"
        )
    found = [
        _assigned(
            kernel[source[patch] if len(kernel) > 1 else 0],
            matched.kernel[patch if len(matched.kernel) > 1 else 0],
        )
        for patch in range(max(len(kernel), len(matched.kernel)))
    ]
    place, negated = (
        np.broadcast_to(np.stack(part), (patches, words))
        for part in zip(*found, strict=True)
    )
    mask = negated * np.uint8(2**bits - 1)
    return transform_of_regions(source, place, mask, image_shape, side, bits)


def _assigned(plain, matched):
    """For each column of `matched` the one of `plain` and whether it is negated."""
    from scipy.optimize import linear_sum_assignment

    along = matched @ plain.T
    lengths = (matched**2).sum(1)[:, None] + (plain**2).sum(1)
    distances = lengths - 2 * np.abs(along)
    rows, place = linear_sum_assignment(distances)
    apart = (plain**2).sum(1)[:, None] + (plain**2).sum(1) - 2 * np.abs(plain @ plain.T)
    np.fill_diagonal(apart, np.inf)
    if (apart.min(1) <= LEAST_MARGIN * (plain**2).sum(1).mean()).any():
        raise AttackError(
            "Columns of the plain stem should differ, or words cannot be told apart. "
            "Received: equal ones"
        )
    # Less than half way to the next column: else this is none of this plain model's.
    far = distances[rows, place] > apart.min(1)[place] / 2
    if far.mean() > 0.5:
        raise AttackError(
            "The matched stem should come from the plain one. Received: columns that "
            f"are near none of it, {far.mean():.0%} of them"
        )
    return place, along[rows, place] < 0
