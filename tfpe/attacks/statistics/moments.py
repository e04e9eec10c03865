"""Second moments of signed bits: all that neighbours tell of a fixed key.

A byte under an exclusive or with key k is 127.5 plus half a sum of its bits as signs,
bit j weighted 2^j and its sign turned where k has a 1. Squared distances of pixels are
then quadratic in the signs of the keys, with the moments of the ciphertexts' bits as
coefficients: taken once, they replace the images.
"""

from typing import NamedTuple

import numpy as np

# Rows of bytes or keys: the bits of 0 .. 255 as signs, bit 0 first; 0 is -1, 1 is 1.
BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
SIGNS = 2 * BITS.astype(np.float32) - 1
# A key bit of 1 turns the sign; x - 127.5 = sum_j KEY_WEIGHTS[k, j] SIGNS[x ^ k, j].
WEIGHTS = np.float32(2) ** np.arange(-1, 7, dtype=np.float32)
KEY_WEIGHTS = -SIGNS * WEIGHTS
IMAGES_AT_ONCE = 2048


class Moments(NamedTuple):
    """Mean products of the signed bits (C * 8 a pixel), `float32`.

    Attributes:
        own: of a pixel with itself, `(H, W, 8C, 8C)`.
        right: of a pixel with its right neighbour, `(H, W - 1, 8C, 8C)`.
        down: of a pixel with the one below, `(H - 1, W, 8C, 8C)`.
    """

    own: np.ndarray
    right: np.ndarray
    down: np.ndarray


def signed_bits(values):
    """Bits of bytes as signs: `uint8 (..., C)` to `float32 (..., 8C)`.

    Example:

    >>> signed_bits(np.array([[5]], np.uint8)).astype(int).tolist()
    [[1, -1, 1, -1, -1, -1, -1, -1]]
    """
    return SIGNS[values].reshape(*values.shape[:-1], -1)


def neighbour_moments(ciphertexts):
    """The moments of a batch, `uint8 (B, H, W, C)`; memory 7 kB a colour pixel."""
    count, height, width, channels = ciphertexts.shape
    size = 8 * channels
    own = np.zeros((height, width, size, size), np.float32)
    right, down = np.zeros_like(own[:, 1:]), np.zeros_like(own[1:])
    for start in range(0, count, IMAGES_AT_ONCE):
        # (H, W, B, C): one matrix product a pixel, images are the inner axis.
        chunk = np.moveaxis(ciphertexts[start : start + IMAGES_AT_ONCE], 0, 2)
        above = None
        for row, values in enumerate(chunk):
            bits = signed_bits(values)
            columns = bits.swapaxes(-1, -2)
            own[row] += columns @ bits
            right[row] += columns[:-1] @ bits[1:]
            if row:
                down[row - 1] += above @ bits
            above = columns
    for moments in (own, right, down):
        moments /= count
    return Moments(own, right, down)
