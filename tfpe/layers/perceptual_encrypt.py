"""`PerceptualEncrypt`: a cipher as a Keras preprocessing layer."""

import operator

import keras
import numpy as np

from tfpe.algebra.backends import backend_of, is_tensorflow
from tfpe.checks import true_or_false
from tfpe.ciphers import chosen_cipher
from tfpe.errors import CipherOptionError, ImageError, LockedLayerError
from tfpe.keys import check_key
from tfpe.layers.first_batch import FirstBatch
from tfpe.layers.real_ciphertexts import RealRefusal, restored
from tfpe.pixels.byte_levels import from_bytes, to_bytes
from tfpe.pixels.padding import crop, pad_to_blocks, padded_size
from tfpe.pixels.value_ranges import BYTE_RANGE, Refusal, check_value_range

LAYER_ARGUMENTS = ("name", "dtype", "trainable")


@keras.saving.register_keras_serializable(package="tfpe")
class PerceptualEncrypt(keras.layers.Layer):
    """Encrypts (or decrypts) images inside a Keras model or a `tf.data` pipeline.

    The cipher is built once for each image shape, in NumPy on the host, and then
    applied as constant tensors. The layer runs on the Keras backends TensorFlow, JAX
    and torch; given TensorFlow tensors it runs in TensorFlow whatever the backend is,
    so that it can be mapped over a `tf.data.Dataset` everywhere.

    The key is never saved. A layer that was loaded or cloned is *locked*: it has a
    shape but raises `LockedLayerError` on images until `layer.key = key` is set to the
    key with the fingerprint in its config. Compiled functions and `tf.data` graphs hold
    the key's constants: they belong on the owner's side only (docs/security.md).

    Args:
        key: a `tfpe.Key`.
        cipher: a name in `tfpe.CIPHERS`; `tfpe.ciphers.DEFAULT_CIPHER`, which is
            logistic, by default. With `invert` it must be named.
        invert: whether to decrypt instead.
        value_range: lowest and highest value of float images, in and out: levels 0 and
            255 of a byte. Values between two levels are rounded to the nearest; with
            `invert` they are errors, since such a ciphertext is damaged.
        output_size: with `invert`, the (height, width) of decrypted images, to which
            they are cropped where encryption had padded them.
        fingerprint: fingerprint of the key, which the configs of saved layers hold.
        **options: options of the cipher, and `name`, `dtype`, `trainable` of Keras
            layers. The output has the layer's compute dtype, floats by default and
            exact in each; `dtype="uint8"` for byte pipelines.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, static but
        for the batch; `uint8`, other integers, or floats in `value_range`. Heights and
        widths that the block size of the cipher does not divide are padded by repeating
        the last row and column.

    Output shape:
        The same, padded to whole blocks; (height, channels * width, 1) for etc_gray
        with `fold=False`. Values are in `value_range`, but for orthogonal, whose
        ciphertexts are real numbers about 0.

    Raises:
        CipherOptionError: an unknown cipher, or an option that does not fit.
        ExportError: a graph that holds the unlocked layer is exported.
        ImageError: a dtype, shape or value does not fit: NaN, a value more than half a
            level out of range, or a batch that looks like another range. In graphs the
            framework passes the message on (TensorFlow as InvalidArgumentError, JAX as
            JaxRuntimeError). In TensorFlow graphs that XLA compiles, only the first
            batch of `fit` and `evaluate` can raise, since it is checked before. Later
            such images become NaN, or black where the output is of integers
            (docs/floats.md).
        LockedLayerError: images were given before the key.
        WrongKeyError: `layer.key` was set to a key with another fingerprint.

    Source: a layer form of the ciphers of Ahmad & Shin 2022 (arXiv 2203.16780).

    Example:

    >>> import numpy as np
    >>> from tfpe import Key
    >>> key = Key.generate()
    >>> encrypt = PerceptualEncrypt(key, cipher="le")
    >>> decrypt = PerceptualEncrypt(key, cipher="le", invert=True, output_size=(30, 30))
    >>> images = np.random.default_rng(0).integers(0, 256, (2, 30, 30, 3), np.uint8)
    >>> encrypt(images).shape, encrypt(images).dtype
    (TensorShape([2, 32, 32, 3]), tf.float32)
    >>> bool(np.all(np.asarray(decrypt(encrypt(images))) == images))
    True
    """

    # Tells AutoGraph that there is nothing to convert: no work at trace time.
    autograph_info__ = {}

    def __init__(
        self,
        key=None,
        cipher=None,
        invert=False,
        value_range=BYTE_RANGE,
        output_size=None,
        fingerprint=None,
        **options,
    ):
        layer_arguments = {
            name: options.pop(name) for name in LAYER_ARGUMENTS if name in options
        }
        super().__init__(**layer_arguments)
        # Otherwise Keras casts the inputs, and float labels beside them in a dict.
        self.autocast = False
        self.supports_jit = True
        self.invert = true_or_false(invert, "invert")
        self.value_range = check_value_range(value_range, self.compute_dtype)
        self.output_size = _check_output_size(output_size, self.invert)
        self._vault = _Vault(chosen_cipher(cipher, self.invert), options, fingerprint)
        if self._vault.real and not invert and "float" not in self.compute_dtype:
            raise CipherOptionError(
                f"`dtype` should be of floats, as ciphertexts of {self.cipher} are. "
                f"Received: dtype={self.compute_dtype!r}"
            )
        if key is not None:
            self.key = key
        elif fingerprint is None:
            check_key(key)

    @property
    def cipher(self):
        """Name of the cipher, in `tfpe.CIPHERS`."""
        return self._vault.cipher.name

    @property
    def options(self):
        """The options of the cipher, defaults filled in."""
        return dict(self._vault.options)

    @property
    def fingerprint(self):
        """Fingerprint of the key that the layer has, or waits for."""
        return self._vault.fingerprint

    @property
    def locked(self):
        """Whether the layer waits for its key."""
        return self._vault.key is None

    @property
    def key(self):
        """The key, or None while the layer is locked; set it to unlock the layer."""
        return self._vault.key

    @key.setter
    def key(self, key):
        self._vault.unlock(key, f"layer {self.name!r}")

    def __call__(self, images, *args, **kwargs):
        if is_tensorflow(images) and keras.backend.backend() != "tensorflow":
            # Keras would fail before `call`: it takes tensors of its backend only.
            return self.call(images)
        if isinstance(images, np.ndarray):
            # Before Keras makes a tensor of it: that drops masks, and on JAX the high
            # half of wide integers.
            backend_of(images)
            real = self.invert and self._vault.real
            if images.dtype.kind in "iu" and not real:
                images, _ = to_bytes(images, self.value_range, self.invert)
        return super().__call__(images, *args, **kwargs)

    def call(self, images):
        backend = backend_of(images)
        return backend.untraced(self._encrypt)(images, backend)

    def _encrypt(self, images, backend):
        result, valid = self.unguarded(images)
        if valid is None:
            return result
        return backend.guard(result, valid, images, self.refusal)

    @property
    def refusal(self):
        """What is said of images that do not fit the value range."""
        if self.invert and self._vault.real:
            return RealRefusal(self.value_range)
        return Refusal(self.value_range, exact=self.invert)

    def unguarded(self, images):
        """As `call`, beside a boolean of the images that fit, or None where all do.

        Inside XLA nothing can raise: who compiles this guards it outside.
        """
        backend = backend_of(images)
        shape = backend.static_shape(images)
        if len(shape) not in (3, 4) or None in shape[-3:]:
            raise ImageError(
                "Images should have shape (height, width, channels) or (batch, height, "
                "width, channels), static but for the batch; resize or crop them to "
                f"one size first. Received: shape {shape}"
            )
        if self.locked:
            raise LockedLayerError(
                f"Layer {self.name!r} should be unlocked before it is given images: "
                "set `layer.key` to the key with fingerprint "
                f"{self.fingerprint} (`layer.key = tfpe.Key.load(path)`). "
                "Received: images, and no key yet"
            )
        real = self.invert and self._vault.real
        if real:
            restore = self._vault.decryption(shape[-3:])
            data, valid = restored(images, restore, self.refusal)
        else:
            data, valid = to_bytes(images, self.value_range, self.invert)
        self._vault.first_batch.pass_through()
        if self.invert:
            if not real:
                data = self._vault.decryption(shape[-3:])(data)
            if self.output_size is not None:
                data = crop(data, *self.output_size)
        else:
            data = pad_to_blocks(data, self._vault.block_size)
            image_shape = backend.static_shape(data)[-3:]
            data = self._vault.encryption(image_shape)(data)
        images = from_bytes(data, valid, self.compute_dtype, self.value_range)
        return images, valid

    def is_one_operation(self, images):
        """Whether such bytes take one operation: a call of XLA takes longer."""
        shape = backend_of(images).static_shape(images)
        if len(shape) not in (3, 4) or None in shape[-3:] or self._vault.block_size > 1:
            return False
        keyed = self._vault.decryption if self.invert else self._vault.encryption
        return keyed(shape[-3:]).program.one_operation

    def compute_output_shape(self, input_shape):
        if len(input_shape) not in (3, 4):
            raise ImageError(
                "Images should have shape (height, width, channels) or (batch, height, "
                f"width, channels). Received: shape {tuple(input_shape)}"
            )
        *lead, height, width, channels = input_shape
        cipher, options = self._vault.cipher, self._vault.options
        if self.invert:
            shape = cipher.plain_shape((height, width, channels), **options)
            if any(size and size % cipher.block_size(**options) for size in shape[:2]):
                raise ImageError(
                    "Ciphertexts should be whole blocks of "
                    f"block_size={cipher.block_size(**options)}. "
                    f"Received: shape {tuple(input_shape)}"
                )
            if self.output_size is not None:
                shape = (*self.output_size, shape[2])
        else:
            block_size = cipher.block_size(**options)
            padded = [s and padded_size(s, block_size) for s in (height, width)]
            cipher.check(channels, **options)
            shape = cipher.cipher_shape((*padded, channels), **options)
        return (*lead, *shape)

    @property
    def metrics(self):
        # Keras asks every layer for its metrics when `fit` or `evaluate` starts: the
        # one moment that it tells a layer of, and values can still be looked at.
        if keras.backend.backend() != "torch":  # which raises by itself
            self._vault.first_batch.check()
        return super().metrics

    def get_config(self):
        return super().get_config() | {
            "cipher": self.cipher,
            "invert": self.invert,
            "value_range": list(self.value_range),
            "output_size": self.output_size and list(self.output_size),
            "fingerprint": self.fingerprint,
            "options": self.options,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        return super().from_config(config | config.pop("options"))


class _Vault:
    """What a layer must not save: its key and the transforms made with it.

    A plain object, which Keras does not look into; copies of it are empty.
    """

    def __init__(self, cipher, options, fingerprint):
        self.cipher = cipher
        self.options = cipher.check(**options)
        self.fingerprint = fingerprint
        self.key = None
        self.first_batch = FirstBatch()
        self._encryptions = {}

    @property
    def block_size(self):
        return self.cipher.block_size(**self.options)

    @property
    def real(self):
        """Whether ciphertexts are real numbers, and no bytes."""
        return not self.cipher.traits(**self.options).gives_bytes

    def unlock(self, key, owner):
        check_key(key)
        if self.fingerprint is not None:
            key.require(self.fingerprint, owner)
        self.key, self.fingerprint = key, key.fingerprint

    def encryption(self, image_shape):
        if image_shape not in self._encryptions:
            self._encryptions[image_shape] = self.cipher(
                self.key, image_shape, **self.options
            )
        return self._encryptions[image_shape]

    def decryption(self, cipher_shape):
        image_shape = self.cipher.plain_shape(cipher_shape, **self.options)
        return self.encryption(image_shape).inverse

    def __deepcopy__(self, memo):
        return _Vault(self.cipher, self.options, self.fingerprint)

    def __reduce_ex__(self, protocol):
        raise TypeError("The key of a layer should not be pickled.")


def _check_output_size(output_size, invert):
    if output_size is None:
        return None
    try:
        height, width = (operator.index(size) for size in output_size)
    except (TypeError, ValueError):
        height = width = 0
    if not invert or min(height, width) < 1:
        raise CipherOptionError(
            "`output_size` should be (height, width), with invert=True. "
            f"Received: output_size={output_size!r}, invert={invert}"
        )
    return height, width
