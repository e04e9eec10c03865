"""Layers and penalties of the adaptation networks."""

import math

import keras
from keras import layers, ops

from training.pyramidnet.unit import weight_decay

PERMUTATION_WEIGHT = 0.001
SMOOTHNESS_WEIGHT = 0.1


def permutation_penalty(matrix):
    """How far a square matrix is from a permutation matrix: 0 exactly for those.

    Rows and columns with one entry other than 0 have equal L1 and L2 norms.

    Args:
        matrix: float tensor (n, n).

    Returns:
        Scalar: the sum of L1 - L2 over all rows and columns, over n^2.

    Source: Lyu et al. 2020, AutoShuffleNet (KDD), as used in arXiv 2001.07761.
    """
    total = 0.0
    for axis in (0, 1):
        absolute = ops.sum(ops.abs(matrix), axis=axis)
        # Not below a tiny number: the root has no finite slope at 0.
        squares = ops.maximum(ops.sum(ops.square(matrix), axis=axis), 1e-30)
        total = total + ops.sum(absolute - ops.sqrt(squares))
    return total / math.prod(matrix.shape)


def total_variation(images):
    """Mean difference of neighbouring pixels, vertical plus horizontal.

    The sum of |x[i + 1, j] - x[i, j]| + |x[i, j + 1] - x[i, j]| over a batch, divided
    by its number of values: the factor 0.1 of the paper then does not depend on sizes.
    (The paper's own normalisation is not known.)

    Args:
        images: float tensor (batch, height, width, channels).

    Returns:
        Scalar, float32 at least.
    """
    images = ops.cast(images, keras.backend.result_type(images.dtype, "float32"))
    vertical = ops.abs(images[:, 1:] - images[:, :-1])
    horizontal = ops.abs(images[:, :, 1:] - images[:, :, :-1])
    values = ops.cast(ops.size(images), images.dtype)
    return (ops.sum(vertical) + ops.sum(horizontal)) / values


