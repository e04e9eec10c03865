"""What an attack may leave open: forms of pictures that its evidence cannot tell apart.

A form is a `Transform`, so that keys and pictures have the same ones: a key of turned
pictures is the key after the turn.
"""

import itertools
import math

import numpy as np

from tfpe.algebra.transform import Transform

SYMMETRIES = {
    "mirror": "left and right",
    "orientation": "orientation",
    "negative": "negative",
    "channel order": "channel order",
}


def forms(image_shape, up_to, view=None):
    """The forms of pictures of one shape; the first is as they are.

    Args:
        image_shape: (height, width, channels).
        up_to: names in `SYMMETRIES`; "orientation" is 8 ways to lie, and the 4 that
            keep the shape where height and width differ.
        view: a `Transform` of the pictures to what the symmetries are of, such as
            planes side by side; default the pictures.

    Yields:
        A `Transform` of the pictures, for each form.

    Example:

    >>> [len(list(forms((8, 8, 3), names))) for names in ((), ("mirror",))]
    [1, 2]
    >>> len(list(forms((8, 8, 3), ("orientation", "negative", "channel order"))))
    96
    """
    shape = tuple(image_shape) if view is None else view.output_shape
    places = np.arange(math.prod(shape)).reshape(shape)
    turned = [places]
    if "orientation" in up_to:
        turned = [np.rot90(places, k) for k in range(4)]
    if {"orientation", "mirror"} & set(up_to):
        turned += [form[:, ::-1] for form in turned]
    turned = [form for form in turned if form.shape == shape]
    orders = [tuple(range(shape[2]))]
    if "channel order" in up_to:
        orders = itertools.permutations(orders[0])
    masks = (0, 255) if "negative" in up_to else (0,)
    for order, form, mask in itertools.product(orders, turned, masks):
        perm = form[..., list(order)].ravel()
        one = Transform(perm, np.full(perm.size, mask), 8, shape)
        yield one if view is None else view.inverse @ one @ view


def aligned(shown, plain, up_to, per_picture=False, view=None):
    """Of the forms of pictures, the nearest to the plain ones.

    Args:
        shown, plain: `uint8 (B, H, W, C)`.
        up_to, view: as in `forms`.
        per_picture: choose a form for each picture; default one for all of them.

    Returns:
        `uint8 (B, H, W, C)`: those of least mean squared error.

    Example:

    >>> plain = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    >>> turned = 255 - np.rot90(plain, axes=(1, 2))
    >>> bool((aligned(turned, plain, ("orientation", "negative")) == plain).all())
    True
    """
    if not up_to or not len(shown):
        return shown
    least = np.full(len(shown) if per_picture else 1, np.inf)
    nearest, wanted = shown.copy(), plain.astype(np.float32)
    for form in forms(plain.shape[1:], up_to, view):
        candidate = form(shown)
        errors = np.mean((candidate - wanted) ** 2, axis=(1, 2, 3))
        if not per_picture:
            errors = errors.mean(keepdims=True)
        nearer = errors < least
        least = np.where(nearer, errors, least)
        nearest = np.where(nearer[:, None, None, None], candidate, nearest)
    return nearest


def in_words(up_to, per_picture=False):
    """What is left open, as the end of "exact, up to ..."; None for nothing.

    Example:

    >>> in_words(("mirror",)), in_words(("orientation", "negative"), True)
    ('left and right of all pictures', 'orientation and negative of each picture')
    """
    if not up_to:
        return None
    *most, last = (SYMMETRIES[name] for name in up_to)
    names = f"{', '.join(most)} and {last}" if most else last
    return f"{names} of {'each picture' if per_picture else 'all pictures'}"
