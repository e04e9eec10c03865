"""Logits on ciphertext are those on images, on all backends. Budget: 45 s.

The sample has every cipher, network, patch size and normalisation; the whole product,
and every option of the ciphers, are slow.
"""

import dataclasses
import itertools
import json

import keras
import numpy as np
import pytest
from exact_logits import KEY, NETWORKS, REFUSED, STEMS, Case, difference
from patch_models import MATCHABLE, NORMALISATIONS, SHAPE
from processes import run_script
from reference import OPTION_VALUES

import tfpe
from tfpe.errors import CipherOptionError, NetworkError
from training.images import load
from training.networks import find_network
from training.train import predict_labels

TOLERANCES = {"float64": 1e-10, "float32": 1e-4}
NAMES = (*STEMS, *NETWORKS)
PATCHES = 2, 4, 8


def blocks_of(cipher, patch):
    """The options by which a cipher keeps to patches."""
    return (
        {"block_size": patch} if "block_size" in tfpe.CIPHERS[cipher].defaults else {}
    )


def case(number, cipher, network, patch, **fields):
    """A `Case`; stems come two by two, so they would always meet the same ones."""
    normalisation = (number + number // len(NAMES)) % len(NORMALISATIONS)
    fields = {"options": blocks_of(cipher, patch)} | fields
    return Case(cipher, network, patch, list(NORMALISATIONS)[normalisation], **fields)


PRODUCT = [
    case(number // len(PATCHES), *parts)
    for number, parts in enumerate(itertools.product(MATCHABLE, NAMES, PATCHES))
]
# Steps that share no factor with what they step through.
SAMPLE = [
    case(k, name, NAMES[k % len(NAMES)], PATCHES[(k + k // 3) % 3])
    for k, name in enumerate(MATCHABLE)
]


def in_32_bits(cases):
    return [dataclasses.replace(one, dtype="float32") for one in cases]


def every_option():
    """All values of all options of all ciphers, in turn on patches of each size."""
    for cipher in (*MATCHABLE, "orthogonal"):
        names = OPTION_VALUES[cipher]
        for number, values in enumerate(itertools.product(*names.values())):
            options = dict(zip(names, values, strict=True))
            try:
                tfpe.CIPHERS[cipher].check(**options)
            except CipherOptionError:  # a block smaller than its sub-blocks
                continue
            for patch in PATCHES:
                stem = list(STEMS)[number % 2]
                yield case(number, cipher, stem, patch, options=options)


def check(one, found):
    """A small difference, or the refusal of what does not keep to patches."""
    transform = one.transform()
    if isinstance(transform, tfpe.Transform):
        fits = tfpe.structure(transform).at(one.patch) is not None
    else:
        fits = one.patch % one.options["block_size"] == 0
    if fits:
        assert found != REFUSED and found <= TOLERANCES[one.dtype], (str(one), found)
    else:
        assert found == REFUSED, (str(one), found)


def ask(backend, cases, tmp_path):
    """The same questions to another backend, in one process; JAX takes 5 s for each."""
    (tmp_path / "cases.json").write_text(
        json.dumps(list(map(dataclasses.asdict, cases)))
    )
    env = {"KERAS_BACKEND": backend, "JAX_ENABLE_X64": "1", "CUDA_VISIBLE_DEVICES": ""}
    told = run_script(
        "../exact_logits.py", tmp_path / "cases.json", env=env, timeout=7200
    )
    found = json.loads(told.splitlines()[-1])
    for one, value in zip(cases, found, strict=True):
        check(one, value)


@pytest.mark.parametrize("one", SAMPLE + in_32_bits(SAMPLE[::3]), ids=str)
def test_a_sample(one):
    check(one, difference(one))


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends(backend, tmp_path):
    pytest.importorskip(backend)
    words = case(0, "ele", "mlp_mixer", 4)
    pixels = case(8, "logistic", "convolution", 2, dtype="float32")
    ask(backend, [words, pixels, case(0, "le", "convmixer", 2)], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_all_of_it(backend, tmp_path):
    pytest.importorskip(backend)
    ask(backend, PRODUCT + in_32_bits(PRODUCT), tmp_path)


@pytest.mark.slow
def test_every_option(tmp_path):
    ask("tensorflow", list(every_option()), tmp_path)


@pytest.mark.slow
def test_every_prediction_on_the_test_images_of_cifar(cifar_directory):
    data = load("cifar10", cifar_directory)
    model = keras.Sequential(
        [
            keras.Input(data.x_test.shape[1:], dtype="uint8"),
            keras.layers.Rescaling(1 / 127.5, -1),
            keras.layers.Conv2D(64, 4, 4, activation="gelu"),
            keras.layers.Conv2D(64, 3, padding="same", activation="gelu"),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    model.fit(data.x_train[:10_000], data.y_train[:10_000], epochs=3, verbose=0)
    expected = predict_labels(model, data.x_test)
    assert (expected == data.y_test).mean() > 0.4  # it has learnt something
    for cipher in ("le", "ele", "pbe", "logistic", "etc"):
        transform = tfpe.CIPHERS[cipher](KEY, data.x_test.shape[1:])
        matched = tfpe.match(model, transform)
        found = predict_labels(matched, transform(data.x_test))
        assert np.array_equal(found, expected), cipher


def test_the_sample_has_everything():
    for field, whole in {
        "cipher": MATCHABLE,
        "network": NAMES,
        "patch": PATCHES,
    }.items():
        assert {getattr(one, field) for one in SAMPLE} == set(whole)
    met = {one.normalisation for one in SAMPLE if one.network in STEMS}
    assert met == set(NORMALISATIONS)
    assert {one.cipher for one in every_option()} == {*MATCHABLE, "orthogonal"}


@pytest.mark.parametrize(
    "name, options, first",
    [
        ("resnet9", {"width": 4}, "Conv2D"),
        ("set_transformer", {"width": 8, "depth": 1}, "UnorderedTokens"),
        ("pyramidnet", {"depth": 8, "alpha": 3}, "Conv2D"),
    ],
)
def test_networks_without_patches_are_refused_by_name(name, options, first):
    model = find_network(name).build(10, SHAPE, **options)
    transform = tfpe.ciphers.le(KEY, SHAPE)
    with pytest.raises(NetworkError, match=f"patch embedding.*Received: {first}"):
        tfpe.match(model, transform)


def test_substitution_is_refused_by_name():
    model = find_network("convmixer").build(10, SHAPE, width=4, depth=1)
    with pytest.raises(CipherOptionError, match="Substitution"):
        tfpe.match(model, tfpe.ciphers.ffx(KEY, SHAPE))
