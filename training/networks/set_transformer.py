"""A transformer on a set: for images that have a key each."""

import keras
from keras import layers

from tfpe.errors import NetworkError
from training.networks.ends import logits_of
from training.networks.mlp_mixer import two_layers
from training.networks.unordered_tokens import UnorderedTokens
from training.pyramidnet.unit import weight_decay


def set_transformer(
    num_classes=10,
    input_shape=(32, 32, 3),
    l2=None,
    width=128,
    depth=4,
    heads=4,
    mlp_units=256,
    tokens="blocks",
    patch_size=4,
    bits=8,
):
    """Builds attention without positions on tokens without order; not compiled.

    Its logits are the same for all orders of its tokens: an image under le, etc, ele
    or blockshuffle gives, under every key, those of the plain image.

    Args:
        num_classes: number of classes.
        input_shape: (height, width, channels) of an image.
        l2: weight decay, as of `pyramidnet`.
        width: channels of each token.
        depth: number of blocks of attention.
        heads: of the attention; divides the width.
        mlp_units: of the hidden dense layers.
        tokens, patch_size, bits: as of `UnorderedTokens`.

    Returns:
        A `keras.Model` from bytes to logits: the mean of all tokens.

    Raises:
        NetworkError: `heads` does not divide `width`, or `patch_size` not the sides, or
            `tokens` is another word.

    Source: Lee et al. 2019, Set Transformer (arXiv 1810.00825), without inducing
    points; pre-norm.

    Example:

    >>> set_transformer(width=16, depth=1).output_shape
    (None, 10)
    """
    if width % heads:
        raise NetworkError(
            f"`heads` should divide width={width}. Received: heads={heads}"
        )
    if any(side % patch_size for side in input_shape[:2]):
        raise NetworkError(
            f"`patch_size` should divide the sides of {tuple(input_shape)}. "
            f"Received: patch_size={patch_size}"
        )
    images = keras.Input(input_shape, dtype="uint8", name="images")
    features = UnorderedTokens(
        width, tokens, patch_size, bits, weight_decay(l2), name="tokens"
    )(images)
    for _ in range(depth):
        mixed = layers.LayerNormalization()(features)
        mixed = layers.MultiHeadAttention(
            heads, width // heads, kernel_regularizer=weight_decay(l2)
        )(mixed, mixed)
        features = layers.Add()([features, mixed])
        mixed = layers.LayerNormalization()(features)
        mixed = two_layers(mixed, mlp_units, width, l2)
        features = layers.Add()([features, mixed])
    features = layers.LayerNormalization()(features)
    features = layers.GlobalAveragePooling1D(data_format="channels_last")(features)
    return keras.Model(
        images, logits_of(features, num_classes, l2), name="set_transformer"
    )
