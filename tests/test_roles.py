"""The owner's side: the cipher before a returned model, and models without it."""

import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_sample_images
from test_secrets import assert_free

import tfpe
from tfpe import CIPHERS, Key, PerceptualEncrypt
from tfpe.errors import ExportError, ImageError, LockedLayerError, TfpeError

KEY = Key(bytes(range(101, 133)))
SHAPE = (8, 8, 3)
PHOTO = load_sample_images().images[0]
IMAGES = np.stack([PHOTO[n : n + 8, n : n + 8] for n in range(5)])
SUFFIXES = {
    "tf_saved_model": "",
    "onnx": ".onnx",
    "openvino": ".xml",
    "litert": ".tflite",
}


def network(shape=SHAPE):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Rescaling(1 / 255), keras.layers.Flatten()]
    return keras.Sequential([keras.Input(shape), *layers, keras.layers.Dense(3)])


@pytest.mark.parametrize("name", CIPHERS)
@pytest.mark.parametrize("value_range", [(0, 255), (-1, 1)])
def test_client_model_and_predict_are_the_model_on_ciphertext(name, value_range):
    model = network()
    low, high = value_range
    ciphertext = CIPHERS[name](KEY, SHAPE)(IMAGES)
    if ciphertext.dtype == np.uint8:  # of real numbers, no range is asked for
        ciphertext = ciphertext / 255 * (high - low) + low
    expected = model.predict(ciphertext.astype(np.float32), verbose=0)
    client = tfpe.client_model(model, KEY, name, value_range=value_range)
    plain = (IMAGES / 255 * (high - low) + low).astype(np.float32)
    np.testing.assert_allclose(client.predict(plain, verbose=0), expected, atol=1e-5)
    outputs = tfpe.predict(model, IMAGES, KEY, name, value_range=value_range)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    assert tfpe.cloud_model(client) is model


def test_images_that_are_padded_and_ciphers_that_change_the_shape():
    outputs = tfpe.predict(network(), IMAGES[:, :7, :6], KEY, "le")
    assert outputs.shape == (5, 3)
    unfolded = {"fold": False, "block_size": 8}
    model = network((8, 24, 1))
    client = tfpe.client_model(model, KEY, "etc_gray", **unfolded)
    expected = tfpe.predict(model, IMAGES, KEY, "etc_gray", **unfolded)
    floats = IMAGES.astype(np.float32)
    np.testing.assert_allclose(client.predict(floats, verbose=0), expected, atol=1e-5)


def with_layer_inside(model):
    return keras.Sequential(
        [keras.Input(SHAPE), PerceptualEncrypt(KEY, "le"), *model.layers]
    )


def test_cloud_model_shares_the_weights_of_any_sequential():
    model = network()
    cloud = tfpe.cloud_model(with_layer_inside(model))
    ciphertext = CIPHERS["le"](KEY, SHAPE)(IMAGES).astype(np.float32)
    np.testing.assert_array_equal(cloud(ciphertext), model(ciphertext))
    assert cloud.layers[-1] is model.layers[-1]
    assert tfpe.cloud_model(model) is model


def functional():
    inputs = keras.Input(SHAPE)
    return keras.Model(inputs, network()(PerceptualEncrypt(KEY, "le")(inputs)))


def test_cloud_model_takes_the_front_off_functional_models():
    plain = IMAGES.astype(np.float32)
    ciphertext = CIPHERS["le"](KEY, SHAPE)(IMAGES).astype(np.float32)
    model = functional()
    np.testing.assert_array_equal(tfpe.cloud_model(model)(ciphertext), model(plain))


def bare_transform():
    inputs = keras.Input(SHAPE, dtype="uint8")
    return keras.Model(inputs, network()(CIPHERS["le"](KEY, SHAPE)(inputs)))


