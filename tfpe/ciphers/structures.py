"""The structure of a cipher by its name and options: any key shows it."""

from tfpe.algebra.structure import structure as structure_of_transform
from tfpe.ciphers import find_cipher
from tfpe.errors import CipherOptionError
from tfpe.keys import KEY_BYTES, Key


def structure(cipher, image_shape=None, **options):
    """Reads off what a network may know of a cipher: words, regions, moves.

    Args:
        cipher: a `Transform` of images `(height, width, channels)` under one key; or
            the name of a cipher, of which no key is needed.
        image_shape: (height, width, channels) of the images, with a name alone.
        **options: of the cipher, with a name alone.

    Returns:
        A `tfpe.algebra.structure.Structure`. Where the key keeps to places, the region
        is the smallest one that it keeps to; where regions move, the largest ones that
        move as wholes. It tells the cipher and its options and nothing of the key.

    Raises:
        CipherOptionError: no `Transform` and no name of a cipher that gives one, a
            transform of several keys or of other shapes, or options that do not fit.

    Source: signed words after Kiya et al. 2022 (arXiv 2207.05366), there for bytes.

    Example:

    >>> import tfpe
    >>> found = tfpe.structure("ele", (32, 32, 3), block_size=8)
    >>> found.bits, found.region, found.side, found.tied, found.moved
    (4, 'block', 8, False, True)
    >>> key = tfpe.Key.generate()
    >>> tfpe.structure(tfpe.ciphers.ele(key, (32, 32, 3), block_size=8)) == found
    True
    """
    if isinstance(cipher, str):
        if image_shape is None:
            raise CipherOptionError(
                "The name of a cipher should come with the shape of the images, such "
                f"as structure({cipher!r}, (32, 32, 3)). Received: no shape"
            )
        cipher = find_cipher(cipher)(Key(bytes(KEY_BYTES)), image_shape, **options)
    elif image_shape is not None or options:
        raise CipherOptionError(
            "Shape and options should come with the name of a cipher. Received: them "
            f"with a {type(cipher).__name__}"
        )
    return structure_of_transform(cipher)
