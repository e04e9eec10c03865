"""What a cipher does to images, whatever its key: read off a transform of toy size.

Attacks, networks and tests choose ciphers by these traits and never by name, so that a
cipher of one's own is attacked, fitted and tested as those of the table are.
"""

import dataclasses
import functools

import numpy as np

from tfpe.algebra.orthogonal import Orthogonal
from tfpe.algebra.structure import BLOCK, IMAGE, PIXEL, structure
from tfpe.algebra.substitution import VALUES, Substitution
from tfpe.algebra.transform import Transform
from tfpe.ciphers.blocks import block_indices
from tfpe.ciphers.scrambled import side_by_side
from tfpe.ciphers.whole_squares import whole_square
from tfpe.keys import KEY_BYTES, Key

TOY_SIDE = 8  # pixels at least, and three blocks
MOST_BY_CHANCE = 1 / 32  # of the bytes of a stream are 0


@dataclasses.dataclass(frozen=True)
class Traits:
    """The traits of a cipher with its options, on colour images.

    Attributes:
        word_bits: 8, 4 or 1: the longest word that moves and is masked as a whole; None
            where it is no `Transform`, whose attacks then say nothing.
        region: "pixel", "block" or "image": what the key mixes, as `tfpe.structure`
            says.
        in_place: whether no value leaves its pixel.
        block_size: side of its blocks in pixels, 1 where it has none: what height and
            width are divisible by.
        tied: whether one key acts in all blocks (pixels, where there are no blocks).
        moves_words: whether any word changes its place.
        moves_blocks: whether blocks, of the image or of its colour planes side by side,
            change their places as wholes.
        moves_planes: whether those blocks are of the colour planes alone.
        negates: whether words are at most negated, to 255 (or 15) minus themselves.
        leaves_values: whether more words keep their values than a full stream leaves.
        substitutes: whether values go through a secret table: no `Transform`.
        rotates: whether the centred values of a block are multiplied by an orthogonal
            matrix: no `Transform`.
        gives_bytes: whether a ciphertext is bytes, as pictures in files are.
        whole_square: side in pixels of the largest squares that stay whole, at most
            turned, recoloured and negated: 8 or a multiple is what JPEG takes as it
            takes a picture; 1 where pixels stay whole, 0 where nothing does.
        keeps_shape: whether a ciphertext has the shape of its image.
        keyed: whether another key gives another ciphertext.
    """

    word_bits: int | None
    region: str
    in_place: bool
    block_size: int
    tied: bool
    moves_words: bool
    moves_blocks: bool
    moves_planes: bool
    negates: bool
    leaves_values: bool
    substitutes: bool
    rotates: bool
    gives_bytes: bool
    whole_square: int
    keeps_shape: bool
    keyed: bool


def traits_of(cipher, **options):
    """The `Traits` of a row of `CIPHERS` with these options."""
    block_size = cipher.block_size(**options)
    side = block_size * max(3, TOY_SIDE // block_size)
    toy, other = (
        cipher(key, (side, side, 3), **options)
        for key in (Key(bytes(KEY_BYTES)), Key(bytes(KEY_BYTES)).derive("other"))
    )
    facts = {
        "block_size": block_size,
        "gives_bytes": toy.output_dtype == "uint8",
        "keeps_shape": toy.input_shape == toy.output_shape,
        "keyed": toy != other,
    }
    usual = {"rotates": False, "whole_square": 0}
    return Traits(**usual | _facts(toy, block_size) | facts)


@functools.singledispatch
def _facts(toy, block_size):
    """What a map does to words; of an unknown sibling, nothing that helps an attack."""
    return {
        "word_bits": None,
        "region": IMAGE,
        "in_place": False,
        "tied": False,
        "moves_words": True,
        "moves_blocks": False,
        "moves_planes": False,
        "negates": False,
        "leaves_values": False,
        "substitutes": False,
    }


@_facts.register
def _(toy: Transform, block_size):
    words = toy.coarsen()
    found = structure(toy)
    pixels, blocks = found.at(1), found.at(block_size)
    planes = None
    if blocks is None and block_size > 1:
        planes = structure(_of_planes(toy)).at(block_size)
    return {
        "word_bits": words.bits,
        "region": found.region,
        "in_place": pixels is not None and not pixels.moved,
        "tied": blocks is not None and blocks.tied,
        "moves_words": bool((words.perm != np.arange(words.perm.size)).any()),
        "moves_blocks": any(one is not None and one.moved for one in (blocks, planes)),
        "moves_planes": planes is not None and planes.moved,
        "negates": bool(np.isin(words.mask, (0, 2**words.bits - 1)).all()),
        "leaves_values": bool((words.mask == 0).mean() > MOST_BY_CHANCE),
        "substitutes": False,
        "whole_square": whole_square(toy),
    }


@_facts.register
def _(toy: Substitution, block_size):
    tables = toy.index[block_indices(toy.input_shape, block_size)]
    untouched = (toy.tables == np.arange(VALUES)).all(axis=-1)
    return {
        "word_bits": None,
        "region": PIXEL,
        "in_place": True,
        "tied": bool((tables == tables[0]).all()),
        "moves_words": False,
        "moves_blocks": False,
        "moves_planes": False,
        "negates": False,
        "leaves_values": bool(untouched[toy.index].mean() > MOST_BY_CHANCE),
        "substitutes": True,
    }


@_facts.register
def _(toy: Orthogonal, block_size):
    return _facts.dispatch(object)(toy, block_size) | {
        "region": PIXEL if block_size == 1 else BLOCK,
        "in_place": block_size == 1,
        "tied": True,
        "rotates": True,
    }


def _of_planes(transform):
    """What a transform does to the colour planes of its images, side by side."""
    planes = side_by_side(transform.input_shape)
    if transform.output_shape == transform.input_shape:
        transform = planes @ transform
    return transform @ planes.inverse