def test_bare_transforms_are_known_as_the_layer_is(tmp_path):
    model, encrypt = bare_transform(), CIPHERS["le"](KEY, SHAPE)
    cloud = tfpe.cloud_model(model)
    np.testing.assert_array_equal(cloud(encrypt(IMAGES)), model(IMAGES))
    assert cloud.layers[-1] is model.layers[-1]
    assert tfpe.cloud_model(cloud) is cloud
    tfpe.export(model, tmp_path / "out", verbose=False)
    served = tf.saved_model.load(tmp_path / "out")
    outputs = served.serve(encrypt(IMAGES))
    np.testing.assert_allclose(outputs, model(IMAGES), atol=1e-5)
    with pytest.raises(TfpeError, match="apply_transform"):
        tfpe.predict(model, IMAGES, KEY, "le")
    with pytest.raises(TfpeError, match="apply_transform"):
        tfpe.client_model(model, KEY, "le")


def skipped():
    inputs = keras.Input(SHAPE, dtype="uint8")
    encrypted = CIPHERS["le"](KEY, SHAPE)(inputs)
    return keras.Model(inputs, keras.layers.Concatenate()([inputs, encrypted]))


def transform_behind():
    inputs = keras.Input(SHAPE, dtype="uint8")
    moved = keras.layers.Permute((2, 1, 3))(inputs)
    return keras.Model(inputs, network()(CIPHERS["le"](KEY, SHAPE)(moved)))


def transform_alone():
    inputs = keras.Input(SHAPE, dtype="uint8")
    return keras.Model(inputs, CIPHERS["le"](KEY, SHAPE)(inputs))


def in_a_lambda():
    encrypt = CIPHERS["le"](KEY, SHAPE)
    layer = keras.layers.Lambda(lambda x: encrypt(x) / 255, output_shape=SHAPE)
    return keras.Sequential([keras.Input(SHAPE, dtype="uint8"), layer, network()])


def in_the_default_of_a_lambda():
    encrypt = CIPHERS["le"](KEY, SHAPE)
    layer = keras.layers.Lambda(
        lambda x, encrypt=encrypt: encrypt(x) / 255, output_shape=SHAPE
    )
    return keras.Sequential([keras.Input(SHAPE, dtype="uint8"), layer, network()])


def nested():
    return keras.Sequential([bare_transform(), keras.layers.ReLU()])


def behind():
    layers = [keras.layers.ReLU(), PerceptualEncrypt(KEY, "le"), keras.layers.Flatten()]
    return keras.Sequential([keras.Input(SHAPE), *layers])


def alone():
    return keras.Sequential([keras.Input(SHAPE), PerceptualEncrypt(KEY, "le")])


@pytest.mark.parametrize(
    "build, name",
    [
        (behind, "perceptual_encrypt"),
        (alone, "perceptual_encrypt"),
        (skipped, "apply_transform"),
        (transform_behind, "apply_transform"),
        (transform_alone, "apply_transform"),
        (nested, "apply_transform"),
        (in_a_lambda, "lambda"),
        (in_the_default_of_a_lambda, "lambda"),
    ],
)
def test_what_cannot_be_taken_off_is_named(build, name, tmp_path):
    with pytest.raises(TfpeError, match=name):
        tfpe.cloud_model(build())
    with pytest.raises(TfpeError):
        tfpe.export(build(), tmp_path / "out", verbose=False)
    assert not list(tmp_path.iterdir())


# openvino starts processes, which JAX, imported by another test, warns of.
FORKS = pytest.mark.filterwarnings("ignore:os.fork\\(\\) was called:RuntimeWarning")


def importable(form):
    needed = {"onnx": ["onnx", "tf2onnx"], "openvino": ["openvino"]}.get(form, [])
    for module in needed:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")


@FORKS
@pytest.mark.parametrize("form", SUFFIXES)
@pytest.mark.parametrize("build", ["client", "inside", "functional"])
def test_every_format_refuses_to_export_the_key(form, build, tmp_path):
    model = {
        "client": lambda: tfpe.client_model(network(), KEY, "le"),
        "inside": lambda: with_layer_inside(network()),
        "functional": functional,
    }[build]()
    importable(form)
    model(IMAGES.astype(np.float32))  # Keras exports to ONNX what was called before
    with pytest.raises(ExportError, match="tfpe.export"):
        model.export(str(tmp_path / f"m{SUFFIXES[form]}"), format=form, verbose=False)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_export_archives_and_saved_models_refuse_too(tmp_path):
    model = with_layer_inside(network())
    spec = [keras.InputSpec(shape=(None, *SHAPE), dtype="float32")]
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", model.call, input_signature=spec)
    with pytest.raises(ExportError):
        archive.write_out(tmp_path / "archive", verbose=False)
    with pytest.raises(Exception, match="tfpe.export"):
        tf.saved_model.save(model, tmp_path / "saved")
    # A graph traced before nobody asks again: TensorFlow's own walk is the last sign.
    serve = tf.function(model, input_signature=[tf.TensorSpec((None, *SHAPE))])
    serve.get_concrete_function()
    module = tf.Module()
    module.model, module.serve = model, serve
    with pytest.raises(Exception, match="tfpe.export"):
        tf.saved_model.save(module, tmp_path / "module")


