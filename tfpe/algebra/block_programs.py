"""How transforms that keep to blocks are applied: programs that know the blocks."""

import functools

import numpy as np

from tfpe.algebra import lowering
from tfpe.algebra.applying import Program, run_program
from tfpe.algebra.backends import CHUNK_BYTES, NUMPY
from tfpe.algebra.block_layout import as_blocks
from tfpe.algebra.block_rows import row_parts
from tfpe.algebra.pixel_moves import MOST_CHANNELS, shifts_of


class Strips(Program):
    """Every row of blocks is encrypted alike: one small program for all of them.

    Args:
        program: of one row of blocks.
        size: its bytes.
    """

    one_pass = True

    def __init__(self, program, size):
        self.program, self.size = program, size

    def run(self, images, channels, backend):
        strips = backend.reshape(images, (-1, self.size))
        moved = run_program(self.program, strips, channels, backend)
        return backend.reshape(moved, (-1, images.shape[-1]))


class BlockGather(Program):
    """Blocks have keys of their own, and may move.

    NumPy takes large images, and images with a key each, block by block, by the small
    integers of the transform: an index of the whole image is many times as large as the
    image. Everything else goes by that index.
    """

    one_pass = True

    def __init__(self, transform):
        self.transform = transform
        self.large = transform.byte_count > CHUNK_BYTES
        if not self.large and not self.per_image:
            _ = self.flat

    @property
    def per_image(self):
        return self.transform.batch_size is not None

    @functools.cached_property
    def flat(self):
        """The program for the permutation of the image."""
        return lowering.choose(self.transform.flat())

    def run(self, images, channels, backend):
        if backend is not NUMPY or not (self.large or self.per_image):
            size = self.transform.batch_size
            return run_program(self.flat, images, channels, backend, size)
        t, result = self.transform, np.empty(images.shape, np.uint8)
        if not self.large:
            self._run_images(images.reshape(-1, *t.input_shape), result)
            return result
        for number, (image, moved) in enumerate(zip(images, result, strict=True)):
            own = t.of_image(number) if self.per_image else t
            _run_blocks(own, image, moved)
        return result

    def _run_images(self, images, result):
        """Images with a key each, as many at a time as the cache holds."""
        t = self.transform
        height, width, channels = t.input_shape
        rows, columns, line = height // t.side, width // t.side, t.side * channels
        step = max(1, CHUNK_BYTES // t.byte_count)
        for start in range(0, len(images), step):
            part = slice(start, start + step)
            blocks = as_blocks(images[part], t.side)
            lead = blocks.shape[:2]
            if t.source is not None:
                blocks = blocks[np.arange(len(blocks))[:, None], t.source[part]]
            order, masks = (
                np.broadcast_to(array[part], (*lead, array.shape[-1])).reshape(
                    -1, array.shape[-1]
                )
                for array in (t.order, t.masks)
            )
            blocks = blocks.reshape(len(masks), -1)
            found = _mixed(blocks, order, t.words_of_byte) ^ masks
            found = found.reshape(-1, rows, columns, t.side, line).swapaxes(2, 3)
            result[part] = found.reshape(len(found), -1)


def _run_blocks(t, image, moved):
    """One large image, as many rows of blocks at a time as the cache holds."""
    height, width, channels = t.input_shape
    rows, columns, line = height // t.side, width // t.side, t.side * channels
    blocks = as_blocks(image.reshape(t.input_shape), t.side)
    moved = moved.reshape(rows, t.side, columns, line)
    for part in row_parts(rows, columns * t.masks.shape[-1]):
        top, bottom, _ = part.indices(rows)
        places = slice(top * columns, bottom * columns)
        source = places if t.source is None else t.source[places]
        own = slice(None) if t.tied else places
        found = _mixed(blocks[source], t.order[own], t.words_of_byte)
        found ^= t.masks[own]
        found = found.reshape(bottom - top, columns, t.side, line)
        moved[part] = found.swapaxes(1, 2)


def _mixed(blocks, order, parts):
    """The words of each block, `(k, bytes)`, by its order, `(k, words)`."""
    count, size = blocks.shape
    if parts == 1:
        first = np.arange(count)[:, None] * size
        return blocks.reshape(-1).take(order + first, mode="clip")
    # Beside the bytes their nibbles the other way round, and the bytes again: low
    # nibbles are taken from the first two, high ones from the last two.
    turned = np.empty((count, 3 * size), np.uint8)
    turned[:, :size] = turned[:, 2 * size :] = blocks
    turned[:, size : 2 * size] = blocks >> 4 | blocks << 4
    first = np.arange(count)[:, None] * (3 * size)
    turned = turned.reshape(-1)
    low = turned.take(order[:, :size] + first, mode="clip")
    high = turned[size:].take(order[:, size:] + first, mode="clip")
    low &= 15
    high &= 240
    low |= high
    return low


def choose(transform):
    """The cheapest exact program for a `BlockTransform`."""
    t = transform.coarsen()
    channels = t.input_shape[-1]
    if t.bits == 8 and t.side == 1 and t.source is None and channels <= MOST_CHANNELS:
        return _select(t)
    if t.tied and t.source is None and t.batch_size is None:
        height, width, _ = t.input_shape
        strip = (t.side, width, channels)
        of_strip = type(t)(t.order, t.masks, t.bits, strip, t.side).flat()
        return Strips(lowering.choose(of_strip), t.side * width * channels)
    return BlockGather(t)


def _select(transform):
    """Bytes stay in their pixels: what is kept is how far each of them goes."""
    shift, mask = shifts_of(transform.order), transform.byte_mask()
    if not shift.any():
        return lowering.Xor(mask)
    channels = transform.input_shape[-1]
    shape = (*mask.shape[:-1], mask.shape[-1] // channels, channels)
    return lowering.Select(np.broadcast_to(shift, shape).reshape(mask.shape), mask)
