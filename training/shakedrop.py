"""ShakeDrop: noise on the residual branches of a PyramidNet."""

import keras
from keras import ops

from tfpe.errors import NetworkError

GRANULARITIES = ("sample", "element")


@keras.saving.register_keras_serializable(package="training")
class ShakeDrop(keras.layers.Layer):
    """Passes a residual branch through, or multiplies it by noise, at random.

    In training one gate b is drawn for the layer and the batch: 1 with probability
    1 - p. Where b is 1 the layer is the identity; where it is 0 the output is alpha
    times the input, and its gradient beta times the gradient of the output, with alpha
    uniform in [-1, 1) and beta, drawn independently of it, uniform in [0, 1). In
    evaluation the output is its mean, (1 - p) times the input.

    The random state is a variable of the layer: checkpoints hold it, so that a resumed
    training draws what an uninterrupted one would have drawn.

    Args:
        drop_probability: p, in [0, 1].
        granularity: "sample" draws one alpha and one beta for each sample of the
            batch, "element" one for each element.
        seed: int, of the random state; by default drawn from Python's generator, which
            `keras.utils.set_random_seed` seeds.
        **options: of a Keras layer.

    Input shape:
        Any, the batch first.

    Output shape:
        The same.

    Raises:
        NetworkError: an argument out of range.

    Source: Yamada et al. 2019, ShakeDrop Regularization for Deep Residual Learning
    (arXiv 1802.02375), Eq. 6 with the ranges of its section 4.

    Example:

    >>> import numpy as np
    >>> from training.shakedrop import ShakeDrop
    >>> shakedrop = ShakeDrop(0.25)
    >>> np.array(shakedrop(np.ones((1, 4), np.float32), training=False)).tolist()
    [[0.75, 0.75, 0.75, 0.75]]
    """

    def __init__(self, drop_probability, granularity="sample", seed=None, **options):
        super().__init__(**options)
        if not 0 <= drop_probability <= 1:
            raise NetworkError(
                "`drop_probability` should be between 0 and 1. "
                f"Received: drop_probability={drop_probability}"
            )
        if granularity not in GRANULARITIES:
            raise NetworkError(
                f"`granularity` should be one of {GRANULARITIES}. "
                f"Received: granularity={granularity!r}"
            )
        self.drop_probability = float(drop_probability)
        self.granularity = granularity
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, inputs, training=False):
        if self.drop_probability == 0:
            return inputs
        if not training:
            return inputs * (1 - self.drop_probability)
        rank = len(inputs.shape)
        if self.granularity == "sample":
            noise_shape = (ops.shape(inputs)[0],) + (1,) * (rank - 1)
        else:
            noise_shape = ops.shape(inputs)
        gate = self._uniform((1,) * rank, 0, 1) >= self.drop_probability
        alpha = self._uniform(noise_shape, -1, 1)
        beta = self._uniform(noise_shape, 0, 1)
        forward = ops.cast(ops.where(gate, 1.0, alpha), inputs.dtype)
        backward = ops.cast(ops.where(gate, 1.0, beta), inputs.dtype)
        # The value is forward * inputs, the gradient only that of the first term.
        return backward * inputs + ops.stop_gradient((forward - backward) * inputs)

    def _uniform(self, shape, low, high):
        # In float32 at least: float16 has too few numbers for a gate's probability.
        return keras.random.uniform(
            shape, low, high, dtype="float32", seed=self.seed_generator
        )

    # Keras counts the state of a seed generator among a layer's variables but saves
    # only weights, so that a resumed run would repeat its first draws.
    def save_own_variables(self, store):
        store["random_state"] = ops.convert_to_numpy(self.seed_generator.state)

    def load_own_variables(self, store):
        self.seed_generator.state.assign(store["random_state"][()])

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {
            "drop_probability": self.drop_probability,
            "granularity": self.granularity,
            "seed": self.seed,
        }