@keras.saving.register_keras_serializable(package="training")
class PixelShuffle(layers.Layer):
    """Turns channels into pixels, in the channel order of `torch.nn.PixelShuffle`.

    Args:
        factor: r, by which height and width grow.
        **options: of a Keras layer.

    Input shape:
        (batch, height, width, r * r * channels).

    Output shape:
        (batch, r * height, r * width, channels).

    Source: Shi et al. 2016 (arXiv 1609.05158), Eq. 4.
    """

    def __init__(self, factor, **options):
        super().__init__(**options)
        self.factor = factor

    def call(self, inputs):
        _, *shape = self.compute_output_shape(inputs.shape)
        _, rows, columns, _ = inputs.shape
        factor = self.factor
        split = ops.reshape(inputs, (-1, rows, columns, shape[2], factor, factor))
        return ops.reshape(ops.transpose(split, (0, 1, 4, 2, 5, 3)), (-1, *shape))

    def compute_output_shape(self, input_shape):
        batch, rows, columns, channels = input_shape
        factor = self.factor
        return (batch, factor * rows, factor * columns, channels // factor**2)

    def get_config(self):
        return super().get_config() | {"factor": self.factor}


@keras.saving.register_keras_serializable(package="training")
class BlockNetworks(layers.Layer):
    """One spectrally normalised linear map for each block of an image.

    All of them in one batched product: 64 layers would do the same, slowly. Each
    kernel is divided by an estimate of its largest singular value; every training
    step improves the estimate by one power iteration.

    Args:
        filters: number of outputs for a block.
        block_size: side of a block in pixels.
        l2: weight decay, as of `pyramidnet`.
        **options: of a Keras layer.

    Input shape:
        (batch, height, width, channels).

    Output shape:
        (batch, blocks, filters), blocks row by row.

    Source: arXiv 2001.07761; Miyato et al. 2018, Spectral Normalization (arXiv
    1802.05957), Algorithm 1.
    """

    def __init__(self, filters, block_size=4, l2=None, **options):
        super().__init__(**options)
        self.filters = filters
        self.block_size = block_size
        self.l2 = l2

    def build(self, input_shape):
        blocks = self.compute_output_shape(input_shape)[1]
        inputs = self.block_size**2 * input_shape[-1]
        fan_out = self.block_size**2 * self.filters
        # Singular values are estimated in the dtype of the variables.
        self.kernel = self.add_weight(
            name="kernel",
            shape=(blocks, inputs, self.filters),
            initializer=keras.initializers.RandomNormal(stddev=math.sqrt(2 / fan_out)),
            regularizer=weight_decay(self.l2),
            autocast=False,
        )
        self.singular = self.add_weight(
            name="singular",
            shape=(blocks, self.filters, 1),
            initializer=keras.initializers.RandomNormal(stddev=1),
            trainable=False,
            autocast=False,
        )

    def call(self, images, training=False):
        _, rows, columns, channels = images.shape
        size = self.block_size
        split = (-1, rows // size, size, columns // size, size, channels)
        blocks = ops.transpose(ops.reshape(images, split), (0, 1, 3, 2, 4, 5))
        blocks = ops.reshape(blocks, (-1, *self.kernel.shape[:2]))
        kernel = ops.convert_to_tensor(self.kernel)
        kernel = ops.cast(kernel / self._norms(kernel, training), self.compute_dtype)
        return ops.einsum("bni,nio->bno", blocks, kernel)

    def _norms(self, kernel, training):
        frozen = ops.stop_gradient(kernel)
        left = ops.normalize(ops.matmul(frozen, self.singular), axis=1)
        right = ops.normalize(ops.matmul(ops.swapaxes(frozen, 1, 2), left), axis=1)
        if training:
            self.singular.assign(right)
        return ops.sum(left * ops.matmul(kernel, right), axis=1, keepdims=True)

    def compute_output_shape(self, input_shape):
        batch, rows, columns, _ = input_shape
        size = self.block_size
        return (batch, (rows // size) * (columns // size), self.filters)

    def get_config(self):
        return super().get_config() | {
            "filters": self.filters,
            "block_size": self.block_size,
            "l2": self.l2,
        }


@keras.saving.register_keras_serializable(package="training")
class BlockMixing(layers.Layer):
    """Mixes the blocks by a free matrix that is pushed towards a permutation.

    Args:
        penalty_weight: factor of `permutation_penalty` in the loss.
        l2: weight decay, as of `pyramidnet`.
        **options: of a Keras layer.

    Input shape:
        (batch, blocks, channels).

    Output shape:
        The same: block j is the sum of the blocks k times matrix[k, j].

    Source: arXiv 2001.07761.
    """

    def __init__(self, penalty_weight=PERMUTATION_WEIGHT, l2=None, **options):
        super().__init__(**options)
        self.penalty_weight = penalty_weight
        self.l2 = l2

    def build(self, input_shape):
        blocks = input_shape[1]
        limit = 1 / math.sqrt(blocks)
        self.matrix = self.add_weight(
            name="matrix",
            shape=(blocks, blocks),
            initializer=keras.initializers.RandomUniform(-limit, limit),
            regularizer=weight_decay(self.l2),
            autocast=False,
        )

    def call(self, inputs):
        matrix = ops.convert_to_tensor(self.matrix)
        self.add_loss(self.penalty_weight * permutation_penalty(matrix))
        return ops.einsum("bkc,kj->bjc", inputs, ops.cast(matrix, self.compute_dtype))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {
            "penalty_weight": self.penalty_weight,
            "l2": self.l2,
        }


@keras.saving.register_keras_serializable(package="training")
class Smoothness(layers.Layer):
    """Passes images on and adds their total variation to the loss.

    Args:
        penalty_weight: factor of `total_variation` in the loss.
        **options: of a Keras layer.

    Input shape:
        (batch, height, width, channels).

    Output shape:
        The same.
    """

    def __init__(self, penalty_weight=SMOOTHNESS_WEIGHT, **options):
        super().__init__(**options)
        self.penalty_weight = penalty_weight

    def call(self, inputs):
        self.add_loss(self.penalty_weight * total_variation(inputs))
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {"penalty_weight": self.penalty_weight}
