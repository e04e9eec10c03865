"""Chosen and known plaintexts break ffx: they read its tables of values off.

Each place of a block has one table in all blocks, so that every block of an image is a
chosen or known plaintext of the same tables.
"""

import numpy as np

from tfpe.algebra.block_layout import lay_out
from tfpe.algebra.substitution import VALUES, Substitution
from tfpe.attacks.oracles import ask, check_on_random_images
from tfpe.checks import batch_of, image_shape_of, one_of, pair_of
from tfpe.ciphers.blocks import block_indices
from tfpe.ciphers.substituted import TABLES
from tfpe.errors import AttackError

# Places of a block at which each value is asked for where all share one table: half of
# them are untouched, and of 48 places 12 given ones once in 25,000.
PLACES = 12
# A random table leaves as many given values alone once in 10^19.
SURELY_UNTOUCHED = 8


class RecoveredSubstitution(Substitution):
    """A `Substitution` that explains the evidence, and tells what stays a guess.

    Args:
        tables, index, input_shape: of `Substitution`.
        undetermined: as below.

    Attributes:
        undetermined: `int64 (U, 2)`, pairs of a place in a block and a value there
            whose ciphertext the evidence does not single out. The others are certain.

    Example:

    >>> from tfpe import Key, ciphers
    >>> secret = ciphers.ffx(Key(bytes(32)), (8, 8, 3))
    >>> plain = np.zeros((1, 8, 8, 3), np.uint8)
    >>> found = substitution_known_plaintext(plain, secret(plain))
    >>> len(found.undetermined) == 24 * 255  # of 24 places; black tells of black
    True
    """

    def __init__(self, tables, index, input_shape=None, undetermined=()):
        super().__init__(tables, index, input_shape)
        self.undetermined = np.array(undetermined, np.int64).reshape(-1, 2)
        self.undetermined.setflags(write=False)


def substitution_chosen_plaintext(
    oracle, image_shape, block_size=4, tables="shared", verify=True
):
    """Recovers the key of ffx from images that hold every value at every place.

    The blocks of an image hold as many values at each of their places. Where every
    place has a table of its own, 256 blocks show all of them; where places share one,
    each value is asked for at some 12 places only, of which some are touched.

    Threat model: chosen plaintext, one fixed key, the block size known: 1 image of
    32 x 32 x 3 for a shared table, 4 for tables of each place, 1 of 64 x 64 for either.
    Complexity: O(n).

    Args:
        oracle: callable, `uint8 (B, H, W, C) -> uint8 (B, H, W, C)`.
        image_shape: (height, width, channels), divisible by `block_size`.
        block_size: side of a block in pixels.
        tables: "shared", or "per_place", which takes a shared table too.
        verify: number of random images (True is one) asked afterwards to confirm.

    Returns:
        The `Substitution` that the oracle applies.

    Raises:
        AttackError: the oracle does not replace values by the same tables in every
            block, or replaces none; or, once in some thousand keys with a shared table,
            a value was at no place that is touched.

    Source: not published elsewhere; the cipher is MaungMaung & Kiya 2021,
    arXiv 2010.00801.

    Example:

    >>> from tfpe import Key, ciphers
    >>> secret = ciphers.ffx(Key(bytes(32)), (32, 32, 3))
    >>> substitution_chosen_plaintext(secret, (32, 32, 3)) == secret
    True
    """
    shape = image_shape_of(image_shape, block_size)
    one_of(tables, TABLES, "tables")
    images = _chosen_images(shape, block_size, tables)
    answers = ask(oracle, images)
    if answers.shape != images.shape:
        raise AttackError(
            f"The oracle should keep the image shape {shape}. "
            f"Received: {answers.shape[1:]}"
        )
    found = substitution_known_plaintext(images, answers, block_size, tables)
    if len(found.undetermined):
        raise AttackError(
            "Each value should be at a place that is touched; ask with the option "
            f"tables=per_place. Received: {len(found.undetermined)} values that are not"
        )
    check_on_random_images(oracle, found, verify)
    return found


