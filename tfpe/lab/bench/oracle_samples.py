"""Large ciphertexts against the oracle: a million words of each, drawn by chance."""

import numpy as np

from tfpe.algebra.transform import Transform
from tfpe.ciphers import CIPHERS
from tfpe.errors import TfpeError
from tfpe.pixels.codec import decode_image
from tfpe.pixels.padding import pad_to_blocks

WORDS = 2**20


def require_oracle(name, transform, image, cipher):
    """Raises `TfpeError` unless a ciphertext is what the definition says.

    Args:
        name: of the cipher, for the error.
        transform: a `Keyed` of one image.
        image, cipher: `uint8`, of its shapes.
    """
    if not isinstance(transform, Transform):
        right = np.array_equal(transform.definition(image), cipher)
    else:
        places = np.random.default_rng(0).integers(0, transform.perm.size, WORDS)
        expected = _words(image, transform.perm[places], transform.bits)
        expected ^= transform.mask[places]
        right = np.array_equal(_words(cipher, places, transform.bits), expected)
    if not right:
        raise TfpeError(f"{name} should give the ciphertext of the oracle")


def require_file(name, key, source, target):
    """The same of the file of an image and that of its ciphertext."""
    row = CIPHERS[name]
    image = decode_image(source.read_bytes())
    image = pad_to_blocks(image, row.block_size(**row.check()))
    cipher = decode_image(target.read_bytes())
    require_oracle(name, row(key, image.shape), image, cipher)


def _words(pixels, places, bits):
    byte, part = np.divmod(places, 8 // bits)
    words = pixels.reshape(-1)[byte] >> (bits * part).astype(np.uint8)
    return words & np.uint8(2**bits - 1)
