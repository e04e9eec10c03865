"""Transforms that keep to blocks, told by what each block takes and from which one.

The arrays are those of one block where all share a key, and small integers otherwise:
set-up and memory are a fraction of those of a permutation of the image, which is made
only for those who ask for it.
"""

import functools

import numpy as np

from tfpe.algebra import block_programs, words
from tfpe.algebra.block_layout import block_positions, lay_out
from tfpe.algebra.block_rows import (
    inverted_rows,
    local_dtype,
    mask_bytes,
    mask_words,
    row_parts,
    take_rows,
)
from tfpe.algebra.pixel_moves import MOST_CHANNELS
from tfpe.algebra.transform import Transform
from tfpe.checks import index_dtype


class BlockTransform(Transform):
    """A `Transform` of blocks: `y[i][w] = x[source[i]][order[i][w]] ^ mask[i][w]`.

    Nothing is checked or copied: the library makes it of material that fits.

    Args:
        order: integers of `local_dtype`, `(N, words)`, or `(1, words)` where all blocks
            share them: the word of its block that each word is taken from, all first
            parts of bytes before all others. A batch of keys has an axis in front.
        masks: `uint8 (N, bytes)` or `(1, bytes)`, whole bytes in any case.
        bits: size of a word: 8 or 4.
        image_shape: (height, width, channels).
        side: of a block in pixels; divides height and width.
        source: integers `(N,)`, the block that each block is taken from; None leaves
            all in their places.

    Example:

    >>> import numpy as np
    >>> order, masks = np.array([[1, 0]], np.uint8), np.zeros((1, 2), np.uint8)
    >>> swap = BlockTransform(order, masks, 8, (2, 2, 2), 1)
    >>> swap.perm.tolist()
    [1, 0, 3, 2, 5, 4, 7, 6]
    >>> swap
    Transform(bits=8, input_shape=(2, 2, 2), output_shape=(2, 2, 2))
    """

    _fixed = (*Transform._fixed, "side", "order", "masks", "source")
    _name = "Transform"
    source = None

    def __init__(self, order, masks, bits, image_shape, side, source=None):
        self.bits, self.side = bits, side
        self.input_shape = self.output_shape = image_shape
        self._freeze(order=order, masks=masks)
        if source is not None:
            self._freeze(source=source)

    @property
    def tied(self):
        """Whether all blocks share one row."""
        return self.order.shape[-2] == 1

    @property
    def words_of_byte(self):
        """Words in a byte."""
        return 8 // self.bits

    @property
    def batch_size(self):
        return len(self.order) if self.order.ndim == 3 else None

    def of_image(self, number):
        """The transform of one image of a batch of keys."""
        source = None if self.source is None else self.source[number]
        return self._blocks(self.order[number], self.masks[number], self.bits, source)

    @property
    def perm(self):
        return self._laid_out[0]

    @property
    def mask(self):
        return self._laid_out[1]

    @functools.cached_property
    def _laid_out(self):
        """Permutation and mask of the words of the whole image."""
        arrays = self._permutation(), words.split_words(self.byte_mask(), self.bits)
        for array in arrays:
            array.setflags(write=False)
        return [array.view() for array in arrays]

    def byte_mask(self):
        """What is xored to each byte of the image, `(..., n)`."""
        height, width, _ = self.input_shape
        count = height * width // self.side**2
        shape = (*self.masks.shape[:-2], count, self.masks.shape[-1])
        return lay_out(np.broadcast_to(self.masks, shape), self.input_shape, self.side)

    def _permutation(self):
        (height, width, channels), parts = self.input_shape, self.words_of_byte
        origins, offsets = block_positions(self.input_shape, self.side)
        dtype = index_dtype(parts * height * width * channels)
        origins = origins.astype(dtype, copy=False) * parts
        places = np.concatenate([parts * offsets + part for part in range(parts)])
        places = places.astype(dtype, copy=False)
        columns = width // self.side
        perm = np.empty((*self.order.shape[:-2], origins.size * places.size), dtype)
        # Rows of blocks are rows of the image: so many at a time as the cache holds.
        for rows in row_parts(height // self.side, columns * places.size):
            top, bottom, _ = rows.indices(height // self.side)
            blocks = slice(top * columns, bottom * columns)
            first = origins[blocks if self.source is None else self.source[..., blocks]]
            order = self.order if self.tied else self.order[..., blocks, :]
            shape = (self.side * (bottom - top), width, channels)
            part = slice(blocks.start * places.size, blocks.stop * places.size)
            found = places.take(order) + first[..., None]
            perm[..., part] = lay_out(found, shape, self.side, parts)
        return perm

    def flat(self):
        """The same as a permutation and a mask of the image."""
        return Transform.composed(self.perm, self.mask, self.bits, self.input_shape)

    def _blocks(self, order, masks, bits, source=None):
        return BlockTransform(order, masks, bits, self.input_shape, self.side, source)

    @functools.cached_property
    def inverse(self):
        """The transform that undoes this one (decryption)."""
        shape, words_ = self.order.shape, self.order.shape[-1]
        order = self.order.reshape(-1, words_)
        masks, source = self.masks.reshape(len(order), -1), self.source
        rows = None
        if source is not None:
            source, _ = words.inverted(source, source)
            if not self.tied:
                # Blocks of all images are numbered one after the other.
                first = np.arange(0, len(order), source.shape[-1])
                rows = (source.reshape(len(first), -1) + first[:, None]).reshape(-1)
        parts = self.words_of_byte

        def way_back(own):
            inverse = inverted_rows(order[own])
            moved = take_rows(mask_words(masks[own], parts), inverse)
            return inverse, mask_bytes(moved, parts)

        if words_ <= MOST_CHANNELS:
            # Pixels are taken in parts by the functions for them.
            inverse, back = way_back(slice(None) if rows is None else rows)
        else:
            inverse, back = np.empty_like(order), np.empty_like(masks)
            for part in row_parts(*order.shape):
                own = part if rows is None else rows[part]
                inverse[part], back[part] = way_back(own)
        back = back.reshape(self.masks.shape)
        return self._blocks(inverse.reshape(shape), back, self.bits, source)

    def _after(self, other):
        alike = isinstance(other, BlockTransform) and self._alike(other)
        if not alike or self.batch_size is not None or other.batch_size is not None:
            return super()._after(other)
        bits = min(self.bits, other.bits)
        f, g = self.refine(bits), other.refine(bits)
        order, masks, source = g.order, g.masks, g.source
        if f.source is not None:
            if not g.tied:
                order, masks = order[f.source], masks[f.source]
            source = f.source if source is None else source[f.source]
        if f.tied and not g.tied:
            taken = np.broadcast_to(f.order, order.shape)
        else:
            taken = f.order
        parts = f.words_of_byte
        masks = mask_bytes(take_rows(mask_words(masks, parts), taken), parts)
        return self._blocks(take_rows(order, taken), masks ^ f.masks, bits, source)

    def _alike(self, other):
        return (self.input_shape, self.side) == (other.input_shape, other.side)

    def refine(self, bits):
        if (self.bits, bits) != (8, 4):
            return self if bits == self.bits else super().refine(bits)
        size = self.order.shape[-1]
        order = self.order.astype(local_dtype(2 * size))
        order = np.concatenate([order, order + order.dtype.type(size)], axis=-1)
        return self._blocks(order, self.masks, 4, self.source)

    def _coarse(self, bits):
        low, high = np.split(self.order, 2, axis=-1)
        size = low.shape[-1]
        # By the first rows it is known, but where words do travel in pairs.
        for rows in (slice(1), slice(None)):
            first = low[..., rows, :]
            if (first >= size).any() or (high[..., rows, :] - first != size).any():
                return None
        return self._blocks(low, self.masks, 8, self.source)

    @property
    def is_identity(self):
        count = self.order.shape[-1]
        still = (
            self.source is None
            or (self.source == np.arange(self.source.shape[-1])).all()
        )
        in_place = (self.order == np.arange(count)).all()
        return bool(still and in_place and not self.masks.any())

    def packed(self):
        # Copies: of a batch of keys the other images may go.
        source = None if self.source is None else self.source.copy()
        return self._blocks(self.order.copy(), self.masks.copy(), self.bits, source)

    def _stacked(self, maps):
        alike = all(
            isinstance(one, BlockTransform)
            and self._alike(one)
            and (one.bits, one.order.shape) == (self.bits, self.order.shape)
            and (one.source is None) == (self.source is None)
            for one in maps
        )
        if not alike:
            return super()._stacked(maps)
        source = None
        if self.source is not None:
            source = np.stack([one.source for one in maps])
        order = np.stack([one.order for one in maps])
        masks = np.stack([one.masks for one in maps])
        return self._blocks(order, masks, self.bits, source)

    def _choose(self):
        return block_programs.choose(self)

    def _same(self, other):
        if not isinstance(other, BlockTransform) or not self._alike(other):
            return super()._same(other)
        if self.order.shape[:-1] != other.order.shape[:-1]:
            return super()._same(other)
        bits = min(self.bits, other.bits)
        f, g = self.refine(bits), other.refine(bits)
        still = np.arange(self.byte_count // self.masks.shape[-1])
        sources = [still if one.source is None else one.source for one in (f, g)]
        return (
            np.array_equal(*np.broadcast_arrays(*sources))
            and np.array_equal(f.order, g.order)
            and np.array_equal(f.masks, g.masks)
        )

    @property
    def byte_count(self):
        """Bytes of an image."""
        height, width, channels = self.input_shape
        return height * width * channels
