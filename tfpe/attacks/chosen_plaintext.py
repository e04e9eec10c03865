"""Generic chosen plaintext: any `Transform` falls to a handful of chosen images."""

import math

import numpy as np

from tfpe.algebra.transform import Transform
from tfpe.algebra.words import WORD_BITS, join_words, split_words
from tfpe.attacks.oracles import ask, check_on_random_images
from tfpe.checks import one_of, shape_tuple
from tfpe.errors import AttackError


def chosen_plaintext(oracle, image_shape, bits=8, verify=True):
    """Recovers a fixed key of any cipher of the library, exactly.

    The black image shows the mask. Then the words of the image spell their own
    positions, digit by digit in base 2^bits, so that every output word names the
    input word it came from: 1 + ceil(log2(n) / bits) images for n words.

    Threat model: chosen plaintext, one fixed key. Complexity: O(n) time a query; 3
    queries for bytes and 5 for nibbles at 32 x 32 x 3, 4 and 6 at 224 x 224 x 3.

    Args:
        oracle: callable, `uint8 (B, H, W, C) -> uint8 (B, H, W, C)`.
        image_shape: (height, width, channels) of the images it takes.
        bits: word size of the cipher: 8, 4 (le, ele) or 1; a smaller one than needed
            costs queries only.
        verify: number of random images (True is one) asked afterwards to confirm the
            key. With False an oracle outside the class may give a wrong key: a
            substitution of values can pass the test of the positions.

    Returns:
        The `Transform` that the oracle applies, on words of `bits` bits.

    Raises:
        AttackError: the oracle is no `Transform` on such words, or changes its key.

    Source: Jolfaei, Wu, Muthukkumarasamy, On the Security of Permutation-Only Image
    Encryption Schemes, IEEE TIFS 11(2), 2016; the mask, other words than bytes and the
    verification are additions.

    Example:

    >>> from tfpe import Key, ciphers
    >>> secret = ciphers.ele(Key(bytes(32)), (8, 8, 3))
    >>> chosen_plaintext(secret, (8, 8, 3), bits=4) == secret
    True
    """
    images = chosen_images(image_shape, bits)
    answers = ask(oracle, images)
    words = split_words(answers.reshape(len(answers), -1), bits)
    mask, digits = words[0], (words[1:] ^ words[0]).astype(np.int64)
    perm = np.zeros(mask.size, np.int64)
    for place, digit in enumerate(digits):
        perm |= digit << (bits * place)
    if perm.max() >= perm.size or np.bincount(perm).max() > 1:
        raise AttackError(
            f"The oracle should move words of {bits} bits under one key. Received: "
            "answers in which the words do not name each position once; "
            "try fewer bits"
        )
    recovered = Transform(perm, mask, bits, images.shape[1:], answers.shape[1:])
    check_on_random_images(oracle, recovered, verify)
    return recovered


def chosen_images(image_shape, bits=8):
    """The images that `chosen_plaintext` asks for, `uint8 (Q, H, W, C)`.

    Args:
        image_shape: (height, width, channels) of the images the oracle takes.
        bits: of the words that move, 8, 4 or 1.

    Returns:
        `uint8 (Q, H, W, C)`: a black one, then one for each digit of the position.

    Example:

    >>> [len(chosen_images((side, side, 3))) for side in (32, 224)]
    [3, 4]
    >>> [len(chosen_images((side, side, 3), bits=4)) for side in (32, 224)]
    [5, 6]
    """
    shape = shape_tuple(image_shape, "image_shape")
    one_of(bits, WORD_BITS, "bits")
    positions = np.arange(math.prod(shape) * 8 // bits)
    places = -(-int(positions[-1]).bit_length() // bits)
    digits = [(positions >> (bits * k)) & (2**bits - 1) for k in range(places)]
    words = np.stack([np.zeros_like(positions), *digits]).astype(np.uint8)
    return join_words(words, bits).reshape(-1, *shape)
