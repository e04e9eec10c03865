"""How much of a key or an image an attack got."""

import itertools
import math
from typing import NamedTuple

import numpy as np

from tfpe.algebra.orthogonal import Orthogonal
from tfpe.algebra.substitution import Substitution
from tfpe.algebra.transform import Transform
from tfpe.checks import pair_of
from tfpe.errors import AttackError


class KeyScore(NamedTuple):
    """Fractions of the words of a key that are right; 1 and 1 only for the true key.

    Of a `Substitution`, of which nothing moves, they are entries of the table of each
    byte; of an `Orthogonal` map, entries of its matrix.

    Attributes:
        index_accuracy: both source and mask are right: the word decrypts right, always.
        perm_accuracy: the source is right.
        mask_accuracy: the mask is right.
    """

    index_accuracy: float
    perm_accuracy: float
    mask_accuracy: float


class ImageScore(NamedTuple):
    """How near recovered images are to the plain ones; means over a batch.

    Attributes:
        exact_bytes: fraction of values that are right.
        exact_pixels: fraction of pixels with all channels right.
        psnr: in dB, of the squared error over the whole batch; infinite where all is
            right.
        ssim: structural similarity, 1 where all is right; NaN for images below 11 x 11.
        gray_correlation: absolute correlation of gray values (a negative shows as
            much); constant images do not count, NaN where all are.
        edge_correlation: correlation of the edge strengths, likewise.
    """

    exact_bytes: float
    exact_pixels: float
    psnr: float
    ssim: float
    gray_correlation: float
    edge_correlation: float


def score_key(recovered, secret):
    """Compares two keys: `Transform`s on their finer words, or siblings of one kind.

    Args:
        recovered: what an attack returned.
        secret: the key it was after; same image shapes.

    Returns:
        A `KeyScore`.

    Raises:
        AttackError: they act on different image shapes, or are not of one kind.

    Example:

    >>> from tfpe import Transform
    >>> secret = Transform([1, 0, 2, 3], [0, 0, 0, 255])
    >>> score_key(Transform([1, 0, 2, 3], [0, 0, 0, 0]), secret)
    KeyScore(index_accuracy=0.75, perm_accuracy=1.0, mask_accuracy=0.75)
    """
    shapes = [
        (t.input_shape, t.output_shape, t.batch_size) for t in (recovered, secret)
    ]
    if shapes[0] != shapes[1]:
        raise AttackError(
            "Both transforms should act on one image shape. "
            f"Received: {recovered!r} and {secret!r}"
        )
    if isinstance(recovered, Substitution) and isinstance(secret, Substitution):
        right = _right_entries(recovered, secret)
        return KeyScore(right, 1.0, right)
    if isinstance(recovered, Orthogonal) and isinstance(secret, Orthogonal):
        right = 0.0
        if recovered.matrix.shape == secret.matrix.shape:
            right = float((recovered.matrix == secret.matrix).mean())
        return KeyScore(right, right, right)
    kinds = [isinstance(one, Transform) for one in (recovered, secret)]
    if not any(kinds) and isinstance(recovered, type(secret)):
        right = _equal_entries(recovered, secret)
        return KeyScore(right, right, right)
    if not all(kinds):
        raise AttackError(
            f"Both keys should be of one kind. Received: {recovered!r} and {secret!r}"
        )
    bits = min(recovered.bits, secret.bits)
    recovered, secret = recovered.refine(bits), secret.refine(bits)
    perm = recovered.perm == secret.perm
    mask = recovered.mask == secret.mask
    return KeyScore(float((perm & mask).mean()), float(perm.mean()), float(mask.mean()))


def _equal_entries(recovered, secret):
    """The fraction of entries of the arrays of a kind of one's own that are equal."""
    if recovered == secret:
        return 1.0
    equal = [np.zeros(1, bool)]  # something differs
    for name in secret._fixed:
        found, wanted = getattr(recovered, name), getattr(secret, name)
        if isinstance(wanted, np.ndarray):
            same = found.shape == wanted.shape
            equal.append((found == wanted if same else np.zeros(wanted.shape)).ravel())
    return float(np.concatenate(equal).mean())


