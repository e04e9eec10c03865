"""ShakeDrop by its distribution, its gradient and its random state. Budget: 15 s."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tfpe.errors import NetworkError
from training.pyramidnet import pyramidnet
from training.shakedrop import ShakeDrop

DRAWS, SHAPE = 4000, (4, 3)


def draw(layer, draws=DRAWS, shape=SHAPE):
    """Factors of the forward and of the backward pass, (draws, *shape) each."""

    @tf.function(jit_compile=True)
    def factors():
        inputs = tf.ones(shape)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=True)
        return outputs, tape.gradient(outputs, inputs)

    pairs = [factors() for _ in range(draws)]
    return tuple(np.array([np.array(pair[i]) for pair in pairs]) for i in (0, 1))


@pytest.mark.parametrize("granularity", ["sample", "element"])
def test_moments_and_distribution(granularity):
    p = 0.4
    forward, backward = draw(ShakeDrop(p, granularity, seed=1))
    # One gate a batch: a draw is the identity in all places or in none.
    kept = (forward == 1).all((1, 2)) & (backward == 1).all((1, 2))
    assert not (forward[~kept] == 1).any()
    assert stats.binomtest(int(kept.sum()), DRAWS, 1 - p).pvalue > 1e-4
    # Standard deviations of the means of draws, from the definition.
    assert abs(forward.mean() - (1 - p)) < 5 * np.sqrt((1 + p) / DRAWS)
    assert abs(backward.mean() - (1 - p / 2)) < 5 * np.sqrt(1 / DRAWS)
    if granularity == "sample":
        assert np.allclose(forward, forward[..., :1], atol=1e-6)
        assert np.allclose(backward, backward[..., :1], atol=1e-6)
        forward, backward = forward[..., 0], backward[..., 0]
    alpha, beta = forward[~kept].ravel(), backward[~kept].ravel()
    assert stats.kstest(alpha, stats.uniform(-1, 2).cdf).pvalue > 1e-4
    assert stats.kstest(beta, stats.uniform(0, 1).cdf).pvalue > 1e-4
    assert stats.pearsonr(alpha, beta).pvalue > 1e-4
    first, second = forward[~kept].reshape((~kept).sum(), -1)[:, :2].T
    assert stats.pearsonr(first, second).pvalue > 1e-4


@pytest.mark.parametrize("p", [0, 0.25, 1])
def test_evaluation_and_limits(p):
    layer = ShakeDrop(p, seed=0)
    images = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype(np.float32)
    assert np.allclose(layer(images, training=False), (1 - p) * images)
    assert np.allclose(layer(images), (1 - p) * images)
    kept = [np.array_equal(layer(images, training=True), images) for _ in range(40)]
    assert all(kept) if p == 0 else any(kept) == (p < 1) and not all(kept)


@pytest.mark.parametrize("p, granularity", [(-0.1, "sample"), (2, "sample"), (0.5, "")])
def test_bad_options(p, granularity):
    with pytest.raises(NetworkError, match="Received"):
        ShakeDrop(p, granularity)


@pytest.mark.parametrize(
    "dtype, jit_compile", [("mixed_float16", True), ("mixed_bfloat16", False)]
)
def test_gradients_are_finite_in_half_precision(dtype, jit_compile):
    model = pyramidnet(8, 6, input_shape=(16, 16, 3), dtype=dtype)
    assert model.get_layer("stage1_unit1").shakedrop.compute_dtype == dtype[6:]
    rng = np.random.default_rng(0)
    # Raw bytes, not scaled to 1: the harder case.
    images, labels = rng.integers(0, 256, (16, 16, 16, 3)), rng.integers(0, 10, 16)

    @tf.function(jit_compile=jit_compile)
    def gradients():
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
            loss = keras.losses.sparse_categorical_crossentropy(labels, logits, True)
        return tape.gradient(loss, model.trainable_variables)

    for _ in range(10):
        values = gradients()
        assert all(np.all(np.isfinite(value)) for value in values)
        assert all(np.any(value) for value in values[-2:])


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
def test_checkpoints_hold_the_random_state(suffix, tmp_path):
    def build():
        keras.utils.set_random_seed(int(np.random.default_rng().integers(1 << 30)))
        return keras.Sequential([keras.Input((6,)), ShakeDrop(0.5), ShakeDrop(0.5)])

    path = tmp_path / f"model{suffix}"
    model, ones = build(), np.ones((5, 6), np.float32)
    model(ones, training=True)
    if suffix == ".keras":
        model.save(path)
        resumed = keras.saving.load_model(path)
    else:
        model.save_weights(path)
        resumed = build()
        resumed.load_weights(path)
    fresh = build()
    runs = [
        np.array([network(ones, training=True) for _ in range(20)])
        for network in (model, resumed, fresh)
    ]
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])
