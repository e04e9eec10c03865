"""Transforms of the colour planes of images, side by side as one gray image.

What is held is the transform of the gray image, which keeps to its blocks: an index of
the colour image is made only for those who ask for it.
"""

import functools
import math

import numpy as np

from tfpe.algebra import lowering
from tfpe.algebra.applying import Program, run_program
from tfpe.algebra.backends import CHUNK_BYTES, NUMPY
from tfpe.algebra.keyed import Keyed
from tfpe.algebra.transform import Transform
from tfpe.checks import index_dtype


class PlaneTransform(Transform):
    """A `Transform` of bytes that acts on the planes of images, side by side.

    Args:
        gray: a `Transform` of bytes of gray images, `(height, channels * width, 1)`.
        input_shape, output_shape: of an image: `(height, width, channels)`, whose
            planes are put side by side before, or together again after; or that of the
            gray image, which stays.

    Example:

    >>> gray = Transform([2, 0, 1], [0, 0, 255], input_shape=(1, 3, 1))
    >>> planes = PlaneTransform(gray, (1, 1, 3), (1, 1, 3))
    >>> planes
    Transform(bits=8, input_shape=(1, 1, 3), output_shape=(1, 1, 3))
    >>> planes(np.array([[[10, 20, 30]]], np.uint8)).tolist()
    [[[30, 10, 235]]]
    """

    _fixed = (*Transform._fixed, "gray")
    _name = "Transform"

    def __init__(self, gray, input_shape, output_shape):
        self.bits, self.gray = gray.bits, gray
        self.input_shape, self.output_shape = input_shape, output_shape

    @property
    def batch_size(self):
        return self.gray.batch_size

    @property
    def perm(self):
        return self._laid_out[0]

    @property
    def mask(self):
        return self._laid_out[1]

    @functools.cached_property
    def _laid_out(self):
        """Permutation and mask of the bytes of the whole image."""
        size = math.prod(self.input_shape)
        index = np.arange(size, dtype=index_dtype(size)).reshape(self.input_shape)
        perm = self._to_gray(index).reshape(-1).take(self.gray.perm)
        arrays = self._from_gray(perm), self._from_gray(self.gray.mask)
        for array in arrays:
            array.setflags(write=False)
        return [array.view() for array in arrays]

    def _to_gray(self, images):
        """Images of the input shape, or one, with their planes side by side."""
        images = images.reshape(-1, *self.input_shape)
        return images.swapaxes(-1, -2).reshape(len(images), -1)

    def _from_gray(self, images):
        """Gray images, flat, as images of the output shape, flat too."""
        height, width, channels = self.output_shape
        lead = images.shape[:-1]
        images = images.reshape(*lead, height, channels, width)
        return images.swapaxes(-1, -2).reshape(*lead, -1)

    def of_image(self, number):
        """The transform of one image of a batch of keys."""
        return self._planes(self.gray.of_image(number))

    def packed(self):
        return self._planes(self.gray.packed())

    def _planes(self, gray):
        return PlaneTransform(gray, self.input_shape, self.output_shape)

    @functools.cached_property
    def inverse(self):
        """The transform that undoes this one (decryption)."""
        return PlaneTransform(self.gray.inverse, self.output_shape, self.input_shape)

    def _stacked(self, maps):
        if not all(isinstance(one, PlaneTransform) for one in maps):
            return super()._stacked(maps)
        return self._planes(Keyed.stack(one.gray for one in maps))

    def _choose(self):
        return PlaneProgram(self)


class PlaneProgram(Program):
    """The program of the gray image, between two moves of whole planes.

    For NumPy and images that are large or have a key each; all else goes by an index of
    the image.
    """

    one_pass = True

    def __init__(self, transform):
        self.transform = transform
        large = math.prod(transform.input_shape) > CHUNK_BYTES
        self.by_planes = large or transform.batch_size is not None
        _ = transform.gray.program if self.by_planes else self.flat

    @functools.cached_property
    def flat(self):
        """The program for the permutation of the image."""
        t = self.transform
        shapes = t.input_shape, t.output_shape
        return lowering.choose(Transform.composed(t.perm, t.mask, t.bits, *shapes))

    def run(self, images, channels, backend):
        t = self.transform
        if backend is not NUMPY or not self.by_planes:
            return run_program(self.flat, images, channels, backend, t.batch_size)
        gray = t._to_gray(images)
        return t._from_gray(run_program(t.gray.program, gray, 1, backend, t.batch_size))
