"""How a `Transform` is applied: a small compiler.

`choose` picks the cheapest exact program for the structure of a transform, which runs
on the arrays of NumPy, TensorFlow, JAX, torch or Keras. The same few array operations
serve them all, so each program is written once; no framework is imported unless the
images already belong to it. Programs take flat images, `uint8 (B, n)`.
"""

import dataclasses
import typing

import numpy as np

from tfpe.algebra.backends import CHUNK_BYTES, CHUNK_INDICES, NUMPY
from tfpe.algebra.keyed import Program
from tfpe.algebra.words import join_words

MAX_SELECT_CHANNELS = 4


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Xor(Program):
    """No byte moves: `y = x ^ mask`."""

    one_pass: typing.ClassVar = True
    mask: np.ndarray

    def run(self, images, channels, backend):
        return images ^ backend.secret(self.mask, images)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Select(Program):
    """Bytes move inside their pixel: each channel is picked by masks, no gather.

    `index` is the gather itself, which is faster where no compiler sees the images.
    """

    index: np.ndarray
    mask: np.ndarray

    @property
    def one_pass(self):
        return self.mask.ndim == 1 and self.mask.size <= CHUNK_BYTES

    def run(self, images, channels, backend):
        # A single image is not worth the masks.
        if backend is NUMPY and self.one_pass and len(images) > 1:
            return self._shift(images, channels)
        if backend.is_concrete(images):
            return Gather(self.index, self.mask).run(images, channels, backend)
        pixel = (-1, images.shape[-1] // channels, channels)
        pixels = backend.reshape(images, pixel)
        # Per-image keys: (B, n) has the batch where pixels have it.
        channel = self.index.reshape(pixel) % channels
        moved = None
        for s in range(channels):
            # 255 where the output byte comes from channel `s`, else 0.
            source = backend.secret((channel == s) * np.uint8(255), images)
            picked = pixels[..., s : s + 1] & source
            moved = picked if moved is None else moved | picked
        moved = backend.reshape(moved, (-1, images.shape[-1]))
        return moved ^ backend.secret(self.mask, images)

    def _shift(self, images, channels):
        """NumPy: many images as one row of bytes, shifted and masked."""
        if "_masks" not in self.__dict__:
            self.__dict__["_masks"] = self._shift_masks(channels)
        mask, stay, *others = self._masks
        images, result = np.ascontiguousarray(images), np.empty(images.shape, np.uint8)
        picked = np.empty_like(mask)
        for start in range(0, images.size, mask.size):
            row = images.reshape(-1)[start : start + mask.size]
            moved = result.reshape(-1)[start : start + mask.size]
            np.bitwise_and(row, stay[: row.size], out=moved)
            moved ^= mask[: row.size]
            # Masks are 0 where a shift would fetch a byte of another image.
            for shift, source in zip(_shifts(channels)[1:], others, strict=True):
                here, there = max(-shift, 0), max(shift, 0)
                count = max(row.size - abs(shift), 0)
                part = picked[:count]
                np.bitwise_and(
                    row[there : there + count], source[here : here + count], out=part
                )
                moved[here : here + count] ^= part
        return result

    def _shift_masks(self, channels):
        """The xor's mask, and for each shift 255 where a byte comes from so far off."""
        shift = self.index - np.arange(self.index.size, dtype=self.index.dtype)
        sources = [(shift == s) * np.uint8(255) for s in _shifts(channels)]
        count = CHUNK_BYTES // self.mask.size
        return [np.tile(mask, count) for mask in (self.mask, *sources)]


def _shifts(channels):
    """How far bytes move inside a pixel, 0 first."""
    return sorted(range(1 - channels, channels), key=abs)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Gather(Program):
    """Whole bytes move: one gather."""

    index: np.ndarray
    mask: np.ndarray

    def run(self, images, channels, backend):
        moved = backend.take(images, backend.secret(self.index, images))
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
    place = np.arange(size, dtype=t.perm.dtype)
    if (t.perm == place).all():
        return Xor(t.mask)
    channels = t.input_shape[-1]
    if channels == t.output_shape[-1] and channels <= MAX_SELECT_CHANNELS:
        channel = t.perm - np.repeat(place[::channels], channels)
        if 0 <= channel.min() <= channel.max() < channels:
            return Select(t.perm, t.mask)
    return Gather(t.perm, t.mask)
