"""Run by test_strategies.py: one of two workers of tf.distribute, in Keras.

Arguments: number of this worker, and the ports of both.
"""

import json
import os
import sys

number, *ports = sys.argv[1:]
workers = [f"127.0.0.1:{port}" for port in ports]
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CONFIG"] = json.dumps(
    {
        "cluster": {"worker": workers},
        "task": {"type": "worker", "index": int(number)},
    }
)

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

strategy = tf.distribute.MultiWorkerMirroredStrategy()
with strategy.scope():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
model.fit(np.ones((8, 4)), np.ones((8, 2)), batch_size=4, verbose=0)
print("it trains")
