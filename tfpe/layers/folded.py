"""Bytes that tell nothing of a key for each pixel: folded, and channels sorted."""

import keras
from keras import ops

from tfpe.errors import NetworkError
from tfpe.layers.byte_inputs import bytes_of


@keras.saving.register_keras_serializable(package="tfpe")
class FoldedChannels(keras.layers.Layer):
    """Folds bytes to min(v, 255 - v), and sorts the channels of each pixel.

    Under `pbe` and `negpos` the image and its ciphertext become the same picture,
    whatever the key: a network behind this layer is as good with a key for each image
    as with plain images. An attacker sees that picture too.

    Args:
        **options: of Keras layers.

    Input shape:
        (batch, height, width, channels), bytes from 0 to 255, `uint8` or float.

    Output shape:
        The same, floats from -1 to 1; the least channel comes first. Images that do
        not fit, such as those of 0 to 1, become NaN inside a graph.

    Raises:
        NetworkError: the input does not have four axes.
        ImageError: images that do not fit, outside a graph.

    Source: min(v, 255 - v) after Chang & Case 2020 (arXiv 2004.13263), who attack
    with it.

    Example:

    >>> import numpy as np, tfpe
    >>> images = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3), np.uint8)
    >>> pbe = tfpe.ciphers.pbe(tfpe.Key.generate(), (8, 8, 3))
    >>> fold = FoldedChannels()
    >>> bool((fold(images) == fold(pbe(images))).numpy().all())
    True
    """

    def __init__(self, **options):
        super().__init__(**options)
        self.autocast = False
        self.supports_jit = True

    def call(self, images):
        if len(images.shape) != 4:
            raise NetworkError(
                "Images should have shape (batch, height, width, channels). "
                f"Received: shape {tuple(images.shape)}"
            )
        return folded_channels(images, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape


def folded_channels(images, dtype):
    """What `FoldedChannels` gives, of a float dtype."""
    exact = "float64" if dtype == "float64" else "float32"
    values, (_, sealed) = ops.cast(images, exact), bytes_of(images)
    folded = ops.sort(ops.minimum(values, 255 - values), axis=-1)
    return ops.cast(sealed(folded * (2 / 127) - 1), dtype)
