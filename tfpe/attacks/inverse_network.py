"""Ciphertext only, any key: a network that was trained on public pictures."""

import os

from tfpe.attacks.learned.inverse import InverseNetwork
from tfpe.checks import batch_of


def inverse_network(ciphertexts, model):
    """Shows the picture behind each ciphertext, whatever its key, as a network learned.

    The network was trained on public pictures under keys drawn anew for each of them:
    what a cipher leaves of a picture under every key, it has learned to see. It gives
    pictures and never a key: how near they are is told by `model.settings["held_out"]`,
    scores on pictures and keys that it was not trained on.

    Threat model: ciphertext only, one image, any key; public pictures of the kind, and
    the name and options of the cipher.
    Complexity: one pass of a network, after a training of minutes on two cores.

    Args:
        ciphertexts: `uint8`, `(H, W, C)` or `(B, H, W, C)`.
        model: an `InverseNetwork`, or the path of its file.

    Returns:
        Images of the same shape, `uint8`.

    Raises:
        AttackError: the network is for another cipher, option or size.
        ImageError: the ciphertexts are not `uint8` images.

    Source: not published elsewhere; networks trained on pairs are of Sirichotedumrong &
    Kiya 2021, arXiv 2010.06198 (ITN), which has the pairs of one image under many keys.

    Example:

    >>> import numpy as np
    >>> inverse_network(np.zeros((8, 8, 3), np.uint8), "missing.attack")
    Traceback (most recent call last):
    tfpe.errors.AttackError: A learned attack should be a file that `--train` wrote. ...
    """
    if isinstance(model, (str, os.PathLike)):
        model = InverseNetwork.load(model)
    batch, single = batch_of(ciphertexts, "ciphertexts")
    pictures = model(batch)
    return pictures[0] if single else pictures
