"""Ciphertexts under a fresh random key for each image, many at a time.

Images that stand one above the other are one tall image, and a key for each of them is
one key of the tall one: the cipher's own builder takes the material of all of them in
one call. Nothing of a key is kept.
"""

import numpy as np

from tfpe.algebra.block_layout import lay_out
from tfpe.algebra.substitution import VALUES, Substitution
from tfpe.algebra.transform import Transform
from tfpe.checks import index_dtype
from tfpe.ciphers import find_cipher
from tfpe.ciphers.block_moves import ORIENTATIONS
from tfpe.ciphers.channels import CHANNEL_ORDERS
from tfpe.ciphers.inside_out import iib_transform
from tfpe.ciphers.learnable import ele_transform
from tfpe.ciphers.pixel import logistic_transform, pbe_transform
from tfpe.ciphers.scrambled import etc_transform
from tfpe.ciphers.substituted import chosen
from tfpe.keys import KEY_BYTES, Key


def fresh_keys(cipher, rng, count, image_shape, **options):
    """One map for `count` images that stand one above the other, a key for each.

    The sequence of the logistic cipher is drawn from uniform bytes: its chaotic maps
    give bytes that no network here tells from those, and take a thousand times longer.

    Args:
        cipher: a name in `tfpe.CIPHERS`; it keeps the shape of images.
        rng: a `numpy.random.Generator`; its draws are the keys.
        count: number of images.
        image_shape: (height, width, channels) of each.
        **options: of the cipher.

    Returns:
        A `Keyed` of images `(count * height, width, channels)`.

    Example:

    >>> encrypt = fresh_keys("pbe", np.random.default_rng(0), 5, (4, 4, 3))
    >>> encrypt.input_shape
    (20, 4, 3)
    """
    row = find_cipher(cipher)
    options = row.options(**options)
    draw = _DRAWS.get(cipher, _one_by_one)
    if cipher == "le" and options["word_bits"] != 4:
        draw = _one_by_one
    return draw(row, rng, count, tuple(image_shape), options)


def encrypted(keys, images):
    """The ciphertext of each of `uint8 (B, H, W, C)` images under its own key.

    Args:
        keys: what `fresh_keys` gave for as many images.
        images: of the shape that it was given.

    Example:

    >>> keys = fresh_keys("etc", np.random.default_rng(0), 2, (8, 8, 3))
    >>> encrypted(keys, np.zeros((2, 8, 8, 3), np.uint8)).shape
    (2, 8, 8, 3)
    """
    tall = images.reshape(keys.input_shape)
    return keys.definition(tall).reshape(images.shape)


def _pbe(row, rng, count, shape, options):
    tall = _tall(shape, count)
    return pbe_transform(
        rng.integers(0, 2, tall, np.uint8), _channel_orders(rng, tall, options)
    )


def _logistic(row, rng, count, shape, options):
    tall = _tall(shape, count)
    sequence = rng.integers(0, 256, tall, np.uint8)
    if options["stream"] == "shared":
        sequence[...] = sequence[..., :1]
    select = rng.integers(0, 2, tall, np.uint8) if options["select"] else np.ones(tall)
    return logistic_transform(
        sequence, select.astype(np.uint8), _channel_orders(rng, tall, options)
    )


