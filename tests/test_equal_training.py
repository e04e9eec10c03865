"""Training on ciphertext from weights w is training on images from w A. Budget: 15 s.

Both networks are of one architecture: nothing moves tokens back, so that the one on
ciphertext is what a cloud without the key trains.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from patch_models import SHAPE, images

import tfpe
from tfpe import Key
from tfpe.matching.layers import TokenOrder
from training.networks import find_network

KEY = Key(bytes(range(32)))
TOKENS = 16  # no other axis of these networks is as long
SIZES = {
    "convmixer": {"width": 6, "depth": 1, "kernel_size": 3},
    "mlp_mixer": {"width": 6, "depth": 1, "token_units": 8, "channel_units": 12},
}
FITTING = {
    "le": "convmixer",
    "pbe": "convmixer",
    "logistic": "convmixer",
    "ele": "mlp_mixer",
    "etc": "mlp_mixer",
}
OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "adamw": lambda: keras.optimizers.AdamW(3e-3, weight_decay=0.05),
}


def network(name, transform):
    """A network with the stem that fits a transform, and random weights."""
    found = tfpe.structure(transform)
    stem = {"patch_size": 4, "bits": found.bits, "tied": found.at(4).tied}
    return randomised(find_network(name).build(10, SHAPE, 5e-4, **SIZES[name] | stem))


def randomised(model):
    random = np.random.default_rng(1)
    for weight in model.trainable_weights:
        weight.assign(random.uniform(-0.3, 0.3, weight.shape))
    return model


def weights_of(model):
    return [weight.numpy() for weight in model.trainable_weights]


def moved_weights(model, transform):
    """Weights on ciphertext, for training that is that of `model` on images.

    The stem is that of the matched model; what has an axis of tokens, the weights of
    token mixing, takes them in the order of the ciphertext.
    """
    _, stem, *others = tfpe.match(model, transform).layers
    order = np.arange(TOKENS)
    if isinstance(others[0], TokenOrder):
        order = np.argsort(others[0].sources)
    weights = weights_of(model)[len(stem.weights) :]
    for axis in range(2):
        weights = [
            np.take(weight, order, axis)
            if weight.shape[axis:][:1] == (TOKENS,)
            else weight
            for weight in weights
        ]
    return [*stem.get_weights(), *weights]


def trainer(model):
    """A function that trains from any weights of a model, and returns the losses.

    All weights are one vector: an optimizer of Keras then takes few operations, none
    of which has to be compiled.
    """
    shapes = [weight.shape for weight in model.trainable_weights]
    sizes = [int(np.prod(shape)) for shape in shapes]
    others = [variable.value for variable in model.non_trainable_variables]
    labels = np.arange(20) % 10

    @tf.function
    def loss_and_gradient(flat, data):
        with tf.GradientTape() as tape:
            tape.watch(flat)
            parts = zip(tf.split(flat, sizes), shapes, strict=True)
            weights = [tf.reshape(part, shape) for part, shape in parts]
            logits, _, of_weights = model.stateless_call(
                weights, others, data, training=True, return_losses=True
            )
            loss = keras.losses.sparse_categorical_crossentropy(labels, logits, True)
            loss = tf.add_n([tf.reduce_mean(loss), *of_weights])
        return loss, tape.gradient(loss, flat)

    def losses(weights, data, optimizer, steps=20):
        flat, optimizer = np.concatenate(list(map(np.ravel, weights))), optimizer()
        flat, found = keras.Variable(flat), []
        for _ in range(steps):
            loss, gradient = loss_and_gradient(flat.value, data)
            optimizer.apply([gradient], [flat])
            found.append(float(loss))
        return np.array(found)

    return losses


@pytest.mark.parametrize("cipher", FITTING)
def test_losses_are_equal_step_by_step(cipher, float64):
    x, name = images(20), FITTING[cipher]
    transform = tfpe.CIPHERS[cipher](KEY, SHAPE)
    assert tfpe.structure(transform).moved == (name == "mlp_mixer")
    model = network(name, transform)
    plain, encrypted = weights_of(model), moved_weights(model, transform)
    # Of one distribution: the same numbers, moved and with other signs.
    for one, other in zip(plain, encrypted, strict=True):
        assert np.array_equal(*(np.sort(np.abs(w), axis=None) for w in (one, other)))
    losses = trainer(model)
    for optimizer in OPTIMIZERS.values():
        on_images = losses(plain, x, optimizer)
        assert on_images[-1] < on_images[0] - 0.01
        on_ciphertext = losses(encrypted, transform(x), optimizer)
        assert np.allclose(on_ciphertext, on_images, rtol=1e-9)
        # But not from the weights as they are.
        assert not np.allclose(losses(plain, transform(x), optimizer, 1), on_images[0])


def test_blocks_that_move_cost_a_convolutional_network(float64):
    """Its weights have no axis of tokens that could be moved."""
    transform, x = tfpe.CIPHERS["etc"](KEY, SHAPE), images(20)
    model = network("convmixer", transform)
    losses, encrypted = trainer(model), moved_weights(model, transform)
    for optimizer in OPTIMIZERS.values():
        on_images = losses(weights_of(model), x, optimizer)
        on_ciphertext = losses(encrypted, transform(x), optimizer)
        assert np.abs(on_images - on_ciphertext).max() > 1e-3


def test_a_stem_of_3_x_3_costs_something(float64):
    """It sees other neighbours on ciphertext: no weights give the same features.

    Those that come nearest are least squares, of what it sees in plain images by what
    it sees in ciphertexts.
    """
    model = [
        layers.Rescaling(1 / 127.5, -1),
        layers.Conv2D(6, 3, activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(10),
    ]
    model = randomised(keras.Sequential([keras.Input(SHAPE), *model]))
    losses, x, weights = trainer(model), images(20), weights_of(model)
    for cipher in FITTING:
        transform = tfpe.CIPHERS[cipher](KEY, SHAPE)
        seen = [
            np.lib.stride_tricks.sliding_window_view(data, (3, 3), (1, 2)) / 127.5 - 1
            for data in (x, transform(x))
        ]
        seen = [np.moveaxis(patches, 3, 5).reshape(-1, 27) for patches in seen]
        nearest, *_ = np.linalg.lstsq(seen[1], seen[0], rcond=None)
        kernel = (nearest @ weights[0].reshape(27, 6)).reshape(weights[0].shape)
        curves = (
            losses(weights, x.astype("float64"), OPTIMIZERS["sgd"]),
            losses(
                [kernel, *weights[1:]],
                transform(x).astype("float64"),
                OPTIMIZERS["sgd"],
            ),
        )
        assert np.abs(curves[0] - curves[1]).max() > 1e-3, cipher
