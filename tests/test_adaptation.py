"""The adaptation networks and their penalties. Budget: 20 s."""

import keras
import numpy as np
import pytest
from test_pyramidnet import parameters

from tfpe.errors import NetworkError
from training.networks import NETWORKS
from training.networks.adaptation import ele_adaptnet, le_adaptnet, pixel_adaptnet
from training.networks.adaptation_layers import (
    BlockMixing,
    BlockNetworks,
    PixelShuffle,
    permutation_penalty,
    total_variation,
)
from training.networks.pyramid import ADAPTATIONS
from training.pyramidnet import pyramidnet
from training.recipe import CHOICES

SMALL = {"depth": 8, "alpha": 6}
RNG = np.random.default_rng(0)
BUILDERS = [le_adaptnet, ele_adaptnet, pixel_adaptnet]


def floats(*shape):
    return np.random.default_rng(shape).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    "build, count", [(le_adaptnet, 28_500_165), (ele_adaptnet, 29_310_661)]
)
def test_published_parameter_counts(build, count):
    assert parameters(build()) == count


def test_pixel_network_adds_one_1x1_convolution():
    stem = 9 * 16 * (16 - 3)
    more = parameters(pixel_adaptnet(**SMALL)) - parameters(pyramidnet(**SMALL))
    assert more == stem + 3 * 16 + 2 * 16


@pytest.mark.parametrize("size", [2, 5, 64])
def test_permutation_penalty(size):
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(size)
        assert float(permutation_penalty(np.eye(size, dtype=np.float32)[order])) == 0
    matrix = floats(size, size)
    norms = [np.abs(matrix).sum(axis) for axis in (0, 1)]
    roots = [np.sqrt((matrix**2).sum(axis)) for axis in (0, 1)]
    expected = (np.sum(norms) - np.sum(roots)) / size**2
    assert np.isclose(permutation_penalty(matrix), expected, rtol=1e-5)
    assert expected > 0
    assert abs(float(permutation_penalty(np.zeros_like(matrix)))) < 1e-12


def test_total_variation():
    images = floats(2, 5, 4, 3)
    expected = np.abs(np.diff(images, axis=1)).sum()
    expected += np.abs(np.diff(images, axis=2)).sum()
    assert np.isclose(total_variation(images), expected / images.size)
    assert float(total_variation(np.full((1, 4, 4, 1), 7.0))) == 0
    # Sums of many float16 values would overflow.
    large = np.tile(np.array([[0], [60000]], np.float16), (1, 32, 32, 1))
    assert np.isclose(total_variation(large), 60000 * 63 / 64)


def test_pixel_shuffle_has_the_channel_order_of_torch():
    factor, images = 4, floats(2, 3, 5, 32)
    shuffled = np.array(PixelShuffle(factor)(images))
    assert shuffled.shape == (2, 12, 20, 2)
    for row, column, channel in [(0, 0, 0), (5, 6, 1), (11, 19, 0), (2, 3, 1)]:
        i, j = row % factor, column % factor
        source = images[:, row // factor, column // factor]
        expected = source[:, channel * factor**2 + i * factor + j]
        assert np.array_equal(shuffled[:, row, column, channel], expected)


def test_block_networks_are_one_normalised_map_a_block():
    layer = BlockNetworks(32, block_size=4)
    images = floats(2, 8, 12, 3)
    layer(images)
    for _ in range(200):
        layer(images, training=True)
    outputs = np.array(layer(images))
    for block in range(6):
        row, column = 4 * (block // 3), 4 * (block % 3)
        pixels = images[:, row : row + 4, column : column + 4].reshape(2, 48)
        kernel = np.array(layer.kernel)[block]
        expected = pixels @ kernel / np.linalg.norm(kernel, 2)
        assert np.allclose(outputs[:, block], expected, rtol=1e-3, atol=1e-3)


def test_a_permutation_matrix_puts_the_blocks_back():
    order, blocks = RNG.permutation(9), floats(2, 9, 5)
    layer = BlockMixing()
    layer.build(blocks.shape)
    limit = 1 / np.sqrt(9)
    assert np.abs(layer.matrix).max() <= limit
    layer.matrix.assign(np.eye(9, dtype=np.float32)[order])
    assert np.array_equal(np.array(layer(blocks))[:, order], blocks)
    assert float(layer.losses[0]) == 0


def test_le_network_treats_all_blocks_alike():
    model = le_adaptnet(**SMALL)
    adapted = keras.Model(model.input, model.get_layer("adapt_shuffle").output)
    image = floats(1, 32, 32, 3)
    rolled = np.roll(image, (4, 8), (1, 2))
    expected = np.roll(adapted(image), (4, 8), (1, 2))
    assert np.allclose(adapted(rolled), expected, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_ele_penalties_join_the_loss(dtype):
    options = SMALL | {"input_shape": (8, 8, 3), "dtype": dtype}
    model = ele_adaptnet(
        permutation_weight=2.0, smoothness_weight=3.0, l2=0.5, **options
    )
    images, labels = floats(4, 8, 8, 3), np.arange(4)
    adapted = keras.Model(model.input, model.get_layer("adapt_shuffle").output)
    matrix = np.array(model.get_layer("adapt_mixing").matrix)
    penalties = 2 * permutation_penalty(matrix) + 3 * total_variation(adapted(images))
    squares = sum(np.sum(np.square(weight)) for weight in model.trainable_weights)
    entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    expected = entropy(labels, model(images)) + penalties + 0.25 * squares
    model.compile("sgd", entropy, jit_compile=False)
    assert np.isclose(model.evaluate(images, labels, verbose=0), expected, rtol=2e-3)
    before = matrix.copy()
    model.fit(images, labels, verbose=0)
    after = np.array(model.get_layer("adapt_mixing").matrix)
    assert np.all(np.isfinite(after)) and np.any(after != before)


@pytest.mark.parametrize("build", BUILDERS)
def test_saved_networks_give_the_same_logits(build, tmp_path):
    model = build(input_shape=(16, 16, 3), **SMALL)
    images = floats(2, 16, 16, 3)
    model(images, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert np.array_equal(loaded(images), model(images))
    expected = model(images, training=True)
    assert np.array_equal(loaded(images, training=True), expected)


@pytest.mark.parametrize("build", [le_adaptnet, ele_adaptnet])
@pytest.mark.parametrize("shape", [(30, 32, 3), (None, None, 3)])
def test_blocks_should_fill_the_image(build, shape):
    with pytest.raises(NetworkError, match="Received"):
        build(input_shape=shape, **SMALL)


def test_recipes_name_the_networks_there_are():
    assert tuple(ADAPTATIONS) == NETWORKS["pyramidnet"].options["adaptation"].choices
    assert CHOICES["network"] == (*NETWORKS, "matched")
