"""Small models of patches, and images for them; of Keras alone, for any backend."""

import keras
import numpy as np
from keras import layers
from key_arrays import TRANSFORMS

SHAPE = (16, 16, 3)
MATCHABLE = sorted(set(TRANSFORMS) - {"shuffle", "etc_gray"})
NORMALISATIONS = {
    "unit": lambda: layers.Rescaling(1 / 255),
    "centred": lambda: layers.Rescaling(1 / 127.5, -1),
    "by channel": lambda: layers.Normalization(
        mean=[125.0, 120.0, 110.0], variance=[3900.0, 3700.0, 4300.0]
    ),
}


def images(count=3, shape=SHAPE):
    random = np.random.default_rng(0)
    return random.integers(0, 256, (count, *shape), np.uint8)


def convolutional(patch, normalisation):
    return keras.Sequential(
        [
            keras.Input(SHAPE),
            normalisation,
            layers.Conv2D(8, patch, patch, activation="gelu"),
            layers.DepthwiseConv2D(3, padding="same"),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )


def attending(patch, normalisation, dtype="uint8"):
    inputs = keras.Input(SHAPE, dtype=dtype)
    tokens = layers.Conv2D(8, patch, patch, "same")(normalisation(inputs))
    tokens = layers.Reshape((-1, 8))(tokens)
    mixed = layers.Permute((2, 1))(tokens)
    mixed = layers.Permute((2, 1))(layers.Dense(tokens.shape[1])(mixed))
    tokens = tokens + layers.MultiHeadAttention(2, 4)(mixed, tokens)
    return keras.Model(inputs, layers.Dense(10)(layers.Flatten()(tokens)))


def nested(patch, normalisation):
    inner = attending(patch, layers.Rescaling(1.0), "float32")
    return keras.Sequential([keras.Input(SHAPE), normalisation, inner])


def agree(one, other, tolerance):
    one, other = (keras.ops.convert_to_numpy(values) for values in (one, other))
    return np.abs(one - other).max() <= tolerance * np.abs(other).max()
