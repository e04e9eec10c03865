"""The cipher that replaces values by secret tables: ffx. It is no `Transform`."""

import math

import numpy as np

from tfpe import checks
from tfpe.algebra.block_layout import lay_out
from tfpe.algebra.substitution import VALUES, Substitution
from tfpe.ciphers.keyspace import KeySpace, log2_factorial
from tfpe.keys import check_key

TABLES = ("shared", "per_place")


def ffx(key, image_shape, block_size=4, tables="shared"):
    """Format-preserving substitution: half of the bytes go through secret tables.

    A secret half of the places of a block is chosen, the same in all blocks; a byte
    there becomes another by a secret permutation of 0 to 255. (The paper encrypts
    values with FFX under a password; here the permutation is drawn from the key.) It is
    no `Transform`, which can only xor, but a `Substitution`, and its trait is
    `substitutes`. An image of each gray level shows the whole key.

    Args:
        key: a `tfpe.Key`.
        image_shape: (height, width, channels), height and width divisible by
            `block_size`; 1 or 3 channels.
        block_size: side of a block in pixels.
        tables: "shared" has one substitution for all chosen places, as the paper;
            "per_place" has one for each place of a block.

    Returns:
        The `Substitution` that encrypts images of `image_shape`.

    Raises:
        ImageError: `image_shape` does not fit.
        CipherOptionError: an option does not fit.

    Source: MaungMaung & Kiya, A Protection Method of Trained CNN Model with Secret Key
    from Unauthorized Access, APSIPA Trans. 10, 2021, arXiv 2010.00801.

    Example:

    >>> import numpy as np
    >>> from tfpe import Key
    >>> encrypt = ffx(Key(bytes(32)), (4, 4, 3))
    >>> gray = np.full((4, 4, 3), 127, np.uint8)
    >>> int((encrypt(gray) == 127).sum())  # half of 48 places
    24
    """
    block_size = checks.block_size_of(block_size)
    shape = checks.image_shape_of(image_shape, block_size)
    checks.one_of(tables, TABLES, "tables")
    material = check_key(key).material(
        "ffx", shape, block_size=block_size, tables=tables
    )
    places = block_size**2 * shape[2]
    select = np.zeros(places, bool)
    select[material.permutation("places", places)[: chosen(places)]] = True
    count = 1 if tables == "shared" else places
    drawn = material.permutations("tables", count, VALUES)
    return _substitute(drawn, select, shape, block_size)


def ffx_transform(tables, select, image_shape, block_size=4):
    """ffx from explicit material.

    Args:
        tables: permutations of 0 to 255: byte v becomes `tables[..., v]`. Shape
            `(256,)` or `(1, 256)` for one of all places, or `(B * B * C, 256)` for one
            of each.
        select: bits, `(B * B * C,)`: the places of a block, in (row, column, channel)
            order, whose bytes are replaced.
        image_shape: (height, width, channels).
        block_size: B, side of a block in pixels.

    Returns:
        A `Substitution`.

    Raises:
        CipherOptionError: the material has another shape, type or range.
        ImageError: the image shape does not fit.

    Example:

    >>> import numpy as np
    >>> negative = 255 - np.arange(256)
    >>> encrypt = ffx_transform(negative, [1, 0, 1], (1, 1, 3), block_size=1)
    >>> encrypt(np.array([[[1, 2, 3]]], np.uint8)).tolist()
    [[[254, 2, 252]]]
    """
    block_size = checks.block_size_of(block_size)
    shape = checks.image_shape_of(image_shape, block_size)
    places = block_size**2 * shape[2]
    tables = np.atleast_2d(checks.as_array(tables, "tables"))
    count = 1 if len(tables) == 1 else places
    tables = checks.permutations(tables, VALUES, "tables", count)
    return _substitute(tables, checks.bits(select, places, "select"), shape, block_size)


def chosen(places):
    """How many of the places of a block are substituted: half, rounded up."""
    return (places + 1) // 2


def ffx_key_space(image_shape, block_size=4, tables="shared"):
    """256! for each table that is used, and the halves of the places."""
    places = block_size**2 * image_shape[2]
    half = chosen(places)
    count = 1 if tables == "shared" else half
    halves = math.log2(math.comb(places, half))
    bits = count * log2_factorial(VALUES) + halves
    return KeySpace(bits, bits)


def _substitute(tables, select, image_shape, block_size):
    number = np.arange(len(tables), dtype=np.int32) + 1
    index = np.where(select, number, np.int32(0))
    blocks = image_shape[0] * image_shape[1] // block_size**2
    index = lay_out(
        np.broadcast_to(index, (blocks, index.size)), image_shape, block_size
    )
    untouched = np.arange(VALUES)[None]
    tables = np.concatenate([untouched, tables]).astype(np.uint8)
    return Substitution.composed(tables, index, image_shape)
