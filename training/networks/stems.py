"""The first layer of networks that fit a cipher: patches of words."""

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
