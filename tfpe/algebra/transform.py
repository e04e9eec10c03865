"""The algebra: every cipher of the library is a `Transform`.

An image is a vector of words of `bits` bits (8 = bytes, 4 = nibbles, 1 = bits) and

    Transform(perm, mask, bits):   y[i] = x[perm[i]] ^ mask[i]

Words are numbered inside a byte from the lowest bits up, so nibble `2 * i` is the low
and `2 * i + 1` the high half of byte `i`, and refining to shorter words stays local.
The transforms of one shape are a group; encryption, decryption, chains of ciphers and
the result of an attack are all elements of it.
"""

import functools
import math

import numpy as np

from tfpe.algebra import lowering, words
from tfpe.algebra.keyed import Keyed
from tfpe.algebra.words import WORD_BITS
from tfpe.checks import index_dtype, integer_array, is_permutation, shape_tuple
from tfpe.errors import CipherOptionError


class Transform(Keyed):
    """A permutation of words followed by an exclusive or, on images of one shape.

    Args:
        perm: integers, shape `(n,)`, a permutation of `0 .. n-1`: output word `i` is
            taken from input word `perm[i]`. Shape `(B, n)` holds one permutation for
            each image of a batch (per-image keys).
        mask: integers of the shape of `perm`, `0 .. 2**bits - 1`.
        bits: size of a word: 8, 4 or 1.
        input_shape: shape of one image, usually `(height, width, channels)`; its
            bytes hold exactly `n` words. Default: the flat vector `(n * bits // 8,)`.
        output_shape: shape of one output image, as many bytes. Default: `input_shape`.

    Raises:
        CipherOptionError: `perm` is no permutation, or sizes or values do not fit.

    Calling a transform applies it. It takes `uint8` images, one (`input_shape`) or a
    batch (`(B, *input_shape)`), as a NumPy array or as a tensor of TensorFlow, JAX,
    torch or Keras, and returns the same kind. Transforms are immutable and hashable,
    print without their arrays and refuse to be pickled, since they are keys (`Keyed`).

    Example:

    >>> import numpy as np
    >>> swap = Transform([1, 0, 2, 3], [0, 0, 255, 0], input_shape=(2, 2, 1))
    >>> image = np.array([[[10], [20]], [[30], [40]]], np.uint8)
    >>> swap(image).ravel().tolist()
    [20, 10, 225, 40]
    >>> swap @ swap.inverse == Transform.identity((2, 2, 1))
    True
    """

    _fixed = ("perm", "mask", "bits", "input_shape", "output_shape")

    def __init__(self, perm, mask, bits=8, input_shape=None, output_shape=None):
        if isinstance(bits, (bool, float)) or bits not in WORD_BITS:
            raise CipherOptionError(
                f"`bits` should be one of {WORD_BITS}. Received: bits={bits!r}"
            )
        perm = integer_array(perm, "perm")
        mask = integer_array(mask, "mask")
        if perm.ndim not in (1, 2) or mask.shape != perm.shape:
            raise CipherOptionError(
                "`perm` and `mask` should have one shape, (words,) or (batch, words). "
                f"Received: perm of shape {perm.shape}, mask of shape {mask.shape}"
            )
        count = perm.shape[-1]
        if input_shape is None:
            input_shape = (count * bits // 8,)
        self.bits = int(bits)
        self.input_shape = shape_tuple(input_shape, "input_shape")
        self.output_shape = (
            self.input_shape
            if output_shape is None
            else shape_tuple(output_shape, "output_shape")
        )
        for name in ("input_shape", "output_shape"):
            shape = getattr(self, name)
            if math.prod(shape) * 8 != count * bits:
                raise CipherOptionError(
                    f"`{name}` should hold {count} words of {bits} bits. "
                    f"Received: {name}={shape}"
                )
        if not is_permutation(perm):
            raise CipherOptionError(
                f"`perm` should hold every number from 0 to {count - 1} once. "
                "Received: other numbers"
            )
        if mask.size and not 0 <= mask.min() <= mask.max() < 2**bits:
            raise CipherOptionError(
                f"`mask` should hold numbers from 0 to {2**bits - 1}. "
                "Received: numbers outside"
            )
        # Copies, since `_freeze` takes what it is given.
        perm, mask = perm.astype(index_dtype(count)), mask.astype(np.uint8)
        self._freeze(perm=perm, mask=mask)

    @classmethod
    def composed(cls, perm, mask, bits, input_shape, output_shape=None):
        """A transform of arrays that are valid because the library composed them.

        Nothing is checked or copied, which is most of the time and memory that large
        images take. `perm` has `index_dtype`, `mask` is `uint8`; they are given away.
        """
        self = cls.__new__(cls)
        self.bits = bits
        self.input_shape = input_shape
        self.output_shape = output_shape or input_shape
        self._freeze(perm=perm, mask=mask)
        return self

    def _like(self, perm, mask, bits):
        """The same shapes with other arrays."""
        return Transform.composed(perm, mask, bits, self.input_shape, self.output_shape)

    @classmethod
    def identity(cls, shape):
        """The transform that leaves images of `shape` as they are.

        Example:

        >>> Transform.identity((2, 2, 3)).perm.size
        12
        """
        shape = shape_tuple(shape, "shape")
        size = math.prod(shape)
        places = np.arange(size, dtype=index_dtype(size))
        return Transform.composed(places, np.zeros(size, np.uint8), 8, shape)

    def _stacked(self, maps):
        if not all(isinstance(t, Transform) for t in maps):
            return None
        bits = min(t.bits for t in maps)
        maps = [t.refine(bits) for t in maps]
        perm = np.stack([t.perm for t in maps], dtype=index_dtype(maps[0].perm.size))
        return self._like(perm, np.stack([t.mask for t in maps]), bits)

    def of_image(self, number):
        """The transform of one image of a batch of keys."""
        return self._like(self.perm[number], self.mask[number], self.bits)

    def packed(self):
        """The same with its permutation in 16 bits where those do, to be stacked."""
        perm = self.perm
        if perm.shape[-1] <= 2**16:
            perm = perm.astype(np.uint16)
        return self._like(perm, self.mask, self.bits)

    @property
    def batch_size(self):
        """Number of per-image keys, or None when one key serves every image."""
        return self.perm.shape[0] if self.perm.ndim == 2 else None

    @functools.cached_property
    def inverse(self):
        """The transform that undoes this one (decryption)."""
        perm, mask = words.inverted(self.perm, self.mask)
        return Transform.composed(
            perm, mask, self.bits, self.output_shape, self.input_shape
        )

    def _after(self, other):
        if not isinstance(other, Transform):
            return None
        bits = min(self.bits, other.bits)
        f, g = self.refine(bits), other.refine(bits)
        perm, mask = words.composed((g.perm, g.mask), (f.perm, f.mask))
        return Transform.composed(perm, mask, bits, g.input_shape, f.output_shape)

    def refine(self, bits):
        """The same transform on words of `bits` bits, at most as long as now.

        Example:

        >>> Transform([1, 0], [255, 0]).refine(4).perm.tolist()
        [2, 3, 0, 1]
        """
        if bits not in WORD_BITS or bits > self.bits:
            raise CipherOptionError(
                f"`bits` should be one of {WORD_BITS} and at most {self.bits}. "
                f"Received: bits={bits!r}"
            )
        if bits == self.bits:
            return self
        return self._like(*words.refined(self.perm, self.mask, self.bits, bits), bits)

    def coarsen(self, bits=None):
        """The same transform on longer words.

        Args:
            bits: 8 or 4; the default is the longest word that the transform allows.

        Raises:
            CipherOptionError: the transform separates words of `bits` bits.
        """
        if bits is None:
            return next(
                (c for b in WORD_BITS if b > self.bits and (c := self._coarse(b))), self
            )
        if bits not in WORD_BITS or bits < self.bits:
            raise CipherOptionError(
                f"`bits` should be one of {WORD_BITS} and at least {self.bits}. "
                f"Received: bits={bits!r}"
            )
        coarse = self if bits == self.bits else self._coarse(bits)
        if coarse is None:
            raise CipherOptionError(
                f"`coarsen({bits})` needs a transform that moves whole words of "
                f"{bits} bits. Received: one that separates their parts"
            )
        return coarse

    def _coarse(self, bits):
        """This transform on words of `bits` bits, or None where it splits them."""
        found = words.coarsened(self.perm, self.mask, self.bits, bits)
        return found and self._like(*found, bits)

    @property
    def is_identity(self):
        """Whether it leaves every image as it is."""
        return (
            self.input_shape == self.output_shape
            and not self.mask.any()
            and words.in_place(self.perm)
        )

    def definition(self, images):
        """y[i] = x[perm[i]] ^ mask[i], word by word, in NumPy."""
        lead = images.shape[: images.ndim - len(self.input_shape)]
        parts = words.split_words(images.reshape(*lead, -1), self.bits)
        perm = np.broadcast_to(self.perm, parts.shape)
        moved = np.take_along_axis(parts, perm, axis=-1) ^ self.mask
        return words.join_words(moved, self.bits).reshape(*lead, *self.output_shape)

    def _choose(self):
        return lowering.choose(self)

    def _same(self, other):
        if not isinstance(other, Transform):
            return False
        bits = min(self.bits, other.bits)
        f, g = self.refine(bits), other.refine(bits)
        return np.array_equal(f.perm, g.perm) and np.array_equal(f.mask, g.mask)

    @property
    def _shown(self):
        return f"bits={self.bits}, "
