"""The attacks of Chang & Case 2020 on learnable and pixel-based encryption.

Source of all: Chang, Case, Attacks on Image Encryption Schemes for Privacy-Preserving
Deep Neural Networks, 2020, arXiv 2004.13263.
"""

import numpy as np

from tfpe.algebra.transform import Transform
from tfpe.attacks.oracles import ask, block_oracle, check_on_random_images
from tfpe.attacks.pixel_chosen_plaintext import channels_named
from tfpe.attacks.repeated_blocks import repeat_blocks
from tfpe.checks import batch_of, image_shape_of
from tfpe.ciphers.channels import CHANNEL_ORDERS
from tfpe.errors import AttackError, ImageError

HELPER = np.array([1, 2, 3], np.uint8)


def chang_case_le(oracle, image_shape, block_size=4, verify=True):
    """Recovers bytewise le from helper blocks, one for each pixel of a block.

    Helper block p is black but for pixel p, which is (1, 2, 3). Its encryption holds
    those values (or 255 minus them) where the bytes of that pixel went.

    It fails on le as it is published, whose nibbles part: no byte of the encryption
    is one of these values then, unless both halves happen to stay together.

    Threat model: chosen plaintext, one fixed key; B * B helper blocks (16 at B = 4,
    one image of 32 x 32 holds them). Complexity: O(n) for n blocks.

    Args:
        oracle: callable, `uint8 (B, H, W, C) -> uint8 (B, H, W, C)`.
        image_shape: (height, width, 3), divisible by `block_size`.
        block_size: side of a block in pixels.
        verify: number of random images (True is one) asked afterwards to confirm. With
            False, bytes that no helper names get sources left over, in raster order.

    Returns:
        The `Transform` of whole images, on bytes.

    Raises:
        AttackError: helpers do not name each byte once (le on nibbles), or the key is
            not the same in all blocks. With `verify=False` only malformed answers.

    Example:

    >>> from tfpe import Key, ciphers
    >>> secret = ciphers.le(Key(bytes(32)), (32, 32, 3), word_bits=8)
    >>> chang_case_le(secret, (32, 32, 3)) == secret
    True
    """
    shape = _colour_shape(image_shape, block_size)
    pixels, size = block_size**2, 3 * block_size**2
    helpers = np.zeros((pixels, pixels, 3), np.uint8)
    helpers[np.arange(pixels), np.arange(pixels)] = HELPER
    ask_blocks = block_oracle(oracle, shape, block_size)
    answers = ask_blocks(helpers.reshape(-1, block_size, block_size, 3))
    answers = answers.reshape(pixels, size)
    found = np.minimum(answers, 255 - answers)
    helper, place = np.nonzero((found > 0) & (found <= 3))
    source = 3 * helper + found[helper, place] - 1
    # Named by exactly one helper, and by no two places.
    certain = (np.bincount(place, minlength=size)[place] == 1) & (
        np.bincount(source, minlength=size)[source] == 1
    )
    if verify and certain.sum() < size:
        raise AttackError(
            "The oracle should move whole bytes, alike in every block. Received: "
            f"helper blocks that name {certain.sum()} of {size} bytes"
        )
    perm = np.full(size, -1)
    perm[place[certain]] = source[certain]
    perm[perm < 0] = np.setdiff1d(np.arange(size), perm)
    # All helpers but one hold 0 at a byte: most of its answers are the mask.
    mask = np.where(np.median(answers, axis=0) > 127, 255, 0)
    block = Transform(perm, mask, 8, (block_size, block_size, 3))
    recovered = repeat_blocks(block, shape)
    check_on_random_images(oracle, recovered, verify)
    return recovered


def chang_case_pbe(oracle, image_shape, verify=True):
    """Recovers a fixed key of pbe from one image of (1, 2, 3) everywhere.

    A value above 127 has been negated; undone, it names its channel.

    Threat model: chosen plaintext, one fixed key, one query. Complexity: O(n).

    Args:
        oracle: callable, `uint8 (B, H, W, C) -> uint8 (B, H, W, C)`.
        image_shape: (height, width, 3).
        verify: number of random images (True is one) asked afterwards to confirm.

    Returns:
        The `Transform` that the oracle applies, on bytes.

    Raises:
        AttackError: the values found are no negatives and orders of (1, 2, 3), as with
            the logistic cipher.

    Example:

    >>> from tfpe import Key, ciphers
    >>> secret = ciphers.pbe(Key(bytes(32)), (32, 32, 3))
    >>> chang_case_pbe(secret, (32, 32, 3)) == secret
    True
    """
    shape = _colour_shape(image_shape)
    answer = ask(oracle, np.broadcast_to(HELPER, (1, *shape)).copy())
    answer = answer.reshape(shape)
    negated = answer > 127
    source = channels_named(np.where(negated, 255 - answer, answer), HELPER)
    pixels = np.arange(shape[0] * shape[1]).reshape(shape[0], shape[1], 1)
    mask = np.uint8(255) * negated
    recovered = Transform((3 * pixels + source).ravel(), mask.ravel(), 8, shape)
    check_on_random_images(oracle, recovered, verify)
    return recovered


