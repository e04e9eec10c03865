"""Blocks of a picture and their words, put into their places by how they go together.

Steps of `block_statistics`, in the order in which they run: `BlockWords` (what is
correlated), `match_blocks` (the places of blocks), `match_positions` (the places of
high nibbles in their block).
"""

import numpy as np

from tfpe.algebra.transform import Transform
from tfpe.algebra.words import split_words
from tfpe.attacks.statistics.nibbles import correlations
from tfpe.checks import batch_of, image_shape_of
from tfpe.ciphers.blocks import block_indices
from tfpe.errors import AttackError

FEWEST_IMAGES = 100
# Of more images than this, evenly spaced ones are used.
MOST_IMAGES = 5_000
# Most starts of the search for the places of 64 blocks; of more blocks fewer, as each
# start takes the third power of their number. With pictures as the reference that are
# much like the encrypted ones, 1 start in 3 ends at the right places, else 1 in 100.
STARTS = 2_000
FEWEST_STARTS = 8
# Starts that end at the best places found, after which there is no need for more.
ENOUGH = 3
SWEEPS = 20
# Correlations near 1 in size tell no more than this one.
NEAR_ONE = 0.995
# Variance of a direction of the means of blocks below which it is noise.
LEAST_VARIANCE = 1e-2


class BlockWords:
    """Nibbles of a set of images, by block, each of mean 0 and variance 1.

    Args:
        images: `uint8 (N, H, W, C)`.
        block_size: side of a block in pixels.
        name: of the images, for errors.

    Attributes:
        images: those used.
        shape, grid: (H, W, C), and rows and columns of blocks.
        indices: the bytes of each block, `(blocks, n)`.
        values: `float32 (blocks, N, 2 * n)`.

    Raises:
        ImageError: not `uint8` images that blocks divide.
        AttackError: too few images.
    """

    def __init__(self, images, block_size, name):
        images, _ = batch_of(images, name)
        self.shape = image_shape_of(images.shape[1:], block_size)
        if len(images) < FEWEST_IMAGES:
            raise AttackError(
                f"`{name}` should hold at least {FEWEST_IMAGES} images. "
                f"Received: {len(images)}"
            )
        self.images = images[:: -(-len(images) // MOST_IMAGES)]
        self.grid = self.shape[0] // block_size, self.shape[1] // block_size
        self.indices = block_indices(self.shape, block_size)
        flat = self.images.reshape(len(self.images), -1)
        words = np.stack([split_words(flat[:, block], 4) for block in self.indices])
        deviations = words - words.mean(axis=1, keepdims=True, dtype=np.float32)
        scale = np.sqrt((deviations**2).mean(axis=1, keepdims=True))
        # Of a constant word all correlations are 0.
        self.values = deviations / np.maximum(scale, np.float32(1e-6))


def match_blocks(received, expected):
    """The place of each block, up to what turns or mirrors the picture: `(blocks,)`.

    A quadratic assignment: the correlations of the means of blocks with one another
    are those of the reference.

    Args:
        received, expected: high nibbles with their signs, `(blocks, N, n)` each.
    """
    from scipy.optimize import quadratic_assignment

    views = [
        (np.corrcoef(one), -np.corrcoef(other))
        for one, other in zip(_views(received), _views(expected), strict=True)
    ]
    count = len(received)
    # Seeded: the same evidence gives the same key. No secret hangs on these numbers.
    rng = np.random.default_rng(0)
    found = []
    for start in range(max(FEWEST_STARTS, round(STARTS * min(1, (64 / count) ** 3)))):
        options = {"rng": rng, "P0": "randomized"}
        place = quadratic_assignment(*views[start % 2], options=options).col_ind
        square, wanted = views[0]
        found.append(((square * wanted[np.ix_(place, place)]).sum(), tuple(place)))
        if found.count(min(found)) == ENOUGH:
            break
    guess = np.stack([np.arange(count), min(found)[1]], axis=1)
    options = {"rng": rng, "partial_guess": guess}
    return quadratic_assignment(*views[0], "2opt", options).col_ind


def _views(strong):
    """Means of blocks, `(blocks, N)`; and beside the mean of the picture.

    The first tells best where places are right, the second leads there more often when
    the reference is less like the encrypted pictures.
    """
    means = strong.mean(axis=-1)
    return means, means - means.mean(axis=0)


def match_positions(received, expected, grid):
    """The position of each high nibble in its block: `(blocks, n)`.

    First by the correlations with the means of all blocks, then, sweep by sweep, by
    those with each nibble of the block and of the blocks around, as far as these have
    their positions. Linear assignments all.

    Args:
        received, expected: high nibbles of the blocks in their places, with their
            signs, `(blocks, N, n)` each.
        grid: rows and columns of blocks.
    """
    position = _by_means(received, expected)
    pairs = neighbours(grid)
    found = {p: _fisher(correlations(received[p[0]], received[p[1]])) for p in pairs}
    wanted = {p: _fisher(correlations(expected[p[0]], expected[p[1]])) for p in pairs}
    all_others = 1 - np.eye(received.shape[2], dtype=np.float32)
    everything = np.ones_like(all_others)
    for _ in range(SWEEPS):
        before = position.copy()
        for block in range(len(position)):
            costs = 0
            for pair in (p for p in pairs if p[0] == block):
                there = position[pair[1]]
                # A nibble says nothing of itself, nor of the one now in its position.
                counts = all_others if pair[1] == block else everything
                costs = costs + _distances(
                    found[pair], wanted[pair][:, there], counts, counts[:, there]
                )
            position[block] = _assigned(costs)
        if (position == before).all():
            break
    return position


def neighbours(grid):
    """Pairs (block, block that touches it, or itself)."""
    rows, columns = np.indices(grid).reshape(2, -1)
    apart = np.maximum(abs(rows - rows[:, None]), abs(columns - columns[:, None]))
    return [(int(a), int(b)) for a, b in zip(*np.nonzero(apart <= 1), strict=True)]


def _by_means(received, expected):
    """Positions by the correlations with the means of blocks, in whitened directions.

    Each direction of the means counts by its noise.
    """
    found, wanted = _with_means(received), _with_means(expected)
    values, vectors = np.linalg.eigh((found.mean(axis=1) + wanted.mean(axis=1)) / 2)
    white = vectors / np.sqrt(np.maximum(values, LEAST_VARIANCE))
    every = np.ones(found.shape[1:], np.float32)
    return np.stack(
        [
            _assigned(_distances(f @ white, w @ white, every, every))
            for f, w in zip(found, wanted, strict=True)
        ]
    )


def _with_means(values):
    """Correlations of each word with the mean of each block: `(blocks, n, blocks)`."""
    means = values.mean(axis=-1).T
    return correlations(values, (means / means.std(axis=0))[None])


def _distances(one, other, counts, other_counts):
    """Squared distances of rows `(a, k)` and `(b, k)`: `(a, b)`.

    A column counts where both rows say so, by 1 and 0.
    """
    one, other = one * counts, other * other_counts
    squares = one**2 @ other_counts.T + counts @ (other**2).T
    return squares - 2 * one @ other.T


def _assigned(costs):
    from scipy.optimize import linear_sum_assignment

    return linear_sum_assignment(costs)[1]


def _fisher(values):
    """Correlations on a scale on which all are as noisy."""
    return np.arctanh(np.clip(values, -NEAR_ONE, NEAR_ONE))


def moved_bytes(source):
    """The transform that only moves bytes: `source` has their indices, `(H, W, C)`.

    Example:

    >>> moved_bytes(np.array([[[1], [0]]]))(np.array([[[7], [9]]], np.uint8)).ravel()
    array([9, 7], dtype=uint8)
    """
    return Transform(source.ravel(), np.zeros(source.size, int), 8, source.shape)
