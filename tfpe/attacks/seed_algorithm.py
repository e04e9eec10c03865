"""Algorithm 1 of Ahmad & Shin 2022: the attack that its resistance claim rests on."""

import numpy as np

from tfpe.algebra.transform import Transform
from tfpe.attacks.oracles import ask, check_on_random_images
from tfpe.checks import image_shape_of, whole_number
from tfpe.errors import AttackError, CipherOptionError


def seed_algorithm(oracle, image_shape, level=0, verify=True):
    """Recovers the negatives of pbe from one image of a constant value.

    It recovers pbe without channel shuffle exactly. With channel shuffle, or on the
    logistic cipher, it does not apply, which is all that the paper shows:
    `logistic_chosen_plaintext` takes both with one image more.

    Threat model: chosen plaintext, one fixed key, one query. Complexity: O(n).

    Args:
        oracle: callable, `uint8 (B, H, W, C) -> uint8 (B, H, W, C)`.
        image_shape: (height, width, channels) of the images it takes.
        level: the constant, 0 to 255.
        verify: number of random images (True is one) asked afterwards to confirm the
            key: a channel order does not show on a constant image.

    Returns:
        The `Transform` that replaces the flagged values by 255 minus themselves.

    Raises:
        AttackError: some value is neither `level` nor 255 - `level` (the logistic
            cipher), or values move (channel shuffle).

    Source: Ahmad & Shin 2022, arXiv 2203.16780, Algorithm 1.

    Example:

    >>> from tfpe import Key, ciphers
    >>> secret = ciphers.pbe(Key(bytes(32)), (8, 8, 3), channel_shuffle=False)
    >>> seed_algorithm(secret, (8, 8, 3)) == secret
    True
    """
    shape = image_shape_of(image_shape)
    level = _byte(level)
    answer = ask(oracle, np.full((1, *shape), level, np.uint8))
    flags = negative_flags(answer, level)
    if answer.shape[1:] != shape or (answer[~flags] != level).any():
        raise AttackError(
            "The oracle should leave values or take them from 255, as pbe does. "
            f"Received: {(~flags & (answer != level)).mean():.1%} other values"
        )
    mask = np.uint8(255) * flags.ravel()
    recovered = Transform(np.arange(mask.size), mask, 8, shape)
    check_on_random_images(oracle, recovered, verify)
    return recovered


def negative_flags(ciphertext, level=0):
    """The flags of Algorithm 1, as printed: where the ciphertext is 255 - `level`.

    Args:
        ciphertext: `uint8`, the encryption of an image that is `level` everywhere.
        level: the constant, 0 to 255.

    Returns:
        bool of the same shape: all negatives of pbe; on the logistic cipher the 1 of
        512 values whose select bit is set and whose stream is 255.

    Example:

    >>> negative_flags(np.array([3, 252, 77], np.uint8), 3).tolist()
    [False, True, False]
    """
    return np.asarray(ciphertext) == 255 - _byte(level)


def _byte(level):
    level = whole_number(level, "level", 0)
    if level > 255:
        raise CipherOptionError(
            f"`level` should be from 0 to 255. Received: level={level}"
        )
    return level
