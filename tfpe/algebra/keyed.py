"""What every keyed map of images is: `Transform`, its siblings, and chains of them.

A sibling says its shapes and dtypes, defines itself in NumPy (`definition`), picks the
`Program` that applies it, and gives its inverse where it has one. Everything else is
written here once: application to the arrays of every framework, chains, batches of
keys, equality, and that none of it is printed, copied or pickled.
"""

import functools

import numpy as np

from tfpe.algebra.applying import Program, apply, run_program
from tfpe.errors import CipherOptionError, NoInverseError


class Keyed:
    """A map of images under a key, immutable, that prints without its key.

    Calling one applies it. It takes images of `input_dtype`, one (`input_shape`) or a
    batch (`(B, *input_shape)`), as a NumPy array or as a tensor of TensorFlow, JAX,
    torch or Keras, and returns the same kind. `f @ g` is the map `f(g(x))`.

    A sibling sets `input_shape` and `output_shape`, and writes `definition` and
    `_choose`; `inverse` where it has one; `_same`, `_after` and `_stacked` where two of
    its kind can be compared, joined and put into one batch.

    Attributes:
        input_shape, output_shape: shapes of one image, tuples.
        input_dtype, output_dtype: dtypes of images, such as "uint8".
        lossless: whether the ciphertexts give back the images exactly.
        batch_size: number of per-image keys, or None where one serves every image.

    Example:

    >>> import tfpe
    >>> key, shape = tfpe.Key.generate(), (8, 8, 3)
    >>> encrypt = tfpe.ciphers.ffx(key, shape) @ tfpe.ciphers.etc(key, shape)
    >>> isinstance(encrypt, Keyed), encrypt.output_dtype, encrypt.lossless
    (True, 'uint8', True)
    """

    # Tells AutoGraph that there is nothing to convert: no work at trace time.
    autograph_info__ = {}
    input_dtype = output_dtype = "uint8"
    lossless = True
    batch_size = None
    _fixed = ("input_shape", "output_shape")

    @property
    def inverse(self):
        """The map that undoes this one (decryption)."""
        raise NoInverseError(
            f"A {type(self).__name__} should be undone by nothing: it has no inverse. "
            f"Received: {self!r}"
        )

    def definition(self, images):
        """The definition itself, in NumPy: what its program must equal.

        Args:
            images: `(*input_shape)` or `(B, *input_shape)`, of `input_dtype`.
        """
        raise NotImplementedError

    def _choose(self):
        """The cheapest exact `Program`."""
        raise NotImplementedError

    @functools.cached_property
    def program(self):
        """The cheapest exact program for this structure, chosen once."""
        return self._choose()

    def prepare(self):
        """Chooses the program now, so that no two threads do it at once.

        Returns:
            This map.
        """
        _ = self.program
        return self

    @property
    def held_bytes(self):
        """Bytes of the arrays that it and its program hold now."""
        return sum(array.nbytes for array in _arrays_of(self).values())

    def packed(self):
        """The same in less memory, for those who keep many until they `stack` them."""
        return self

    @classmethod
    def stack(cls, maps):
        """One map for a batch: image `i` goes through `maps[i]`.

        Args:
            maps: of single images, all of one kind, one shape.

        Example:

        >>> import numpy as np
        >>> from tfpe import Transform
        >>> plain = Transform.identity((1, 1, 1))
        >>> negative = Transform([0], [255], input_shape=(1, 1, 1))
        >>> both = Keyed.stack([plain, negative])
        >>> both(np.full((2, 1, 1, 1), 7, np.uint8)).ravel().tolist()
        [7, 248]
        """
        maps = list(maps)
        if not maps:
            raise CipherOptionError("`transforms` should not be empty. Received: []")
        first = maps[0]
        for one in maps:
            if not isinstance(one, cls) or one.batch_size is not None:
                raise CipherOptionError(
                    "`transforms` should hold transforms of single images. "
                    f"Received: {one if isinstance(one, cls) else type(one).__name__}"
                )
            if one._signature != first._signature:
                raise CipherOptionError(
                    "`transforms` should act on one image shape. Received: "
                    f"{first!r} and {one!r}"
                )
        stacked = first._stacked(maps)
        if stacked is None:
            kinds = sorted({type(one).__name__ for one in maps})
            raise CipherOptionError(
                "`transforms` should be of one kind that can be stacked. "
                f"Received: {kinds}"
            )
        return stacked

    def _stacked(self, maps):
        """One map of `maps`, of which this is the first; None where there is none."""
        return None

    @property
    def is_identity(self):
        """Whether it is known to leave every image as it is."""
        return False

    @property
    def parts(self):
        """What is applied one after the other, the first one first."""
        return (self,)

    def __matmul__(self, other):
        """Composition: `(f @ g)(x) == f(g(x))`."""
        if not isinstance(other, Keyed):
            return NotImplemented
        for inner, outer in (
            (other.output_shape, self.input_shape),
            (other.output_dtype, self.input_dtype),
        ):
            if inner != outer:
                raise CipherOptionError(
                    "`f @ g` needs f.input_shape == g.output_shape, and images of one "
                    f"dtype. Received: {outer} and {inner}"
                )
        sizes = {self.batch_size, other.batch_size} - {None}
        if len(sizes) > 1:
            raise CipherOptionError(
                "`f @ g` needs batches of one size. Received: "
                f"{self.batch_size} and {other.batch_size}"
            )
        joined = self._after(other)
        if joined is not None:
            return joined
        return chained([*other.parts, *self.parts])

    def _after(self, other):
        """`self @ other` as one map of this kind, or None where it is none."""
        return None

    def __call__(self, images):
        return apply(self, images)

    @property
    def _signature(self):
        shapes = self.input_shape, self.output_shape
        return *shapes, self.batch_size, self.input_dtype, self.output_dtype

    def __eq__(self, other):
        """Whether both are of one kind and do the same to every image."""
        if not isinstance(other, Keyed):
            return NotImplemented
        return self._signature == other._signature and self._same(other)

    def _same(self, other):
        return self is other

    def __hash__(self):
        # No arrays: equal transforms of different word sizes must agree, and a hash
        # must tell nothing of the key.
        return hash(self._signature)

    def _freeze(self, **arrays):
        """Sets arrays that nothing can write to; they are given away."""
        for name, array in arrays.items():
            array = np.ascontiguousarray(array)
            array.setflags(write=False)
            # A view of read-only memory cannot be made writeable again.
            setattr(self, name, array.view())

    def __setattr__(self, name, value):
        made = isinstance(getattr(type(self), name, None), property)
        if name in self._fixed and (made or name in self.__dict__):
            raise AttributeError(
                f"A {type(self).__name__} is immutable: `{name}` cannot be set"
            )
        super().__setattr__(name, value)

    def __repr__(self):
        batch = "" if self.batch_size is None else f", batch_size={self.batch_size}"
        return (
            f"{self._name}({self._shown}input_shape={self.input_shape}, "
            f"output_shape={self.output_shape}{batch})"
        )

    _shown = ""

    @property
    def _name(self):
        return type(self).__name__

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce_ex__(self, protocol):
        raise TypeError(
            f"A {type(self).__name__} is key material and should not be pickled. Send "
            "the name of a key file and build it there: "
            "tfpe.ciphers.<name>(key, image_shape)."
        )


class Chain(Keyed):
    """Maps of several kinds, one after the other; `@` makes it.

    Args:
        parts: of which each takes what the one before it gives, the first one first.

    Example:

    >>> import tfpe
    >>> key, shape = tfpe.Key.generate(), (8, 8, 3)
    >>> both = tfpe.ciphers.ffx(key, shape) @ tfpe.ciphers.le(key, shape)
    >>> type(both).__name__, len(both.parts)
    ('Chain', 2)
    >>> both.inverse @ both == tfpe.Transform.identity(shape)
    True
    """

    _fixed = ("parts", "input_shape", "output_shape")
    parts = ()

    def __init__(self, parts):
        self.parts = tuple(parts)
        first, last = self.parts[0], self.parts[-1]
        self.input_shape, self.output_shape = first.input_shape, last.output_shape
        self.input_dtype, self.output_dtype = first.input_dtype, last.output_dtype
        self.lossless = all(part.lossless for part in self.parts)
        sizes = {part.batch_size for part in self.parts} - {None}
        self.batch_size = sizes.pop() if sizes else None

    @functools.cached_property
    def inverse(self):
        """The inverses, the last one first."""
        return chained([part.inverse for part in reversed(self.parts)])

    def definition(self, images):
        for part in self.parts:
            images = part.definition(images)
        return images

    def packed(self):
        return Chain(part.packed() for part in self.parts)

    def _stacked(self, maps):
        if len({len(one.parts) for one in maps}) > 1:
            return None
        return Chain(
            Keyed.stack(column)
            for column in zip(*(one.parts for one in maps), strict=True)
        )

    def _choose(self):
        return Sequence(self.parts)

    def _same(self, other):
        return isinstance(other, Chain) and self.parts == other.parts

    @property
    def _shown(self):
        kinds = ", ".join(part._name for part in self.parts)
        return f"{kinds}, "


class Sequence(Program):
    """The programs of a chain."""

    one_pass = True

    def __init__(self, parts):
        self.parts = [part.prepare() for part in parts]

    def run(self, images, channels, backend):
        for part in self.parts:
            channels = part.input_shape[-1]
            images = run_program(
                part.program, images, channels, backend, part.batch_size
            )
        return images


def chained(parts):
    """`parts` one after the other: a `Chain`, or one map where they join to one."""
    joined = []
    for part in parts:
        while joined and (both := part._after(joined[-1])) is not None:
            joined.pop()
            part = both
        if joined and _is_nothing(part):
            continue
        if joined and _is_nothing(joined[-1]):  # it was the first
            joined.pop()
        joined.append(part)
    return joined[0] if len(joined) == 1 else Chain(joined)


def _is_nothing(part):
    return part.is_identity and part.batch_size is None


def _arrays_of(*holders):
    """The arrays that can be reached from maps and programs, each once, by owner."""
    found, seen, left = {}, set(), list(holders)
    while left:
        one = left.pop()
        if isinstance(one, np.ndarray):
            owner = one if one.base is None else one.base
            found[id(owner)] = one
        elif id(one) not in seen and isinstance(one, (Keyed, Program, list, tuple)):
            seen.add(id(one))
            left += one if isinstance(one, (list, tuple)) else vars(one).values()
    return found
