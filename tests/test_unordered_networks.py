"""Networks for a key for each image: what they see does not depend on the key."""

import keras
import numpy as np
import pytest

import tfpe
from tfpe import CIPHERS, Key, Transform
from tfpe.errors import NetworkError
from tfpe.layers import FoldedChannels
from training.networks.matched import matched_recipe, unordered_network
from training.networks.unordered_tokens import UnorderedTokens
from training.recipes import find_recipe
from training.train import build_model

SHAPE = (16, 16, 3)
SMALL = {"set_transformer": {"width": 16, "depth": 1}, "pyramidnet": {"depth": 8}}


def images(count=6):
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (count, *SHAPE), np.uint8)
    # Flat, gray and black blocks too: what is sorted has equal neighbours there.
    noise[0] = 0
    noise[1] = noise[1, ..., :1]
    noise[2, :8] = (7, 200, 55)
    return noise


@pytest.mark.parametrize(
    "cipher, options, tokens",
    [
        ("pbe", {}, None),
        ("pbe", {"channel_shuffle": False}, None),
        ("negpos", {}, None),
        ("etc", {}, "blocks"),
        ("etc", {"block_size": 8}, "blocks"),
        ("le", {}, "words"),
        ("le", {"reversal": "independent"}, "words"),
        ("blockshuffle", {}, "words"),
        ("ele", {}, "multisets"),
    ],
)
def test_logits_are_those_of_the_plain_image_under_every_key(cipher, options, tokens):
    recipe = find_recipe("matched")
    recipe = matched_recipe(recipe, cipher, SHAPE, per_image=True, **options)
    assert recipe.options.get("tokens") == tokens
    small = recipe.options | SMALL[recipe.network]
    recipe = find_recipe(
        "matched", network=recipe.network, normalization=recipe.normalization, **small
    )
    model, plain = build_model(SHAPE, 5, recipe), images()
    encrypted = CIPHERS[cipher].per_image(Key.generate(), SHAPE, range(6), **options)
    logits = keras.ops.convert_to_numpy(model(encrypted(plain)))
    expected = keras.ops.convert_to_numpy(model(plain))
    assert np.abs(logits - expected).max() < 1e-4 * np.abs(expected).max()
    # And images differ in it.
    assert np.abs(np.diff(expected, axis=0)).max(1).min() > 1e-3


@pytest.mark.parametrize("cipher", ["logistic", "keystream", "shuffle"])
def test_where_nothing_remains_that_is_said(cipher):
    transform = CIPHERS[cipher](Key.generate(), SHAPE)
    with pytest.raises(NetworkError, match="all keys"):
        unordered_network(transform)


def test_bytes_that_move_in_a_block_but_are_not_turned_are_a_multiset():
    blocks = CIPHERS["blockshuffle"](Key.generate(), SHAPE)
    moved = blocks @ CIPHERS["etc"](Key.generate(), SHAPE)
    assert isinstance(moved, Transform)
    assert unordered_network(moved)[1]["tokens"] == "multisets"


def test_folded_channels():
    fold = FoldedChannels()
    values = np.array([[[[0, 255, 127]], [[128, 1, 9]]]], np.uint8)
    found = keras.ops.convert_to_numpy(fold(values)).reshape(2, 3)
    assert np.allclose(found, np.array([[0, 0, 127], [1, 9, 127]]) * 2 / 127 - 1)
    gray = np.array([3, 252], np.uint8).reshape(1, 1, 2, 1)
    assert len(np.unique(keras.ops.convert_to_numpy(fold(gray)))) == 1
    with pytest.raises(NetworkError, match="shape"):
        fold(np.zeros((2, 2, 3), np.uint8))


def test_the_run_names_the_network_of_keys_for_each_image(tmp_path):
    from training.images import load
    from training.run import Run

    recipe = find_recipe("matched", epochs=1)
    words = [
        Run(load("digits"), recipe, name, 0, None, tmp_path, tmp_path).settings[
            "network_words"
        ]
        for name in ("etc-per-image", "plain-as-etc-per-image", "pbe-per-image")
    ]
    assert words[0] == words[1] != words[2]
    assert "turned" in words[0] and "folded" in words[2]
    assert tfpe.layers.FoldedChannels is FoldedChannels


def test_tokens_of_other_words():
    with pytest.raises(NetworkError, match="`tokens` should be one of .*blokcs"):
        UnorderedTokens(16, "blokcs")
