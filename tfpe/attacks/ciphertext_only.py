"""Ciphertext only: one fixed key of a cipher that keeps pixels in their places."""

import numpy as np

from tfpe.attacks.statistics.growth import grow
from tfpe.attacks.statistics.moments import neighbour_moments
from tfpe.attacks.statistics.prediction import explained_variance
from tfpe.attacks.statistics.refinement import refine
from tfpe.attacks.statistics.resolution import resolve
from tfpe.checks import batch_of, whole_number
from tfpe.errors import AttackError, ImageError

FEWEST_IMAGES = 25
SMALLEST_SIDE = 4
# Of what pixels vary, the least that neighbours must explain at all pixels but 5 %:
# 0.95 on CIFAR-10 under the right key; at best 0.75 for etc, 0.5 for blockshuffle.
LEAST_EXPLAINED = 0.8
# Mean steps between neighbours, the 95 % quantile beside the median: at most 1.8 in
# pictures, from 16 on; at least 2.2 where blocks of other places meet (etc).
MOST_UNEVEN = 2.0


def ciphertext_only(ciphertexts, sweeps=10, images=500):
    """Recovers a fixed key of logistic, pbe, negpos or keystream from ciphertexts.

    Neighbours are alike in pictures. From an anchor in the middle, each pixel gets the
    channel order and the key bytes that bring it nearest to the pixels known: of all
    ciphertexts this takes second moments of bits (`ciphertext.moments`), and all 6 x
    256 candidates are compared at once. Sweeps then make each pixel what its eight
    neighbours predict in all channels (`statistics.refinement`). A channel order and a
    negative that all pixels share are as smooth; what pictures have in common settles
    them (`statistics.resolution`).

    Threat model: ciphertexts of different pictures under one fixed key, nothing else.
    docs/results.md says from how many ciphertexts of CIFAR-10 it gave the very key for
    every key tried, colours and polarity included; from fewer it comes near.
    Complexity: O(N n) for N images of n values; memory 10 kB a colour pixel.

    Args:
        ciphertexts: `uint8 (N, H, W, C)`, 25 or more different ones of one key; C is 3
            or 1, H and W at least 4.
        sweeps: the most sweeps of refinement; it ends earlier when nothing changes (3
            to 6 are usual). 0 leaves the second-moment method alone.
        images: of more ciphertexts than this, evenly spaced ones are used; from 400 on
            nothing is left to gain.

    Returns:
        The `Transform` that encrypts; `.inverse` decrypts.

    Raises:
        ImageError: the ciphertexts are not `uint8` images of 1 or 3 channels.
        AttackError: fewer than 25 different ciphertexts, or no key makes pixels like
            their neighbours (other ciphers, a key for each image, images all alike).

    Source: not published elsewhere; for a fresh key for each image see
    `mode_filter` and `chang_case_advanced`.

    Example:

    >>> from sklearn.datasets import load_sample_images
    >>> from tfpe import Key, ciphers
    >>> photograph = load_sample_images().images[0][:416]
    >>> pictures = photograph.reshape(52, 8, 80, 8, 3).swapaxes(1, 2)
    >>> pictures = pictures.reshape(-1, 8, 8, 3)[::8]
    >>> secret = ciphers.logistic(Key(bytes(32)), (8, 8, 3))
    >>> recovered = ciphertext_only(secret(pictures))
    >>> errors = abs(recovered.inverse(secret(pictures)).astype(int) - pictures)
    >>> bool(errors.mean() < 0.1)
    True
    """
    sweeps = whole_number(sweeps, "sweeps", 0)
    images = whole_number(images, "images", FEWEST_IMAGES)
    ciphertexts = _evidence(ciphertexts, images)
    keys = grow(neighbour_moments(ciphertexts))
    # The channels' order is best told while they have one polarity.
    resolve(ciphertexts, keys)
    refine(ciphertexts, keys, sweeps)
    resolve(ciphertexts, keys)
    plain = keys.decrypt(ciphertexts)
    explained = np.quantile(explained_variance(plain), 0.05)
    if not (explained > LEAST_EXPLAINED and _unevenness(plain) < MOST_UNEVEN):
        raise AttackError(
            "`ciphertexts` should be of different pictures under one key that keeps "
            "pixels in their places. Received: ciphertexts that no such key turns into "
            "pictures"
        )
    return keys.transform()


def _unevenness(plain):
    """How much larger the largest steps between neighbours are than the usual ones."""
    steps = [
        abs(np.diff(plain.astype(np.int16), axis=axis)).mean(axis=(0, 3)).ravel()
        for axis in (1, 2)
    ]
    steps = np.concatenate(steps)
    return np.quantile(steps, 0.95) / max(np.median(steps), 1e-9)


def _evidence(ciphertexts, images):
    batch, _ = batch_of(ciphertexts, "ciphertexts")
    if batch.shape[3] not in (1, 3) or min(batch.shape[1:3]) < SMALLEST_SIDE:
        raise ImageError(
            "`ciphertexts` should have 1 or 3 channels and at least 4 x 4 pixels. "
            f"Received: shape {batch.shape}"
        )
    batch = batch[:: -(-len(batch) // images)]
    different = len({image.tobytes() for image in batch})
    if different < FEWEST_IMAGES:
        raise AttackError(
            f"`ciphertexts` should hold at least {FEWEST_IMAGES} different images. "
            f"Received: {different}"
        )
    return batch
