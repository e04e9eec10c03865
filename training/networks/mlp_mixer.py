"""MLP-Mixer: dense layers over tokens and over channels in turn."""

import keras
from keras import layers

from training.networks.ends import logits_of, word_stem
from training.pyramidnet.unit import weight_decay


def mlp_mixer(
    num_classes=10,
    input_shape=(32, 32, 3),
    l2=None,
    width=128,
    depth=8,
    token_units=64,
    channel_units=512,
    patch_size=4,
    bits=8,
    tied=True,
):
    """Builds an MLP-Mixer on bytes, behind a word stem; not compiled.

    It treats tokens alike up to its initial weights: where a cipher moves whole
    patches, training it is as on plain images.

    Args:
        num_classes: number of classes.
        input_shape: (height, width, channels) of an image.
        l2: weight decay, as of `pyramidnet`.
        width: channels of each token.
        depth: number of blocks.
        token_units, channel_units: of the hidden layers.
        patch_size, bits, tied: as of `tfpe.layers.WordPatchEmbedding`.

    Returns:
        A `keras.Model` from bytes to logits.

    Source: Tolstikhin et al. 2021, MLP-Mixer (arXiv 2105.01601).

    Example:

    >>> mlp_mixer(width=16, depth=2).output_shape
    (None, 10)
    """
    images = keras.Input(input_shape, dtype="uint8", name="images")
    tokens = word_stem(width, patch_size, bits, tied, l2)(images)
    tokens = layers.Reshape((-1, width))(tokens)
    count = tokens.shape[1]
    for _ in range(depth):
        mixed = layers.Permute((2, 1))(layers.LayerNormalization()(tokens))
        mixed = layers.Permute((2, 1))(two_layers(mixed, token_units, count, l2))
        tokens = layers.Add()([tokens, mixed])
        mixed = layers.LayerNormalization()(tokens)
        mixed = two_layers(mixed, channel_units, width, l2)
        tokens = layers.Add()([tokens, mixed])
    features = layers.LayerNormalization()(tokens)
    features = layers.GlobalAveragePooling1D(data_format="channels_last")(features)
    return keras.Model(images, logits_of(features, num_classes, l2), name="mlp_mixer")


def two_layers(features, hidden, units, l2):
    """Dense, GELU, dense."""
    features = dense(hidden, l2)(features)
    return dense(units, l2)(keras.activations.gelu(features))


def dense(units, l2):
    """A dense layer with the weight decay of these networks."""
    return layers.Dense(
        units,
        kernel_regularizer=weight_decay(l2),
        bias_regularizer=weight_decay(l2),
    )
