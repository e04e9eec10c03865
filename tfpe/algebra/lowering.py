"""How a `Transform` is applied: a small compiler.

`choose` picks the cheapest exact program for the structure of a transform, which runs
on the arrays of NumPy, TensorFlow, JAX, torch or Keras. The same few array operations
serve them all, so each program is written once; no framework is imported unless the
images already belong to it. Programs take flat images, `uint8 (B, n)`.
"""

import dataclasses
import typing

import numpy as np

from tfpe.algebra.applying import Program
from tfpe.algebra.backends import CHUNK_BYTES, CHUNK_INDICES, NUMPY
from tfpe.algebra.pixel_moves import MOST_CHANNELS, ROW_BYTES, move, moved_rows, sources
from tfpe.algebra.words import in_place, join_words
from tfpe.checks import index_dtype


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Xor(Program):
    """No byte moves: `y = x ^ mask`."""

    one_pass: typing.ClassVar = True
    one_operation: typing.ClassVar = True
    mask: np.ndarray

    def run(self, images, channels, backend):
        return images ^ backend.secret(self.mask, images)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Select(Program):
    """Bytes move inside their pixel: each channel is picked by masks, no gather.

    `shift`, `int8`, says how far the source of each byte stands from it.
    """

    one_pass: typing.ClassVar = True
    shift: np.ndarray
    mask: np.ndarray

    def run(self, images, channels, backend):
        if backend is NUMPY:
            return self._shifted(images, channels)
        size = images.shape[-1]
        if backend.is_concrete(images):
            # Where no compiler sees the images, a gather is faster.
            index = np.arange(size, dtype=index_dtype(size)) + self.shift
            return Gather(index, self.mask).run(images, channels, backend)
        pixel = (-1, size // channels, channels)
        pixels = backend.reshape(images, pixel)
        # Per-image keys: (B, n) has the batch where pixels have it.
        channel = self.shift.reshape(pixel) + np.arange(channels, dtype=np.int8)
        moved = None
        for s in range(channels):
            # 255 where the output byte comes from channel `s`, else 0.
            source = backend.secret((channel == s) * np.uint8(255), images)
            picked = pixels[..., s : s + 1] & source
            moved = picked if moved is None else moved | picked
        moved = backend.reshape(moved, (-1, size))
        return moved ^ backend.secret(self.mask, images)

    def _shifted(self, images, channels):
        """NumPy: rows of bytes, shifted and masked."""
        size = self.mask.size
        images = np.ascontiguousarray(images)
        if self.mask.ndim > 1 or 2 * size > ROW_BYTES or len(images) == 1:
            # One row for each key.
            rows = images.reshape(-1, size)
            result = [moved_rows(row, self.shift, channels) for row in rows]
            result = result[0][None] if len(result) == 1 else np.stack(result)
            result ^= self.mask.reshape(-1)
            return result.reshape(images.shape)
        # Many small images as one row, with masks that are kept.
        if "_kept" not in self.__dict__:
            count = ROW_BYTES // size
            kept = [self.mask, *sources(self.shift, channels)]
            self.__dict__["_kept"] = [np.tile(mask, count) for mask in kept]
        mask, *masks = self._kept
        result = np.empty(images.shape, np.uint8)
        for start in range(0, images.size, mask.size):
            part = slice(start, start + mask.size)
            row, moved = images.reshape(-1)[part], result.reshape(-1)[part]
            move(row, moved, masks, channels)
            moved ^= mask[: row.size]
        return result


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Gather(Program):
    """Whole bytes move: one gather."""

    index: np.ndarray
    mask: np.ndarray

    def run(self, images, channels, backend):
        moved = backend.take(images, backend.secret(self.index, images))
        if backend is NUMPY:
            moved ^= self.mask  # what was taken is new: no second copy
            return moved
        return moved ^ backend.secret(self.mask, images)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class WordGather(Program):
    """Parts of bytes move: one gather of bytes for each part of the output byte.

    Part `k` of output byte `i` is word `words[i, k]` of the image, that is part
    `words % parts` of byte `words // parts`.
    """

    words: np.ndarray
    mask: np.ndarray
    bits: int

    def run(self, images, channels, backend):
        if backend is NUMPY:
            return self._turned(images)
        result = backend.secret(self.mask, images)
        size, parts = self.mask.shape[-1], self.words.shape[-1]
        for k in range(parts):
            place = np.uint8((2**self.bits - 1) << self.bits * k)
            turns, index = np.divmod(self._sources(k), size)
            byte = backend.take(images, backend.secret(index, images))
            # Shifts by constants and masks: half the work of shifts by arrays.
            for turn in range(parts):
                here = backend.secret((turns == turn) * place, images)
                shift = self.bits * ((k + turn) % parts - k)
                word = byte
                if shift:
                    count = backend.constant(np.uint8(abs(shift)), images)
                    move = backend.right_shift if shift > 0 else backend.left_shift
                    word = move(byte, count)
                # The parts are disjoint, so xor joins them as well as or would.
                result = result ^ (word & here)
        return result

    def _turned(self, images):
        """NumPy: gathers from the images beside their bytes turned by 4 bits (or 1)."""
        size, parts = images.shape[-1], self.words.shape[-1]
        turned = np.empty((len(images), parts * size), np.uint8)
        turned[:, :size] = images
        for turn in range(1, parts):
            copy = turned[:, turn * size : (turn + 1) * size]
            np.right_shift(images, self.bits * turn, out=copy)
            copy |= images << (8 - self.bits * turn)
        result = np.empty_like(images)
        sources = self._kept_sources if size <= CHUNK_BYTES else self._sources
        step = size if self.mask.ndim > 1 else CHUNK_INDICES
        for start in range(0, size, step):
            part = slice(start, start + step)
            result[:, part] = self.mask[..., part]
            for k in range(parts):
                word = NUMPY.take(turned, sources(k, part))
                word &= np.uint8((2**self.bits - 1) << self.bits * k)
                result[:, part] ^= word
        return result

    def _kept_sources(self, k, part):
        """`_sources` of small images, which come in batches."""
        if "_kept" not in self.__dict__:
            parts = range(self.words.shape[-1])
            self.__dict__["_kept"] = [self._sources(k).astype(np.intp) for k in parts]
        return self._kept[k][..., part]

    def _sources(self, k, part=slice(None)):
        """Places of part `k` of the bytes in the copies that `_turned` makes."""
        words = self.words[..., part, k]
        parts = self.words.shape[-1]
        places = (words - k) & (parts - 1)
        places *= self.mask.shape[-1]
        places += words >> parts.bit_length() - 1
        return places


def choose(transform):
    """Returns the cheapest exact program for the structure of `transform`."""
    t = transform.coarsen()
    size = t.perm.shape[-1] * t.bits // 8
    if t.bits < 8:
        words = t.perm.reshape(*t.perm.shape[:-1], size, 8 // t.bits)
        return WordGather(words, join_words(t.mask, t.bits), t.bits)
    if in_place(t.perm):
        return Xor(t.mask)
    channels = t.input_shape[-1]
    if channels == t.output_shape[-1] and channels <= MOST_CHANNELS:
        if in_place(t.perm, channels):
            place = np.arange(size, dtype=t.perm.dtype)
            return Select((t.perm - place).astype(np.int8), t.mask)
    return Gather(t.perm, t.mask)
