"""Images for orthogonal, with one key for all of them or one for each."""

import numpy as np

from tfpe import CIPHERS, Key

KEY = Key(bytes(range(32)))
SHAPE = (16, 16, 3)
SECRET = CIPHERS["orthogonal"](KEY, SHAPE)
BATCH = CIPHERS["orthogonal"].per_image(KEY, SHAPE, range(4))


def images(count=4, shape=SHAPE, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), np.uint8)
