"""Ciphertext only: one fixed key of ffx, from how values go with those around them."""

import numpy as np

from tfpe.algebra.substitution import VALUES, Substitution
from tfpe.attacks.value_tables import of_places
from tfpe.checks import batch_of, image_shape_of, one_of, whole_number
from tfpe.ciphers.blocks import block_indices
from tfpe.ciphers.substituted import TABLES, chosen
from tfpe.errors import AttackError

LEVELS = 64  # of the mean of the places around
AROUND = 4
SMOOTH = 2.0  # standard deviation: neighbouring values go with the same ones
SWEEPS = 2
MOST_BLOCKS = 50_000  # for the correlations of places
# Correlations of places with those that they go with best: of untouched ones on
# photographs and CIFAR-10 0.7 and more, of touched ones 0.45 and less.
LEAST_GAP = 0.1


def substitution_statistics(ciphertexts, block_size=4, tables="shared"):
    """Recovers the key of ffx from ciphertexts alone, nearly or exactly.

    Half of the places of a block are plain: they go with one another, and the others
    with nothing. The plain ones show which values stand beside which (the mean of the
    places around); each encrypted value has such neighbours too. The assignment of
    encrypted to plain values under which all neighbours are likeliest is the table. It
    is found again with the pictures that it shows.

    Threat model: ciphertexts of different pictures under one fixed key, the block size
    known, nothing else. Complexity: O(n) for n bytes of all ciphertexts, and an
    assignment of 256 values for each table. 1,600 ciphertexts of CIFAR-10 gave the key
    exactly, fewer gave it nearly.

    Args:
        ciphertexts: `uint8 (N, H, W, C)` of one key, whose blocks are whole.
        block_size: side of a block in pixels; at least 2.
        tables: "shared": one for all places that are touched; "per_place": one each,
            for which it takes as many more ciphertexts.

    Returns:
        The `Substitution` that encrypts; entries of rare values may be wrong, by a few
        levels.

    Raises:
        ImageError: not `uint8` images that blocks divide.
        AttackError: no half of the places goes together as pictures do.

    Source: not published elsewhere; the cipher is MaungMaung & Kiya 2021,
    arXiv 2010.00801.

    Example:

    >>> from sklearn.datasets import load_sample_images
    >>> from tfpe import Key, ciphers
    >>> photographs = np.stack(load_sample_images().images)[:, :416]
    >>> secret = ciphers.ffx(Key(bytes(32)), (416, 640, 3))
    >>> found = substitution_statistics(secret(photographs))
    >>> shown = found.inverse(secret(photographs))
    >>> bool(abs(shown.astype(int) - photographs).mean() < 1)
    True
    """
    block_size = whole_number(block_size, "block_size", 2)
    one_of(tables, TABLES, "tables")
    batch, _ = batch_of(ciphertexts, "ciphertexts")
    shape = image_shape_of(batch.shape[1:], block_size)
    indices = block_indices(shape, block_size)
    encrypted = batch.reshape(len(batch), -1)[:, indices].reshape(-1, indices.shape[1])
    touched = _touched(encrypted)
    around = _distances(block_size, shape[2])
    full = np.tile(np.arange(VALUES), (len(touched), 1))
    groups = [np.flatnonzero(touched)]
    if tables == "per_place":
        groups = groups[0][:, None]
    shown, known = encrypted, ~touched
    for _ in range(1 + SWEEPS):
        wanted = _neighbours(shown, shown, np.flatnonzero(known), known, around)
        for places in groups:
            found = _neighbours(encrypted, shown, places, known, around)
            full[places] = _likeliest(found, wanted)
        inverse = np.argsort(full, axis=1).astype(np.uint8)
        shown = inverse[np.arange(len(full)), encrypted]
        known = np.ones_like(touched)
    return Substitution(*of_places(full, shape, block_size), shape)


def _touched(encrypted):
    """Which places of a block are no plain values: half of them, by definition."""
    count = encrypted.shape[1]
    sample = encrypted[:: -(-len(encrypted) // MOST_BLOCKS)]
    deviations = sample - sample.mean(axis=0)
    norms = np.maximum(np.sqrt((deviations**2).sum(axis=0)), 1e-9)
    alike = abs(deviations.T @ deviations) / np.outer(norms, norms)
    best = np.sort(alike, axis=1)[:, -1 - max(1, count // 4) : -1].mean(axis=1)
    order = np.argsort(best)
    touched = np.zeros(count, bool)
    touched[order[: chosen(count)]] = True
    if not best[~touched].min() > best[touched].max() + LEAST_GAP:
        raise AttackError(
            "`ciphertexts` should be of pictures under one key that leaves half of the "
            "places of a block as they are. Received: ciphertexts without such a half"
        )
    return touched


def _distances(block_size, channels):
    """Distances between the places of a block; another channel is some way off."""
    places = np.indices((block_size, block_size, channels)).reshape(3, -1)
    steps = (places[:, :, None] - places[:, None]) ** 2
    distances = steps[0] + steps[1] + 0.5 * (steps[2] > 0)
    np.fill_diagonal(distances, np.inf)
    return distances


def _neighbours(values, shown, places, known, around):
    """How often each value stands beside each level, `(256, LEVELS)`.

    Args:
        values: whose neighbours count, `(blocks, places)`.
        shown: the pictures as far as known, likewise.
        places: of the values.
        known: places whose pictures are known.
        around: distances between places.
    """
    counts = np.zeros(VALUES * LEVELS)
    for place in places:
        nearest = np.argsort(np.where(known, around[place], np.inf), kind="stable")
        mean = shown[:, nearest[:AROUND]].mean(axis=1, dtype=np.float32)
        level = (mean * (LEVELS / VALUES)).astype(np.int64)
        pairs = values[:, place].astype(np.int64) * LEVELS + level
        counts += np.bincount(pairs, minlength=counts.size)
    return counts.reshape(VALUES, LEVELS)


def _likeliest(found, wanted):
    """The table under which the neighbours of encrypted values are likeliest."""
    from scipy.ndimage import gaussian_filter
    from scipy.optimize import linear_sum_assignment

    rates = gaussian_filter(wanted, (SMOOTH, 1)) + 1e-3
    rates *= found.sum() / rates.sum()
    # Of counts that are Poisson variates of these rates.
    likelihood = found @ np.log(rates).T - rates.sum(axis=1)
    _, plain = linear_sum_assignment(likelihood, maximize=True)
    return np.argsort(plain)
