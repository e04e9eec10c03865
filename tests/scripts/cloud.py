"""The cloud's part of the workflow: trains on an encrypted set, without tfpe.

Arguments: name of the set, its data_dir, file of the model. Prints the accuracy on the
encrypted test images.
"""

import sys

import keras
import numpy as np
import tensorflow_datasets as tfds

name, data_dir, path = sys.argv[1:]
train, test = (
    tfds.load(name, data_dir=data_dir, split=split, batch_size=-1, as_supervised=True)
    for split in ("train", "test")
)
keras.utils.set_random_seed(0)
shape = train[0].shape[1:]
model = keras.Sequential([keras.Input(shape), keras.layers.Rescaling(1 / 255)])
model.add(keras.layers.Flatten())
model.add(keras.layers.Dense(10))
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.Adam(0.003), loss, metrics=["accuracy"])
model.fit(*train, epochs=10, verbose=0)
model.save(path)
images, labels = test[0].numpy().astype(np.float32), test[1].numpy()
print(float((model.predict(images, verbose=0).argmax(-1) == labels).mean()))
if "tfpe" in sys.modules or "tfpe.keys" in sys.modules:
    raise SystemExit("tfpe was loaded")
