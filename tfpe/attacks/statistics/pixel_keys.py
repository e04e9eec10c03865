"""The key of a pixel-local cipher, as an attacker holds it: from the plain side."""

import itertools

import numpy as np

from tfpe.algebra.transform import Transform
from tfpe.attacks.statistics.moments import KEY_WEIGHTS


def channel_orders(channels):
    """All orders of the channels, `int64 (C!, C)`; the first leaves them."""
    return np.array(list(itertools.permutations(range(channels))))


class PixelKeys:
    """Keys of all pixels: plain channel c is ciphertext channel source[c] xor key[c].

    Attributes:
        source: `int64 (H, W, C)`.
        key: `uint8 (H, W, C)`.
    """

    def __init__(self, height, width, channels):
        self.source = np.tile(np.arange(channels), (height, width, 1))
        self.key = np.zeros((height, width, channels), np.uint8)

    def combinations(self):
        """Weights of the signed bits that give each plain channel, `(H, W, 8C, C)`."""
        height, width, channels = self.key.shape
        weights = np.zeros((height, width, channels, channels, 8), np.float32)
        # (row, column, plain channel, ciphertext channel, bit)
        place = self.source[..., None, None]
        np.put_along_axis(weights, place, KEY_WEIGHTS[self.key][..., None, :], axis=-2)
        return weights.reshape(height, width, channels, -1).swapaxes(-1, -2)

    def decrypt(self, ciphertexts):
        """The plain images, `uint8 (B, H, W, C)`."""
        return np.take_along_axis(ciphertexts, self.source[None], axis=-1) ^ self.key

    def rename_channels(self, order):
        """Plain channel c becomes what channel order[c] was."""
        self.source, self.key = self.source[..., order], self.key[..., order]

    def complement_channels(self, chosen):
        """Plain channels with `chosen`, bool `(C,)`, become 255 minus themselves."""
        self.key = self.key ^ (np.uint8(255) * np.asarray(chosen, np.uint8))

    def transform(self):
        """The `Transform` that encrypts."""
        shape = self.key.shape
        first = np.arange(shape[0] * shape[1])[:, None] * shape[2]
        perm = (first + self.source.reshape(-1, shape[2])).ravel()
        return Transform(perm, self.key.ravel(), 8, shape).inverse
