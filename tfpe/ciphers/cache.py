"""The transforms of one key, built once for each image shape, and applied to images."""

import collections
import contextlib
import math
import os
import pathlib
import threading

import numpy as np

from tfpe.algebra.keyed import Keyed
from tfpe.pixels.byte_planes import from_planes, planes_shape, to_planes
from tfpe.pixels.padding import crop, pad_to_blocks, padded_size

SHARE = 8  # of the memory of the machine: an eighth may hold transforms
LEAST_BYTES = 2**26
USUAL_BYTES = 8  # of a transform, for each byte of its image: before one is known


def cached_bytes():
    """How much a cache may hold: an eighth of what memory the process may have."""
    sizes = []
    with contextlib.suppress(AttributeError, ValueError, OSError):
        sizes.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with contextlib.suppress(OSError, ValueError):
        # What a container allows; "max" is no number.
        sizes.append(int(pathlib.Path("/sys/fs/cgroup/memory.max").read_text()))
    return max(LEAST_BYTES, min(sizes, default=0) // SHARE)


class TransformCache:
    """Gives the transform of a shape, or of one image; called in several threads.

    Those last used are kept, as far as `cached_bytes` holds what they really hold: a
    folder of photographs of one size needs one, however large.

    Args:
        cipher: a row of `tfpe.CIPHERS`.
        key: a `tfpe.Key`.
        options: options of the cipher.
        images: the `tfpe.Key` whose `for_image` gives the keys of images that have one
            of their own; None where they share one.
        invert: whether to decrypt.
        image_bytes: of the images whose own transforms are kept, for images that come
            again; without it these are built each time.
    """

    def __init__(self, cipher, key, options, images=None, invert=False, image_bytes=0):
        self._cipher, self._key, self._options = cipher, key, options
        self._images, self._invert, self._image_bytes = images, invert, image_bytes
        self._lock, self._building = threading.Lock(), threading.Lock()
        self._kept, self._bytes = collections.OrderedDict(), 0
        self._most, self._bytes_of_byte = cached_bytes(), USUAL_BYTES

    def encrypt(self, images, numbers=None):
        """Ciphertexts of images, which are padded to whole blocks; as `apply`."""
        size = self._cipher.block_size(**self._options)
        return self.apply(pad_to_blocks(images, size), numbers)

    def decrypt(self, ciphertexts, shape, numbers=None):
        """Undoes `encrypt`, with `invert`, for images `(height, width, channels)`."""
        size = self._cipher.block_size(**self._options)
        height, width, channels = shape
        padded = padded_size(height, size), padded_size(width, size), channels
        return crop(self.apply(ciphertexts, numbers, padded), height, width)

    def apply(self, images, numbers=None, plain_shape=None):
        """Images of 8 or 16 bits, each byte of them encrypted, or decrypted.

        Args:
            images: `uint8 (..., H, W, C)`, or `uint16 (..., H, W, 1)`, whose words are
                taken as two planes of bytes.
            numbers: where each image has a transform of its own: the number of the
                one image, or of each in a batch.
            plain_shape: of the images before encryption, where that is another.

        Returns:
            An array of the same dtype; `float32` of ciphers that give real numbers,
            whose ciphertexts are taken as that too.
        """
        if plain_shape is None:
            plain_shape = images.shape[-3:]
        dtype, shape = images.dtype, tuple(plain_shape)
        if dtype == np.uint16:
            self._cipher.require_bytes("Images of 16 bits", **self._options)
            shape = planes_shape(shape, 16)
        if dtype != np.float32:  # else ciphertexts that are real numbers
            images = to_planes(images)
        transform = self._of_images(shape, numbers)
        result = transform(images)
        return from_planes(result, dtype) if dtype == np.uint16 else result

    def get(self, image_shape, number=None):
        """The transform of a shape; for the image `number`, one of its own."""
        shape = tuple(image_shape)
        # One at a time where they are shared: each is large, and all threads want it.
        with self._building if number is None else contextlib.nullcontext():
            transform = self._find(shape, number)
            if transform is None:
                most = self._most if number is None else self._image_bytes
                self._make_room(self._expected(shape, number), most)
                transform = self._build(shape, number)
                if most:
                    self._keep(shape, number, transform)
            return transform

    def _of_images(self, shape, numbers):
        """The transform of a shape, or that of a batch of images by their numbers."""
        if np.ndim(numbers) == 0:
            return self.get(shape, numbers)
        numbers = [int(number) for number in numbers]
        if not self._image_bytes:
            # They do not come again: nothing is kept.
            return self._drawn(shape, numbers)
        new = [n for n in dict.fromkeys(numbers) if self._find(shape, n) is None]
        if len(new) > 1 and self._cipher.takes_keys:
            drawn = self._drawn(shape, new)
            for place, number in enumerate(new):
                self._make_room(math.prod(shape), self._image_bytes)
                self._keep(shape, number, drawn.of_image(place).packed())
        return Keyed.stack(self.get(shape, number) for number in numbers)

    def _drawn(self, shape, numbers):
        """The transform of a batch, drawn at once where the cipher can."""
        drawn = self._cipher.per_image(self._images, shape, numbers, **self._options)
        return drawn.inverse if self._invert else drawn

    def _expected(self, shape, number):
        """Bytes that count for a transform before it is built."""
        factor = 1 if number is not None else self._bytes_of_byte
        return factor * math.prod(shape)

    def _find(self, shape, number):
        with self._lock:
            if (shape, number) in self._kept:
                self._kept.move_to_end((shape, number))
            return self._kept.get((shape, number), (None,))[0]

    def _make_room(self, size, most):
        # Before the next is built: two large ones need not fit in memory.
        with self._lock:
            while self._kept and self._bytes + size > most:
                _, (_, freed) = self._kept.popitem(last=False)
                self._bytes -= freed

    def _keep(self, shape, number, transform):
        size = math.prod(shape)
        if number is None:
            size = transform.held_bytes
            self._bytes_of_byte = size / math.prod(shape)
        with self._lock:
            if (shape, number) not in self._kept:
                self._bytes += size
                self._kept[shape, number] = transform, size

    def _build(self, shape, number):
        key = self._key if number is None else self._images.for_image(int(number))
        transform = self._cipher(key, shape, **self._options)
        transform = transform.inverse if self._invert else transform
        return transform.prepare() if number is None else transform.packed()
