"""Which squares of an image a cipher leaves whole: what JPEG, which codes squares of 8,
needs of a ciphertext."""

import numpy as np

from tfpe.ciphers.block_moves import orientations


def whole_square(transform):
    """Side of the largest squares that move as wholes, or 0.

    The image is cut into them, and so is the ciphertext: each of its squares is one of
    the image, turned or flipped, with its channels in any order, or one channel of it,
    and each channel of it negated or not.

    Args:
        transform: a `Transform` of square images.

    Returns:
        Pixels; 1 where only pixels stay whole, 0 where not even those do.

    Example:

    >>> from tfpe import Key, ciphers
    >>> [whole_square(cipher(Key(bytes(32)), (16, 16, 3)))
    ...     for cipher in (ciphers.etc, ciphers.iib, ciphers.pbe, ciphers.le)]
    [4, 2, 1, 0]
    """
    words = transform.coarsen()
    if words.bits != 8 or not np.isin(words.mask, (0, 255)).all():
        return 0
    rows, columns, channels = (
        place.reshape(transform.output_shape)
        for place in np.unravel_index(words.perm, transform.input_shape)
    )
    # A colour is a colour still: JPEG mixes the channels of a pixel.
    if (rows != rows[..., :1]).any() or (columns != columns[..., :1]).any():
        return 0
    negated = words.mask.reshape(transform.output_shape)
    side = transform.input_shape[0]
    fitting = (size for size in range(side, 0, -1) if side % size == 0)
    planes = np.concatenate([channels, negated], axis=-1)
    return next(s for s in fitting if _moves(rows[..., 0], columns[..., 0], planes, s))


def _moves(rows, columns, planes, side):
    """Whether squares of this side move as wholes; `planes` should be even in each."""
    rows, columns, planes = (_squares(one, side) for one in (rows, columns, planes))
    origins = np.stack([rows // side, columns // side], axis=-1)
    local = (rows % side) * side + columns % side
    turned = (local[:, None] == orientations(side)).all(axis=-1).any(axis=-1)
    even = [(one == one[:, :1]).all() for one in (origins, planes)]
    return bool(turned.all() and all(even))


def _squares(image, side):
    """`(H, W, ...)` as `(squares, side * side, ...)`."""
    height, width, *rest = image.shape
    cut = image.reshape(height // side, side, width // side, side, *rest)
    return cut.swapaxes(1, 2).reshape(-1, side * side, *rest)
