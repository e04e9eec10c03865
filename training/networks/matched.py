"""The network that fits a cipher, chosen by the structure of the cipher alone."""

import dataclasses

import numpy as np

import tfpe
from tfpe.algebra.structure import signed_words, source_regions
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


def unordered_network(transform):
    """The network that fits a cipher with a key for each image.

    Its features do not depend on the key: folded pixels where bytes stay in their
    pixels, else a set of blocks or of words.

    Args:
        transform: of the cipher, under any key.

    Returns:
        `(network, options, normalization)`; the last is None where the network takes
        bytes.

    Raises:
        NetworkError: nothing known remains the same under all keys.

    Example:

    >>> etc = tfpe.ciphers.etc(tfpe.Key.generate(), (32, 32, 3))
    >>> unordered_network(etc)[1]["tokens"]
    'blocks'
    """
    found = tfpe.structure(transform)
    if (found.bits, found.side, found.moved) == (8, 1, False):
        return "pyramidnet", {"depth": 20, "alpha": 24, "shakedrop": 0}, "folded"
    if found.side in (None, 1) or found.bits == 1:
        raise NetworkError(
            "The cipher should keep something that is the same under all keys, where "
            "each image has a key of its own. Received: one that keeps nothing known, "
            f"{found}"
        )
    options = {"patch_size": found.side, "bits": found.bits}
    if found.tied and not found.moved:
        return "set_transformer", options | {"tokens": "words"}, None
    if _turns_blocks(transform, found):
        return "set_transformer", options | {"tokens": "blocks"}, None
    return "set_transformer", options | {"tokens": "multisets"}, None


def _turns_blocks(transform, found):
    """Whether every block is only turned, negated, and its channels ordered."""
    if found.bits != 8:
        return False
    _, place, mask = source_regions(signed_words(transform), found.side)
    channels = transform.input_shape[-1]
    pixel, channel = np.divmod(place.reshape(len(place), -1, channels), channels)
    square = np.arange(found.side**2).reshape(found.side, -1)
    turns = [np.rot90(square, k) for k in range(4)]
    turns = np.stack([*turns, *map(np.fliplr, turns)]).reshape(8, 1, -1)
    return bool(
        (pixel == pixel[..., :1]).all()
        and (channel == channel[:, :1]).all()
        and (pixel[..., 0] == turns).all(-1).any(0).all()
        and (mask == mask[:, :1]).all()
    )


def matched_recipe(recipe, cipher, image_shape, per_image=False, **options):
    """`recipe` with the network that fits a cipher.

    Args:
        recipe: a `training.recipe.Recipe`.
        cipher: a name in `tfpe.CIPHERS`.
        image_shape: (height, width, channels) of the images.
        per_image: whether each image has a key of its own.
        **options: of the cipher.
    """
    row = find_cipher(cipher)
    size = row.block_size(**options)
    shape = tuple(-(-side // size) * size for side in image_shape[:2])
    # Any key shows the structure.
    transform = row(Key(bytes(KEY_BYTES)), (*shape, image_shape[2]), **options)
    if not isinstance(transform, tfpe.Transform):
        raise NetworkError(
            "A network can be chosen by the structure of a `Transform`. "
            f"Received: {cipher}, which is a {type(transform).__name__}"
        )
    if per_image:
        network, chosen, normalization = unordered_network(transform)
        if normalization is not None:
            recipe = dataclasses.replace(recipe, normalization=normalization)
    else:
        network, chosen = matched_network(tfpe.structure(transform))
    return dataclasses.replace(recipe, network=network, options=chosen)
