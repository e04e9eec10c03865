"""Transforms that move nothing, `y = x ^ mask`: a mask, and no permutation."""

import functools
import math

import numpy as np

from tfpe.algebra import lowering
from tfpe.algebra.transform import Transform
from tfpe.checks import index_dtype


class XorTransform(Transform):
    """A `Transform` of bytes that stay in their places.

    Nothing is checked or copied: the library makes it of masks that fit. Its
    permutation, four times as large as the image, is made for those who ask for it.

    Args:
        mask: `uint8`, of as many bytes as an image; of `(B, n)` each image has its own.
            It is given away.
        shape: of an image.

    Example:

    >>> negative = XorTransform(np.full(4, 255, np.uint8), (2, 2, 1))
    >>> negative
    Transform(bits=8, input_shape=(2, 2, 1), output_shape=(2, 2, 1))
    >>> negative.perm.tolist(), negative.inverse is negative
    ([0, 1, 2, 3], True)
    """

    _name = "Transform"

    def __init__(self, mask, shape):
        size = math.prod(shape)
        if mask.ndim != 2 or mask.shape[1] != size:
            mask = mask.reshape(size)
        self.bits = 8
        self.input_shape = self.output_shape = shape
        self._freeze(mask=mask)

    @property
    def perm(self):
        return self._places

    @functools.cached_property
    def _places(self):
        size = self.mask.shape[-1]
        places = np.arange(size, dtype=index_dtype(size))
        return np.broadcast_to(places, self.mask.shape)

    @property
    def batch_size(self):
        return len(self.mask) if self.mask.ndim == 2 else None

    @property
    def inverse(self):
        """Itself."""
        return self

    @property
    def is_identity(self):
        return not self.mask.any()

    def of_image(self, number):
        return XorTransform(self.mask[number], self.input_shape)

    def packed(self):
        # A copy: of a batch of keys the other images may go.
        return XorTransform(self.mask.copy(), self.input_shape)

    def _stacked(self, maps):
        if not all(isinstance(one, XorTransform) for one in maps):
            return super()._stacked(maps)
        return XorTransform(np.stack([one.mask for one in maps]), self.input_shape)

    def _after(self, other):
        if not isinstance(other, XorTransform):
            return super()._after(other)
        return XorTransform(self.mask ^ other.mask, self.input_shape)

    def _choose(self):
        return lowering.Xor(self.mask)

    def _same(self, other):
        if not isinstance(other, XorTransform):
            return super()._same(other)
        return np.array_equal(self.mask, other.mask)
