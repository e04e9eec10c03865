"""Orthogonal maps: the centred bytes of each block times one secret matrix.

The second sibling of `Transform`. Its ciphertexts are real numbers, and still the same
on every machine, to the bit: the matrix is held in whole numbers of `UNIT`, so that
the product with the whole numbers 2 v - 255 is a whole number, exact in any order of
summation. Only then is it rounded to 32 bits, once; the scale is a power of two.
"""

import dataclasses
import functools
import math

import numpy as np

from tfpe.algebra.applying import Program
from tfpe.algebra.keyed import Keyed
from tfpe.algebra.transform import Transform
from tfpe.checks import shape_tuple
from tfpe.errors import CipherOptionError

# Of ciphertexts: whole multiples of it, exactly, where they are below 4. No compiler
# can round a product with it otherwise, whatever it is merged with.
SCALE = np.float32(2.0**-22)
# Of entries of a matrix, so that bytes are taken in units of 255 at once.
UNIT = 255 * 2.0**-22
# Of the largest product, which JAX sums in 32 bits.
MOST = 2**31


class Orthogonal(Keyed):
    """Centred bytes of each block times a matrix: `y = Q x`, `x = (2 v - 255) / 255`.

    Args:
        matrix: whole numbers, shape `(n, n)`, the entries of Q in units of 255 / 2^22,
            for the n bytes of a block in (row, column, channel) order. Shape
            `(B, n, n)` holds a matrix for each image of a batch (per-image keys).
        order: integers, the byte of the image at each place when blocks stand one after
            the other, a permutation.
        input_shape: shape of one image.

    Raises:
        CipherOptionError: `matrix` is not square, too large, or has no inverse, or
            sizes do not fit.

    Takes `uint8` images and gives `float32` of the same shape; `.inverse` goes back.

    Example:

    >>> import numpy as np
    >>> one = round(1 / UNIT)
    >>> turn = Orthogonal([[0, -one], [one, 0]], [0, 1], (1, 2, 1))
    >>> image = np.array([[[255], [0]]], np.uint8)
    >>> turn(image).ravel().round(3).tolist()
    [1.0, 1.0]
    >>> turn.inverse(turn(image)).ravel().tolist()
    [255, 0]
    """

    _fixed = ("matrix", "order", "input_shape", "output_shape")
    output_dtype = "float32"

    def __init__(self, matrix, order, input_shape):
        matrix = np.asarray(matrix, np.int32)
        order = np.asarray(order, np.int32).ravel()
        shape = shape_tuple(input_shape, "input_shape")
        side = matrix.shape[-1] if matrix.ndim in (2, 3) else 0
        if not side or matrix.shape[-2] != side or order.size % side:
            raise CipherOptionError(
                "`matrix` should have shape (n, n) for blocks of n bytes, or one for "
                f"each image. Received: shape {matrix.shape}"
            )
        if math.prod(shape) != order.size:
            raise CipherOptionError(
                f"`input_shape` should hold {order.size} bytes. "
                f"Received: input_shape={shape}"
            )
        if 255 * np.abs(matrix.astype(np.int64)).sum(axis=-1).max() >= MOST:
            raise CipherOptionError(
                "`matrix` should be orthogonal, in units of 255 / 2^22. Received: rows "
                "that are longer"
            )
        self.input_shape = self.output_shape = shape
        self._freeze(matrix=matrix, order=order)

    @property
    def batch_size(self):
        """Number of per-image keys, or None when one key serves every image."""
        return self.matrix.shape[0] if self.matrix.ndim == 3 else None

    @property
    def rotation(self):
        """Q itself, `float64`."""
        return self.matrix * UNIT

    @functools.cached_property
    def inverse(self):
        """The map from ciphertexts to bytes (decryption)."""
        return Restored(self)

    def _stacked(self, maps):
        if not all(
            isinstance(one, Orthogonal) and np.array_equal(one.order, self.order)
            for one in maps
        ):
            return None
        matrices = np.stack([one.matrix for one in maps])
        return Orthogonal(matrices, self.order, self.input_shape)

    def definition(self, images):
        """y = Q x, block by block, in whole numbers."""
        lead = images.shape[: images.ndim - len(self.input_shape)]
        side = self.matrix.shape[-1]
        flat = images.reshape(*lead, -1)[..., self.order].astype(np.int64)
        blocks = (2 * flat - 255).reshape(*lead, -1, side)
        products = np.einsum("...pn,...mn->...pm", blocks, self.matrix.astype(np.int64))
        moved = np.empty((*lead, self.order.size), np.float32)
        moved[..., self.order] = products.reshape(moved.shape).astype(np.float32)
        return (moved * SCALE).reshape(images.shape)

    def _choose(self):
        return Rotate(self.matrix.swapaxes(-1, -2), *_places(self.order))

    def _same(self, other):
        return (
            isinstance(other, Orthogonal)
            and np.array_equal(self.matrix, other.matrix)
            and np.array_equal(self.order, other.order)
        )


