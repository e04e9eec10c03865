"""The transforms of one key, built once for each image shape."""

import collections
import math
import threading

from tfpe.pixels.byte_planes import from_planes, planes_shape, to_planes

CACHED_BYTES = 2**24  # of the images whose transforms are kept


class TransformCache:
    """Gives the transform of a shape, or of one image; called in several threads.

    Those last used are kept, as many as hold images of 16 MB together.

    Args:
        cipher: a row of `tfpe.CIPHERS`.
        key: a `tfpe.Key`.
        options: options of the cipher.
        images: the `tfpe.Key` whose `for_image` gives the keys of images that have one
            of their own.
        invert: whether to decrypt.
    """

    def __init__(self, cipher, key, options, images=None, invert=False):
        self._cipher, self._key, self._options = cipher, key, options
        self._images, self._invert = images, invert
        self._lock = threading.Lock()
        self._kept = collections.OrderedDict()

    def apply(self, images, number=None, plain_shape=None):
        """Images of 8 or 16 bits, each byte of them encrypted, or decrypted.

        Args:
            images: `uint8 (..., H, W, C)`, or `uint16 (..., H, W, 1)`, whose words are
                taken as two planes of bytes.
            number: of the one image, where each has a transform of its own.
            plain_shape: of the images before encryption, where that is another.

        Returns:
            An array of the same dtype.
        """
        planes = to_planes(images)
        if plain_shape is None:
            plain_shape = images.shape[-3:]
        shape = planes_shape(plain_shape, 8 * images.dtype.itemsize)
        return from_planes(self.get(shape, number)(planes), images.dtype)

    def get(self, image_shape, number=None):
        """The transform of a shape; for the image `number`, one of its own."""
        if number is not None:
            return self._build(self._images.for_image(number), image_shape)
        image_shape = tuple(image_shape)
        with self._lock:
            if image_shape not in self._kept:
                # Room first: two large ones need not fit in memory.
                while self._kept and self._bytes(image_shape) > CACHED_BYTES:
                    self._kept.popitem(last=False)
                self._kept[image_shape] = self._build(self._key, image_shape)
            self._kept.move_to_end(image_shape)
            return self._kept[image_shape]

    def _bytes(self, new_shape):
        return sum(math.prod(shape) for shape in [*self._kept, new_shape])

    def _build(self, key, image_shape):
        transform = self._cipher(key, image_shape, **self._options)
        transform.require_bytes("Files and data sets")
        return (transform.inverse if self._invert else transform).prepare()
