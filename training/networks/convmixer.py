"""ConvMixer: patches, then depthwise and pointwise convolutions in turn."""

import keras
from keras import layers

from training.networks.ends import logits_of, word_stem
from training.pyramidnet.unit import CHANNELS_LAST, batch_normalisation, weight_decay


def convmixer(
    num_classes=10,
    input_shape=(32, 32, 3),
    l2=None,
    width=128,
    depth=8,
    kernel_size=5,
    patch_size=4,
    bits=8,
    tied=True,
):
    """Builds a ConvMixer on bytes, behind a word stem; not compiled.

    Args:
        num_classes: number of classes.
        input_shape: (height, width, channels) of an image.
        l2: weight decay, as of `pyramidnet`.
        width: channels of each token.
        depth: number of blocks.
        kernel_size: of the depthwise convolutions.
        patch_size, bits, tied: as of `tfpe.layers.WordPatchEmbedding`.

    Returns:
        A `keras.Model` from bytes to logits.

    Source: Trockman & Kolter 2022, Patches Are All You Need? (arXiv 2201.09792).

    Example:

    >>> convmixer(width=16, depth=2).output_shape
    (None, 10)
    """
    images = keras.Input(input_shape, dtype="uint8", name="images")
    features = word_stem(width, patch_size, bits, tied, l2)(images)
    features = batch_normalisation(l2, None)(keras.activations.gelu(features))
    for _ in range(depth):
        mixed = layers.DepthwiseConv2D(
            kernel_size,
            padding="same",
            data_format=CHANNELS_LAST,
            depthwise_regularizer=weight_decay(l2),
            bias_regularizer=weight_decay(l2),
        )(features)
        mixed = batch_normalisation(l2, None)(keras.activations.gelu(mixed))
        features = layers.Add()([features, mixed])
        features = layers.Conv2D(
            width,
            1,
            data_format=CHANNELS_LAST,
            kernel_regularizer=weight_decay(l2),
            bias_regularizer=weight_decay(l2),
        )(features)
        features = batch_normalisation(l2, None)(keras.activations.gelu(features))
    features = layers.GlobalAveragePooling2D(data_format=CHANNELS_LAST)(features)
    return keras.Model(images, logits_of(features, num_classes, l2), name="convmixer")
