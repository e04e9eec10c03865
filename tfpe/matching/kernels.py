"""First layers of models as kernels on centred words."""

import keras
import numpy as np
from keras import ops

from tfpe.algebra.structure import refined_kernel


class ConvolutionKernel:
    """A patch convolution behind affine layers, as one on centred bytes."""

    bits = 8
    regularizers = {}  # those of other numbers

    def __init__(self, layer, affine):
        self.side, self.units = layer.kernel_size[0], layer.filters
        self.activation = layer.activation
        kernel = np.asarray(ops.convert_to_numpy(layer.kernel), np.float64)
        channels = kernel.shape[2]
        scale, offset = np.ones(channels), np.zeros(channels)
        for one in affine:
            factor, shift = _affine(one, channels)
            scale, offset = scale * factor, offset * factor + shift
        bias = np.zeros(self.units)
        if layer.use_bias:
            bias += np.asarray(ops.convert_to_numpy(layer.bias), np.float64)
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
        self.bias = ops.convert_to_numpy(layer.bias)
        kernel = np.asarray(ops.convert_to_numpy(layer.kernel), np.float64)
        self._kernel = kernel[None] if layer.tied else kernel

    def refined(self, bits):
        """The same, with an axis of patches where they are not tied."""
        return refined_kernel(self._kernel, self.bits, bits)


def _affine(layer, channels):
    """A layer as factor and shift of each channel."""
    if isinstance(layer, keras.layers.Rescaling):
        # As the layer rounds them: a number goes through 32 bits even on its way to 64.
        factor, shift = (
            ops.convert_to_numpy(ops.cast(value, layer.compute_dtype))
            for value in (layer.scale, layer.offset)
        )
    else:
        mean, variance = (
            np.asarray(ops.convert_to_numpy(value), np.float64)
            for value in (layer.mean, layer.variance)
        )
        # As Keras does: never divide by nothing.
        deviation = np.maximum(np.sqrt(variance), keras.config.epsilon())
        factor, shift = 1 / deviation, -mean / deviation
        if layer.invert:
            factor, shift = deviation, mean
    return tuple(
        np.broadcast_to(np.asarray(v, np.float64).reshape(-1), channels)
        for v in (factor, shift)
    )
