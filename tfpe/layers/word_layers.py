"""Layers for networks that fit a cipher: words of bytes, and patches of words."""

import keras
from keras import ops

from tfpe.algebra.words import WORD_BITS
from tfpe.checks import one_of, whole_number
from tfpe.errors import NetworkError
from tfpe.layers.byte_inputs import bytes_of


@keras.saving.register_keras_serializable(package="tfpe")
class Words(keras.layers.Layer):
    """Splits bytes into centred words of 8, 4 or 1 bits.

    A word v of b bits becomes 2 v / (2^b - 1) - 1, between -1 and 1, so that a
    negated word changes its sign: a cipher that moves and negates words acts on the
    output as a signed permutation. The words of a byte stand side by side among the
    channels, lowest bits first, as in `tfpe.Transform`.

    Args:
        bits: of a word, 8, 4 or 1.
        **options: of Keras layers.

    Input shape:
        (..., height, width, channels), `uint8`, or other numbers from 0 to 255. They
        are rounded to whole bytes, but for words of 8 bits.

    Output shape:
        (..., channels * 8 / bits), in the compute dtype of the layer. Images that do
        not fit, such as those of 0 to 1, become NaN inside a graph.

    Raises:
        NetworkError: `bits` is none of these, or the input has less than three axes.
        ImageError: images that do not fit, outside a graph.

    Source: for bytes, Kiya et al. 2022 (arXiv 2207.05366).

    Example:

    >>> import numpy as np
    >>> byte = np.array([[[0xF0]]], np.uint8)
    >>> Words(4)(byte).numpy().tolist()
    [[[-1.0, 1.0]]]
    """

    def __init__(self, bits=8, **options):
        super().__init__(**options)
        # Bytes are whole numbers up to 255, which 16-bit floats do not all hold.
        self.autocast = False
        self.supports_jit = True
        self.bits = check_bits(bits)

    def call(self, images):
        if len(images.shape) < 3:
            raise NetworkError(
                "Images should have shape (..., height, width, channels). "
                f"Received: shape {tuple(images.shape)}"
            )
        return centred_words(images, self.bits, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        *lead, channels = input_shape
        return (*lead, channels and channels * 8 // self.bits)

    def get_config(self):
        return super().get_config() | {"bits": self.bits}


@keras.saving.register_keras_serializable(package="tfpe")
class WordPatchEmbedding(keras.layers.Layer):
    """A dense layer on the centred words of each patch, one for all or one for each.

    The first layer of a network that fits a cipher: with patches in which the key
    keeps to itself and words that it at most negates, training on ciphertext costs
    nothing. `tied` where all patches have one key (le), not `tied` otherwise (ele,
    etc, pbe, logistic); `tfpe.structure` tells.

    Args:
        units: length of the embedding of a patch.
        patch_size: side of a patch in pixels.
        bits: of a word, 8, 4 or 1.
        tied: whether all patches share one kernel; the bias is always shared.
        kernel_initializer: of Keras; the default is uniform by fan-in of one patch.
        kernel_regularizer, bias_regularizer: of Keras.
        **options: of Keras layers.

    Input shape:
        (batch, height, width, channels), bytes as for `Words`; height and width
        divisible by `patch_size`, and static.

    Output shape:
        (batch, height / patch_size, width / patch_size, units).

    Raises:
        NetworkError: an argument or a shape that does not fit.
        ImageError: as of `Words`.

    Source: patch embedding of ViT and ConvMixer, on words.

    Example:

    >>> import numpy as np
    >>> embed = WordPatchEmbedding(8, patch_size=4, bits=4, tied=True)
    >>> embed(np.zeros((2, 32, 32, 3), np.uint8)).shape
    TensorShape([2, 8, 8, 8])
    """

    def __init__(
        self,
        units,
        patch_size=4,
        bits=8,
        tied=True,
        kernel_initializer=None,
        kernel_regularizer=None,
        bias_regularizer=None,
        **options,
    ):
        super().__init__(**options)
        self.autocast = False
        self.supports_jit = True
        self.units = whole_number(units, "units", error=NetworkError)
        self.patch_size = whole_number(patch_size, "patch_size", error=NetworkError)
        self.bits = check_bits(bits)
        self.tied = one_of(tied, (True, False), "tied", error=NetworkError)
        # Not by the shape of the kernel: an untied one would be taken for a
        # convolution over as many places as there are patches.
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape):
        rows, columns, words = self._grid(input_shape)
        initializer = self.kernel_initializer
        if initializer is None:
            # torch.nn.Linear's: uniform between -1/sqrt(inputs) and 1/sqrt(inputs).
            bound = words**-0.5
            initializer = keras.initializers.RandomUniform(-bound, bound)
        lead = () if self.tied else (rows * columns,)
        self.kernel = self.add_weight(
            shape=(*lead, words, self.units),
            initializer=initializer,
            regularizer=self.kernel_regularizer,
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(self.units,),
            initializer="zeros",
            regularizer=self.bias_regularizer,
            name="bias",
        )

    def call(self, images):
        rows, columns, words = self._grid(images.shape)
        patches = patches_of(self._words(images), self.patch_size)
        kernel = ops.cast(self.kernel, self.compute_dtype)
        if self.tied:
            features = ops.matmul(patches, kernel)
        else:
            features = ops.einsum("bnw,nwu->bnu", patches, kernel)
        features = features + ops.cast(self.bias, self.compute_dtype)
        return ops.reshape(features, (-1, rows, columns, self.units))

    def _words(self, images):
        return centred_words(images, self.bits, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        rows, columns, _ = self._grid(input_shape)
        return (input_shape[0], rows, columns, self.units)

    def _grid(self, shape):
        """Rows and columns of patches, and words in each."""
        sizes = tuple(shape[1:])
        side = self.patch_size
        if len(sizes) != 3 or None in sizes or sizes[0] % side or sizes[1] % side:
            raise NetworkError(
                "Images should have shape (batch, height, width, channels), static but "
                f"for the batch and divisible by patch_size={side}. "
                f"Received: shape {tuple(shape)}"
            )
        height, width, channels = sizes
        return height // side, width // side, side * side * channels * 8 // self.bits

    def get_config(self):
        return super().get_config() | {
            "units": self.units,
            "patch_size": self.patch_size,
            "bits": self.bits,
            "tied": self.tied,
            "kernel_initializer": self.kernel_initializer
            and keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
        }


def centred_words(images, bits, dtype):
    """Bytes (..., C) as words from -1 to 1, (..., C * 8 / bits), of a float dtype."""
    most = 2**bits - 1
    data, sealed = bytes_of(images)
    if bits == 8:
        words = images
    else:
        values = ops.cast(data, "int32")
        parts = [
            ops.bitwise_and(ops.right_shift(values, shift), most)
            for shift in range(0, 8, bits)
        ]
        words = ops.stack(parts, axis=-1)
        *lead, channels = images.shape
        lead = [-1 if size is None else size for size in lead]
        words = ops.reshape(words, (*lead, channels * len(parts)))
    # Not in 16 bits: 2 v / 255 - 1 would lose its last bits before the sum.
    exact = "float64" if dtype == "float64" else "float32"
    return ops.cast(sealed(ops.cast(words, exact) * (2 / most) - 1), dtype)


def patches_of(words, side):
    """(B, H, W, C) as patches (B, patches, side * side * C), pixels row by row."""
    _, height, width, channels = words.shape
    rows, columns = height // side, width // side
    words = ops.reshape(words, (-1, rows, side, columns, side, channels))
    words = ops.transpose(words, (0, 1, 3, 2, 4, 5))
    return ops.reshape(words, (-1, rows * columns, side * side * channels))


def check_bits(bits):
    """`bits` if it is the size of a word; or an error."""
    bits = whole_number(bits, "bits", error=NetworkError)
    return one_of(bits, WORD_BITS, "bits", NetworkError)
