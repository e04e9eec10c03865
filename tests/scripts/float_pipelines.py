"""The usual Keras pipelines that give floats, on the backend of this process."""

import importlib.util
import tempfile
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from tfpe import CIPHERS, Key, PerceptualEncrypt

KEY = Key(bytes(range(32)))
WORDS = "value_range=", "Received: values from"


def photographs(count, size=24):
    """Smooth pictures, as photographs are, `uint8 (count, size, size, 3)`."""
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (count, 4, 4, 3), np.uint8)
    resized = [Image.fromarray(x) for x in coarse]
    return np.stack([np.asarray(x.resize((size, size))) for x in resized])


def model_of(*before, jit="auto", **arguments):
    layers = [*before, PerceptualEncrypt(KEY, "le", **arguments)]
    if arguments.get("value_range", (0, 255)) == (0, 255):
        layers.append(keras.layers.Rescaling(1 / 255))
    head = [keras.layers.Flatten(), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((24, 24, 3)), *layers, *head])
    model.compile("sgd", "mse", jit_compile=jit)
    return model


def run(check):
    """Calls `check(condition, what)` for each."""
    images = photographs(12)
    floats, targets = images.astype(np.float32), np.zeros(12)

    def loss(model, x, **arguments):
        history = model.fit(x, targets, batch_size=4, verbose=0, **arguments)
        return float(history.history["loss"][0])

    def trains(what, model, x):
        found = loss(model, x)
        check(np.isfinite(found), f"{what}: loss {found}")

    def refused(what, likely, model, x, **arguments):
        try:
            loss(model, x, **arguments)
        except Exception as error:  # a framework may have wrapped it
            said = [word in str(error) for word in (*WORDS, likely)]
            check(all(said), f"{what}: {type(error)} {error}")
            return type(error).__name__
        check(False, f"{what}: no error")

    ranges = ("(0, 1)", floats / 255), ("(-1, 1)", floats / 127.5 - 1)
    layers = keras.layers
    # torch compiles with a C++ compiler, for half a minute.
    torch = keras.backend.backend() == "torch"
    for jit in ("auto",) if torch else (True, False):
        said = f"jit_compile={jit}"
        trains(f"resized, {said}", model_of(layers.Resizing(16, 16), jit=jit), floats)
        if jit is not True:  # which Keras's rotation does not support
            turned = model_of(layers.RandomRotation(0.1, seed=0), jit=jit)
            trains(f"turned, {said}", turned, floats)
        model = model_of(jit=jit)
        for likely, wrong in ranges:
            name = refused(said, likely, model, wrong)
            check(name == "ImageError", f"{said}: {name}")
        trains(f"after an error, {said}", model, floats)
        scaling = layers.Rescaling(1 / 255)
        refused(f"scaled, {said}", "(0, 1)", model_of(scaling, jit=jit), floats)
        right = model_of(jit=jit, value_range=(0, 1))
        trains(f"value_range=(0, 1), {said}", right, floats / 255)
    later = np.concatenate([floats[:8], floats[8:] / 255])
    jit = keras.backend.backend() == "jax"
    refused("a later batch", "(0, 1)", model_of(jit=jit), later, shuffle=False)
    bicubic = layers.Resizing(16, 16, interpolation="bicubic")
    refused("bicubic", "clip", model_of(bicubic), floats)
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    trains("mixed_float16", model_of(layers.Resizing(16, 16), jit=False), floats)
    keras.mixed_precision.set_dtype_policy("float32")
    cipher = CIPHERS["le"](KEY, (24, 24, 3))(images)
    between = floats + np.float32(0.25)
    between[between > 255] = 255
    found = PerceptualEncrypt(KEY, "le")(between)
    check(np.array_equal(keras.ops.convert_to_numpy(found), cipher), "rounding")
    if importlib.util.find_spec("tensorflow"):
        folders(images, check)


def folders(images, check):
    """A folder of classes, resized by Keras, through the map, and trained on."""
    import tensorflow as tf

    from tfpe.data import encrypt

    with tempfile.TemporaryDirectory() as folder:
        for number, image in enumerate(images):
            path = Path(folder) / str(number % 2) / f"{number}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(image).save(path)
        ds = keras.utils.image_dataset_from_directory(
            folder, image_size=(36, 36), batch_size=4, shuffle=False, verbose=False
        )
        resized = np.concatenate([x for x, _ in ds.as_numpy_iterator()])
        assert np.any(resized != np.round(resized))
        encrypted = encrypt(ds, KEY, "le")
        found = np.concatenate([x for x, _ in encrypted.as_numpy_iterator()])
        expected = CIPHERS["le"](KEY, (36, 36, 3))(np.round(resized).astype(np.uint8))
        assert np.array_equal(found, expected)
        head = [keras.layers.Rescaling(1 / 255), keras.layers.Flatten()]
        model = keras.Sequential([*head, keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        history = model.fit(encrypted, verbose=0).history
        check(np.isfinite(history["loss"][0]), f"a folder: loss {history['loss']}")
        scaled = encrypt(ds.map(lambda x, y: (x / 255, y)), KEY, "le")
        try:
            list(scaled)
        except tf.errors.InvalidArgumentError as error:
            assert all(word in str(error) for word in (*WORDS, "(0, 1)")), error
        else:
            raise AssertionError("0..1 passed")
