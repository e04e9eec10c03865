"""The matrix of `orthogonal`, from known blocks: linear equations, solved exactly."""

import numpy as np

from tfpe.algebra.orthogonal import MOST, SCALE, Orthogonal
from tfpe.checks import batch_of, block_size_of
from tfpe.ciphers.blocks import block_indices
from tfpe.errors import AttackError

# Below it, a ciphertext in 32 bits tells the whole number that it was rounded from.
TOLD = 2**24


def orthogonal_known_plaintext(plain, cipher, block_size=4):
    """Recovers the matrix of `orthogonal` by least squares, from pairs under one key.

    Every block of an image is an equation for each row of the matrix. Ciphertexts below
    4 tell the whole numbers that they are made of, so the solution, rounded to whole
    numbers, is the key itself: it is unique, and it is checked on all pairs.

    Threat model: known plaintext, one fixed key. Complexity: O(N n w) for N pairs of n
    values in blocks of w. One image of 32 x 32 has 64 blocks, for 48 unknowns in each
    row: 488 of 499 images of CIFAR-10 give the key alone, two together always did.

    Args:
        plain: images, `uint8 (N, H, W, C)`.
        cipher: their ciphertexts in the same order, `float32` of the same shape.
        block_size: of the cipher.

    Returns:
        The `Orthogonal` map.

    Raises:
        ImageError: the images are not `uint8`, or the ciphertexts not `float32`.
        AttackError: sizes do not match; the blocks are too few, or too much alike; or
            no such map explains all pairs (another block size, two keys, another
            cipher).

    Source: not published elsewhere; the cipher is of Aso et al. 2023, arXiv 2301.03843.

    Example:

    >>> import numpy as np
    >>> from tfpe import Key, ciphers
    >>> secret = ciphers.orthogonal(Key(bytes(32)), (32, 32, 3))
    >>> plain = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), np.uint8)
    >>> orthogonal_known_plaintext(plain, secret(plain)) == secret
    True
    """
    plain, _ = batch_of(plain, "plain")
    if np.asarray(cipher).dtype == np.uint8:
        raise AttackError(
            "`cipher` should be ciphertexts of `orthogonal`, float32, which no PNG "
            "file holds: this attack is run from Python. Received: bytes"
        )
    cipher, _ = batch_of(cipher, "cipher", "float32")
    size, shape = block_size_of(block_size), plain.shape[1:]
    if plain.shape != cipher.shape or shape[0] % size or shape[1] % size:
        raise AttackError(
            f"`plain` and `cipher` should have one shape, divisible by {size}. "
            f"Received: shapes {plain.shape} and {cipher.shape}"
        )
    order = block_indices(shape, size)
    blocks = plain.reshape(len(plain), -1)[:, order].reshape(-1, order.shape[1])
    products = cipher.reshape(len(cipher), -1)[:, order].reshape(-1, order.shape[1])
    blocks = 2.0 * blocks - 255
    products = np.rint(products / np.float64(SCALE))
    matrix = _solved(blocks, products, np.abs(products) < TOLD)
    if 255 * np.abs(matrix).sum(axis=1).max() < MOST:
        key = Orthogonal(matrix, order, shape)
        if np.array_equal(key(plain), cipher):
            return key
    raise AttackError(
        "`plain` and `cipher` should be pairs under one key that multiplies blocks of "
        f"side {size} by one matrix. Received: {len(plain)} pairs that no such key "
        "explains"
    )


def _solved(blocks, products, told):
    """The matrix Q of `products = blocks Q^T`, from the products that are told."""
    width = blocks.shape[1]
    whole = told.all(axis=1)
    if np.linalg.matrix_rank(blocks[whole]) == width:
        told = np.broadcast_to(whole[:, None], told.shape)
    rows = np.empty((width, width))
    # Values of a block that are told by the same blocks are solved for together.
    patterns, number = np.unique(told, axis=1, return_inverse=True)
    for place, used in enumerate(patterns.T):
        values = number.ravel() == place
        known = blocks[used], products[used][:, values]
        solution, _, rank, _ = np.linalg.lstsq(*known, rcond=None)
        if rank < width:
            raise AttackError(
                f"The pairs should hold {width} independent blocks for each value. "
                f"Received: {rank}; give more images, or some with more detail"
            )
        rows[values] = solution.T
    return np.rint(rows)
