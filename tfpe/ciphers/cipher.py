"""A row of the table of ciphers: what builds it, and what is known of it."""

import dataclasses
import functools
import inspect
from collections.abc import Callable

import numpy as np

from tfpe import checks
from tfpe.algebra.keyed import Keyed
from tfpe.ciphers.traits import traits_of
from tfpe.errors import CipherOptionError
from tfpe.keys import KEY_BYTES, Key, Keys, check_key


@dataclasses.dataclass(frozen=True)
class Cipher:
    """A row of `CIPHERS`: a cipher, and what is known of it.

    Attributes:
        function: `(key, image_shape, **options) -> Keyed`, mostly a `Transform`.
        key_space: `(image_shape, **options) -> KeySpace`, in bits.
        reference: where it was published.
        unfolded: with the option `fold=False`, the shape of the ciphertext from that of
            the image, and back; None where the cipher keeps the shape.
        takes_keys: whether the function takes `tfpe.keys.Keys`, several keys at once.
    """

    function: Callable
    key_space: Callable
    reference: str
    unfolded: tuple[Callable, Callable] | None = None
    takes_keys: bool = False

    @property
    def name(self):
        """The name in `CIPHERS`."""
        return self.function.__name__

    @property
    def control(self):
        """Whether it is there for comparisons alone: of tfpe/ciphers/controls.py."""
        return self.function.__module__ == "tfpe.ciphers.controls"

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

    def require_bytes(self, holder, **options):
        """Raises where ciphertexts are no bytes, which `holder` needs.

        Args:
            holder: what they should go into, in words.
            **options: of the cipher.

        Raises:
            CipherOptionError: the ciphertexts are real numbers.
        """
        if not self.traits(**options).gives_bytes:
            raise CipherOptionError(
                f"{holder} should be given a cipher whose ciphertexts are bytes. "
                f"Received: {self.name}, whose ciphertexts are real numbers (float32)"
            )

    def block_size(self, **options):
        """Height and width of images must be divisible by this; pad to it."""
        return self.options(**options).get("block_size", 1)

    def traits(self, **options):
        """What it does to images, whatever the key, as `Traits`.

        Example:

        >>> from tfpe import CIPHERS
        >>> CIPHERS["le"].traits().word_bits
        4
        >>> CIPHERS["le"].traits(word_bits=8).word_bits
        8
        """
        told = repr(sorted(self.options(**options).items()))
        if told not in self._traits:
            self._traits[told] = traits_of(self, **self.check(**options))
        return self._traits[told]

    @functools.cached_property
    def _traits(self):
        """The traits found so far, by options."""
        return {}

    def cipher_shape(self, image_shape, **options):
        """Shape of the ciphertext of an image of `image_shape`; sizes may be None."""
        folded = self.options(**options).get("fold", True)
        return image_shape if folded else self.unfolded[0](image_shape)

    def plain_shape(self, cipher_shape, **options):
        """Shape of the image that gives a ciphertext of `cipher_shape`."""
        folded = self.options(**options).get("fold", True)
        return cipher_shape if folded else self.unfolded[1](cipher_shape)

    def __call__(self, key, image_shape, **options):
        """The `Keyed` map that encrypts images of `image_shape` under `key`."""
        return self.function(check_key(key), image_shape, **self.options(**options))

    def per_image(self, key, image_shape, numbers, **options):
        """One map for a batch whose images have a sub-key each.

        Args:
            key: a `tfpe.Key`; image number i is encrypted under `key.for_image(i)`.
            image_shape: (height, width, channels).
            numbers: the number of each image of the batch.

        Example:

        >>> from tfpe import CIPHERS
        >>> CIPHERS["pbe"].per_image(Key(bytes(32)), (4, 4, 3), range(5)).batch_size
        5
        """
        check_key(key)
        keys = [key.for_image(number) for number in numbers]
        if self.takes_keys and keys:
            return self.function(Keys(keys), image_shape, **self.options(**options))
        return Keyed.stack(self(one, image_shape, **options) for one in keys)
