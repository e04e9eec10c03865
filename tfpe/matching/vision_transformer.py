"""The patch embedding of keras_hub's ViT, taken apart: convolution, then positions."""

import keras
from keras import ops


def is_vit_embedding(layer):
    """Whether a layer is the first one of `keras_hub.models.ViTBackbone`."""
    name = type(layer)
    return (
        name.__name__ == "ViTPatchingAndEmbedding"
        and name.__module__.partition(".")[0] == "keras_hub"
    )


def behind_patches(layer):
    """What such a layer does behind its convolution, as a model with its weights."""
    rows, columns = (
        size // patch
        for size, patch in zip(layer.image_size, layer.patch_size, strict=True)
    )
    positions = PatchPositions(layer.use_class_token, dtype=layer.dtype_policy)
    model = keras.Sequential(
        [keras.Input((rows, columns, layer.hidden_dim)), positions]
    )
    positions.vectors.assign(layer.position_embedding.embeddings)
    if layer.use_class_token:
        positions.class_token.assign(layer.class_token)
    return model


@keras.saving.register_keras_serializable(package="tfpe")
class PatchPositions(keras.layers.Layer):
    """Flattens patches, puts a class token before them and adds positions.

    Args:
        use_class_token: whether there is one.
        **options: of Keras layers.

    Input shape:
        (batch, rows, columns, units).

    Output shape:
        (batch, rows * columns + 1, units), without a class token one less.
    """

    def __init__(self, use_class_token=True, **options):
        super().__init__(**options)
        self.use_class_token = use_class_token

    def build(self, input_shape):
        _, count, units = self.compute_output_shape(input_shape)
        self.vectors = self.add_weight(shape=(count, units), name="vectors")
        if self.use_class_token:
            self.class_token = self.add_weight(shape=(1, 1, units), name="class_token")

    def call(self, patches):
        _, rows, columns, units = patches.shape
        tokens = ops.reshape(patches, (-1, rows * columns, units))
        if self.use_class_token:
            token = ops.cast(self.class_token, tokens.dtype)
            token = ops.tile(token, (ops.shape(tokens)[0], 1, 1))
            tokens = ops.concatenate([token, tokens], axis=1)
        return tokens + ops.cast(self.vectors, tokens.dtype)

    def compute_output_shape(self, input_shape):
        batch, rows, columns, units = input_shape
        return (batch, rows * columns + int(self.use_class_token), units)

    def get_config(self):
        return super().get_config() | {"use_class_token": self.use_class_token}