class Restored(Keyed):
    """Bytes from the ciphertexts of an `Orthogonal` map, its `inverse`.

    The product with the exact inverse of the matrix lies within 0.01 of a whole byte,
    on every framework, so that rounding gives the bytes back. What is no ciphertext
    under this key gives bytes that mean nothing, as with any other wrong key; the layer
    refuses it. NaN and infinite values are an `ImageError`, but inside a compiled
    function, which cannot raise: there NaN becomes 0, and an infinite value the
    bytes 0, or 255, or both, of its block.
    """

    _fixed = ("inverse", "input_shape", "output_shape")
    input_dtype = "float32"
    inverse = None

    def __init__(self, inverse):
        self.inverse = inverse
        self.input_shape = self.output_shape = inverse.input_shape
        self.batch_size = inverse.batch_size

    def levels(self, ciphertexts):
        """Bytes before they are rounded, `float64`, in NumPy: the definition."""
        lead = ciphertexts.shape[: ciphertexts.ndim - len(self.input_shape)]
        order, matrix = self.inverse.order, np.linalg.inv(self.inverse.rotation)
        flat = ciphertexts.reshape(*lead, -1)[..., order].astype(np.float64)
        blocks = flat.reshape(*lead, -1, matrix.shape[-1])
        products = np.einsum("...pn,...mn->...pm", blocks, matrix)
        levels = np.empty((*lead, order.size))
        levels[..., order] = products.reshape(levels.shape) * 127.5 + 127.5
        return levels.reshape(ciphertexts.shape)

    def definition(self, images):
        levels = np.nan_to_num(self.levels(images), nan=0.0)
        return np.rint(np.clip(levels, 0, 255)).astype(np.uint8)

    def _stacked(self, maps):
        if not all(isinstance(one, Restored) for one in maps):
            return None
        return Keyed.stack(one.inverse for one in maps).inverse

    def _after(self, other):
        if self.inverse != other:
            return None
        identity = Transform.identity(self.input_shape)
        batch = self.batch_size
        return identity if batch is None else Keyed.stack([identity] * batch)

    def _choose(self):
        matrix = np.linalg.inv(self.inverse.rotation).swapaxes(-1, -2) * 127.5
        return Restore(matrix, *_places(self.inverse.order))

    def _same(self, other):
        return isinstance(other, Restored) and self.inverse == other.inverse


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class BlockProduct(Program):
    """The bytes of each block, as a row, times a matrix."""

    matrix: np.ndarray
    blocks: np.ndarray
    back: np.ndarray

    def _product(self, values, matrix, backend):
        """Values `(B, n)`, put into blocks, times the matrix and put back."""
        side = matrix.shape[-1]
        # The places tell the block size alone; no file holds them all the same.
        blocks, back, matrix = (
            backend.secret(array, values) for array in (self.blocks, self.back, matrix)
        )
        values = backend.take(values, blocks)
        rows = backend.reshape(values, (-1, self.blocks.size // side, side))
        rows = backend.matmul(rows, matrix)
        return backend.take(backend.reshape(rows, (-1, self.blocks.size)), back)


class Rotate(BlockProduct):
    """Whole numbers times whole numbers, then rounded once."""

    def run(self, images, channels, backend):
        kind = backend.whole_numbers
        values = backend.cast(images, kind) * 2 - 255
        products = self._product(values, self.matrix.astype(kind), backend)
        return backend.cast(products, "float32") * SCALE


class Restore(BlockProduct):
    """Real numbers times the inverse, then rounded to bytes."""

    def run(self, images, channels, backend):
        kind = backend.real_numbers
        values = backend.cast(images, kind)
        levels = self._product(values, self.matrix.astype(kind), backend) + 127.5
        # NaN, of which nothing is true, becomes 0 as well.
        levels = backend.where(levels > 0, levels, 0.0)
        levels = backend.where(levels < 255, levels, 255.0)
        return backend.cast(backend.round(levels), "uint8")


def _places(order):
    """The byte at each place of the blocks, and the place of each byte."""
    back = np.empty_like(order)
    back[order] = np.arange(order.size, dtype=order.dtype)
    return order, back
