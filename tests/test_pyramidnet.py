"""PyramidNet against the published figures and a NumPy version. Budget: 35 s."""

import itertools

import keras
import numpy as np
import pytest
from processes import run_script

from tfpe.errors import NetworkError
from training.pyramidnet import drop_probabilities, pyramidnet, unit_widths

AUTHORS = {"rounding": "running", "stem_bias": False}


def parameters(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


@pytest.mark.parametrize(
    "options, count",
    [
        ({}, 28_485_493),
        ({"num_classes": 100}, 28_511_323),
        ({"depth": 20, "alpha": 12}, 87_121),
        ({"depth": 20, "alpha": 24}, 146_353),
        ({"depth": 38, "alpha": 60}, 823_648),
        ({"alpha": 48}, 1_809_154),
        ({"alpha": 84}, 3_955_582),
        ({"alpha": 48} | AUTHORS, 1_772_706),
        ({"depth": 164, "alpha": 48, "block": "bottleneck"} | AUTHORS, 1_715_442),
        ({"depth": 272, "alpha": 200, "block": "bottleneck"} | AUTHORS, 26_210_842),
    ],
)
def test_parameter_counts(options, count):
    assert parameters(pyramidnet(**options)) == count


def test_widths_and_drop_probabilities():
    assert unit_widths(54, 270) == [16 + 5 * unit for unit in range(1, 55)]
    assert unit_widths(9, 24) == [19, 22, 24, 27, 30, 32, 35, 38, 40]
    assert unit_widths(9, 24, "running") == [19, 21, 24, 27, 29, 32, 35, 37, 40]
    # 0.1 * 30 in floats lies above 3, its ceiling would be 4.
    assert unit_widths(30, 3)[-1] == unit_widths(30, 3, "running")[-1] == 19
    probabilities = drop_probabilities(54)
    assert np.allclose(probabilities, [0.5 * unit / 54 for unit in range(1, 55)])
    assert probabilities[-1] == 0.5
    model = pyramidnet(20, 24)
    units = [layer for layer in model.layers if "unit" in layer.name]
    assert [unit.width for unit in units] == unit_widths(9, 24)
    drops = [unit.shakedrop.drop_probability for unit in units]
    assert np.allclose(drops, np.arange(1, 10) / 18)
    assert [unit.output.shape[1:3] for unit in units[::3]] == [
        (32, 32),
        (16, 16),
        (8, 8),
    ]


def test_constants_and_initial_weights():
    model = pyramidnet(8, 240)
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            assert (layer.epsilon, layer.momentum) == (1e-5, 0.9)
            assert np.all(np.array(layer.gamma) == 1)
            assert not np.any(layer.beta)
        if isinstance(layer, keras.layers.Conv2D):
            rows, columns, _, filters = layer.kernel.shape
            expected = np.sqrt(2 / (rows * columns * filters))
            deviation = np.std(layer.kernel)
            # Four standard errors; a fan-in initialiser is far outside.
            assert abs(deviation / expected - 1) < 4 / np.sqrt(
                2 * np.size(layer.kernel)
            )


@pytest.mark.parametrize(
    "options",
    [
        {"depth": 21},
        {"depth": 2},
        {"depth": 20.0},
        {"depth": 112, "block": "bottleneck"},
        {"block": "wide"},
        {"rounding": "floor"},
        {"alpha": -1},
        {"alpha": float("nan")},
        {"num_classes": 0},
        {"depth": 8, "shakedrop": 1.5},
        {"granularity": "batch"},
        {"depth": 8, "input_shape": (32, 32)},
    ],
)
def test_bad_options(options):
    with pytest.raises(NetworkError, match="Received"):
        pyramidnet(**options)


def torch_weights(model, rng):
    """Random weights, in the order of the layers and torch's layout."""
    weights = []
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Conv2D):
            rows, columns, inputs, filters = layer.kernel.shape
            scale = 1 / np.sqrt(rows * columns * inputs)
            kernel = rng.normal(0, scale, (filters, inputs, rows, columns))
            values = [kernel] + [rng.normal(size=filters)] * layer.use_bias
            layer.set_weights([kernel.transpose(2, 3, 1, 0), *values[1:]])
        elif isinstance(layer, keras.layers.BatchNormalization):
            size = layer.gamma.shape
            values = [rng.uniform(0.5, 1.5, size), rng.normal(size=size)]
            values += [rng.normal(size=size), rng.uniform(0.5, 2, size)]
            layer.set_weights(values)
        elif isinstance(layer, keras.layers.Dense):
            values = [rng.normal(size=layer.kernel.shape[::-1]), rng.normal(size=10)]
            layer.set_weights([values[0].T, values[1]])
        else:
            continue
        weights.append((layer, values))
    return {id(layer): values for layer, values in weights}


def convolve(x, kernel, stride=1):
    """torch.nn.functional.conv2d(x, kernel, stride=stride, padding=size // 2)."""
    size = kernel.shape[2]
    pad = size // 2
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), (2, 3))
    return np.einsum(
        "nchwij,ocij->nohw", windows[:, :, ::stride, ::stride], kernel, optimize=True
    )


