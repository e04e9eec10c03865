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

from tfpe.algebra import lowering
from tfpe.checks import index_dtype, integer_array, is_permutation, shape_tuple
from tfpe.errors import CipherOptionError

WORD_BITS = (8, 4, 1)
FIXED = ("perm", "mask", "bits", "input_shape", "output_shape")


class Transform:
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
    print without their arrays and refuse to be pickled, since they are keys.

    Example:

    >>> import numpy as np
    >>> swap = Transform([1, 0, 2, 3], [0, 0, 255, 0], input_shape=(2, 2, 1))
    >>> image = np.array([[[10], [20]], [[30], [40]]], np.uint8)
    >>> swap(image).ravel().tolist()
    [20, 10, 225, 40]
    >>> swap @ swap.inverse == Transform.identity((2, 2, 1))
    True
    """

    # Tells AutoGraph that there is nothing to convert: no work at trace time.
    autograph_info__ = {}

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
        words = perm.shape[-1]
        if input_shape is None:
            input_shape = (words * bits // 8,)
        self.bits = int(bits)
        self.input_shape = shape_tuple(input_shape, "input_shape")
        self.output_shape = (
            self.input_shape
            if output_shape is None
            else shape_tuple(output_shape, "output_shape")
        )
        for name in ("input_shape", "output_shape"):
            shape = getattr(self, name)
            if math.prod(shape) * 8 != words * bits:
                raise CipherOptionError(
                    f"`{name}` should hold {words} words of {bits} bits. "
                    f"Received: {name}={shape}"
                )
        if not is_permutation(perm):
            raise CipherOptionError(
                f"`perm` should hold every number from 0 to {words - 1} once. "
                "Received: other numbers"
            )
        if mask.size and not 0 <= mask.min() <= mask.max() < 2**bits:
            raise CipherOptionError(
                f"`mask` should hold numbers from 0 to {2**bits - 1}. "
                "Received: numbers outside"
            )
        self._freeze(perm.astype(index_dtype(words)), mask.astype(np.uint8))

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
        self._freeze(perm, mask)
        return self

    def _freeze(self, perm, mask):
        for name, array in (("perm", perm), ("mask", mask)):
            array = np.ascontiguousarray(array)
            array.setflags(write=False)
            # A view of read-only memory cannot be made writeable again.
            setattr(self, name, array.view())

    def __setattr__(self, name, value):
        if name in FIXED and name in self.__dict__:
            raise AttributeError(f"A Transform is immutable: `{name}` cannot be set")
        super().__setattr__(name, value)

    @classmethod
    def identity(cls, shape):
        """The transform that leaves images of `shape` as they are.

        Example:

        >>> Transform.identity((2, 2, 3)).perm.size
        12
        """
        shape = shape_tuple(shape, "shape")
        return xor_transform(np.zeros(math.prod(shape), np.uint8), shape)

    @classmethod
    def stack(cls, transforms):
        """One transform for a batch: image `i` goes through `transforms[i]`.

        Example:

        >>> import numpy as np
        >>> plain = Transform.identity((1, 1, 1))
        >>> negative = Transform([0], [255], input_shape=(1, 1, 1))
        >>> both = Transform.stack([plain, negative])
        >>> both(np.full((2, 1, 1, 1), 7, np.uint8)).ravel().tolist()
        [7, 248]
        """
        transforms = list(transforms)
        if not transforms:
            raise CipherOptionError("`transforms` should not be empty. Received: []")
        for t in transforms:
            if not isinstance(t, Transform) or t.batch_size is not None:
                raise CipherOptionError(
                    "`transforms` should hold transforms of single images. "
                    f"Received: {t if isinstance(t, Transform) else type(t).__name__}"
                )
        bits = min(t.bits for t in transforms)
        first = transforms[0]
        for t in transforms:
            if (t.input_shape, t.output_shape) != (
                first.input_shape,
                first.output_shape,
            ):
                raise CipherOptionError(
                    "`transforms` should act on one image shape. Received: "
                    f"{first!r} and {t!r}"
                )
        refined = [t.refine(bits) for t in transforms]
        return cls.composed(
            np.stack([t.perm for t in refined]),
            np.stack([t.mask for t in refined]),
            bits,
            first.input_shape,
            first.output_shape,
        )

    @property
    def batch_size(self):
        """Number of per-image keys, or None when one key serves every image."""
        return self.perm.shape[0] if self.perm.ndim == 2 else None

    @functools.cached_property
    def inverse(self):
        """The transform that undoes this one (decryption)."""
        inverse, mask = np.empty_like(self.perm), np.empty_like(self.mask)
        words = self.perm.shape[-1]
        arrays = inverse, mask, self.perm, self.mask
        rows = [array.reshape(-1, words) for array in arrays]
        for inverse_row, mask_row, perm_row, own_mask in zip(*rows, strict=True):
            # In parts: NumPy makes an index of 64 bits of one of 32.
            for start in range(0, words, 2**16):
                part = slice(start, start + 2**16)
                sources = perm_row[part]
                place = np.arange(start, start + sources.size, dtype=inverse.dtype)
                inverse_row[sources] = place
                mask_row[sources] = own_mask[part]
        return Transform.composed(
            inverse, mask, self.bits, self.output_shape, self.input_shape
        )

    def __matmul__(self, other):
        """Composition: `(f @ g)(x) == f(g(x))`."""
        if not isinstance(other, Transform):
            return NotImplemented
        if self.input_shape != other.output_shape:
            raise CipherOptionError(
                "`f @ g` needs f.input_shape == g.output_shape. Received: "
                f"{self.input_shape} and {other.output_shape}"
            )
        bits = min(self.bits, other.bits)
        f, g = self.refine(bits), other.refine(bits)
        if f.batch_size and g.batch_size and f.batch_size != g.batch_size:
            raise CipherOptionError(
                "`f @ g` needs batches of one size. Received: "
                f"{f.batch_size} and {g.batch_size}"
            )
        if g.batch_size is None:
            perm, mask = g.perm.take(f.perm), g.mask.take(f.perm)
        else:
            index = np.broadcast_to(f.perm, g.perm.shape)
            perm = np.take_along_axis(g.perm, index, axis=-1)
            mask = np.take_along_axis(g.mask, index, axis=-1)
        mask = mask ^ f.mask
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
        count = self.bits // bits
        words = (*self.perm.shape[:-1], self.perm.shape[-1] * count)
        parts = np.arange(count, dtype=index_dtype(words[-1]))
        perm = self.perm[..., None].astype(parts.dtype) * count + parts
        shifts = (parts * bits).astype(np.uint8)
        mask = (self.mask[..., None] >> shifts) & np.uint8(2**bits - 1)
        return Transform.composed(
            perm.reshape(words),
            mask.reshape(words),
            bits,
            self.input_shape,
            self.output_shape,
        )

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
        parts = bits // self.bits
        words = (*self.perm.shape[:-1], self.perm.shape[-1] // parts, parts)
        perm = self.perm.reshape(words)
        first, *others = np.moveaxis(perm, -1, 0)
        if (first & (parts - 1)).any():
            return None
        if any((perm != first + k).any() for k, perm in enumerate(others, 1)):
            return None
        shifts = np.arange(parts, dtype=np.uint8) * np.uint8(self.bits)
        mask = np.bitwise_or.reduce(self.mask.reshape(words) << shifts, axis=-1)
        perm = (first // parts).astype(index_dtype(words[-2]), copy=False)
        return Transform.composed(perm, mask, bits, self.input_shape, self.output_shape)

    @functools.cached_property
    def program(self):
        """The cheapest exact program for this structure, chosen once."""
        return lowering.choose(self)

    def __call__(self, images):
        return lowering.apply(self, images)

    def __eq__(self, other):
        """Whether both do the same to every image, whatever their word size."""
        if not isinstance(other, Transform):
            return NotImplemented
        if (self.input_shape, self.output_shape, self.batch_size) != (
            other.input_shape,
            other.output_shape,
            other.batch_size,
        ):
            return False
        bits = min(self.bits, other.bits)
        f, g = self.refine(bits), other.refine(bits)
        return np.array_equal(f.perm, g.perm) and np.array_equal(f.mask, g.mask)

    def __hash__(self):
        # Shapes only: equal transforms of different word sizes must agree, and a
        # hash must tell nothing of the key.
        return hash((self.input_shape, self.output_shape, self.batch_size))

    def __repr__(self):
        batch = "" if self.batch_size is None else f", batch_size={self.batch_size}"
        return (
            f"Transform(bits={self.bits}, input_shape={self.input_shape}, "
            f"output_shape={self.output_shape}{batch})"
        )

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce_ex__(self, protocol):
        raise TypeError(
            "A Transform is key material and should not be pickled. Send the name of "
            "a key file and build it there: tfpe.ciphers.<name>(key, image_shape)."
        )


def xor_transform(mask, shape):
    """The transform `y = x ^ mask` of `shape`; `mask`, `uint8`, is given away."""
    perm = np.arange(mask.size, dtype=index_dtype(mask.size))
    return Transform.composed(perm, mask.reshape(-1), 8, shape)
