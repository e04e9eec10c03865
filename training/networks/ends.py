"""The first and the last layer of networks that fit a cipher."""

import keras
from keras import layers

from tfpe.layers import WordPatchEmbedding
from training.pyramidnet.unit import weight_decay


def word_stem(units, patch_size, bits, tied, l2=None, dtype=None):
    """A `WordPatchEmbedding` with the weight decay of these networks."""
    return WordPatchEmbedding(
        units,
        patch_size,
        bits,
        tied,
        kernel_regularizer=weight_decay(l2),
        bias_regularizer=weight_decay(l2),
        dtype=dtype,
        name="stem",
    )


def logits_of(features, num_classes, l2):
    """The last layer of these networks, in float32 at least."""
    return layers.Dense(
        num_classes,
        kernel_regularizer=weight_decay(l2),
        bias_regularizer=weight_decay(l2),
        dtype=keras.config.dtype_policy().variable_dtype,
        name="logits",
    )(features)
