"""Adaptation networks: learned layers that undo a block cipher for a PyramidNet."""

import keras
from keras import layers

from tfpe.errors import NetworkError
from training.networks.adaptation_layers import (
    PERMUTATION_WEIGHT,
    SMOOTHNESS_WEIGHT,
    BlockMixing,
    BlockNetworks,
    PixelShuffle,
    Smoothness,
)
from training.pyramidnet import STEM_WIDTH, pyramid_logits
from training.pyramidnet.unit import batch_normalisation, convolution


def le_adaptnet(
    num_classes=10,
    input_shape=(32, 32, 3),
    block_size=4,
    l2=None,
    dtype=None,
    name="le_adaptnet",
    **network,
):
    """Builds LE-AdaptNet before a PyramidNet, for ciphers with one key for all blocks.

    Every block goes through one convolution of its size, shared by all blocks, with
    batch normalisation over all blocks together (the reference normalises block by
    block), and becomes a block of 16 channels.

    Args:
        num_classes: number of classes.
        input_shape: (height, width, channels) of an image.
        block_size: side of a block in pixels; divides height and width.
        l2: weight decay, as of `pyramidnet`.
        dtype: dtype or policy, as of `pyramidnet`.
        name: of the model.
        **network: the other arguments of `pyramidnet`: depth, alpha, shakedrop ...

    Returns:
        A `keras.Model` from float images to logits.

    Raises:
        NetworkError: an argument out of range.

    Source: Madono et al. 2020, Block-wise Scrambled Image Recognition Using Adaptation
    Network (arXiv 2001.07761); Tanaka 2018, Learnable Image Encryption.

    Example:

    >>> from training.networks.adaptation import le_adaptnet
    >>> le_adaptnet(depth=8, alpha=6).output_shape
    (None, 10)
    """
    _check_blocks(input_shape, block_size)
    images = keras.Input(input_shape, name="images")
    convolve = convolution(
        STEM_WIDTH * block_size**2,
        block_size,
        l2,
        dtype,
        strides=block_size,
        name="adapt_blocks",
    )
    features = batch_normalisation(l2, dtype, name="adapt_norm")(convolve(images))
    features = layers.LeakyReLU(0.1, dtype=dtype, name="adapt_relu")(features)
    features = PixelShuffle(block_size, dtype=dtype, name="adapt_shuffle")(features)
    logits = pyramid_logits(
        features, num_classes=num_classes, l2=l2, dtype=dtype, **network
    )
    return keras.Model(images, logits, name=name)


def pixel_adaptnet(num_classes=10, name="pixel_adaptnet", **options):
    """Builds a 1x1 adaptation network before a PyramidNet, for pixel-based encryption.

    LE-AdaptNet with blocks of one pixel: a 1x1 convolution of stride 1 to 16 channels,
    batch normalisation and a leaky ReLU. The widths are this project's choice.

    Args:
        num_classes: number of classes.
        name: of the model.
        **options: the other arguments of `le_adaptnet`, `block_size` excepted.

    Returns:
        A `keras.Model` from float images to logits.

    Raises:
        NetworkError: an argument out of range.

    Source: Sirichotedumrong, Kinoshita & Kiya 2019, Pixel-Based Image Encryption
    Without Key Management (IEEE Access 7), for the kernel size and stride.

    Example:

    >>> from training.networks.adaptation import pixel_adaptnet
    >>> pixel_adaptnet(depth=8, alpha=6).output_shape
    (None, 10)
    """
    return le_adaptnet(num_classes, block_size=1, name=name, **options)


def ele_adaptnet(
    num_classes=10,
    input_shape=(32, 32, 3),
    block_size=4,
    permutation_weight=PERMUTATION_WEIGHT,
    smoothness_weight=SMOOTHNESS_WEIGHT,
    l2=None,
    dtype=None,
    name="ele_adaptnet",
    **network,
):
    """Builds ELE-AdaptNet before a PyramidNet, for a key a block and shuffled blocks.

    Every block has a network of its own; a free matrix then mixes the blocks. Two
    penalties join the loss of every `fit`: one pushes the matrix towards a
    permutation, which would undo the cipher's, the other smooths the adapted image.

    Args:
        num_classes: number of classes.
        input_shape: (height, width, channels) of an image.
        block_size: side of a block in pixels; divides height and width.
        permutation_weight: factor of `permutation_penalty` in the loss.
        smoothness_weight: factor of `total_variation` in the loss.
        l2: weight decay, as of `pyramidnet`.
        dtype: dtype or policy, as of `pyramidnet`.
        name: of the model.
        **network: the other arguments of `pyramidnet`: depth, alpha, shakedrop ...

    Returns:
        A `keras.Model` from float images to logits.

    Raises:
        NetworkError: an argument out of range.

    Source: Madono et al. 2020 (arXiv 2001.07761).

    Example:

    >>> from training.networks.adaptation import ele_adaptnet
    >>> ele_adaptnet(depth=8, alpha=6).output_shape
    (None, 10)
    """
    rows, columns = _check_blocks(input_shape, block_size)
    channels = STEM_WIDTH * block_size**2
    images = keras.Input(input_shape, name="images")
    features = BlockNetworks(
        channels, block_size, l2=l2, dtype=dtype, name="adapt_blocks"
    )(images)
    # One normalisation for each block and channel, over the batch.
    features = layers.Reshape((rows * columns * channels,), dtype=dtype)(features)
    features = batch_normalisation(l2, dtype, name="adapt_norm")(features)
    features = layers.LeakyReLU(0.2, dtype=dtype, name="adapt_relu")(features)
    features = layers.Reshape((rows * columns, channels), dtype=dtype)(features)
    features = BlockMixing(permutation_weight, l2=l2, dtype=dtype, name="adapt_mixing")(
        features
    )
    features = layers.Reshape((rows, columns, channels), dtype=dtype)(features)
    features = PixelShuffle(block_size, dtype=dtype, name="adapt_shuffle")(features)
    features = Smoothness(smoothness_weight, dtype=dtype, name="adapt_smoothness")(
        features
    )
    logits = pyramid_logits(
        features, num_classes=num_classes, l2=l2, dtype=dtype, **network
    )
    return keras.Model(images, logits, name=name)


def _check_blocks(input_shape, block_size):
    """Rows and columns of blocks; raises where the blocks do not fill the image."""
    height, width, _ = input_shape
    if any(not length or length % block_size for length in (height, width)):
        raise NetworkError(
            f"`input_shape` should have a height and width that {block_size} divides "
            f"(pad the images to whole blocks). Received: input_shape={input_shape}"
        )
    return height // block_size, width // block_size
