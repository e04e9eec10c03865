"""Run by test_layers.py in a process of its own, on one Keras backend.

Arguments: a folder to write to, and names of modules that must not be imported.
"""

import sys
from pathlib import Path

from blocking import block

folder, *blocked = sys.argv[1:]
block(*blocked)

import keras  # noqa: E402
import numpy as np  # noqa: E402
from float_pipelines import run  # noqa: E402

from tfpe import CIPHERS, Key, PerceptualEncrypt  # noqa: E402
from tfpe.errors import ImageError  # noqa: E402

KEY = Key(bytes(range(32)))
images = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), np.uint8)


def equal(result, expected):
    return np.array_equal(keras.ops.convert_to_numpy(result), expected)


def check(condition, what):
    if not condition:
        sys.exit(f"{keras.backend.backend()}: {what}")


for name in CIPHERS:
    transform = CIPHERS[name](KEY, (16, 16, 3))
    cipher = transform(images)
    layer = PerceptualEncrypt(KEY, name)
    back = PerceptualEncrypt(KEY, name, invert=True)
    check(equal(layer(images), cipher), f"{name}: the layer")
    check(equal(back(layer(images)), images), f"{name}: its inverse")
    check(
        equal(transform(keras.ops.convert_to_tensor(images)), cipher),
        f"{name}: the transform on a backend tensor",
    )
    if "tensorflow" not in blocked:
        import tensorflow as tf

        ds = tf.data.Dataset.from_tensor_slices(images).batch(2).map(layer)
        mapped = np.concatenate(list(ds.as_numpy_iterator()))
        check(equal(mapped, cipher), f"{name}: tf.data")

cipher = CIPHERS["le"](KEY, (16, 16, 3))(images).astype(np.float32)
for jit_compile in (False, True):
    model = keras.Sequential(
        [keras.Input((16, 16, 3)), PerceptualEncrypt(KEY, "le", name="encrypt")]
    )
    model.compile(loss="mean_absolute_error", jit_compile=jit_compile)
    loss = model.fit(images.astype(np.float32), cipher, verbose=0).history["loss"][0]
    check(loss == 0, f"fit with jit_compile={jit_compile}: loss {loss}")

path = Path(folder) / "model.keras"
model.save(path)
loaded = keras.saving.load_model(path)
check(loaded.get_layer("encrypt").locked, "a loaded layer is locked")
loaded.get_layer("encrypt").key = KEY
check(equal(loaded.predict(images, verbose=0), cipher), "a loaded layer")
check(keras.models.clone_model(model).get_layer("encrypt").locked, "a cloned layer")

try:
    PerceptualEncrypt(KEY)(np.full((8, 8, 3), np.nan, np.float32))
except ImageError:
    pass
else:
    sys.exit("NaN passed")

if not blocked:  # once a backend is enough
    run(check)
