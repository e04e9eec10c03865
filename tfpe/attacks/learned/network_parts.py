"""Parts that the networks of learned attacks share."""

import keras
from keras import layers, ops


def residual(features):
    """Adds what two 3 x 3 convolutions make of features."""
    return ops.relu(features + _convolved(features))


def normalised_residual(features):
    """The same for features that are normalised first: steps may be larger."""
    return features + _convolved(layers.LayerNormalization()(features))


def _convolved(features):
    width = features.shape[-1]
    mixed = layers.Conv2D(width, 3, padding="same", activation="relu")(features)
    return layers.Conv2D(
        width, 3, padding="same", kernel_initializer=_small(), use_bias=False
    )(mixed)


def attention(features, depth, heads=4, context=None):
    """Layers of attention without positions, to themselves or to a context."""
    width = features.shape[-1]
    for _ in range(depth):
        mixed = layers.LayerNormalization()(features)
        seen = mixed if context is None else context
        mixed = layers.MultiHeadAttention(heads, width // heads)(mixed, seen)
        features = features + mixed
        mixed = layers.LayerNormalization()(features)
        mixed = layers.Dense(2 * width, activation="gelu")(mixed)
        features = features + layers.Dense(width, kernel_initializer=_small())(mixed)
    return layers.LayerNormalization()(features)


def _small():
    """Layers that add begin as nearly nothing: no normalisation is needed then."""
    return keras.initializers.RandomNormal(stddev=0.02)


class Expected(layers.Layer):
    """The mean of choices under the softmax of logits, one choice being free.

    Args:
        count: number K of choices that are given.

    Input shape:
        Logits `(B, H, W, channels * (K + 1))`, choices `(B, H, W, channels or 1, K)`
        and free values `(B, H, W, channels)`.

    Output shape:
        `(B, H, W, channels)`.
    """

    def __init__(self, count, **options):
        super().__init__(**options)
        self.count = count

    def call(self, inputs):
        logits, choices, own = inputs
        shape = ops.shape(own)
        likely = ops.softmax(ops.reshape(logits, (*shape, self.count + 1)))
        given = ops.sum(likely[..., :-1] * choices, axis=-1)
        return given + likely[..., -1] * own

    def compute_output_shape(self, shapes):
        return shapes[2]


class Roughness(layers.Layer):
    """How rough each place of a block is over the whole image: plain ones are smooth.

    Args:
        side: of a block, in pixels.

    Input and output shape:
        `(B, H, W, C)`; blocks are alike in the output.
    """

    def __init__(self, side, **options):
        super().__init__(**options)
        self.side = side

    def call(self, values):
        means = ops.average_pool(values, 3, strides=1, padding="same")
        _, height, width, channels = ops.shape(values)
        shape = (-1, height // self.side, self.side, width // self.side, self.side)
        blocks = ops.reshape(ops.absolute(values - means), (*shape, channels))
        places = ops.mean(blocks, axis=(1, 3), keepdims=True)
        repeated = ops.broadcast_to(places, ops.shape(blocks))
        return 8 * ops.reshape(repeated, ops.shape(values))

    def compute_output_shape(self, shape):
        return shape


class Queries(layers.Layer):
    """Learned vectors, `(B, count, width)`: one for each place of the plain picture."""

    def __init__(self, count, width, **options):
        super().__init__(**options)
        self.count, self.width = count, width

    def build(self, shape):
        self.vectors = self.add_weight(
            shape=(self.count, self.width), initializer="random_normal", name="vectors"
        )

    def call(self, tokens):
        vectors = ops.convert_to_tensor(self.vectors)[None]
        return ops.repeat(vectors, ops.shape(tokens)[0], axis=0)

    def compute_output_shape(self, shape):
        return (shape[0], self.count, self.width)


def words_of_blocks(images, side, bits):
    """Bytes `(B, H, W, C)` as centred words of blocks, `(B, blocks, words)`.

    Words run as those of `tfpe.algebra.structure.source_regions`.
    """
    _, height, width, channels = images.shape
    values = ops.cast(images, "int32")
    shape = (-1, height // side, side, width // side, side, channels)
    values = ops.transpose(ops.reshape(values, shape), (0, 1, 3, 2, 4, 5))
    values = ops.reshape(values, (-1, height * width // side**2, side**2 * channels))
    if bits < 8:
        parts = [values // 2**shift % 2**bits for shift in range(0, 8, bits)]
        values = ops.stack(parts, axis=-1)
        values = ops.reshape(
            values, (-1, *values.shape[1:2], values.shape[2] * len(parts))
        )
    return ops.cast(values, "float32") * (2 / (2**bits - 1)) - 1


def picture_of_blocks(blocks, image_shape, side):
    """Values of blocks, `(B, blocks, side * side * C)`, as pictures `(B, H, W, C)`."""
    height, width, channels = image_shape
    shape = (-1, height // side, width // side, side, side, channels)
    values = ops.transpose(ops.reshape(blocks, shape), (0, 1, 3, 2, 4, 5))
    return ops.reshape(values, (-1, height, width, channels))


def placed(logits, blocks, rounds=8):
    """Blocks where they probably belong: each in one place, each place with one.

    Args:
        logits: `(B, blocks, places)`, how well each block fits each place.
        blocks: `(B, blocks, values)`.
        rounds: of Sinkhorn's iteration.

    Returns:
        `(B, places, values)`: the mean over where blocks may belong.
    """
    for _ in range(rounds):
        logits = logits - ops.logsumexp(logits, axis=1, keepdims=True)
        logits = logits - ops.logsumexp(logits, axis=2, keepdims=True)
    return ops.einsum("btp,btv->bpv", ops.exp(logits), blocks)
