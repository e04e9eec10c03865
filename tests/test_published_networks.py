"""Published learned attacks: what their networks are, and that both players learn."""

import argparse

import keras
import learned_forms
import numpy as np
import pytest
from learned_forms import SHAPE, eagerly

from tfpe import CIPHERS, Key
from tfpe.attacks import InverseNetwork
from tfpe.attacks.learned import learning
from tfpe.attacks.learned.forms import form_of
from tfpe.attacks.learned.learning import learn
from tfpe.attacks.learned.pairs import Unpaired
from tfpe.attacks.learned.players import (
    JUDGED,
    JUDGES,
    REAL,
    SHOWN,
    SpectralConv,
    compile_players,
    players,
)
from tfpe.attacks.learned.published_networks import PUBLISHED
from tfpe.cli.attack_training import add_training
from tfpe.errors import AttackError

GANS = [name for name, one in PUBLISHED.items() if one.judge]
gans = pytest.mark.parametrize("name", GANS)


@pytest.fixture(scope="module")
def pieces():
    return learned_forms.pieces()


@pytest.mark.parametrize(
    "name, cipher, wanted",
    [
        ("itn", "le", [48, 48, 512, 3]),
        ("itn", "pbe", [64, 128, 256, 3]),
        ("gan", "ele", [48, 48, 512, 3]),
    ],
)
def test_widths_are_those_of_the_code(name, cipher, wanted):
    model = form_of(cipher, (32, 32, 3)).build(published=name)
    layers = [one for one in model.layers if isinstance(one, keras.layers.Conv2D)]
    assert [one.filters for one in layers] == wanted
    assert model.output["picture"].shape[-1] == 3


@pytest.mark.parametrize("cipher", ["ele", "etc", "pbe"])
def test_sia_gan_has_the_published_size(cipher):
    """1.1 and 13 million weights, to a tenth."""
    shape, published = (32, 32, 3), PUBLISHED["sia-gan"]
    assert form_of(cipher, shape).build(published="sia-gan").count_params() == (
        pytest.approx(1.1e6, rel=0.1)
    )
    judge = JUDGES[published.judge].build(shape, published.width)
    assert judge.count_params() == pytest.approx(13e6, rel=0.1)


@pytest.mark.parametrize("name, sees_all", [("itn", False), ("sia-gan", True)])
@pytest.mark.parametrize("cipher", ["pbe", "le"])
def test_only_sia_gan_sees_neighbours(rng, pieces, name, sees_all, cipher):
    form = form_of(cipher, SHAPE)
    model, size = form.build(published=name, width=32), form.block_size
    for one in model.trainable_variables:
        if one.name == "kernel":  # as spread as what comes in: nothing is saturated
            inputs = np.prod(one.shape[:3] if len(one.shape) == 4 else one.shape[-1])
            one.assign(rng.normal(0, 0.7 / np.sqrt(inputs), one.shape))
    changed = pieces[:1].copy()
    changed[0, :size, :size] ^= 255
    both = model(np.concatenate([pieces[:1], changed]))["picture"]
    different = (np.ptp(both, axis=0) > 1e-5).any(-1)  # rows differ in rounding
    assert different[:size, :size].any()
    around = different[size:].any() or different[:, size:].any()
    assert around == sees_all


def test_itn_is_trained_as_published(pieces, tmp_path):
    given = {"steps": 2, "published": "itn", "width": 8}
    trained = learn(form_of("pbe", SHAPE), pieces[:40], tmp_path / "itn", **given)
    wanted = {"network": {"published": "itn", "width": 8}}
    wanted |= {"batch_size": 128, "learning_rate": 0.01}
    assert trained.settings.items() >= wanted.items()
    assert trained.settings["held_out"]["ssim"] is not None


def test_spectral_convolutions_have_norm_one(rng):
    layer = SpectralConv(5, 3, padding="same")
    images = rng.normal(size=(1, 8, 8, 2)).astype(np.float32)
    for _ in range(50):
        layer(images, training=True)
    kernel = np.reshape(layer.kernel, (-1, 5))
    shown = np.asarray(layer(images))
    plain = keras.ops.conv(images, layer.kernel, 1, "same", "channels_last")
    norm = np.linalg.svd(kernel, compute_uv=False)[0]
    np.testing.assert_allclose(shown, np.asarray(plain) / norm, rtol=1e-3, atol=1e-5)


def made(name, pieces, cipher="le", width=16):
    form, published = form_of(cipher, SHAPE), PUBLISHED[name]
    keras.utils.set_random_seed(0)
    generator = form.build(published=name, width=width)
    both = players(generator, form, published, width)
    compile_players(both, published, 2e-3)
    both.run_eagerly = True
    return form, generator, both


def judge_of(both):
    return next(one for one in both.layers if hasattr(one, "judge")).judge


@gans
def test_each_loss_moves_its_own_player_alone(pieces, name):
    form, generator, both = made(name, pieces)
    inputs, wanted = Unpaired(form, pieces, 4, 0, 0, 1)[0]
    weights = {"judge": judge_of(both), "generator": generator}
    for told, moved in (([JUDGED], "generator"), ([REAL, SHOWN], "judge")):
        losses = {n: JUDGES["dcgan"].judging for n in told}
        both.compile(keras.optimizers.SGD(1.0), loss=losses, run_eagerly=True)
        before = {n: one.get_weights() for n, one in weights.items()}
        with pytest.warns(UserWarning, match="Gradients do not exist for variables"):
            both.train_on_batch(inputs, {n: wanted[n] for n in told})
        for player, one in weights.items():
            places = [k for k, v in enumerate(one.weights) if v.trainable]
            now = one.get_weights()
            same = [np.array_equal(before[player][k], now[k]) for k in places]
            assert not all(same) if player == moved else all(same)


