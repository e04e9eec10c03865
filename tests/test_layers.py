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
    CipherOptionError,
    ImageError,
    LockedLayerError,
    TfpeError,
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
        for wrong in (whole / 255, whole[:1] * 0 + 10.2):
            with pytest.raises(ImageError, match="between two levels"):
                layer(tf.cast(wrong, dtype))


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


def test_values_that_are_no_levels():
    wrong = IMAGES.astype(np.float32)
    wrong[0, 0, 0, 0], wrong[1, 0, 0, 0], wrong[2, 0, 0, 0] = np.nan, 256, 0.5
    layer = PerceptualEncrypt(KEY, "le")
    for image in wrong[:3]:
        with pytest.raises(ImageError, match="NaN, out of range or between two levels"):
            layer(image)
    # Inside a graph nothing can raise: those images, and only those, become NaN.
    result = model_of(layer).predict(wrong, verbose=0)
    assert np.isnan(result[:3]).all()
    assert np.array_equal(result[3:], CIPHERS["le"](KEY, (8, 8, 3))(IMAGES)[3:])


WRONG_ARGUMENTS = {
    "no key": ({"key": None}, TfpeError, "Key"),
    "a string as key": ({"key": "secret"}, TfpeError, "str"),
    "unknown cipher": ({"cipher": "rot13"}, CipherOptionError, "rot13"),
    "unknown option": ({"block_sise": 4}, CipherOptionError, "block_sise"),
    "option of another cipher": ({"block_size": 4}, CipherOptionError, "block_size"),
    "empty range": ({"value_range": (1, 1)}, CipherOptionError, "value_range"),
    "range of three": ({"value_range": (0, 1, 2)}, CipherOptionError, "value_range"),
    "range of a huge number": (
        {"value_range": (0, 10**400)},
        CipherOptionError,
        "value_range",
    ),
    "levels that collapse": (
        {"value_range": (1e7, 1e7 + 1)},
        CipherOptionError,
        "tells apart",
    ),
    "levels that bfloat16 cannot hold": (
        {"value_range": (1, 2), "dtype": "mixed_bfloat16"},
        CipherOptionError,
        "bfloat16",
    ),
    "integers in another range": (
        {"value_range": (0, 1), "dtype": "int32"},
        CipherOptionError,
        "int32",
    ),
    "bool": ({"dtype": "bool"}, CipherOptionError, "bool"),
    "invert as a word": ({"invert": "no"}, CipherOptionError, "invert"),
    **{
        f"block_size {size!r}": (
            {"cipher": "le", "block_size": size},
            CipherOptionError,
            "block_size",
        )
        for size in (4.0, "4", 0, True, -4, 10**20)
    },
    "size without invert": ({"output_size": (8, 8)}, CipherOptionError, "invert"),
    "size of one number": (
        {"invert": True, "output_size": 8},
        CipherOptionError,
        "output_size",
    ),
}


@pytest.mark.parametrize("name", WRONG_ARGUMENTS)
def test_wrong_arguments(name):
    arguments, error, message = WRONG_ARGUMENTS[name]
    with pytest.raises(error, match=message):
        PerceptualEncrypt(**{"key": KEY, **arguments})


WRONG_IMAGES = {
    "rank 2": ({}, np.zeros((8, 8), np.uint8), "height, width, channels"),
    "rank 5": ({}, np.zeros((1, 1, 8, 8, 3), np.uint8), "height, width, channels"),
    "two channels": ({}, np.zeros((8, 8, 2), np.uint8), "channels"),
    "bool": ({}, np.zeros((8, 8, 3), bool), "dtype bool"),
    "complex": ({}, np.zeros((8, 8, 3), np.complex64), "dtype complex64"),
    "masked": ({}, np.ma.masked_invalid(np.full((8, 8, 3), np.nan)), "MaskedArray"),
    "wider than 32 bits": ({}, np.full((8, 8, 3), 2**32 + 7), "out of range"),
    "negative": ({}, np.full((8, 8, 3), -1), "out of range"),
    "over 255": ({}, np.full((8, 8, 3), 256), "out of range"),
    "bytes in range (0, 1)": (
        {"value_range": (0, 1)},
        np.zeros((8, 8, 3), np.uint8),
        "Integer images need",
    ),
    "0..255 in range (0, 1)": (
        {"value_range": (0, 1)},
        np.full((8, 8, 3), 9.0),
        "out of range",
    ),
    "ciphertext of no whole blocks": (
        {"cipher": "le", "invert": True},
        np.zeros((30, 30, 3), np.uint8),
        "block_size",
    ),
    "crop beyond the image": (
        {"cipher": "le", "invert": True, "output_size": (33, 33)},
        np.zeros((32, 32, 3), np.uint8),
        "at most 32",
    ),
    "colour as unfolded ciphertext": (
        {"cipher": "etc_gray", "fold": False, "invert": True},
        np.zeros((8, 8, 3), np.uint8),
        "fold=False",
    ),
}


@pytest.mark.parametrize("name", WRONG_IMAGES)
def test_wrong_images(name):
    arguments, images, message = WRONG_IMAGES[name]
    with pytest.raises(ImageError, match=message):
        PerceptualEncrypt(KEY, **arguments)(images)


WRONG_MODELS = {
    "rank 1": ((8,), {}, ImageError),
    "4 channels": ((8, 8, 4), {}, ImageError),
    "gray with a channel step": ((8, 8, 1), {}, CipherOptionError),
    "no whole blocks": ((9, 9, 3), {"cipher": "le", "invert": True}, ImageError),
}


@pytest.mark.parametrize("name", WRONG_MODELS)
def test_shapes_raise_when_a_model_is_built(name):
    shape, arguments, error = WRONG_MODELS[name]
    with pytest.raises(error, match="Received"):
        PerceptualEncrypt(KEY, **arguments)(keras.Input(shape))


def test_errors_keep_their_names_inside_autographed_functions():
    import tensorflow as tf

    layer, transform = PerceptualEncrypt(KEY, "le"), CIPHERS["le"](KEY, (8, 8, 3))
    wrong = np.zeros((1, 8, 8, 2), np.uint8)
    ds = tf.data.Dataset.from_tensor_slices(wrong)
    for call in (
        lambda: tf.function(lambda images: layer(images))(wrong),
        lambda: ds.map(lambda images: layer(images)),
        lambda: ds.map(lambda images: transform(images)),
    ):
        with pytest.raises(ImageError, match="Received"):
            call()


def test_gray_images_need_the_channel_step_off():
    gray = IMAGES[..., :1]
    with pytest.raises(CipherOptionError, match="channel_shuffle=False"):
        PerceptualEncrypt(KEY)(gray)
    layer = PerceptualEncrypt(KEY, channel_shuffle=False)
    assert tuple(layer(gray).shape) == (6, 8, 8, 1)


def test_images_of_unknown_size_are_refused_at_trace_time():
    import tensorflow as tf

    layer = PerceptualEncrypt(KEY)
    signature = [tf.TensorSpec([None, None, None, 3], tf.uint8)]
    with pytest.raises(ImageError, match="static"):
        tf.function(layer, input_signature=signature).get_concrete_function()


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
    code = "import keras\n{}model = keras.saving.load_model({!r})"
    path = str(tmp_path / "model.keras")
    for line, status in [("from tfpe import PerceptualEncrypt\n", 0), ("", 1)]:
        done = subprocess.run(
            [sys.executable, "-c", code.format(line, path)], capture_output=True
        )
        assert done.returncode == status, done.stderr.decode()
