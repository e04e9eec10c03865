"""orthogonal in the layer, in pipelines, in matched models and in training."""

import keras
import numpy as np
import pytest
from keras import layers
from rotated_images import BATCH, KEY, SECRET, SHAPE, images

import tfpe
from tfpe import CIPHERS, PerceptualEncrypt
from tfpe.data import decrypt
from tfpe.errors import (
    ImageError,
    NetworkError,
    TfpeError,
)
from training.encryption import Encryption
from training.recipe import Recipe, RecipeError
from training.saved_models import ModelError, predict
from training.splits import Part
from training.train import build_model


def test_the_layer_refuses_what_is_no_ciphertext_of_its_key():
    import tensorflow as tf

    x = images()
    y = np.asarray(PerceptualEncrypt(KEY, "orthogonal")(x))
    decrypting = PerceptualEncrypt(KEY, "orthogonal", invert=True, dtype="uint8")
    assert np.array_equal(decrypting(y), x)
    near = y + np.float32(1e-5)
    assert np.array_equal(decrypting(near), x)
    damaged = y.copy()
    damaged[1, 3, 3, 0] += 0.1
    other = PerceptualEncrypt(KEY.derive("other"), "orthogonal", invert=True)
    for layer, cipher in (
        (decrypting, damaged),
        (decrypting, y * np.nan),
        (decrypting, np.round(y, 2)),
        (decrypting, x),
        (other, y),
    ):
        with pytest.raises(ImageError, match="Ciphertexts should.*Received"):
            layer(cipher)
    pipeline = tf.data.Dataset.from_tensors(damaged)
    with pytest.raises(tf.errors.InvalidArgumentError, match="another key or changed"):
        list(decrypt(pipeline, KEY, "orthogonal"))


def convolutional(patch):
    return keras.Sequential(
        [
            keras.Input(SHAPE),
            layers.Rescaling(1 / 255, offset=-0.3),
            layers.Conv2D(8, patch, patch, activation="gelu"),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )


def of_words(patch, bits=8, tied=False):
    embedding = tfpe.layers.WordPatchEmbedding(8, patch, bits, tied)
    return keras.Sequential(
        [keras.Input(SHAPE, dtype="uint8"), embedding, layers.Flatten()]
    )


@pytest.mark.parametrize("patch", [4, 8])
@pytest.mark.parametrize("build", [convolutional, of_words])
def test_match_gives_the_plain_logits(build, patch, tmp_path):
    x, model = images(), build(patch)
    plain = np.asarray(model(x))
    matched = tfpe.match(model, SECRET)
    assert np.allclose(matched(SECRET(x)), plain, rtol=1e-4, atol=1e-4)
    assert not np.allclose(matched(x.astype(np.float32) / 255), plain, atol=1e-2)
    again = tfpe.unmatch(matched, SECRET)
    assert np.allclose(again(x), plain, rtol=1e-4, atol=1e-4)
    # The key is in its weights: it keeps out of files unless asked in words.
    with pytest.raises(TfpeError, match="hold the key"):
        matched.save(tmp_path / "model.keras")
    tfpe.export(matched, tmp_path / "model.keras", with_key=True)
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert np.array_equal(loaded(SECRET(x)), matched(SECRET(x)))


def test_match_in_64_bits():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        x, model = images(), convolutional(4)
        y = 2.0 * x - 255
        y = y.reshape(4, 4, 4, 4, 4, 3).swapaxes(2, 3).reshape(-1, 48)
        y = (y @ SECRET.rotation.T / 255).reshape(4, 4, 4, 4, 4, 3)
        y = y.swapaxes(2, 3).reshape(x.shape)  # what is rounded to 32 bits
        assert np.abs(y - SECRET(x)).max() < 1e-6
        matched = tfpe.match(model, SECRET)
        body = keras.Model(matched.layers[1].output, matched.output)
        found = body(matched.layers[1].call(keras.ops.convert_to_tensor(y)))
        assert np.allclose(found, model(x.astype("float64")), rtol=1e-10, atol=1e-10)
    finally:
        keras.config.set_dtype_policy(policy)


def test_what_cannot_be_matched():
    model = convolutional(4)
    eight = CIPHERS["orthogonal"](KEY, SHAPE, block_size=8)
    for one, transform in (
        (model, eight),
        (model, SECRET.inverse),
        (of_words(4, 4), SECRET),
        (tfpe.match(model, SECRET), SECRET),
        (tfpe.match(model, SECRET), CIPHERS["le"](KEY, SHAPE)),
        (model, BATCH),
    ):
        with pytest.raises(NetworkError, match="Received"):
            tfpe.match(one, transform)
    with pytest.raises(NetworkError, match="Received"):
        tfpe.unmatch(model, SECRET)


# --- training -------------------------------------------------------------------------


def test_normalisations_of_training_are_of_centred_values():
    encryption = Encryption(KEY, "orthogonal", options={"block_size": 4})
    per_image = Encryption(KEY, "orthogonal", per_image=True)
    x, numbers = images(), np.arange(4)
    assert np.array_equal(encryption(x, numbers), SECRET(x))
    assert np.array_equal(per_image(x, numbers), BATCH(x))
    small = {"depth": 8, "alpha": 3, "shakedrop": 0}
    for normalization in ("unit", "centered"):
        recipe = Recipe(options=small, normalization=normalization)
        model = build_model(SHAPE, 10, recipe, real=True)
        assert model.inputs[0].dtype == "float32"
        # What plain bytes become, of the values that are their centred ones.
        plain = build_model(SHAPE, 10, recipe)
        centred = (2 * x.astype(np.float32) - 255) / 255
        pair = model.layers[0](centred), plain.layers[0](x)
        assert np.allclose(*pair, atol=1e-5)
        inside = build_model(SHAPE, 10, recipe, encryption, real=True)
        assert inside.inputs[0].dtype == "uint8"
        assert np.array_equal(inside.layers[0](x), SECRET(x))
    part = Part(x, np.zeros(4), numbers)
    assert predict(model, part, encryption).shape == (4,)
    with pytest.raises(ModelError, match="real numbers"):
        predict(plain, part, encryption)
    for wrong in (
        Recipe(options=small, normalization="folded"),
        Recipe(options=small | {"stem": "words", "patch_size": 4, "bits": 8}),
    ):
        with pytest.raises(RecipeError, match="real numbers"):
            build_model(SHAPE, 10, wrong, real=True)