def _right_entries(recovered, secret):
    """The fraction of entries of the tables that are right, byte by byte."""
    indices = np.stack([recovered.index.ravel(), secret.index.ravel()])
    pairs, counts = np.unique(indices, axis=1, return_counts=True)
    right = recovered.tables[pairs[0]] == secret.tables[pairs[1]]
    return float(np.average(right.mean(axis=1), weights=counts))


def score_images(recovered, plain):
    """Compares recovered images with the plain ones.

    Args:
        recovered, plain: `uint8`, `(H, W, C)` or `(B, H, W, C)`.

    Returns:
        An `ImageScore`.

    Raises:
        ImageError: other dtypes or shapes.

    Example:

    >>> plain = np.arange(768, dtype=np.uint16).reshape(16, 16, 3).astype(np.uint8)
    >>> score = score_images(255 - plain, plain)
    >>> score.exact_bytes, round(score.gray_correlation, 6)
    (0.0, 1.0)
    """
    from tfpe import metrics  # and SciPy with it, which no list of attacks needs

    recovered, plain, _ = pair_of(recovered, plain, ("recovered", "plain"))
    exact = recovered == plain
    # One long image: the mean of decibels is infinite as soon as one image is exact.
    pooled = [images.reshape(-1, *images.shape[2:]) for images in (recovered, plain)]
    return ImageScore(
        float(exact.mean()),
        float(exact.all(axis=-1).mean()),
        float(metrics.psnr(*pooled)),
        _ssim(recovered, plain),
        _mean(np.abs(metrics.gray_correlation(recovered, plain))),
        _mean(metrics.edge_correlation(recovered, plain)),
    )


def as_json(score):
    """An `ImageScore` as JSON takes it: None for infinite and for undefined values.

    Args:
        score: an `ImageScore`.

    Returns:
        A dict of its fields.

    Example:

    >>> plain = np.arange(768, dtype=np.uint16).reshape(16, 16, 3).astype(np.uint8)
    >>> as_json(score_images(plain, plain))["psnr"] is None
    True
    """
    return {n: v if math.isfinite(v) else None for n, v in score._asdict().items()}


def least_error(recovered, plain, negatives=False):
    """Mean absolute error up to one channel order, and up to negatives of channels.

    What a person looks at does not change much by either: they are what an attack on
    ciphertexts alone may leave open.

    Args:
        recovered, plain: `uint8`, `(B, H, W, C)` or `(H, W, C)`; C is 1 or 3.
        negatives: also replace channels by 255 minus themselves: 48 candidates.

    Returns:
        The least mean of |recovered - plain|, in levels from 0 to 255, over one channel
        order (and negatives) for all images.

    Example:

    >>> plain = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    >>> least_error(plain[..., ::-1], plain)
    0.0
    >>> least_error(255 - plain, plain) > 50, least_error(255 - plain, plain, True)
    (True, 0.0)
    """
    recovered, plain, _ = pair_of(recovered, plain, ("recovered", "plain"))
    places = range(plain.shape[-1])
    errors = np.empty((len(places), len(places)))
    for a in places:
        for b in places:
            wanted = plain[..., b].astype(np.int16)
            errors[a, b] = np.abs(recovered[..., a] - wanted).mean()
            if negatives:
                negative = np.abs(255 - recovered[..., a] - wanted).mean()
                errors[a, b] = min(errors[a, b], negative)
    orders = itertools.permutations(places)
    return float(min(errors[places, order].mean() for order in orders))


def _ssim(recovered, plain):
    from tfpe.metrics.structural_similarity import SSIM_WINDOW, ssim

    if min(plain.shape[1:3]) < SSIM_WINDOW:
        return math.nan
    return float(np.mean(ssim(recovered, plain)))


def _mean(correlations):
    """The mean without the NaN of constant images; NaN where all are."""
    known = correlations[~np.isnan(correlations)]
    return float(known.mean()) if known.size else math.nan
