"""Patch embeddings for the ciphertexts of an orthogonal map, and back."""

import numpy as np

from tfpe.algebra.orthogonal import Orthogonal, Restored
from tfpe.ciphers.blocks import block_indices
from tfpe.errors import NetworkError


def is_rotation(transform):
    """Whether a keyed map is orthogonal, or the inverse of such a map."""
    return isinstance(transform, Orthogonal | Restored)


def rotated_kernel(kernel, side, transform):
    """A kernel on centred bytes as one on ciphertexts, or back.

    Args:
        kernel: floats on centred bytes, `(patches, words, units)`; on ciphertexts where
            `transform` is an inverse.
        side: of a patch, in pixels.
        transform: an `Orthogonal` map, or its inverse.

    Raises:
        NetworkError: patches do not hold whole blocks, or the map has many keys.
    """
    forth = isinstance(transform, Orthogonal)
    rotation = (transform if forth else transform.inverse).rotation
    channels = transform.input_shape[-1]
    block = round((rotation.shape[-1] / channels) ** 0.5)
    if transform.batch_size is not None or side % block:
        raise NetworkError(
            f"The patches of the model, of side {side}, should hold what the key mixes."
            f" Received: {transform!r}, which mixes blocks of side {block}"
        )
    # On one patch, row by row: x = inverse(Q) y, in each of its blocks.
    matrix = np.linalg.inv(rotation) if forth else rotation
    whole = np.zeros((side * side * channels,) * 2)
    for places in block_indices((side, side, channels), block):
        whole[np.ix_(places, places)] = matrix
    return whole.T @ kernel
