"""`PerceptualEncrypt` by its contract."""

import copy
import pickle
import subprocess
import sys

import keras
import numpy as np
import pytest
from processes import run_script

from tfpe import CIPHERS, Key, PerceptualEncrypt, Transform
from tfpe.errors import (
    ImageError,
    LockedLayerError,
    WrongKeyError,
)

KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))
IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), np.uint8)


def model_of(*layers, **compile_arguments):
    model = keras.Sequential([keras.Input((8, 8, 3)), *layers])
    model.compile(loss="mean_absolute_error", **compile_arguments)
    return model


def network(layer, **compile_arguments):
    head = [keras.layers.Rescaling(1 / 255), keras.layers.Flatten()]
    return model_of(layer, *head, keras.layers.Dense(2), **compile_arguments)


@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")
@pytest.mark.parametrize("name", CIPHERS)
@pytest.mark.parametrize("jit_compile", [False, True])
def test_fit_sees_the_ciphertext(name, jit_compile):
    # The loss against the oracle's ciphertext is exactly 0 only if fit sees just that.
    cipher = CIPHERS[name](KEY, (8, 8, 3))(IMAGES).astype(np.float32)
    model = model_of(PerceptualEncrypt(KEY, name), jit_compile=jit_compile)
    plain = IMAGES.astype(np.float32)
    loss = model.fit(plain, cipher, batch_size=4, verbose=0).history["loss"]
    assert loss == [0.0]
    (loss,) = model.fit(plain, plain, verbose=0).history["loss"]
    assert (loss == 0) == (name == "identity")


@pytest.mark.parametrize("name", CIPHERS)
def test_invert_undoes_it_in_one_model(name):
    layers = PerceptualEncrypt(KEY, name), PerceptualEncrypt(KEY, name, invert=True)
    assert np.array_equal(model_of(*layers).predict(IMAGES, verbose=0), IMAGES)


def test_functional_and_subclassed_models():
    layer = PerceptualEncrypt(KEY, "le")
    expected = CIPHERS["le"](KEY, (8, 8, 3))(IMAGES)
    inputs = keras.Input((8, 8, 3), dtype="uint8")
    functional = keras.Model(inputs, layer(inputs))
    assert np.array_equal(functional(IMAGES), expected)

    class Subclassed(keras.Model):
        def __init__(self):
            super().__init__()
            self.encrypt = layer

        def call(self, images):
            return self.encrypt(images)

    assert np.array_equal(Subclassed().predict(IMAGES, verbose=0), expected)


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("value_range", [(0, 255), (0, 1), (-1, 1)])
def test_every_level_survives_every_dtype_and_range(dtype, value_range):
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    low, high = value_range
    floats = (low + levels / 255 * (high - low)).astype(np.float32)
    arguments = {"cipher": "shuffle", "value_range": value_range, "dtype": dtype}
    encrypt = PerceptualEncrypt(KEY, **arguments)
    decrypt = PerceptualEncrypt(KEY, invert=True, **arguments)
    cipher = encrypt(floats)
    assert keras.backend.standardize_dtype(cipher.dtype) == encrypt.compute_dtype
    moved = CIPHERS["shuffle"](KEY, (16, 16, 1))(levels)
    exact = (low + moved / 255 * (high - low)).astype(np.float32)
    assert np.array_equal(
        keras.ops.cast(cipher, "float32"),
        keras.ops.cast(keras.ops.cast(exact, encrypt.compute_dtype), "float32"),
    )
    plain = keras.ops.cast(decrypt(cipher), "float32")
    precision = {"float32": 1e-6, "mixed_float16": 1e-3, "mixed_bfloat16": 8e-3}
    assert np.allclose(plain, floats, rtol=precision[dtype], atol=precision[dtype])


def test_integer_inputs_and_uint8_output():
    expected = CIPHERS["logistic"](KEY, (8, 8, 3))(IMAGES)
    layer = PerceptualEncrypt(KEY, dtype="uint8")
    for dtype in ("uint8", "int32", "int64", "float32", "float64"):
        result = layer(IMAGES.astype(dtype))
        assert keras.backend.standardize_dtype(result.dtype) == "uint8"
        assert np.array_equal(result, expected)


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint16", "uint32", "uint64"])
def test_every_integer_type(dtype):
    import tensorflow as tf

    small = IMAGES // 2
    expected = CIPHERS["le"](KEY, (8, 8, 3))(small)
    layer = PerceptualEncrypt(KEY, "le")
    assert np.array_equal(layer(small.astype(dtype)), expected)
    compiled = tf.function(layer, jit_compile=True)
    assert np.array_equal(compiled(tf.constant(small.astype(dtype))), expected)


def test_whole_bytes_are_exact_in_short_floats():
    # Images of 0..1 under the range 0..255 would lose all but two levels.
    import tensorflow as tf

    layer = PerceptualEncrypt(KEY, "identity")
    for dtype in (tf.bfloat16, tf.float16):
        whole = tf.cast(IMAGES, dtype)
        assert np.array_equal(layer(whole), IMAGES)
        with pytest.raises(ImageError, match=r"value_range=\(0, 1\)"):
            layer(whole / 255)
        between = tf.cast(whole[:1] * 0 + 10.2, dtype)
        assert np.array_equal(layer(between), np.full((1, 8, 8, 3), 10))


