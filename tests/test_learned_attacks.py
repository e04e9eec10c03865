"""Attacks that learn: what networks take, training, files."""

import contextlib
import dataclasses
import itertools
import types

import keras
import learned_forms
import numpy as np
import pytest
from image_folders import CHINA
from learned_forms import FAMILIES, SHAPE

from tfpe import CIPHERS, Key
from tfpe.attacks import ATTACKS, Evidence, InverseNetwork, run, score_images
from tfpe.attacks.learned import learning
from tfpe.attacks.learned.forms import (
    BLOCKS,
    MULTISETS,
    PIXELS,
    POLARITIES,
    WORDS,
    form_of,
)
from tfpe.attacks.learned.learning import learn
from tfpe.attacks.learned.network_file import read_network, write_network
from tfpe.attacks.learned.pairs import Pairs
from tfpe.attacks.learned.polarity_network import SAME, choice_loss
from tfpe.errors import AttackError

SMALL = {
    PIXELS: {"widths": (8, 8)},
    POLARITIES: {"widths": (8, 8)},
    WORDS: {"width": 16, "depth": 1},
    BLOCKS: {"width": 16, "depth": 1},
    MULTISETS: {"width": 16, "depth": 1},
}


@contextlib.contextmanager
def eagerly():
    with pytest.MonkeyPatch.context() as patch:
        compiled = learning._compile
        patch.setattr(learning, "_compile", learned_forms.eagerly(compiled))
        yield


@pytest.fixture
def eager():
    with eagerly():
        yield


@pytest.fixture(scope="module")
def pieces():
    return learned_forms.pieces()


def test_families_follow_from_traits():
    for name, family in FAMILIES.items():
        assert form_of(name, SHAPE).family == family
    for name in CIPHERS:
        wanted = name in FAMILIES
        assert (name in ATTACKS["inverse_network"].ciphers) == wanted
        if not wanted:
            with pytest.raises(AttackError, match=f"A network is for .* {name}"):
                form_of(name, SHAPE)


# For each a score and how far above the constant picture's it should lie, steps, sizes.
# Little is learned of etc and ele in so short a time, and little in a long one.
TOY = {
    "pbe": ("ssim", 0.05, 100, {"widths": (24, 32)}),
    "logistic": ("psnr", 4.0, 60, {"widths": (16, 24)}),
    "le": ("ssim", 0.02, 120, {"width": 16, "depth": 1}),
}


@pytest.mark.parametrize("cipher", TOY)
def test_a_toy_budget_beats_the_best_constant_picture(pieces, tmp_path, cipher):
    """By a margin, on pictures and keys that it has not seen."""
    score, margin, steps, sizes = TOY[cipher]
    trained = learn(
        form_of(cipher, SHAPE),
        pieces,
        tmp_path / "toy.attack",
        steps=steps,
        batch_size=16,
        **sizes,
    )
    held_out = trained.settings["held_out"]
    assert held_out["count"] == 208
    constant = held_out["constant"][score]
    assert held_out[score] > constant + margin
    plain = pieces[:20]  # of the held out
    keys = CIPHERS[cipher].per_image(Key(bytes(32)), SHAPE, range(20))
    evidence = Evidence(ciphertexts=keys(plain), cipher=cipher)
    model = InverseNetwork.load(tmp_path / "toy.attack")
    evidence = dataclasses.replace(evidence, model=model)
    found = run(ATTACKS["inverse_network"], evidence)
    assert found.key is None and found.count == 20
    gray = np.broadcast_to(learning.constant_picture(pieces[208:]), plain.shape)
    shown, constant = [
        getattr(score_images(one, plain), score) for one in (found.pictures, gray)
    ]
    assert shown > constant + margin / 2
    if form_of(cipher, SHAPE).any_size:
        # Larger pictures, of no multiple of its strides, and what of them is a piece.
        large = CHINA[250:303, 300:370]
        hidden = CIPHERS[cipher](Key(bytes(32)), large.shape)(large)
        gray = np.broadcast_to(np.median(pieces[208:], axis=(0, 1, 2)), large.shape)
        shown, *others = [
            getattr(score_images(one, large), score)
            for one in (model(hidden[None])[0], hidden, np.uint8(gray))
        ]
        assert shown > max(others) + margin / 2


def test_a_step_is_traced_once(pieces, tmp_path, traces):
    """Each trace takes seconds."""
    form, sizes = form_of("pbe", SHAPE), SMALL[POLARITIES]
    learn(form, pieces[:40], tmp_path / "a", steps=1, batch_size=2, **sizes)
    assert len(traces) == 1
    learning.learn_from_pairs(
        form, pieces[:2], pieces[2:4], steps=1, batch_size=2, **sizes
    )
    assert len(traces) == 2


def test_choices_are_taught_up_to_the_negative_and_where_all_is_sure(pieces):
    """Sure of what is right costs nothing, sure of what is wrong what it should."""
    plain = pieces[:2].astype(np.float32) / 255
    folded = np.sort(np.minimum(plain, 1 - plain), axis=-1)
    choices = np.concatenate([folded, 1 - folded], axis=-1)[..., None, :]
    choices = np.broadcast_to(choices, (*plain.shape, 6))

    def loss(picture, sure):
        right = np.abs(choices - picture[..., None]) < SAME
        likely = np.where(right, -np.log(right.sum(-1, keepdims=True)), -sure)
        told = np.stack([likely, choices], axis=-2).astype(np.float32)
        return keras.ops.convert_to_numpy(choice_loss(plain, told))

    for picture in (plain, 1 - plain):
        np.testing.assert_allclose(loss(picture, 9.0), 0, atol=1e-5)
    half = np.concatenate([plain[:, :8], 1 - plain[:, 8:]], axis=1)  # no picture
    assert (loss(half, 9.0) > 3).all()
    assert (loss(half, 100.0) > 1.9 * loss(half, 50.0)).all()


