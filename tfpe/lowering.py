"""How a `Transform` is applied: a small compiler.

`choose` picks the cheapest exact program for the structure of a transform, `apply`
runs it on the arrays of NumPy, TensorFlow, JAX, torch or Keras. The same few array
operations serve them all, so each program is written once; no framework is imported
unless the images already belong to it. Programs take flat images, `uint8 (B, n)`.
"""

import dataclasses
import typing

import numpy as np

from tfpe.backends import backend_of
from tfpe.errors import ImageError
from tfpe.words import index_dtype, join_words, split_words

MAX_SELECT_CHANNELS = 4


class Program:
    """What runs a transform. It holds key material and refuses to be pickled."""

    def __reduce_ex__(self, protocol):
        raise TypeError("The program of a Transform should not be pickled.")


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Xor(Program):
    """No byte moves: `y = x ^ mask`."""

    # Whether NumPy runs it without arrays in between.
    one_pass: typing.ClassVar = True
    mask: np.ndarray

    def run(self, images, channels, backend):
        return images ^ backend.constant(self.mask, images)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Select(Program):
    """Bytes move inside their pixel: each channel is picked by masks, no gather.

    `index` is the gather itself, which is faster where no compiler sees the images.
    """

    one_pass: typing.ClassVar = False
    index: np.ndarray
    mask: np.ndarray

    def run(self, images, channels, backend):
        if backend.is_concrete(images):
            return Gather(self.index, self.mask).run(images, channels, backend)
        pixel = (-1, images.shape[-1] // channels, channels)
        pixels = backend.reshape(images, pixel)
        # Per-image keys: (B, n) has the batch where pixels have it.
        channel = self.index.reshape(pixel) % channels
        moved = None
        for s in range(channels):
            # 255 where the output byte comes from channel `s`, else 0.
            source = backend.constant((channel == s) * np.uint8(255), images)
            picked = pixels[..., s : s + 1] & source
            moved = picked if moved is None else moved | picked
        moved = backend.reshape(moved, (-1, images.shape[-1]))
        return moved ^ backend.constant(self.mask, images)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Gather(Program):
    """Whole bytes move: one gather."""

    one_pass: typing.ClassVar = False
    index: np.ndarray
    mask: np.ndarray

    def run(self, images, channels, backend):
        moved = backend.take(images, backend.constant(self.index, images))
        return moved ^ backend.constant(self.mask, images)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class WordGather(Program):
    """Parts of bytes move: one gather of bytes for each part of the output byte.

    Slot `k` of an output byte is a word of byte `indices[k]`, shifted there by
    `lefts[k]` or by `rights[k]` bits, of which one is 0.
    """

    one_pass: typing.ClassVar = False
    indices: np.ndarray
    lefts: np.ndarray
    rights: np.ndarray
    mask: np.ndarray
    bits: int

    def run(self, images, channels, backend):
        result = backend.constant(self.mask, images)
        slots = zip(self.indices, self.lefts, self.rights, strict=True)
        for slot, (index, left, right) in enumerate(slots):
            word = backend.take(images, backend.constant(index, images))
            if slot > 0:
                left = backend.constant(left, images)
                word = backend.left_shift(word, left)
            if slot < len(self.indices) - 1:
                right = backend.constant(right, images)
                word = backend.right_shift(word, right)
            place = np.uint8((2**self.bits - 1) << self.bits * slot)
            # The slots are disjoint, so xor joins them as well as or would.
            result = result ^ (word & backend.constant(place, images))
        return result


def choose(transform):
    """Returns the cheapest exact program for the structure of `transform`."""
    t = transform.coarsen()
    size = t.perm.shape[-1] * t.bits // 8
    if t.bits < 8:
        parts = 8 // t.bits
        words = np.moveaxis(t.perm.reshape(*t.perm.shape[:-1], size, parts), -1, 0)
        slots = np.arange(parts, dtype=np.int8).reshape(-1, *[1] * t.perm.ndim)
        shifts = t.bits * (slots - (words & (parts - 1)).astype(np.int8))
        return WordGather(
            (words >> parts.bit_length() - 1).astype(index_dtype(size)),
            np.maximum(shifts, 0).astype(np.uint8),
            np.maximum(-shifts, 0).astype(np.uint8),
            join_words(t.mask, t.bits),
            t.bits,
        )
    place = np.arange(size, dtype=t.perm.dtype)
    if (t.perm == place).all():
        return Xor(t.mask)
    channels = t.input_shape[-1]
    if channels == t.output_shape[-1] and channels <= MAX_SELECT_CHANNELS:
        channel = t.perm - np.repeat(place[::channels], channels)
        if 0 <= channel.min() <= channel.max() < channels:
            return Select(t.perm, t.mask)
    return Gather(t.perm, t.mask)


def oracle(transform, images):
    """The definition itself, word by word, in NumPy: what every program must equal.

    Args:
        transform: a `Transform`.
        images: `uint8`, `(*input_shape)` or `(B, *input_shape)`.

    Returns:
        `uint8`, `(*output_shape)` or `(B, *output_shape)`.
    """
    lead = images.shape[: images.ndim - len(transform.input_shape)]
    words = split_words(images.reshape(*lead, -1), transform.bits)
    perm = np.broadcast_to(transform.perm, words.shape)
    moved = np.take_along_axis(words, perm, axis=-1) ^ transform.mask
    return join_words(moved, transform.bits).reshape(*lead, *transform.output_shape)


def apply(transform, images):
    """Applies `transform` to images of any framework; returns the same kind."""
    if type(images).__module__.startswith("keras."):
        import keras

        if isinstance(images, keras.Variable):
            images = images.value
        elif isinstance(images, keras.KerasTensor):
            from tfpe.layers import ApplyTransform

            return ApplyTransform(transform)(images)
    backend = backend_of(images)
    return backend.untraced(_apply)(transform, images, backend)


def _apply(transform, images, backend):
    if backend.dtype_name(images) != "uint8":
        raise ImageError(
            "Images should be uint8 (PerceptualEncrypt takes floats too). "
            f"Received: dtype {backend.dtype_name(images)}"
        )
    shape = backend.static_shape(images)
    rank = len(transform.input_shape)
    lead = shape[: max(len(shape) - rank, 0)]
    if shape[len(lead) :] != transform.input_shape or len(lead) > 1:
        raise ImageError(
            f"Images should have shape {transform.input_shape} or "
            f"{('batch', *transform.input_shape)}. Received: shape {shape}"
        )
    batch = transform.batch_size
    if batch is not None and lead != (batch,):
        raise ImageError(
            f"This transform holds keys for {batch} images: batches should have that "
            "size, also before a graph runs (drop_remainder=True). "
            f"Received: shape {shape}"
        )
    flat = backend.reshape(images, (-1, np.prod(transform.input_shape).item()))
    if batch is None and lead and lead[0] is None:
        lead = (-1,)
    result = backend.run(transform.program, flat, transform.input_shape[-1])
    return backend.reshape(
        result, (*(batch or size for size in lead), *transform.output_shape)
    )
