"""The transforms of one key, built once for each image shape."""

import functools
import threading

MOST_SHAPES = 8


class Transforms:
    """Gives the transform of a shape, or of one image; called in several threads.

    Args:
        cipher: a row of `tfpe.CIPHERS`.
        key: a `tfpe.Key`.
        options: options of the cipher.
        images: the `tfpe.Key` of `tfpe.dataset.manifest.image_keys`; None where all
            images share one key.
        invert: whether to decrypt.
    """

    def __init__(self, cipher, key, options, images=None, invert=False):
        self._cipher, self._key, self._options = cipher, key, options
        self._images, self._invert = images, invert
        self._lock = threading.Lock()
        self._kept = functools.lru_cache(MOST_SHAPES)(self._of_shape)

    def get(self, image_shape, number=None):
        """The transform of a shape; for the image `number`, one of its own."""
        if number is not None:
            return self._build(self._images.for_image(number), image_shape)
        with self._lock:
            return self._kept(tuple(image_shape))

    def _of_shape(self, image_shape):
        return self._build(self._key, image_shape)

    def _build(self, key, image_shape):
        transform = self._cipher(key, image_shape, **self._options)
        transform = transform.inverse if self._invert else transform
        _ = transform.program  # here, so that no two threads choose it at once
        return transform
