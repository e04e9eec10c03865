"""The residual unit of a PyramidNet, and the layers that its networks are made of."""

import keras
from keras import layers, ops

from tfpe.errors import NetworkError
from training.shakedrop import ShakeDrop

EXPANSION = {"basic": 1, "bottleneck": 4}  # of the last convolution of a unit
CHANNELS_LAST = "channels_last"


@keras.saving.register_keras_serializable(package="training")
class PyramidUnit(layers.Layer):
    """A residual unit that widens: zeros stand in for channels the shortcut lacks.

    One layer for the whole unit, so that networks of hundreds of layers stay clear of
    Python's recursion limit.

    Args:
        width: of the convolutions, in channels; a bottleneck's last has four times it.
        stride: 1, or 2 to halve height and width (rounded up).
        block: "basic": BN, conv3x3, BN, ReLU, conv3x3, BN; "bottleneck": BN, conv1x1,
            BN, ReLU, conv3x3, BN, ReLU, conv1x1, BN.
        drop_probability: of ShakeDrop; None for none.
        granularity: of ShakeDrop.
        l2: weight decay, as of `pyramidnet`.
        **options: of a Keras layer.

    Input shape:
        (batch, height, width, channels), with no more channels than the output.

    Output shape:
        (batch, height / stride, width / stride, width or four times it).
    """

    def __init__(
        self,
        width,
        stride=1,
        block="basic",
        drop_probability=None,
        granularity="sample",
        l2=None,
        **options,
    ):
        super().__init__(**options)
        self.width = width
        self.stride = stride
        self.block = block
        self.drop_probability = drop_probability
        self.granularity = granularity
        self.l2 = l2
        policy = self.dtype_policy
        if block == "basic":
            shapes = [(width, 3, stride), (width, 3, 1)]
        else:
            shapes = [(width, 1, 1), (width, 3, stride), (self._channels(), 1, 1)]
        self.convolutions = [
            convolution(filters, size, l2, policy, strides=step)
            for filters, size, step in shapes
        ]
        self.norms = [batch_normalisation(l2, policy) for _ in range(len(shapes) + 1)]
        self.shakedrop = None
        if drop_probability is not None:
            self.shakedrop = ShakeDrop(drop_probability, granularity, dtype=policy)
        self.pool = None
        if stride > 1:
            # "same" averages over what there is at an odd edge: torch's ceil_mode.
            self.pool = layers.AveragePooling2D(
                stride, padding="same", data_format=CHANNELS_LAST, dtype=policy
            )

    def _channels(self):
        return EXPANSION[self.block] * self.width

    def build(self, input_shape):
        if input_shape[-1] > self._channels():
            raise NetworkError(
                f"The input of {self.name!r} should have at most {self._channels()} "
                f"channels, as its output has. Received: shape {input_shape}"
            )
        self.norms[0].build(input_shape)
        shape = input_shape
        for convolve, norm in zip(self.convolutions, self.norms[1:], strict=True):
            convolve.build(shape)
            shape = (*shape[:-1], convolve.filters)
            norm.build(shape)

    def call(self, inputs, training=False):
        branch = self.norms[0](inputs, training=training)
        for index, convolve in enumerate(self.convolutions):
            if index:
                branch = ops.relu(branch)
            if convolve.padding == "valid" and convolve.kernel_size[0] > 1:
                # Rows on both sides, as in torch; "same" would pad only the far one.
                branch = ops.pad(branch, [[0, 0], [1, 1], [1, 1], [0, 0]])
            branch = self.norms[index + 1](convolve(branch), training=training)
        if self.shakedrop:
            branch = self.shakedrop(branch, training=training)
        shortcut = self.pool(inputs) if self.pool else inputs
        missing = self._channels() - inputs.shape[-1]
        if missing:
            shortcut = ops.pad(shortcut, [[0, 0], [0, 0], [0, 0], [0, missing]])
        return branch + shortcut

    def compute_output_shape(self, input_shape):
        batch, *size, _ = input_shape
        size = [length and -(-length // self.stride) for length in size]
        return (batch, *size, self._channels())

    def get_config(self):
        return super().get_config() | {
            "width": self.width,
            "stride": self.stride,
            "block": self.block,
            "drop_probability": self.drop_probability,
            "granularity": self.granularity,
            "l2": self.l2,
        }


def convolution(filters, size, l2, dtype, strides=1, use_bias=False, name=None):
    """A convolution of these networks: fan-out normal, no activation.

    Strided ones do not pad: the caller does, where it should.
    """
    return layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same" if strides == 1 else "valid",
        data_format=CHANNELS_LAST,
        use_bias=use_bias,
        kernel_initializer=keras.initializers.VarianceScaling(
            2, "fan_out", "untruncated_normal"
        ),
        kernel_regularizer=weight_decay(l2),
        bias_regularizer=weight_decay(l2),
        dtype=dtype,
        name=name,
    )


def batch_normalisation(l2, dtype, name=None):
    """A batch normalisation with torch's constants."""
    return layers.BatchNormalization(
        axis=-1,
        momentum=0.9,
        epsilon=1e-5,
        beta_regularizer=weight_decay(l2),
        gamma_regularizer=weight_decay(l2),
        dtype=dtype,
        name=name,
    )


def weight_decay(l2):
    """The regularizer l2 / 2 * sum(w^2), whose gradient is l2 * w; None for None."""
    return l2 and keras.regularizers.L2(l2 / 2)
