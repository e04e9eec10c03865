"""The transforms of one key, built once for each image shape, and applied to images."""

import collections
import contextlib
import math
import threading

import numpy as np

from tfpe.algebra.keyed import Keyed
from tfpe.pixels.byte_planes import from_planes, planes_shape, to_planes
from tfpe.pixels.padding import crop, pad_to_blocks, padded_size

CACHED_BYTES = 2**24  # of the images whose transforms are kept


class TransformCache:
    """Gives the transform of a shape, or of one image; called in several threads.

    Those last used are kept, as many as hold images of `CACHED_BYTES` together.

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
        if np.ndim(numbers) == 0:
            transform = self.get(shape, numbers)
        else:
            transform = Keyed.stack(self.get(shape, number) for number in numbers)
        result = transform(images)
        return from_planes(result, dtype) if dtype == np.uint16 else result

    def get(self, image_shape, number=None):
        """The transform of a shape; for the image `number`, one of its own."""
        shape = tuple(image_shape)
        # One at a time where they are shared: each is large, and all threads want it.
        with self._building if number is None else contextlib.nullcontext():
            transform = self._find(shape, number)
            if transform is None:
                most = CACHED_BYTES if number is None else self._image_bytes
                self._make_room(math.prod(shape), most)
                transform = self._build(shape, number)
                if most:
                    self._keep(shape, number, transform)
            return transform

    def _find(self, shape, number):
        with self._lock:
            if (shape, number) in self._kept:
                self._kept.move_to_end((shape, number))
            return self._kept.get((shape, number))

    def _make_room(self, size, most):
        # Before the next is built: two large ones need not fit in memory.
        with self._lock:
            while self._kept and self._bytes + size > most:
                (shape, _), _ = self._kept.popitem(last=False)
                self._bytes -= math.prod(shape)

    def _keep(self, shape, number, transform):
        with self._lock:
            if (shape, number) not in self._kept:
                self._bytes += math.prod(shape)
            self._kept[shape, number] = transform

    def _build(self, shape, number):
        key = self._key if number is None else self._images.for_image(int(number))
        transform = self._cipher(key, shape, **self._options)
        transform = transform.inverse if self._invert else transform
        return transform.prepare() if number is None else transform.packed()