def normalise(x, gamma, beta, mean, variance):
    scale = gamma / np.sqrt(variance + 1e-5)
    return (x - mean[:, None, None]) * scale[:, None, None] + beta[:, None, None]


def average_pool(x):
    """torch.nn.functional.avg_pool2d(x, 2, ceil_mode=True)."""
    rows, columns = x.shape[2:]
    pooled = np.empty((*x.shape[:2], -(-rows // 2), -(-columns // 2)))
    for i, j in itertools.product(*map(range, pooled.shape[2:])):
        window = x[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        pooled[:, :, i, j] = window.mean((2, 3))
    return pooled


def numpy_logits(model, weights, x):
    """The published network, on (batch, channels, height, width) in float64."""

    def of(layer):
        return weights[id(layer)]

    kernel, *bias = of(model.get_layer("stem"))
    x = convolve(x, kernel) + (bias[0][:, None, None] if bias else 0)
    x = normalise(x, *of(model.get_layer("stem_norm")))
    units = [layer for layer in model.layers if "unit" in layer.name]
    for number, unit in enumerate(units):
        # Three units: each the first of its stage.
        stride = 1 if number == 0 else 2
        first = normalise(x, *of(unit.norms[0]))
        kernels = [of(layer)[0] for layer in unit.convolutions]
        norms = [of(layer) for layer in unit.norms[1:]]
        if len(kernels) == 2:
            middle = np.maximum(
                normalise(convolve(first, kernels[0], stride), *norms[0]), 0
            )
        else:
            narrow = np.maximum(normalise(convolve(first, kernels[0]), *norms[0]), 0)
            middle = np.maximum(
                normalise(convolve(narrow, kernels[1], stride), *norms[1]), 0
            )
        branch = normalise(convolve(middle, kernels[-1]), *norms[-1])
        branch *= 1 - 0.5 * (number + 1) / 3
        shortcut = x if stride == 1 else average_pool(x)
        branch[:, : shortcut.shape[1]] += shortcut
        x = branch
    x = np.maximum(normalise(x, *of(model.get_layer("head_norm"))), 0).mean((2, 3))
    matrix, bias = of(model.get_layer("logits"))
    return x @ matrix.T + bias


@pytest.mark.parametrize("side", [16, 15])
@pytest.mark.parametrize(
    "options", [{"depth": 8}, {"depth": 11, "block": "bottleneck"} | AUTHORS]
)
def test_weights_in_torch_layout_give_the_published_function(options, side):
    rng = np.random.default_rng(side)
    model = pyramidnet(alpha=10, input_shape=(side, side, 3), **options)
    weights = torch_weights(model, rng)
    images = rng.uniform(size=(3, 3, side, side))
    expected = numpy_logits(model, weights, images)
    logits = model.predict(images.transpose(0, 2, 3, 1), verbose=0)
    assert np.allclose(logits, expected, atol=1e-4)
    assert np.std(expected) > 0.1


@pytest.mark.parametrize("options", [{}, {"block": "bottleneck", "l2": 1e-3}])
def test_saved_models_give_the_same_logits(options, tmp_path):
    depth = 11 if "block" in options else 8
    model = pyramidnet(depth, 10, dtype="mixed_bfloat16", **options)
    torch_weights(model, np.random.default_rng(0))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    images = np.random.default_rng(1).uniform(size=(2, 32, 32, 3))
    for training in (False, True):
        expected = model(images, training=training)
        assert np.array_equal(loaded(images, training=training), expected)
    assert keras.backend.standardize_dtype(expected.dtype) == "float32"
    assert len(loaded.losses) == len(model.losses)


@pytest.mark.slow
def test_deep_networks_are_saved_and_loaded(tmp_path):
    model = pyramidnet(272, 20, block="bottleneck", input_shape=(8, 8, 3))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    pairs = zip(loaded.variables, model.variables, strict=True)
    assert all(np.array_equal(new, old) for new, old in pairs)


def test_l2_is_in_the_gradient_of_every_trainable_variable():
    model = pyramidnet(8, 6, input_shape=(8, 8, 3), l2=0.25)
    torch_weights(model, np.random.default_rng(1))
    before = [np.array(weight) for weight in model.trainable_weights]
    squares = sum(np.sum(weight**2) for weight in before)
    assert np.isclose(sum(model.losses), 0.25 / 2 * squares)
    # Without the loss of the labels a step is the decay alone.
    model.compile(keras.optimizers.SGD(0.5), "mse", loss_weights=[0.0])
    model.fit(np.ones((2, 8, 8, 3)), np.ones((2, 10)), verbose=0)
    for start, weight in zip(before, model.trainable_weights, strict=True):
        assert np.allclose(weight, (1 - 0.5 * 0.25) * start, atol=1e-6)
        assert np.any(start)


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_train_the_networks(backend, tmp_path):
    pytest.importorskip(backend)
    script = "networks_on_backend.py"
    run_script(script, tmp_path, "tensorflow", env={"KERAS_BACKEND": backend})
