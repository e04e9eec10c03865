"""PyramidNet as a recipe names it: with its stem and what stands before it."""

import keras

from tfpe.errors import NetworkError
from training.networks.adaptation import ele_adaptnet, le_adaptnet, pixel_adaptnet
from training.networks.adaptation_layers import PixelShuffle
from training.networks.ends import word_stem
from training.pyramidnet import STEM_WIDTH, pyramid_logits, pyramidnet

ADAPTATIONS = {
    "none": pyramidnet,
    "le": le_adaptnet,
    "ele": ele_adaptnet,
    "pixel": pixel_adaptnet,
}


def pyramid_network(
    num_classes, input_shape, l2, adaptation, stem, patch_size, bits, tied, **options
):
    """A PyramidNet, with an adaptation network or behind a word stem.

    Args:
        num_classes, input_shape, l2: as of every network.
        adaptation: "none", "le", "ele" or "pixel".
        stem: "convolution" of 3 x 3 pixels, or "words": a `WordPatchEmbedding` whose
            units become the pixels of a patch with 16 channels each (pixel shuffle).
        patch_size, bits, tied: of the word stem.
        **options: of `pyramidnet`.

    Raises:
        NetworkError: an argument out of range, or an adaptation before a word stem.
    """
    options["shakedrop"] = options["shakedrop"] or None
    if stem == "convolution":
        return ADAPTATIONS[adaptation](
            num_classes=num_classes, input_shape=input_shape, l2=l2, **options
        )
    if adaptation != "none":
        raise NetworkError(
            "`adaptation` should be 'none' with a word stem, which adapts already. "
            f"Received: adaptation={adaptation!r}"
        )
    images = keras.Input(input_shape, dtype="uint8", name="images")
    units = STEM_WIDTH * patch_size**2
    features = word_stem(units, patch_size, bits, tied, l2)(images)
    features = PixelShuffle(patch_size, name="stem_shuffle")(features)
    logits = pyramid_logits(
        features, num_classes=num_classes, l2=l2, stem=False, **options
    )
    return keras.Model(images, logits, name="pyramidnet")