FAULTS = {
    None: {},
    "real and shown are swapped": {REAL: 0, SHOWN: 1},
    "the generator wants to be found": {JUDGED: 0},
    "the judge does not learn": {},
}
CASES = [("gan", fault) for fault in FAULTS] + [("sia-gan", None)]


@pytest.mark.parametrize("name, fault", CASES)
def test_both_players_learn_unless_something_is_wrong(pieces, name, fault):
    """The judge tells real pictures better, the generator shows what looks more so."""
    form, generator, both = made(name, pieces)
    judge = judge_of(both)
    judge.trainable = fault != "the judge does not learn"
    batch = Unpaired(form, pieces, 16, 0, 0, 1)[0]
    (ciphertexts, real), wanted = batch
    wanted |= {n: 0 * wanted[n] + value for n, value in FAULTS[fault].items()}

    def shown():
        return generator(ciphertexts, training=True)["picture"]

    def says(images):
        return float(np.mean(judge(images)))

    first, began, weights = shown(), both(batch[0]), judge.get_weights()
    gap, taken = says(real) - says(first), says(first)
    assert set(began) == {REAL, SHOWN, JUDGED}
    inputs = ciphertexts, real
    told = [both.train_on_batch(inputs, wanted, return_dict=True)]
    later = judge.get_weights()
    judge.set_weights(weights)
    won = says(shown()) - taken
    judge.set_weights(later)
    told += [both.train_on_batch(inputs, wanted, return_dict=True) for _ in range(3)]
    judged = says(real) - says(first) - gap
    moved = [abs(told[-1][f"{n}_loss"] - told[0][f"{n}_loss"]) for n in began]
    learned = judged > 1e-3 and won > 1e-4 and min(moved) > 1e-5
    assert learned == (fault is None), (judged, won, moved)


@gans
def test_an_interrupted_gan_ends_with_the_same_file(
    pieces, tmp_path, monkeypatch, name
):
    monkeypatch.setattr(learning, "ROUND", 2)
    players = learning.compile_players
    monkeypatch.setattr(learning, "compile_players", eagerly(players))
    form = form_of("le", SHAPE)
    given = {"steps": 4, "batch_size": 2, "published": name, "width": 16}
    secret = CIPHERS["le"](Key(bytes(32)), SHAPE)
    given["ciphertexts"] = secret(pieces[40:70])
    for file, minutes in (("whole", None), ("cut", 0)):
        path = tmp_path / file
        found = learn(form, pieces[:40], path, minutes=minutes, **given)
        assert (found is None) == (file == "cut")
    found = learn(form, pieces[:40], path, minutes=0, **given)
    assert path.read_bytes() == (tmp_path / "whole").read_bytes()
    assert found.settings["held_out"]["ssim"] is None
    assert found.settings["ciphertexts"][0] == 30
    assert found.settings["learning_rate"] == PUBLISHED[name].rate
    shown = InverseNetwork.load(path)(given["ciphertexts"][:3])
    np.testing.assert_array_equal(shown, found(given["ciphertexts"][:3]))
    other = given | {"ciphertexts": secret(pieces[41:71])}
    with pytest.raises(AttackError, match="another ciphertexts"):
        learn(form, pieces[:40], path, **other)
    assert learn(form, pieces[:40], tmp_path / "begun", minutes=0, **given) is None
    for name in ("cut", "begun"):  # of one key, and no attack on fresh ones
        with pytest.raises(AttackError, match="another ciphertexts"):
            learn(form, pieces[:40], tmp_path / name, **given | {"ciphertexts": None})


def test_what_a_gan_cannot_learn_from_is_refused(pieces, tmp_path):
    form, path = form_of("le", SHAPE), tmp_path / "none"
    given = {"ciphertexts": pieces[:9], "steps": 1}
    for other in ({}, {"published": "itn"}):
        with pytest.raises(AttackError, match="one of .*gan"):
            learn(form, pieces[:40], path, **given, **other)
    given["ciphertexts"] = pieces[:9, :12]
    with pytest.raises(AttackError, match="shape of the pictures"):
        learn(form, pieces[:40], path, **given, published="gan")
    with pytest.raises(AttackError, match="at least 16 x 16"):
        small = form_of("le", (12, 16, 3))
        learn(small, pieces[:40, :12], path, steps=1, published="gan")


def test_one_network_for_one_size(pieces):
    """SIA-GAN has weights of its own for each block, also for ciphers of pixels."""
    form = form_of("pbe", SHAPE)
    settings = {"cipher": "pbe", "options": {}, "image_shape": SHAPE}
    for name, fits in ((None, True), ("gan", True), ("sia-gan", False)):
        network = {} if name is None else {"published": name}
        found = InverseNetwork(settings | {"network": network}, [])
        assert found.any_size == fits and form.any_size
        if not fits:
            with pytest.raises(AttackError, match="of the size"):
                found.check((32, 32, 3))


def test_the_command_line_names_what_there_is():
    parser = argparse.ArgumentParser()
    add_training(parser)
    [action] = [one for one in parser._actions if one.dest == "published"]
    assert action.choices == tuple(PUBLISHED)
