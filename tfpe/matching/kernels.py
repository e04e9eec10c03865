"""First layers of models as kernels on centred words."""

import keras
import numpy as np
from keras import ops

from tfpe.algebra.structure import refined_kernel
from tfpe.errors import NetworkError


class ConvolutionKernel:
    """A patch convolution behind affine layers, as one on centred bytes."""

    bits = 8
    regularizers = {}  # those of other numbers

    def __init__(self, layer, affine):
        self.side, self.units = layer.kernel_size[0], layer.filters
        self.activation = layer.activation
        kernel = numbers_of(layer.kernel)
        channels = kernel.shape[2]
        scale, offset = np.ones(channels), np.zeros(channels)
        for one in affine:
            factor, shift = _affine(one, channels)
            scale, offset = scale * factor, offset * factor + shift
        bias = np.zeros(self.units)
        if layer.use_bias:
            bias += numbers_of(layer.bias)
        # byte = 127.5 * (centred + 1)
        moved = kernel * (127.5 * scale + offset)[:, None]
        self.bias = bias + moved.sum((0, 1, 2))
        self._kernel = kernel * (127.5 * scale)[:, None]

    def refined(self, bits):
        """The kernel on words of `bits` bits, `float64 (1, words, units)`."""
        return refined_kernel(self._kernel.reshape(1, -1, self.units), 8, bits)


class EmbeddingKernel:
    """A `WordPatchEmbedding`."""

    activation = staticmethod(keras.activations.linear)

    def __init__(self, layer):
        self.regularizers = {
            name: getattr(layer, name)
            for name in ("kernel_regularizer", "bias_regularizer")
        }
        self.side, self.units, self.bits = layer.patch_size, layer.units, layer.bits
        self.bias = numbers_of(layer.bias)
        kernel = numbers_of(layer.kernel)
        self._kernel = kernel[None] if layer.tied else kernel

    def refined(self, bits):
        """The same, with an axis of patches where they are not tied."""
        return refined_kernel(self._kernel, self.bits, bits)


def numbers_of(values):
    """Weights of any dtype as `float64` in NumPy, which knows no bfloat16."""
    if keras.backend.standardize_dtype(values.dtype) != "float64":
        values = ops.cast(values, "float32")
    return np.asarray(ops.convert_to_numpy(values), np.float64)


def _affine(layer, channels):
    """A layer as factor and shift of each channel.

    Raises:
        NetworkError: it has other numbers for other pixels.
    """
    if isinstance(layer, keras.layers.Rescaling):
        # As the layer rounds them: a number goes through 32 bits even on its way to 64.
        factor, shift = (
            numbers_of(ops.cast(value, layer.compute_dtype))
            for value in (layer.scale, layer.offset)
        )
    else:
        mean, variance = map(numbers_of, (layer.mean, layer.variance))
        # As Keras does: never divide by nothing.
        deviation = np.maximum(np.sqrt(variance), keras.config.epsilon())
        factor, shift = 1 / deviation, -mean / deviation
        if layer.invert:
            factor, shift = deviation, mean
    for value in (factor, shift):
        if value.size > 1 and not value.size == value.shape[-1] == channels:
            raise NetworkError(
                f"{layer.name!r} should have one number, or one for each of the "
                f"{channels} channels. Received: numbers of shape {value.shape}"
            )
    return tuple(np.broadcast_to(v.reshape(-1), channels) for v in (factor, shift))
