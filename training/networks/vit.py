"""A small vision transformer, trained from scratch."""

import keras
from keras import layers

from tfpe.errors import NetworkError
from training.networks.ends import logits_of, word_stem
from training.networks.mlp_mixer import two_layers
from training.pyramidnet.unit import weight_decay


def vit(
    num_classes=10,
    input_shape=(32, 32, 3),
    l2=None,
    width=192,
    depth=6,
    heads=3,
    mlp_units=768,
    dropout=0.0,
    patch_size=4,
    bits=8,
    tied=True,
):
    """Builds a ViT on bytes, behind a word stem, with learned positions; not compiled.

    Args:
        num_classes: number of classes.
        input_shape: (height, width, channels) of an image.
        l2: weight decay, as of `pyramidnet`.
        width: channels of each token.
        depth: number of blocks.
        heads: of the attention; divides the width.
        mlp_units: of the hidden dense layers.
        dropout: of the blocks.
        patch_size, bits, tied: as of `tfpe.layers.WordPatchEmbedding`.

    Returns:
        A `keras.Model` from bytes to logits: the mean of all tokens, no class token.

    Raises:
        NetworkError: `heads` does not divide `width`.

    Source: Dosovitskiy et al. 2021 (arXiv 2010.11929), pre-norm; mean of tokens as in
    Beyer et al. 2022 (arXiv 2205.01580).

    Example:

    >>> vit(width=12, depth=1).output_shape
    (None, 10)
    """
    if width % heads:
        raise NetworkError(
            f"`heads` should divide width={width}. Received: heads={heads}"
        )
    images = keras.Input(input_shape, dtype="uint8", name="images")
    tokens = word_stem(width, patch_size, bits, tied, l2)(images)
    tokens = layers.Reshape((-1, width))(tokens)
    tokens = Positions(name="positions")(tokens)
    for _ in range(depth):
        mixed = layers.LayerNormalization()(tokens)
        mixed = layers.MultiHeadAttention(
            heads, width // heads, dropout=dropout, kernel_regularizer=weight_decay(l2)
        )(mixed, mixed)
        tokens = layers.Add()([tokens, mixed])
        mixed = two_layers(layers.LayerNormalization()(tokens), mlp_units, width, l2)
        tokens = layers.Add()([tokens, layers.Dropout(dropout)(mixed)])
    features = layers.LayerNormalization()(tokens)
    features = layers.GlobalAveragePooling1D(data_format="channels_last")(features)
    return keras.Model(images, logits_of(features, num_classes, l2), name="vit")


@keras.saving.register_keras_serializable(package="training")
class Positions(layers.Layer):
    """Adds a learned vector to each token, drawn from a normal distribution.

    Input and output shape:
        (batch, tokens, channels).
    """

    def build(self, input_shape):
        self.vectors = self.add_weight(
            shape=tuple(input_shape[1:]),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="vectors",
        )

    def call(self, tokens):
        return tokens + keras.ops.cast(self.vectors, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape
