"""Substitution: bytes go through secret tables, each in its place.

The first sibling of `Transform`, which can only xor: a table of 256 values is any
permutation of them.
"""

import dataclasses
import functools
import math

import numpy as np

from tfpe.algebra.applying import Program
from tfpe.algebra.backends import CHUNK_INDICES, NUMPY
from tfpe.algebra.keyed import Keyed
from tfpe.checks import integer_array, is_permutation, shape_tuple
from tfpe.errors import CipherOptionError

VALUES = 256


class Substitution(Keyed):
    """Some bytes are replaced by a table each: `y[i] = tables[k - 1][x[i]]`.

    Args:
        tables: integers, shape `(T, 256)`, each row a permutation of `0 .. 255`.
        index: integers, shape `(n,)`: k = `index[i]` is 0 where byte i stays as it is,
            or the number of its table, from 1 to T. Shape `(B, n)` holds the tables of
            each image of a batch (per-image keys).
        input_shape: shape of one image, of n bytes. Default: `(n,)`.

    Raises:
        CipherOptionError: a table is no permutation, or sizes or numbers do not fit.

    It is called, inverted and chained as a `Transform` is, and has no words that move:
    `tfpe.structure` and `tfpe.match` refuse it.

    Example:

    >>> import numpy as np
    >>> successor = Substitution([(np.arange(256) + 1) % 256], [1, 0], (1, 2, 1))
    >>> successor(np.array([[[255], [7]]], np.uint8)).ravel().tolist()
    [0, 7]
    >>> successor @ successor.inverse == Substitution.identity((1, 2, 1))
    True
    """

    _fixed = ("tables", "index", "input_shape", "output_shape")

    def __init__(self, tables, index, input_shape=None):
        tables = integer_array(tables, "tables")
        index = integer_array(index, "index")
        if tables.ndim != 2 or tables.shape[1] != VALUES or not is_permutation(tables):
            raise CipherOptionError(
                "`tables` should have shape (tables, 256), each a permutation of 0 to "
                f"255. Received: shape {tables.shape}, or repeated numbers"
            )
        if index.ndim not in (1, 2) or not index.size:
            raise CipherOptionError(
                "`index` should have shape (bytes,) or (batch, bytes). "
                f"Received: shape {index.shape}"
            )
        if not 0 <= index.min() <= index.max() <= len(tables):
            raise CipherOptionError(
                f"`index` should hold numbers from 0 to {len(tables)}. "
                "Received: numbers outside"
            )
        if input_shape is None:
            input_shape = (index.shape[-1],)
        shape = shape_tuple(input_shape, "input_shape")
        if math.prod(shape) != index.shape[-1]:
            raise CipherOptionError(
                f"`input_shape` should hold {index.shape[-1]} bytes. "
                f"Received: input_shape={shape}"
            )
        untouched = np.arange(VALUES)[None]
        tables = np.concatenate([untouched, tables]).astype(np.uint8)
        self.input_shape = self.output_shape = shape
        self._freeze(tables=tables, index=index.astype(np.int32))

    @classmethod
    def composed(cls, tables, index, shape):
        """A substitution of arrays that are valid because the library composed them.

        Nothing is checked or copied. `tables`, `uint8 (1 + T, 256)`, begins with the
        values as they are; both arrays are given away.
        """
        self = cls.__new__(cls)
        self.input_shape = self.output_shape = shape
        self._freeze(tables=tables, index=index)
        return self

    @classmethod
    def identity(cls, shape):
        """The substitution that leaves images of `shape` as they are."""
        shape = shape_tuple(shape, "shape")
        untouched = np.arange(VALUES, dtype=np.uint8)[None]
        return cls.composed(untouched, np.zeros(math.prod(shape), np.int32), shape)

    @property
    def batch_size(self):
        """Number of per-image keys, or None when one key serves every image."""
        return self.index.shape[0] if self.index.ndim == 2 else None

    @functools.cached_property
    def inverse(self):
        """The substitution that undoes this one (decryption)."""
        tables = np.empty_like(self.tables)
        rows = np.arange(len(tables))[:, None]
        tables[rows, self.tables] = np.arange(VALUES, dtype=np.uint8)
        return Substitution.composed(tables, self.index, self.input_shape)

    def _after(self, other):
        if not isinstance(other, Substitution):
            return None
        (own, others), index = _pairs(self, other)
        tables = self.tables[own[:, None], other.tables[others]]
        return Substitution.composed(tables, index, self.input_shape)

    def _stacked(self, maps):
        if not all(isinstance(one, Substitution) for one in maps):
            return None
        rows, tables = [], [self.tables[:1]]
        first = 0
        for one in maps:
            rows.append(one.index + (one.index > 0) * np.int32(first))
            tables.append(one.tables[1:])
            first += len(one.tables) - 1
        return Substitution.composed(
            np.concatenate(tables), np.stack(rows), self.input_shape
        )

    @property
    def is_identity(self):
        """Whether it leaves every image as it is."""
        used = self.tables[np.unique(self.index)]
        return bool((used == np.arange(VALUES)).all())

    def definition(self, images):
        """y[i] = tables[index[i]][x[i]], in NumPy."""
        flat = images.reshape(*images.shape[: images.ndim - len(self.input_shape)], -1)
        index = np.broadcast_to(self.index, flat.shape)
        return self.tables[index, flat].reshape(images.shape)

    def _choose(self):
        return Lookup(self.tables.ravel(), self.index)

    def _same(self, other):
        if not isinstance(other, Substitution):
            return False
        (own, others), _ = _pairs(self, other)
        return np.array_equal(self.tables[own], other.tables[others])


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Lookup(Program):
    """One gather: value v under table k is entry `256 * k + v` of all in a row."""

    tables: np.ndarray
    index: np.ndarray

    def run(self, images, channels, backend):
        if backend is not NUMPY:
            return self._looked_up(images, slice(None), backend)
        result, size = np.empty(images.shape, np.uint8), images.shape[-1]
        # Places are four times as large as the image: so many as the cache holds.
        for start in range(0, size, CHUNK_INDICES):
            part = slice(start, start + CHUNK_INDICES)
            result[:, part] = self._looked_up(images[:, part], part, backend)
        return result

    def _looked_up(self, images, part, backend):
        first = self.index[..., part] * np.int32(VALUES)
        places = backend.cast(images, "int32") + backend.secret(first, images)
        return backend.lookup(backend.secret(self.tables, images), places)


def _pairs(first, second):
    """The pairs of tables that meet at some byte, and which pair at each.

    Both leave a byte as it is at pair 0, whether or not that occurs.
    """
    count = len(second.tables)
    pairs = first.index.astype(np.int64) * count + second.index
    found, index = np.unique(np.append(0, pairs), return_inverse=True)
    index = index[1:].reshape(pairs.shape).astype(np.int32)
    return np.divmod(found, count), index
