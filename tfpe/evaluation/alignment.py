"""Pictures up to what a puzzle leaves open: how it lies, its negative, its colours."""

import itertools

import numpy as np


def aligned(shown, plain):
    """Of the forms of a picture, the nearest to the plain one.

    Args:
        shown: `uint8 (1, H, W, C)`, in one of 8 orientations (4 where H is not W), as
            it is or negative, channels in any order.
        plain: `uint8 (1, H, W, C)`.

    Returns:
        `uint8 (1, H, W, C)`: that of least mean squared error.

    Example:

    >>> plain = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3), np.uint8)
    >>> bool((aligned(255 - np.rot90(plain, axes=(1, 2)), plain) == plain).all())
    True
    """
    forms = [np.rot90(shown, k, axes=(1, 2)) for k in range(4)]
    forms = [f for form in forms for f in (form, form[:, :, ::-1])]
    forms = [
        f[..., order]
        for f in forms
        if f.shape == plain.shape
        for order in (
            list(order) for order in itertools.permutations(range(plain.shape[3]))
        )
    ]
    forms += [255 - form for form in forms]
    wanted = plain.astype(np.float32)
    return min(forms, key=lambda form: float(np.mean((form - wanted) ** 2)))