@FORKS
@pytest.mark.parametrize("form", SUFFIXES)
def test_export_leaves_the_key_out(form, tmp_path):
    importable(form)
    if form == "onnx" and np.lib.NumpyVersion(np.__version__) >= "2.0.0":
        pytest.skip("tf2onnx uses np.object, which NumPy 2 does not have")
    client = tfpe.client_model(network(), KEY, "logistic")
    client(IMAGES.astype(np.float32))
    path = tmp_path / f"m{SUFFIXES[form]}"
    tfpe.export(client, path, format=form, verbose=False)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert files
    for file in files:
        assert_free(file.read_bytes(), "logistic", file.name)
    if form == "tf_saved_model":
        ciphertext = CIPHERS["logistic"](KEY, SHAPE)(IMAGES).astype(np.float32)
        served = tf.saved_model.load(path)
        outputs = served.serve(ciphertext)
        np.testing.assert_allclose(outputs, client(IMAGES), atol=1e-5)


def test_a_keras_file_of_a_client_model_is_locked(tmp_path):
    client = tfpe.client_model(network(), KEY, "logistic")
    client.save(tmp_path / "client.keras")
    assert_free((tmp_path / "client.keras").read_bytes(), "logistic", "client.keras")
    loaded = keras.saving.load_model(tmp_path / "client.keras")
    with pytest.raises(LockedLayerError):
        loaded(IMAGES)
    loaded.layers[0].key = KEY
    np.testing.assert_allclose(loaded(IMAGES), client(IMAGES), atol=1e-5)


def test_a_client_model_still_trains_and_predicts_in_graphs():
    client = tfpe.client_model(network(), KEY, "le")
    client.compile("sgd", "mse")
    client.fit(IMAGES, np.zeros((5, 3)), verbose=0)
    assert client.predict(IMAGES, verbose=0).shape == (5, 3)


@pytest.mark.parametrize(
    "images", [IMAGES / 255, IMAGES[0], IMAGES[..., :1], PHOTO[None, :20, :20]]
)
def test_images_that_do_not_fit(images):
    with pytest.raises(ImageError):
        tfpe.predict(network(), images, KEY, "le")


def test_a_model_that_is_none(tmp_path):
    (tmp_path / "broken.keras").write_bytes(b"no model")
    for path in (tmp_path / "missing.keras", tmp_path / "broken.keras"):
        with pytest.raises(TfpeError, match="Cannot load model"):
            tfpe.predict(path, IMAGES, KEY, "le")


JAX = """
import numpy as np, keras, tfpe
assert keras.backend.backend() == "jax"
model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
client = tfpe.client_model(model, tfpe.Key.generate(), "le")
print(client.predict(np.zeros((2, 8, 8, 3), "uint8"), verbose=0).shape)
try:
    client.export("out", verbose=False)
except tfpe.errors.ExportError:
    print("refused")
"""


def test_on_jax(tmp_path):
    pytest.importorskip("jax", reason="jax is not installed")
    env = os.environ | {"KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", JAX], env=env, cwd=tmp_path, capture_output=True
    )
    assert done.stdout.decode() == "(2, 192)\nrefused\n", done.stderr.decode()[-2000:]


@pytest.mark.parametrize("model", [None, "model.keras", 3])
def test_what_is_no_model_is_named(model, tmp_path):
    for give in (tfpe.cloud_model, lambda m: tfpe.export(m, tmp_path / "out")):
        with pytest.raises(TfpeError, match="`model` should be a Keras model"):
            give(model)
