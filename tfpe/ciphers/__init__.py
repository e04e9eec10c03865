"""The ciphers: pure functions `(key, image_shape, **options) -> Transform`.

`CIPHERS` is the table of them all. Each `*_transform` builds the same cipher from
explicit key material, for published keys and for exact tests.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable

import numpy as np

from tfpe import checks
from tfpe.algebra.transform import Transform
from tfpe.ciphers import controls, learnable, pixel, scrambled
from tfpe.ciphers.controls import (
    blockshuffle,
    blockshuffle_transform,
    identity,
    keystream,
    keystream_transform,
    negpos,
    shuffle,
    shuffle_transform,
)
from tfpe.ciphers.keyspace import KeySpace
from tfpe.ciphers.learnable import ele, ele_transform, le, le_transform
from tfpe.ciphers.pixel import logistic, logistic_transform, pbe, pbe_transform
from tfpe.ciphers.scrambled import (
    etc,
    etc_gray,
    etc_gray_transform,
    etc_transform,
)
from tfpe.errors import CipherOptionError
from tfpe.keys import KEY_BYTES, Key, check_key

__all__ = [
    "CIPHERS",
    "Cipher",
    "DEFAULT_CIPHER",
    "KeySpace",
    "blockshuffle",
    "blockshuffle_transform",
    "chosen_cipher",
    "ele",
    "ele_transform",
    "etc",
    "etc_gray",
    "etc_gray_transform",
    "etc_transform",
    "find_cipher",
    "identity",
    "keystream",
    "keystream_transform",
    "le",
    "le_transform",
    "logistic",
    "logistic_transform",
    "negpos",
    "pbe",
    "pbe_transform",
    "shuffle",
    "shuffle_transform",
]


@dataclasses.dataclass(frozen=True)
class Cipher:
    """A row of `CIPHERS`: a cipher, and what is known of it.

    Attributes:
        function: `(key, image_shape, **options) -> Transform`.
        key_space: `(image_shape, **options) -> KeySpace`, in bits.
        broken_by: the least evidence known to break it under one key.
        reference: where it was published.
        unfolded: with the option `fold=False`, the shape of the ciphertext from that of
            the image, and back; None where the cipher keeps the shape.
    """

    function: Callable
    key_space: Callable
    broken_by: str
    reference: str
    unfolded: tuple[Callable, Callable] | None = None

    @property
    def name(self):
        """The name in `CIPHERS`."""
        return self.function.__name__

    @property
    def summary(self):
        """What it does, in one line."""
        return inspect.getdoc(self.function).partition("\n")[0]

    @functools.cached_property
    def defaults(self):
        """The options of the cipher and their default values."""
        parameters = inspect.signature(self.function).parameters.values()
        return {p.name: p.default for p in parameters if p.default is not p.empty}

    def options(self, **options):
        """All options, defaults filled in; unknown ones raise `CipherOptionError`."""
        unknown = sorted(set(options) - set(self.defaults))
        if unknown:
            raise CipherOptionError(
                f"Options of {self.name} should be among {list(self.defaults)}. "
                f"Received: {unknown}"
            )
        # NumPy's numbers as Python's: JSON, labels and comparisons want those.
        plain = {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in options.items()
        }
        return self.defaults | plain

    def check(self, channels=3, /, **options):
        """All options, defaults filled in; raises now what a key would raise later."""
        options = self.options(**options)
        size = checks.block_size_of(self.block_size(**options))
        self.function(Key(bytes(KEY_BYTES)), (size, size, channels), **options)
        return options

    def block_size(self, **options):
        """Height and width of images must be divisible by this; pad to it."""
        return self.options(**options).get("block_size", 1)

    def cipher_shape(self, image_shape, **options):
        """Shape of the ciphertext of an image of `image_shape`; sizes may be None."""
        folded = self.options(**options).get("fold", True)
        return image_shape if folded else self.unfolded[0](image_shape)

    def plain_shape(self, cipher_shape, **options):
        """Shape of the image that gives a ciphertext of `cipher_shape`."""
        folded = self.options(**options).get("fold", True)
        return cipher_shape if folded else self.unfolded[1](cipher_shape)

    def __call__(self, key, image_shape, **options):
        """The `Transform` that encrypts images of `image_shape` under `key`."""
        return self.function(check_key(key), image_shape, **self.options(**options))

    def per_image(self, key, image_shape, numbers, **options):
        """One `Transform` for a batch whose images have a sub-key each.

        Args:
            key: a `tfpe.Key`; image number i is encrypted under `key.for_image(i)`.
            image_shape: (height, width, channels).
            numbers: the number of each image of the batch.

        Example:

        >>> CIPHERS["pbe"].per_image(Key(bytes(32)), (4, 4, 3), range(5)).batch_size
        5
        """
        check_key(key)
        return Transform.stack(
            self(key.for_image(number), image_shape, **options) for number in numbers
        )


CIPHERS = {
    row.name: row
    for row in (
        Cipher(
            le,
            learnable.le_key_space,
            "1 chosen image, 1 to 2 known ones, or 50 ciphertexts of 32 x 32",
            "Tanaka 2018, arXiv 1804.00490",
        ),
        Cipher(
            ele,
            learnable.ele_key_space,
            "5 chosen images of 32 x 32, some 16 known ones, or 400 ciphertexts",
            "Madono et al. 2020, arXiv 2001.07761",
        ),
        Cipher(
            pbe,
            pixel.pbe_key_space,
            "1 chosen image, 2 to 4 known ones, or 50 ciphertexts alone",
            "Sirichotedumrong et al. 2019, doi 10.1109/ACCESS.2019.2959017",
        ),
        Cipher(
            logistic,
            pixel.logistic_key_space,
            "2 chosen images, 2 to 4 known ones, or 50 ciphertexts alone",
            "Ahmad & Shin 2022, arXiv 2203.16780",
        ),
        Cipher(
            etc,
            scrambled.etc_key_space,
            "3 chosen images or 400 ciphertexts of 32 x 32; jigsaw solvers",
            "Kurihara et al. 2015, IEICE Trans. Fundamentals E98-A(11)",
        ),
        Cipher(
            etc_gray,
            scrambled.etc_gray_key_space,
            "3 chosen images of 32 x 32; jigsaw solvers on large images",
            "Chuman et al. 2019, doi 10.1109/TIFS.2018.2881677",
            unfolded=(scrambled.side_by_side_shape, scrambled.planes_shape),
        ),
        Cipher(identity, controls.identity_key_space, "nothing: it is plain", "-"),
        Cipher(
            negpos,
            controls.negpos_key_space,
            "1 chosen or known image, or 50 ciphertexts alone",
            "the negative-positive step of the ciphers above",
        ),
        Cipher(
            shuffle,
            controls.shuffle_key_space,
            "2 chosen images of 32 x 32, or 4 known ones",
            "control",
        ),
        Cipher(
            blockshuffle,
            controls.blockshuffle_key_space,
            "1 chosen image, 1 to 2 known ones, or ciphertexts alone",
            "MaungMaung & Kiya 2021, IEEE TIFS 16",
        ),
        Cipher(
            keystream,
            controls.keystream_key_space,
            "1 chosen or known image: it is the stream",
            "control: a stream cipher with a repeated nonce",
        ),
    )
}

# What encrypts where no cipher is named; nothing that decrypts or predicts has one.
DEFAULT_CIPHER = "logistic"


def chosen_cipher(name, invert=False):
    """The row of `CIPHERS`; the default one where images are encrypted under no name.

    Args:
        name: of a cipher, or None.
        invert: whether images are decrypted: then nothing is guessed.

    Returns:
        A `Cipher`.

    Raises:
        CipherOptionError: there is no such cipher, or none is named to decrypt with.

    Example:

    >>> chosen_cipher(None).name
    'logistic'
    """
    if name is None and invert:
        raise CipherOptionError(
            "`cipher` should name the cipher that the images were encrypted with, one "
            f"of {list(CIPHERS)}. Received: none"
        )
    return find_cipher(DEFAULT_CIPHER if name is None else name)


def find_cipher(name):
    """The row of `CIPHERS`, or an error that lists the names.

    Args:
        name: of a cipher.

    Returns:
        A `Cipher`.

    Raises:
        CipherOptionError: there is no such cipher.

    Example:

    >>> find_cipher("ele").defaults
    {'block_size': 4, 'reversal': 'derived'}
    """
    if not isinstance(name, str) or name not in CIPHERS:
        raise CipherOptionError(
            f"`cipher` should be one of {list(CIPHERS)}. Received: cipher={name!r}"
        )
    return CIPHERS[name]
