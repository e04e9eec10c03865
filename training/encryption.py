"""What encrypts training images: one key, or a fresh one for every image."""

import dataclasses
import functools

import numpy as np

from tfpe.ciphers import find_cipher
from tfpe.ciphers.cache import TransformCache
from tfpe.keys import check_key
from tfpe.pixels.jpeg_coding import coded, sent_as_jpeg

IMAGE_BYTES = 2**28  # of images whose own transforms stay from epoch to epoch


@dataclasses.dataclass(frozen=True, repr=False)
class Encryption:
    """A cipher under one key, or under a fresh key for every image.

    Attributes:
        key: a `tfpe.Key`.
        cipher: a name in `tfpe.CIPHERS`.
        per_image: whether image number n has the key `key.for_image(n)`; each view of
            it that augmentation makes keeps that key.
        options: of the cipher, a dict.
    """

    key: object
    cipher: str
    per_image: bool = False
    options: dict = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        check_key(self.key)
        find_cipher(self.cipher).options(**self.options)

    @property
    def gives_bytes(self):
        """Whether ciphertexts are bytes; else they are real numbers about 0."""
        return find_cipher(self.cipher).traits(**self.options).gives_bytes

    def output_shape(self, image_shape):
        """Shape of the ciphertext of images of `image_shape`."""
        image = np.zeros((1, *image_shape), np.uint8)
        return self(image, np.zeros(1, int)).shape[1:]

    def __call__(self, images, numbers):
        """Encrypts a batch, padded to whole blocks; `numbers` as in `Part`."""
        return self._transforms.encrypt(images, numbers if self.per_image else None)

    @functools.cached_property
    def _transforms(self):
        return TransformCache(
            *(find_cipher(self.cipher), self.key, self.options, self.key),
            image_bytes=IMAGE_BYTES,
        )

    def __reduce_ex__(self, protocol):
        raise TypeError("An Encryption holds its key and should not be pickled.")


def encrypt_all(encryption, images, numbers, batch_size=1000, jpeg=0):
    """Encrypts images once and for all; None as `encryption` leaves them plain.

    With `jpeg`, a quality, they are what the cloud decodes of JPEG files.
    """
    lossy = sent_as_jpeg(jpeg)
    if encryption is None:
        return coded(images, lossy)
    return np.concatenate(
        [
            coded(encryption(images[part], numbers[part]), lossy)
            for part in (
                slice(i, i + batch_size) for i in range(0, len(images), batch_size)
            )
        ]
    )
