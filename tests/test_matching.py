"""Matched models give on ciphertext what plain ones give on images. Budget: 45 s."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from key_arrays import TRANSFORMS
from patch_models import (
    MATCHABLE,
    NORMALISATIONS,
    SHAPE,
    agree,
    attending,
    convolutional,
    images,
    nested,
)

import tfpe
from tfpe import Key
from tfpe.errors import CipherOptionError, NetworkError
from tfpe.layers import WordPatchEmbedding, Words
from training.networks import find_network
from training.networks.matched import matched_network


@pytest.mark.parametrize("build", [convolutional, attending, nested])
def test_every_cipher_through_a_model_of_patches(build):
    x, key = images(), Key.generate()
    for number, name in enumerate(MATCHABLE):
        make = list(NORMALISATIONS.values())[number % 3]
        model = build(4, make())
        transform = tfpe.CIPHERS[name](key, SHAPE)
        matched = tfpe.match(model, transform)
        assert agree(matched(transform(x)), model(x), 1e-4), name
        assert agree(tfpe.unmatch(matched, transform)(x), model(x), 1e-4), name
        if name != "identity":
            assert not agree(matched(x), model(x), 1e-2), name


@pytest.mark.parametrize("class_token", [True, False])
def test_the_vit_of_keras_hub(class_token, tmp_path):
    hub = pytest.importorskip("keras_hub", exc_type=ImportError)
    backbone = hub.models.ViTBackbone(
        SHAPE, (4, 4), 1, 2, 8, 8, use_class_token=class_token
    )
    plain = keras.Sequential(
        [
            keras.Input(SHAPE),
            layers.Rescaling(1 / 127.5, -1),
            backbone,
            layers.Flatten(),
            layers.Dense(5),
        ]
    )
    transform = tfpe.CIPHERS["ele"](Key.generate(), SHAPE)
    matched, x = tfpe.match(plain, transform), images()
    assert agree(matched(transform(x)), plain(x), 1e-4)
    tfpe.export(matched, tmp_path / "model.keras", with_key=True)
    again = keras.models.load_model(tmp_path / "model.keras")
    assert agree(again(transform(x)), plain(x), 1e-4)
    assert agree(tfpe.unmatch(matched, transform)(x), plain(x), 1e-4)


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_the_bias_of_any_normalisation_in_64_bits(normalisation, float64):
    for patch, name in ((2, "pbe"), (8, "ele"), (8, "le"), (4, "logistic")):
        model = convolutional(patch, NORMALISATIONS[normalisation]())
        options = {"block_size": patch} if name in ("le", "ele") else {}
        transform = tfpe.CIPHERS[name](Key.generate(), SHAPE, **options)
        x = images().astype("float64")
        cipher = transform(images()).astype("float64")
        assert agree(tfpe.match(model, transform)(cipher), model(x), 1e-10), name


@pytest.mark.parametrize("name", ["le", "ele", "pbe", "logistic", "etc"])
def test_the_network_that_fits_a_cipher_is_matched_exactly(name):
    transform = tfpe.CIPHERS[name](Key.generate(), SHAPE)
    network, options = matched_network(tfpe.structure(transform))
    small = {"depth": 8, "alpha": 3} if network == "pyramidnet" else {"depth": 1}
    model = find_network(network).build(10, SHAPE, 1e-4, **options | small)
    assert agree(
        tfpe.match(model, transform)(transform(images())), model(images()), 1e-4
    )


def test_what_cannot_be_matched():
    key, good = Key.generate(), convolutional(4, layers.Rescaling(1 / 255))
    for name in ("shuffle", "etc_gray"):
        with pytest.raises(NetworkError, match="the whole image"):
            tfpe.match(good, tfpe.CIPHERS[name](key, SHAPE))
    with pytest.raises(NetworkError, match="blocks of side 4"):
        tfpe.match(convolutional(2, layers.Rescaling(1.0)), tfpe.ciphers.le(key, SHAPE))
    with pytest.raises(NetworkError, match="images that the model takes"):
        tfpe.match(good, tfpe.ciphers.le(key, (32, 32, 3)))
    three = keras.Sequential(
        [keras.Input(SHAPE), layers.Conv2D(8, 3), layers.Flatten()]
    )
    with pytest.raises(NetworkError, match="Conv2D"):
        tfpe.match(three, tfpe.ciphers.le(key, SHAPE))
    dense = keras.Sequential([keras.Input(SHAPE), layers.Flatten()])
    with pytest.raises(NetworkError, match="Flatten"):
        tfpe.match(dense, tfpe.ciphers.le(key, SHAPE))
    inputs = keras.Input(SHAPE)
    twice = layers.Conv2D(8, 4, 4)(inputs) + layers.Conv2D(8, 4, 4)(inputs)
    with pytest.raises(NetworkError, match="nowhere else"):
        tfpe.match(keras.Model(inputs, twice), tfpe.ciphers.le(key, SHAPE))
    batch = tfpe.CIPHERS["pbe"].per_image(key, SHAPE, range(2))
    with pytest.raises(CipherOptionError, match="one key"):
        tfpe.match(good, batch)


def test_words_are_centred_and_change_their_sign():
    x = images(2)
    for bits in (8, 4, 1):
        layer = Words(bits)
        words = keras.ops.convert_to_numpy(layer(x))
        assert words.shape == (2, 16, 16, 3 * 8 // bits)
        assert words.min() == -1 and words.max() == 1
        assert np.allclose(keras.ops.convert_to_numpy(layer(~x)), -words, atol=1e-6)
        floats = keras.ops.convert_to_numpy(layer(x.astype("float32")))
        assert np.array_equal(floats, words)
        again = Words.from_config(layer.get_config())
        assert again.bits == bits
        assert layer.compute_output_shape((None, 16, 16, 3)) == (None, *words.shape[1:])
    order = keras.ops.convert_to_numpy(Words(4)(np.full((1, 1, 1, 1), 0xF0, np.uint8)))
    assert order.ravel().tolist() == [-1, 1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"bits": 2},
        {"bits": True},
        {"units": 0},
        {"units": 2.5},
        {"patch_size": 0},
        {"patch_size": 5},
    ],
)
def test_arguments_that_do_not_fit(wrong):
    with pytest.raises(NetworkError, match="Received"):
        WordPatchEmbedding(**{"units": 4, "patch_size": 4} | wrong)(images())
    with pytest.raises(NetworkError, match="Received"):
        Words(3)


def test_saved_embeddings_give_the_same(tmp_path):
    model = keras.Sequential(
        [keras.Input(SHAPE, dtype="uint8"), WordPatchEmbedding(4, 4, 4, tied=False)]
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert agree(loaded(images()), model(images()), 0)


def test_the_page_of_the_docs():
    page = (Path(__file__).parents[1] / "docs/matching.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(block, {})
    table = page.partition("\n## ")[0]
    for name in TRANSFORMS:
        found = tfpe.structure(tfpe.CIPHERS[name](Key.generate(), (32, 32, 3)))
        if name != "identity":
            (line,) = (line for line in table.split("\n") if f"`{name}`" in line[:25])
            where = {"image": "the whole image"}.get(found.region, found.region)
            cells = [cell.strip() for cell in line.split("|")[2:4]]
            assert cells == [f"{found.bits} bit{'s' * (found.bits > 1)}", where], name
