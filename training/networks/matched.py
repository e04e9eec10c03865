"""The network that fits a cipher, chosen by the structure of the cipher alone."""

import dataclasses

import tfpe
from tfpe.ciphers import find_cipher
from tfpe.errors import NetworkError
from tfpe.keys import KEY_BYTES, Key

PATCH_SIZE = 4  # where the key keeps to pixels, and any patch fits


def matched_network(found):
    """The name of a network in `NETWORKS` and its options, for a structure.

    Where regions stay in their places, a PyramidNet behind a stem of words; where they
    move, an MLP-Mixer, to which all orders of its tokens are alike before training.

    Args:
        found: a `Structure`.

    Raises:
        NetworkError: the key mixes the whole image.

    Example:

    >>> le = tfpe.ciphers.le(tfpe.Key.generate(), (32, 32, 3))
    >>> matched_network(tfpe.structure(le))[0]
    'pyramidnet'
    """
    if found.side is None:
        raise NetworkError(
            "The key should keep to blocks smaller than the image, for a network of "
            "patches. Received: a cipher that mixes the whole image"
        )
    patch = found.side if found.side > 1 else PATCH_SIZE
    regions = found.at(patch) or found
    stem = {"patch_size": patch, "bits": found.bits, "tied": regions.tied}
    if regions.moved:
        return "mlp_mixer", stem
    body = {"depth": 20, "alpha": 24, "shakedrop": 0, "stem": "words"}
    return "pyramidnet", body | stem


def matched_recipe(recipe, cipher, image_shape, **options):
    """`recipe` with the network that fits a cipher.

    Args:
        recipe: a `training.recipes.Recipe`.
        cipher: a name in `tfpe.CIPHERS`.
        image_shape: (height, width, channels) of the images.
        **options: of the cipher.
    """
    row = find_cipher(cipher)
    size = row.block_size(**options)
    shape = tuple(-(-side // size) * size for side in image_shape[:2])
    # Any key shows the structure.
    transform = row(Key(bytes(KEY_BYTES)), (*shape, image_shape[2]), **options)
    network, chosen = matched_network(tfpe.structure(transform))
    return dataclasses.replace(recipe, network=network, options=chosen)
