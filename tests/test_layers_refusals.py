"""Bad arguments, images and models that the layer refuses, each by a named error."""

import keras
import numpy as np
import pytest

from tfpe import CIPHERS, Key, PerceptualEncrypt
from tfpe.errors import (
    CipherOptionError,
    ImageError,
    TfpeError,
)

KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))
IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), np.uint8)


def wrong_values():
    wrong = IMAGES.astype(np.float32)
    wrong[0, 0, 0, 0], wrong[1, 0, 0, 0], wrong[2, 0, 0, 0] = np.nan, 256, -1
    return wrong


def test_values_that_do_not_fit():
    import tensorflow as tf

    layer = PerceptualEncrypt(KEY, "le")
    for image in wrong_values()[:3]:
        with pytest.raises(ImageError, match="in value_range=.* Received: values from"):
            layer(image)
    with pytest.raises(tf.errors.InvalidArgumentError, match="in value_range="):
        keras.Sequential([layer]).predict(wrong_values(), verbose=0)


def test_under_xla_nothing_raises_and_nothing_is_taken_for_an_image():
    import tensorflow as tf

    expected = CIPHERS["le"](KEY, (8, 8, 3))(IMAGES)
    for dtype, nothing in (("float32", np.nan), ("uint8", 0)):
        layer = PerceptualEncrypt(KEY, "le", dtype=dtype)
        compiled = tf.function(layer, jit_compile=True)
        result = compiled(tf.constant(wrong_values())).numpy()
        assert np.array_equal(result[3:], expected[3:])
        np.testing.assert_array_equal(result[:3], np.full_like(result[:3], nothing))
        scaled = compiled(tf.constant(IMAGES / np.float32(255))).numpy()
        np.testing.assert_array_equal(scaled, np.full_like(scaled, nothing))


def test_a_fit_of_another_range_leaves_the_weights_alone():
    layers = PerceptualEncrypt(KEY, "le"), keras.layers.Flatten(), keras.layers.Dense(1)
    for jit_compile in (False, True):
        model = keras.Sequential([keras.Input((8, 8, 3)), *layers])
        model.compile("sgd", "mse", jit_compile=jit_compile)
        before = model.get_weights()
        for call in (model.fit, model.evaluate):
            for images in (IMAGES / 255, IMAGES / 127.5 - 1):
                with pytest.raises(ImageError, match="which fit value_range"):
                    call(images, np.zeros(6), verbose=0)
        for now, then in zip(model.get_weights(), before, strict=True):
            assert np.array_equal(now, then)


class Halves(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, number):
        return IMAGES[3 * number : 3 * number + 3] / 255, np.zeros(3)


SOURCES = {
    "PyDataset": lambda tf: Halves(),
    "generator": lambda tf: (Halves()[n] for n in range(2)),
    "tf.data": lambda tf: tf.data.Dataset.from_generator(
        lambda: iter([Halves()[0]]),
        output_types=("float32", "float32"),
        output_shapes=((None, 8, 8, 3), (None,)),
    ),
}


@pytest.mark.parametrize("source", SOURCES)
def test_the_first_batch_of_every_source_is_looked_at(source):
    import tensorflow as tf

    layers = PerceptualEncrypt(KEY, "le"), keras.layers.Flatten(), keras.layers.Dense(1)
    model = keras.Sequential([keras.Input((8, 8, 3)), *layers])
    model.compile("sgd", "mse", jit_compile=True)
    with pytest.raises(ImageError, match=r"which fit value_range=\(0, 1\)"):
        model.fit(SOURCES[source](tf), verbose=0, shuffle=False)


def test_steps_of_its_own_are_left_alone():
    class Scaling(keras.Sequential):
        def train_step(self, data):
            images, targets = data
            return super().train_step((images * 255, targets))

    layers = PerceptualEncrypt(KEY, "le"), keras.layers.Flatten(), keras.layers.Dense(1)
    model = Scaling([keras.Input((8, 8, 3)), *layers])
    model.compile("sgd", "mse", jit_compile=True)
    history = model.fit(IMAGES / 255, np.zeros(6), verbose=0).history
    assert np.isfinite(history["loss"]).all()


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
    "wider than 32 bits": ({}, np.full((8, 8, 3), 2**32 + 7), "no usual range"),
    "negative": ({}, np.full((8, 8, 3), -1), "from -1 to -1"),
    "over 255": ({}, np.full((8, 8, 3), 256), "from 256 to 256"),
    "bytes in range (0, 1)": (
        {"value_range": (0, 1)},
        np.zeros((8, 8, 3), np.uint8),
        "Integer images need",
    ),
    "0..255 in range (0, 1)": (
        {"value_range": (0, 1)},
        np.full((8, 8, 3), 9.0),
        r"which fit value_range=\(0, 255\)",
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


def test_gray_images_have_no_channel_step():
    gray = IMAGES[..., :1]
    same = [PerceptualEncrypt(KEY, channel_shuffle=on)(gray) for on in (True, False)]
    assert tuple(same[0].shape) == (6, 8, 8, 1)
    assert np.array_equal(*same)


def test_images_of_unknown_size_are_refused_at_trace_time():
    import tensorflow as tf

    layer = PerceptualEncrypt(KEY)
    signature = [tf.TensorSpec([None, None, None, 3], tf.uint8)]
    with pytest.raises(ImageError, match="static"):
        tf.function(layer, input_signature=signature).get_concrete_function()