def test_labels_beside_the_images_are_not_cast():
    import tensorflow as tf

    # Keras autocasts float64 inputs of a layer; as a data map it must leave them.
    layer = PerceptualEncrypt(KEY, dtype="mixed_float16")
    assert layer(tf.constant(IMAGES)).dtype == tf.float16
    assert not layer.autocast


@pytest.mark.parametrize(
    "shape, options, output",
    [
        ((None, 32, 32, 3), {"cipher": "le"}, (None, 32, 32, 3)),
        ((None, 30, 33, 3), {"cipher": "le"}, (None, 32, 36, 3)),
        ((33, 47, 3), {"cipher": "pbe"}, (33, 47, 3)),
        ((None, None, None, 3), {"cipher": "ele"}, (None, None, None, 3)),
        ((2, 10, 10, 3), {"cipher": "etc_gray", "fold": False}, (2, 16, 48, 1)),
        (
            (2, 16, 48, 1),
            {"cipher": "etc_gray", "fold": False, "invert": True},
            (2, 16, 16, 3),
        ),
        (
            (2, 36, 48, 3),
            {"cipher": "le", "invert": True, "output_size": (33, 47)},
            (2, 33, 47, 3),
        ),
    ],
)
def test_output_shapes(shape, options, output):
    layer = PerceptualEncrypt(KEY, **options)
    assert layer.compute_output_shape(shape) == output
    if None not in shape:
        assert tuple(layer(np.zeros(shape, np.uint8)).shape) == output


def test_images_are_padded_by_their_edges_and_cropped_again():
    images = IMAGES[:, :7, :5]
    padded = np.pad(images, ((0, 0), (0, 1), (0, 3), (0, 0)), "edge")
    cipher = PerceptualEncrypt(KEY, "le")(images)
    assert np.array_equal(cipher, CIPHERS["le"](KEY, (8, 8, 3))(padded))
    decrypt = PerceptualEncrypt(KEY, "le", invert=True, output_size=(7, 5))
    assert np.array_equal(decrypt(cipher), images)


def saved(model, tmp_path):
    model.save(tmp_path / "model.keras")
    return keras.saving.load_model(tmp_path / "model.keras")


def rebuilt(model, tmp_path):
    return type(model).from_config(model.get_config())


COPIES = {
    "save and load": saved,
    "clone_model": lambda model, _: keras.models.clone_model(model),
    "deepcopy": lambda model, _: copy.deepcopy(model),
    "pickle": lambda model, _: pickle.loads(pickle.dumps(model)),
    "from_config": rebuilt,
}


@pytest.mark.parametrize("name", COPIES)
def test_copies_are_locked_until_they_get_their_key(name, tmp_path):
    model = network(PerceptualEncrypt(KEY, "le", block_size=2))
    model.fit(IMAGES, np.zeros((6, 2)), verbose=0)
    twin = COPIES[name](model, tmp_path)
    twin.set_weights(model.get_weights())
    layer = twin.layers[0]
    assert layer.locked and layer.key is None and layer.options["block_size"] == 2
    assert layer.fingerprint == KEY.fingerprint and twin.output_shape == (None, 2)
    with pytest.raises(LockedLayerError, match=KEY.fingerprint):
        twin(IMAGES)
    with pytest.raises(WrongKeyError, match="fingerprint"):
        layer.key = OTHER
    assert layer.locked
    layer.key = KEY
    assert np.array_equal(twin(IMAGES), model(IMAGES))
    with pytest.raises(WrongKeyError):
        layer.key = OTHER
    assert layer.key == KEY


def test_a_transform_in_a_functional_model_runs_and_refuses_to_be_saved(tmp_path):
    transform = CIPHERS["le"](KEY, (8, 8, 3))
    inputs = keras.Input((8, 8, 3), dtype="uint8")
    model = keras.Model(inputs, transform(inputs))
    assert np.array_equal(model(IMAGES), transform(IMAGES))
    with pytest.raises(TypeError, match="key material"):
        model.save(tmp_path / "model.keras")
    with pytest.raises(ImageError, match="Received"):
        Transform.identity((4, 4, 3))(inputs)


BACKENDS = ["tensorflow", "jax", "torch", "jax without tensorflow"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_keras_backends(backend, tmp_path):
    if backend == "torch":
        pytest.importorskip("torch", reason="torch is in no extra: see README")
    name, _, blocked = backend.partition(" without ")
    run_script(
        "keras_backend.py", tmp_path, *blocked.split(), env={"KERAS_BACKEND": name}
    )


def test_mirrored_strategy_on_two_devices():
    run_script("mirrored_strategy.py")


def test_loading_needs_the_import_only(tmp_path):
    network(PerceptualEncrypt(KEY)).save(tmp_path / "model.keras")
    code = """if True:
        import sys, keras
        try:
            keras.saving.load_model(sys.argv[1])
        except Exception:
            from tfpe import PerceptualEncrypt
            keras.saving.load_model(sys.argv[1])
        else:
            sys.exit("loaded without the import")"""
    command = [sys.executable, "-c", code, str(tmp_path / "model.keras")]
    done = subprocess.run(command, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
