"""Two chosen images break every cipher that keeps pixels in their places."""

import numpy as np

from tfpe.algebra.transform import Transform
from tfpe.attacks.oracles import ask, check_on_random_images
from tfpe.checks import image_shape_of
from tfpe.errors import AttackError


def logistic_chosen_plaintext(oracle, image_shape, verify=True):
    """Recovers the whole key of Ahmad & Shin's logistic cipher from two chosen images.

    The black image shows the effective keystream (0 where values pass unchanged) in
    the order of the output channels. The image of (1, 2, 4) everywhere, xored with
    it, names the input channel of every output channel. The sequence, the selection
    and mu and d0 need not be told apart: this is the key that decrypts.

    Threat model: chosen plaintext, one fixed key, two queries (one for gray images).
    Complexity: O(n). Takes pbe, negpos and keystream as well.

    Args:
        oracle: callable, `uint8 (B, H, W, C) -> uint8 (B, H, W, C)`.
        image_shape: (height, width, channels) of the images it takes.
        verify: number of random images (True is one) asked afterwards to confirm.

    Returns:
        The `Transform` that the oracle applies, on bytes.

    Raises:
        AttackError: values leave their pixels, or the oracle is no `Transform`.

    Source: not published elsewhere; the cipher is Ahmad & Shin 2022, arXiv 2203.16780.

    Example:

    >>> from tfpe import Key, ciphers
    >>> secret = ciphers.logistic(Key(bytes(32)), (32, 32, 3))
    >>> logistic_chosen_plaintext(secret, (32, 32, 3)) == secret
    True
    """
    shape = image_shape_of(image_shape)
    channels = shape[2]
    names = np.uint8(1) << np.arange(channels, dtype=np.uint8)
    images = np.zeros((1 if channels == 1 else 2, *shape), np.uint8)
    images[1:] = names
    answers = ask(oracle, images)
    _check_shape(answers, shape)
    black = answers[0]
    if channels == 1:
        source = np.zeros(shape, np.int64)
    else:
        source = channels_named(answers[1] ^ black, names)
    pixels = np.arange(shape[0] * shape[1]).reshape(shape[0], shape[1], 1)
    perm = channels * pixels + source
    recovered = Transform(perm.ravel(), black.ravel(), 8, shape)
    check_on_random_images(oracle, recovered, verify)
    return recovered


def channels_named(values, names):
    """The channel that each value names, `(H, W, C)`; each once in a pixel.

    Args:
        values: `uint8 (H, W, C)`.
        names: one value for each channel, ascending.

    Raises:
        AttackError: a pixel does not hold every name once.
    """
    if (np.sort(values, axis=-1) != names).any():
        raise AttackError(
            "The oracle should keep the values of a pixel in it and xor them with one "
            "key. Received: pixels whose values do not name each channel once"
        )
    return np.searchsorted(names, values)


def _check_shape(answers, shape):
    if answers.shape[1:] != shape:
        raise AttackError(
            f"The oracle should keep the image shape {shape}. "
            f"Received: {answers.shape[1:]}"
        )
