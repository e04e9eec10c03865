"""Ciphers that treat every block alike (le, blockshuffle) fall to a single image.

Each of its blocks is a chosen or known plaintext of the one block key.
"""

import numpy as np

from tfpe.algebra.transform import Transform
from tfpe.attacks.chosen_plaintext import chosen_plaintext
from tfpe.attacks.known_plaintext import RecoveredTransform, known_plaintext
from tfpe.attacks.oracles import block_oracle, check_on_random_images
from tfpe.checks import batch_of, image_shape_of
from tfpe.ciphers.blocks import block_indices
from tfpe.errors import AttackError


def block_chosen_plaintext(oracle, image_shape, block_size=4, bits=4, verify=True):
    """Recovers the block key of le from chosen blocks, which one image can hold.

    Threat model: chosen plaintext, one fixed key, the block size known. Complexity:
    O(n) time, one query; le needs 3 chosen blocks (96 nibbles, two digits and zeros).

    Args:
        oracle: callable, `uint8 (B, H, W, C) -> uint8 (B, H, W, C)`.
        image_shape: (height, width, channels), divisible by `block_size`.
        block_size: side of a block in pixels.
        bits: word size of the cipher: 4 for le, 8 for blockshuffle and bytewise le.
        verify: number of random images (True is one) asked afterwards to confirm.

    Returns:
        The `Transform` of whole images.

    Raises:
        AttackError: the oracle does not treat every block alike, or see
            `chosen_plaintext`.

    Example:

    >>> from tfpe import Key, ciphers
    >>> secret = ciphers.le(Key(bytes(32)), (32, 32, 3))
    >>> block_chosen_plaintext(secret, (32, 32, 3)) == secret
    True
    """
    shape = image_shape_of(image_shape, block_size)
    block_shape = (block_size, block_size, shape[2])
    ask_blocks = block_oracle(oracle, shape, block_size)
    block = chosen_plaintext(ask_blocks, block_shape, bits, verify=False)
    recovered = repeat_blocks(block, shape)
    check_on_random_images(oracle, recovered, verify)
    return recovered


def block_known_plaintext(plain, cipher, block_size=4, bits=4):
    """Recovers the block key of le from the blocks of known images: one may do.

    Threat model: known plaintext, one fixed key, the block size known. Complexity:
    O(N n log n) for N blocks of n words.

    Args:
        plain: images, `uint8 (N, H, W, C)`, divisible by `block_size`.
        cipher: their ciphertexts.
        block_size: side of a block in pixels.
        bits: word size of the cipher: 4 for le, 8 for blockshuffle and bytewise le.

    Returns:
        A `RecoveredTransform` of whole images, as `known_plaintext`.

    Raises:
        AttackError: no key that treats every block alike explains the pairs.

    Example:

    >>> import numpy as np
    >>> from tfpe import Key, ciphers
    >>> secret = ciphers.le(Key(bytes(32)), (32, 32, 3))
    >>> plain = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), np.uint8)
    >>> block_known_plaintext(plain, secret(plain)) == secret
    True
    """
    (plain, _), (cipher, _) = batch_of(plain, "plain"), batch_of(cipher, "cipher")
    if plain.shape != cipher.shape:
        raise AttackError(
            "`plain` and `cipher` should have one shape. "
            f"Received: shapes {plain.shape} and {cipher.shape}"
        )
    shape = image_shape_of(plain.shape[1:], block_size)
    indices = block_indices(shape, block_size)
    pairs = [
        images.reshape(len(images), -1)[:, indices].reshape(
            -1, block_size, block_size, shape[2]
        )
        for images in (plain, cipher)
    ]
    return repeat_blocks(known_plaintext(*pairs, bits), shape)


def repeat_blocks(block, image_shape):
    """The transform of whole images that applies `block` to each of their blocks.

    Args:
        block: a `Transform` of shape (B, B, C).
        image_shape: (height, width, channels), divisible by B.

    Returns:
        A `Transform`; of a `RecoveredTransform` another one.

    Example:

    >>> repeat_blocks(Transform([0], [255], input_shape=(1, 1, 1)), (1, 2, 1)).mask
    array([255, 255], dtype=uint8)
    """
    size = block.input_shape[0]
    indices = block_indices(image_shape, size)
    parts = 8 // block.bits
    words = (parts * indices[..., None] + np.arange(parts)).reshape(len(indices), -1)
    perm = np.empty(words.size, np.int64)
    mask = np.empty(words.size, np.uint8)
    perm[words] = words[:, block.perm]
    mask[words] = block.mask
    if isinstance(block, RecoveredTransform):
        undetermined = np.sort(words[:, block.undetermined].ravel())
        return RecoveredTransform(
            perm, mask, block.bits, image_shape, undetermined=undetermined
        )
    return Transform(perm, mask, block.bits, image_shape)
