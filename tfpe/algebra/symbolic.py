"""Keyed maps on the symbolic tensors of Keras: in functional models."""

import keras

from tfpe.errors import ImageError


class ApplyTransform(keras.Operation):
    """A `Keyed` map in a functional model: runs, but refuses to be saved.

    `transform(keras_input)` makes one. Models that are saved take the layer.
    """

    def __init__(self, transform):
        super().__init__()
        self._transform = transform

    def call(self, images):
        return self._transform(images)

    def compute_output_spec(self, images):
        keyed = self._transform
        rank = len(keyed.input_shape)
        shape = tuple(images.shape)
        if shape[-rank:] != keyed.input_shape or images.dtype != keyed.input_dtype:
            raise ImageError(
                f"Images should be {keyed.input_dtype} of shape {keyed.input_shape}, "
                "with or without a batch axis. "
                f"Received: {images.dtype} of shape {shape}"
            )
        batch = keyed.batch_size
        if batch is not None and shape[:-rank] != (batch,):
            raise ImageError(
                f"This transform holds keys for {batch} images. Received: shape {shape}"
            )
        shape = (*shape[:-rank], *keyed.output_shape)
        return keras.KerasTensor(shape, dtype=keyed.output_dtype)

    def get_config(self):
        raise TypeError(
            "A model that applies a Transform should not be saved, since the Transform "
            "is key material: use the layer tfpe.PerceptualEncrypt, which saves only "
            "the fingerprint of its key."
        )