def _learnable(row, rng, count, shape, options):
    """le and ele: le is the ele whose blocks share a key and stay where they are."""
    size = options["block_size"]
    blocks, words = shape[0] * shape[1] // size**2, 2 * size**2 * shape[2]
    own = blocks if row.name == "ele" else 1
    orders = _permutations(rng, count * own, words)
    block_order = np.arange(count * blocks)
    if row.name == "ele":
        block_order = _in_their_image(_permutations(rng, count, blocks))
    masks = None
    if options["reversal"] == "independent":
        masks = rng.integers(0, 2, orders.shape, np.uint8)
        masks = np.repeat(masks, blocks // own, axis=0)
    orders = np.repeat(orders, blocks // own, axis=0)
    return ele_transform(orders, block_order, _tall(shape, count), size, masks)


def _moves(row, rng, count, shape, options):
    """etc and iib."""
    size = options["block_size"]
    blocks = shape[0] * shape[1] // size**2
    total = count * blocks
    order = np.arange(total)
    if options.get("block_shuffle", True):
        order = _in_their_image(_permutations(rng, count, blocks))
    negate = rng.integers(0, 2, total, np.uint8)
    codes = None
    if options["channel_shuffle"] and shape[2] == 3:
        codes = rng.integers(0, len(CHANNEL_ORDERS), total)
    tall = _tall(shape, count)
    if row.name == "etc":
        turns = rng.integers(0, ORIENTATIONS, total)
        return etc_transform(order, turns, negate, codes, tall, size)
    sub_size = options["sub_block_size"]
    parts = (size // sub_size) ** 2
    turned = (total, parts) + (shape[2],) * (options["turns"] == "per_channel")
    turns = rng.integers(0, ORIENTATIONS, turned)
    inner = None
    if options["sub_block_shuffle"]:
        inner = _permutations(rng, total, parts)
    return iib_transform(order, turns, negate, codes, tall, size, sub_size, inner)


def _ffx(row, rng, count, shape, options):
    size = options["block_size"]
    blocks, places = shape[0] * shape[1] // size**2, size**2 * shape[2]
    own = 1 if options["tables"] == "shared" else places
    tables = _permutations(rng, count * own, VALUES).astype(np.uint8)
    numbers = 1 + np.arange(count * own).reshape(count, own)
    select = _permutations(rng, count, places) < chosen(places)
    index = np.repeat(np.where(select, numbers, 0), blocks, axis=0)
    tall = _tall(shape, count)
    untouched = np.arange(VALUES, dtype=np.uint8)[None]
    return Substitution.composed(
        np.concatenate([untouched, tables]),
        lay_out(index.astype(np.int32), tall, size),
        tall,
    )


def _one_by_one(row, rng, count, shape, options):
    """Of any cipher: a `Key` and a map for each image, then one map of all."""
    keys = [Key(rng.bytes(KEY_BYTES)) for _ in range(count)]
    maps = [row(key, shape, **options) for key in keys]
    tall, size = _tall(shape, count), maps[0].input_shape
    if isinstance(maps[0], Substitution):
        sizes = [len(one.tables) - 1 for one in maps]
        before = np.cumsum([0, *sizes[:-1]]).astype(np.int32)
        index = [
            np.where(one.index, one.index + first, 0)
            for one, first in zip(maps, before, strict=True)
        ]
        tables = [maps[0].tables[:1], *(one.tables[1:] for one in maps)]
        return Substitution.composed(
            np.concatenate(tables), np.concatenate(index), tall
        )
    bits = min(one.bits for one in maps)
    maps = [one.refine(bits) for one in maps]
    words = np.prod(size) * 8 // bits
    first = np.arange(count)[:, None] * words
    perm = np.stack([one.perm for one in maps]) + first
    mask = np.concatenate([one.mask for one in maps])
    dtype = index_dtype(perm.size)
    return Transform.composed(perm.astype(dtype).ravel(), mask, bits, tall)


_DRAWS = {
    "pbe": _pbe,
    "logistic": _logistic,
    "le": _learnable,
    "ele": _learnable,
    "etc": _moves,
    "iib": _moves,
    "ffx": _ffx,
}


def _tall(shape, count):
    return (count * shape[0], *shape[1:])


def _permutations(rng, count, length):
    return rng.permuted(np.tile(np.arange(length), (count, 1)), axis=1)


def _in_their_image(orders):
    """Orders of the blocks of each image, `(B, N)`, as one of those of the tall one."""
    count, blocks = orders.shape
    return (orders + blocks * np.arange(count)[:, None]).ravel()


def _channel_orders(rng, tall, options):
    if not options["channel_shuffle"] or tall[2] != 3:
        return None
    return rng.integers(0, len(CHANNEL_ORDERS), tall[:2])