def _chosen_images(shape, block_size, tables):
    """Images whose blocks hold every value at every place, or at `PLACES` of them."""
    indices = block_indices(shape, block_size)
    blocks, places = indices.shape
    classes = max(1, places // PLACES) if tables == "shared" else 1
    count = -(-VALUES // (blocks * classes))
    images = np.empty((count, indices.size), np.uint8)
    number = np.arange(count * blocks).reshape(count, blocks, 1)
    first = np.arange(places) % classes * -(-VALUES // classes)
    images[:, indices] = (number + first) % VALUES
    return images.reshape(-1, *shape)


def substitution_known_plaintext(plain, cipher, block_size=4, tables="shared"):
    """Recovers the key of ffx from known pairs, by counting what became of each value.

    Every byte of a pair tells one entry of the table of its place. A value left over
    alone is told by the others, since a table is a permutation.

    Threat model: known plaintext, one fixed key, the block size known. Complexity: O(n)
    for n bytes of all pairs.

    Args:
        plain: images, `uint8 (N, H, W, C)`, divisible by `block_size`.
        cipher: their ciphertexts.
        block_size: side of a block in pixels.
        tables: "shared": one for all places that are touched; "per_place": one each.

    Returns:
        A `RecoveredSubstitution`: it explains every pair, and `.undetermined` holds the
        places and values that more pairs are needed for.

    Raises:
        AttackError: no such tables explain the pairs, or they are as they were.

    Source: not published elsewhere; the cipher is MaungMaung & Kiya 2021,
    arXiv 2010.00801.

    Example:

    >>> from tfpe import Key, ciphers
    >>> secret = ciphers.ffx(Key(bytes(32)), (32, 32, 3))
    >>> plain = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    >>> substitution_known_plaintext(plain, secret(plain)) == secret
    True
    """
    plain, cipher, _ = pair_of(plain, cipher, ("plain", "cipher"))
    shape = image_shape_of(batch_of(plain)[0].shape[1:], block_size)
    one_of(tables, TABLES, "tables")
    indices = block_indices(shape, block_size)
    x, y = (
        images.reshape(-1, *shape).reshape(-1, indices.size)[:, indices]
        for images in (plain, cipher)
    )
    if (x == y).all():
        raise AttackError(
            "`cipher` should show values that were replaced. Received: images as they "
            "were"
        )
    places = indices.shape[1]
    x, y = x.reshape(-1, places), y.reshape(-1, places)
    touched = (x != y).any(axis=0)
    seen = _seen(x, y, np.arange(places))
    if tables == "shared":
        shared = _seen(x[:, touched], y[:, touched], np.zeros(touched.sum(), np.int64))
        # Values that it moves, at a place where they stay, tell that this is untouched.
        moved = (shared[0] >= 0) & (shared[0] != np.arange(VALUES))
        safe = (seen[:, moved] >= 0).any(axis=1)
        seen[touched] = shared[0]
    else:
        safe = np.zeros(places, bool)
    safe |= (seen >= 0).sum(axis=1) >= SURELY_UNTOUCHED
    seen[~touched & safe] = np.arange(VALUES)
    full = np.stack([_completed(table) for table in seen])
    open_ = (seen < 0) & ((seen < 0).sum(axis=1, keepdims=True) > 1)
    arrays = of_places(full, shape, block_size)
    return RecoveredSubstitution(*arrays, shape, np.argwhere(open_))


def _seen(x, y, table):
    """What values became, `(tables, 256)`, -1 where they were not seen.

    Args:
        x, y: plain and encrypted values, `(blocks, places)`.
        table: the number of the table of each place.
    """
    seen = np.full((table.max(initial=0) + 1, VALUES), -1)
    table = np.broadcast_to(table, x.shape)
    seen[table, x] = y
    back = np.full_like(seen, -1)
    back[table, y] = x
    if (seen[table, x] != y).any() or (back[table, y] != x).any():
        raise AttackError(
            "`plain` and `cipher` should be pairs under one key that replaces the "
            "values of each place of a block by one table. Received: pairs that no "
            "such tables explain"
        )
    return seen


def _completed(table):
    """A permutation that agrees with what was seen; values stay where they may."""
    full = table.copy()
    free = np.setdiff1d(np.arange(VALUES), table)
    alone = np.intersect1d(np.flatnonzero(full < 0), free)
    full[alone] = alone
    full[full < 0] = np.setdiff1d(free, alone)
    return full


def of_places(full, image_shape, block_size):
    """`(tables, index)` of a `Substitution` from the table of each place of a block.

    Args:
        full: `(places, 256)`, the same in all blocks.
        image_shape: (height, width, channels).
        block_size: side of a block in pixels.
    """
    tables, number = np.unique(full, axis=0, return_inverse=True)
    number = number.ravel().astype(np.int32) + 1
    blocks = image_shape[0] * image_shape[1] // block_size**2
    number = np.broadcast_to(number, (blocks, number.size))
    return tables, lay_out(number, image_shape, block_size)
