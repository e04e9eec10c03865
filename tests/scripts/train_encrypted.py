"""Plain Keras on an encrypted data set, on one device or spread; never loads tfpe.

Arguments: name of the set, its data_dir, and how: "mirrored" (one device, then
MirroredStrategy on two virtual ones) or "process:NUMBER:PORT" (JAX, one of two
processes on this machine that share each batch). Prints the losses of epochs, a line of
JSON for each training. Backends begin with the same weights.
"""

import contextlib
import json
import sys

import keras
import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

name, data_dir, how = sys.argv[1:]
BATCH, EPOCHS = 40, 3


def build():
    layers = [
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(8, 4, 4, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(10),
    ]
    model = keras.Sequential([keras.Input(images.shape[1:]), *layers])
    random = np.random.default_rng(0)
    for weights in model.trainable_variables:
        scale = 0.1 * (weights.ndim > 1)  # biases begin at 0
        weights.assign(scale * random.normal(size=weights.shape).astype(np.float32))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    on_jax = keras.backend.backend() == "jax"  # which is slow at single operations
    model.compile(keras.optimizers.SGD(0.1), loss, jit_compile=on_jax)
    return model


share = slice(None)
if how == "mirrored":
    cpu = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)
if how.startswith("process"):
    _, number, port = how.split(":")
    keras.distribution.initialize(f"127.0.0.1:{port}", 2, int(number))
    devices = keras.distribution.list_devices()
    spread = keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False)
    keras.distribution.set_distribution(spread)
    if len(devices) != 2:
        raise SystemExit(f"2 devices should be found. Received: {devices}")
    share = slice(int(number), None, 2)
images, labels = tfds.as_numpy(
    tfds.load(name, data_dir=data_dir, split="train", batch_size=-1, as_supervised=True)
)
images = images[: len(images) // BATCH * BATCH].astype("float32")
data = tf.data.Dataset.from_tensor_slices((images, labels[: len(images)])).batch(BATCH)
data = data.map(lambda x, y: (x[share], y[share]))


def train(scope):
    with scope:
        model = build()
    fit = model.fit(data, epochs=EPOCHS, shuffle=False, verbose=0)
    print(json.dumps(fit.history["loss"]))


train(contextlib.nullcontext())
if how == "mirrored":
    train(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope())
if "tfpe" in sys.modules:
    raise SystemExit("tfpe was loaded")