def chang_case_basic(ciphertexts):
    """The outlines of an image behind pbe with a fresh key: v becomes min(v, 255 - v).

    Threat model: ciphertext only, one image, any key. Complexity: O(n).

    Args:
        ciphertexts: `uint8`, `(H, W, C)` or `(B, H, W, C)`.

    Returns:
        Images of the same shape, `uint8`, 0 to 127: bright values look dark, channels
        stay in disorder.

    Example:

    >>> chang_case_basic(np.array([[[3, 250, 128]]], np.uint8)).tolist()
    [[[3, 5, 127]]]
    """
    batch, single = batch_of(ciphertexts, "ciphertexts")
    recovered = np.minimum(batch, 255 - batch)
    return recovered[0] if single else recovered


def chang_case_advanced(ciphertexts, first_pixel):
    """Recovers an image behind pbe with a fresh key from its smoothness.

    From a known first pixel, row 0 grows from the left neighbour and every other row
    from the pixel above: of the 6 channel orders and 8 negatives of a pixel, that of
    least L1 distance is taken (min-difference). Given an order, the negative of each
    channel is chosen by itself, so that 9 distances a pixel decide among all 48.

    Threat model: ciphertext only and the value of one pixel (a border is often white
    or black). Complexity: O(n).

    Args:
        ciphertexts: `uint8`, `(H, W, 3)` or `(B, H, W, 3)`.
        first_pixel: the plain value of the upper left pixel, `uint8 (3,)` or `(B, 3)`.

    Returns:
        Images of the same shape, `uint8`; wrong where the picture has edges.

    Raises:
        ImageError: not `uint8`, or not 3 channels; `first_pixel` is no such value.
        AttackError: no key of pbe turns `first_pixel` into that of the ciphertext.

    Example:

    >>> ciphertext = np.array([[[10, 235, 30], [227, 11, 31]]], np.uint8)
    >>> chang_case_advanced(ciphertext, [10, 20, 30]).tolist()
    [[[10, 20, 30], [11, 28, 31]]]
    """
    batch, single = batch_of(ciphertexts, "ciphertexts")
    if batch.shape[3] != 3:
        raise ImageError(
            "`ciphertexts` should have 3 channels. "
            f"Received: ciphertexts of shape {batch.shape[single:]}"
        )
    first = np.asarray(first_pixel)
    shaped = first.shape in ((3,), (len(batch), 3))
    whole = shaped and np.issubdtype(first.dtype, np.integer)
    if not whole or first.min() < 0 or first.max() > 255:
        raise ImageError(
            "`first_pixel` should hold 3 whole numbers from 0 to 255, for each image "
            f"or for all. Received: dtype {first.dtype}, shape {first.shape}"
        )
    recovered = np.empty_like(batch)
    recovered[:, 0, 0] = first
    folds = [np.minimum(v, 255 - v) for v in (recovered[:, 0, 0], batch[:, 0, 0])]
    if (np.sort(folds[0], axis=-1) != np.sort(folds[1], axis=-1)).any():
        raise AttackError(
            "`first_pixel` should be the plain value of the first pixel, encrypted by "
            "pbe. Received: values that no key of pbe turns into the ciphertext's"
        )
    for column in range(1, batch.shape[2]):
        known = recovered[:, 0, column - 1]
        recovered[:, 0, column] = nearest_candidate(batch[:, 0, column], known)
    for row in range(1, batch.shape[1]):
        recovered[:, row] = nearest_candidate(batch[:, row], recovered[:, row - 1])
    return recovered[0] if single else recovered


def nearest_candidate(pixels, neighbours):
    """Of the 48 plain pixels that pbe may have had, that nearest to a neighbour.

    Args:
        pixels: encrypted, `uint8 (..., 3)`.
        neighbours: plain, `uint8 (..., 3)`.

    Returns:
        `uint8 (..., 3)`; of equally near ones the first by Table I, not negated first.
    """
    values = np.stack([pixels, 255 - pixels], axis=-1).astype(np.int16)
    # (..., encrypted channel, plain channel, negated)
    distances = np.abs(values[..., :, None, :] - neighbours[..., None, :, None])
    negated = distances.argmin(axis=-1)
    distances = distances.min(axis=-1)
    # Of all 6 orders: plain channel c is encrypted channel order[c].
    channels = np.arange(3)
    totals = np.stack(
        [distances[..., order, channels].sum(axis=-1) for order in CHANNEL_ORDERS],
        axis=-1,
    )
    source = CHANNEL_ORDERS[totals.argmin(axis=-1)]
    plain = np.take_along_axis(pixels, source, axis=-1)
    picked = np.take_along_axis(negated, source[..., None, :], axis=-2)[..., 0, :]
    return np.where(picked == 1, 255 - plain, plain)


def _colour_shape(image_shape, block_size=1):
    shape = image_shape_of(image_shape, block_size)
    if shape[2] != 3:
        raise ImageError(
            "This attack names the three channels of a colour image. "
            f"Received: image_shape={shape}"
        )
    return shape
