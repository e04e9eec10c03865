"""Run by test_layers.py: `fit` under MirroredStrategy on two virtual devices."""

import sys

import keras
import numpy as np
import tensorflow as tf

from tfpe import CIPHERS, Key, PerceptualEncrypt

cpu = tf.config.list_physical_devices("CPU")[0]
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, two)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

key = Key(bytes(range(32)))
images = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 3)).astype(np.float32)
ciphers = {
    name: CIPHERS[name](key, (8, 8, 3))(images.astype(np.uint8)).astype(np.float32)
    for name in CIPHERS
}
with strategy.scope():
    inputs = keras.Input((8, 8, 3))
    outputs = {name: PerceptualEncrypt(key, name)(inputs) for name in CIPHERS}
    model = keras.Model(inputs, outputs)
    model.compile(loss=dict.fromkeys(CIPHERS, "mean_absolute_error"))
history = model.fit(images, ciphers, batch_size=4, verbose=0).history
for name in CIPHERS:
    (loss,) = history[f"{name}_loss"]
    if loss != 0:
        sys.exit(f"{name}: loss {loss} on {strategy.num_replicas_in_sync} replicas")