@pytest.mark.parametrize("cipher", ["pbe", "ffx", "le", "etc", "ele"])
def test_networks_take_bytes_and_learn_from_pairs(pieces, eager, cipher):
    form = form_of(cipher, SHAPE)
    keras.utils.clear_session()  # names of its own meet none of Keras's first ones
    model = form.build(**SMALL[form.family])
    learning._compile(model, 4, 1e-3)
    pairs = Pairs(form, pieces, 4, seed=0, first=0, last=2)
    history = model.fit(pairs, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    again = Pairs(form, pieces, 4, seed=0, first=1, last=2)[0]
    assert (again[0] == pairs[1][0]).all() and (again[0] != pairs[0][0]).any()


@pytest.mark.parametrize("cipher", ["pbe", "logistic", "le", "etc", "ele"])
def test_every_picture_of_every_batch_has_a_key_of_its_own(cipher):
    picture = np.random.default_rng(0).integers(0, 256, (1, *SHAPE), np.uint8)
    pairs = Pairs(form_of(cipher, SHAPE), picture, 16, seed=0, first=0, last=3)
    seen = np.concatenate([np.asarray(pairs[number][0]) for number in range(3)])
    assert len(np.unique(seen.reshape(len(seen), -1), axis=0)) == 48


@pytest.fixture(scope="module")
def trained(pieces, tmp_path_factory):
    """A network of two steps."""
    path = tmp_path_factory.mktemp("trained") / "etc.attack"
    form, given = form_of("etc", SHAPE), {"steps": 2, "batch_size": 4}
    with eagerly():
        learn(form, pieces[:40], path, **given, **SMALL[BLOCKS])
    return path


@pytest.mark.parametrize("cipher", ["pbe"])
def test_an_interrupted_training_gives_the_same_file(
    pieces, eager, tmp_path, monkeypatch, cipher
):
    monkeypatch.setattr(learning, "ROUND", 2)
    form, seen, pieces = form_of(cipher, SHAPE), [], pieces[:40]
    looks = itertools.count()  # a second passes between two of them
    clock = types.SimpleNamespace(monotonic=lambda: next(looks))
    monkeypatch.setattr(learning, "time", clock)
    seconds = {}
    given = {"steps": 6, "batch_size": 2, **SMALL[form.family]}
    for name, minutes in (("whole", None), ("cut", 0)):
        path = tmp_path / name
        for _ in range(4):
            found = learn(
                form,
                pieces,
                path,
                minutes=minutes,
                progress=lambda *told: seen.append(told[:2]),
                **given,
            )
            if found is not None:
                seconds[name] = found.seconds
                break
            with pytest.raises(AttackError, match="none"):
                InverseNetwork.load(path)
    assert seen == 2 * [(2, 6), (4, 6), (6, 6)]
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "cut").read_bytes()
    assert seconds == {"whole": 4, "cut": 4}  # of all slices
    assert not list(tmp_path.glob("*.unfinished"))


def test_a_file_holds_settings_and_weights_and_no_more(trained):
    settings, arrays = read_network(trained)
    model = InverseNetwork.load(trained).model
    assert [a.shape for a in arrays] == [tuple(v.shape) for v in model.variables]
    assert set(settings) == {
        *("format", "cipher", "options", "image_shape", "network", "pictures"),
        *("count", "checksum", "steps", "batch_size", "learning_rate", "seed"),
        "held_out",
    }


@pytest.mark.parametrize(
    "evidence, said",
    [
        ({"cipher": "pbe"}, "one for etc, ciphertexts of pbe"),
        ({"cipher": "etc", "options": {"block_size": 8}}, "block_size=4"),
        ({"ciphertexts": np.zeros((1, 32, 32, 3), np.uint8)}, r"\(32, 32, 3\)"),
    ],
)
def test_a_network_for_others_is_refused_by_name(trained, evidence, said):
    given = {"ciphertexts": np.zeros((1, *SHAPE), np.uint8)} | evidence
    given["model"] = InverseNetwork.load(trained)
    with pytest.raises(AttackError, match=said):
        run(ATTACKS["inverse_network"], Evidence(**given))


def test_files_that_are_none_are_refused(pieces, trained, tmp_path):
    settings, arrays = read_network(trained)
    for damage in (b"", trained.read_bytes()[:100], b"PK\3\4" + bytes(99)):
        (tmp_path / "other").write_bytes(damage)
        with pytest.raises(AttackError, match="another or damaged"):
            InverseNetwork.load(tmp_path / "other")
    write_network(tmp_path / "other", settings, arrays[:-1])
    with pytest.raises(AttackError, match="weights of the shapes"):
        InverseNetwork.load(tmp_path / "other")(np.zeros((1, *SHAPE), np.uint8))
    write_network(tmp_path / "other", settings | {"format": 2}, arrays)
    with pytest.raises(AttackError, match="format 1"):
        InverseNetwork.load(tmp_path / "other")
    with pytest.raises(AttackError, match="another batch_size, steps"):
        learn(form_of("etc", SHAPE), pieces[:40], trained, steps=3, **SMALL[BLOCKS])
    with pytest.raises(AttackError, match="20 or more"):
        learn(form_of("etc", SHAPE), pieces[:19], tmp_path / "few")
    with pytest.raises(AttackError, match="one of .'itn', 'gan', 'sia-gan'.*'vgg'"):
        learn(form_of("etc", SHAPE), pieces, tmp_path / "few", published="vgg")
