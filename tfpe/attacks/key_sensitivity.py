"""Key checks: whether near keys give unrelated ciphers. Passing is no security."""

from typing import NamedTuple

import numpy as np

from tfpe.chaos import logistic_sequence
from tfpe.checks import whole_number
from tfpe.ciphers import find_cipher
from tfpe.errors import CipherOptionError
from tfpe.keys import KEY_BYTES, Key


class KeySensitivity(NamedTuple):
    """What changes of a key when one bit does, as fractions of its words.

    Attributes:
        perm_changed, mask_changed: words with another source, with another mask.
        perm_unrelated, mask_unrelated: the same fractions for an unrelated key, the
            value that a sound derivation has.
    """

    perm_changed: float
    mask_changed: float
    perm_unrelated: float
    mask_unrelated: float


def key_sensitivity(secret, image_shape, cipher="logistic", bit=0, **options):
    """Compares the keys of a cipher that two secrets give which differ in one bit.

    Args:
        secret: the 32 bytes of a key, for instance `secrets.token_bytes(32)`.
        image_shape: (height, width, channels).
        cipher: a name in `tfpe.CIPHERS`.
        bit: the bit to change, 0 to 255, the lowest of the first byte first.
        options: options of the cipher.

    Returns:
        A `KeySensitivity`: for shuffle nearly all of the perm changes, for negpos half
        of the mask.

    Raises:
        CipherOptionError: `bit` is out of range, or an option does not fit.

    Example:

    >>> changed = key_sensitivity(bytes(32), (32, 32, 3), "negpos")
    >>> changed.perm_changed, 0.45 < changed.mask_changed < 0.55
    (0.0, True)
    """
    bit = whole_number(bit, "bit", 0)
    if bit >= 8 * KEY_BYTES:
        raise CipherOptionError(
            f"`bit` should be from 0 to {8 * KEY_BYTES - 1}. Received: bit={bit}"
        )
    build = find_cipher(cipher)
    key = Key(secret)
    near = bytearray(secret)
    near[bit // 8] ^= 1 << bit % 8
    original, changed, unrelated = (
        build(k, image_shape, **options)
        for k in (key, Key(near), key.derive("unrelated"))
    )
    return KeySensitivity(
        *(
            float((getattr(original, part) != getattr(other, part)).mean())
            for other in (changed, unrelated)
            for part in ("perm", "mask")
        )
    )


def parameter_sensitivity(mu, d0, delta=1e-15, length=3072):
    """Fraction of the logistic sequence that a small change of mu leaves as it is.

    Args:
        mu, d0: parameters of `tfpe.chaos.logistic_sequence`.
        delta: change of mu; from about 4.4e-16 up it is another float64.
        length: number of bytes compared.

    Returns:
        The fraction of equal bytes: 1 / 256 for unrelated sequences, 1 where mu + delta
        is the same float64.

    Example:

    >>> parameter_sensitivity(3.99, 0.1) < 0.01
    True
    """
    original = logistic_sequence(mu, d0, length)
    return float(np.mean(original == logistic_sequence(mu + delta, d0, length)))
