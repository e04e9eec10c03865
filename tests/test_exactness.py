"""Logits on ciphertext are those on images: ciphers x networks x patches. Budget: 60 s.

The sample has every cipher, network, patch size and normalisation; the whole product is
slow. KERAS_BACKEND chooses the backend.
"""

import itertools

import pytest
from test_matching import (
    MATCHABLE,
    NORMALISATIONS,
    SHAPE,
    agree,
    attending,
    convolutional,
    float64,  # noqa: F401  a fixture
    images,
)

import tfpe
from tfpe import Key
from training.networks import find_network

STEMS = {"convolution": convolutional, "reshape, permute": attending}
NETWORKS = {
    "convmixer": {"width": 8, "depth": 1},
    "mlp_mixer": {"width": 8, "depth": 1},
    "vit": {"width": 12, "depth": 1},
    "pyramidnet": {"depth": 8, "alpha": 3, "shakedrop": 0, "stem": "words"},
}
NAMES = (*STEMS, *NETWORKS)
PATCHES = 2, 4, 8
PRODUCT = list(itertools.product(MATCHABLE, NAMES, PATCHES))
# Steps that share no factor with what they step through.
SAMPLE = [
    (name, NAMES[k % len(NAMES)], PATCHES[(k + k // 3) % 3])
    for k, name in enumerate(MATCHABLE)
]


def normalisation_of(number):
    """Of a case: stems come two by two, so they would always meet the same ones."""
    return list(NORMALISATIONS)[(number + number // len(NAMES)) % len(NORMALISATIONS)]


def check(case, number, tolerance, dtype):
    name, network, patch = case
    row = tfpe.CIPHERS[name]
    options = {"block_size": patch} if "block_size" in row.defaults else {}
    transform = row(Key(bytes(range(32))), SHAPE, **options)
    if network in STEMS:
        model = STEMS[network](patch, NORMALISATIONS[normalisation_of(number)]())
    else:
        found = tfpe.structure(transform)
        stem = {"patch_size": patch, "bits": found.bits}
        stem["tied"] = bool((found.at(patch) or found).tied)
        model = find_network(network).build(10, SHAPE, 1e-4, **NETWORKS[network] | stem)
    matched = tfpe.match(model, transform)
    x, y = images(), transform(images())
    if dtype == "float64":
        x, y = x.astype(dtype), y.astype(dtype)
    assert agree(matched(y), model(x), tolerance)


@pytest.mark.parametrize("case", SAMPLE, ids=str)
def test_a_sample_in_64_bits(case, float64):  # noqa: F811
    check(case, SAMPLE.index(case), 1e-10, "float64")


@pytest.mark.parametrize("case", SAMPLE[::2], ids=str)
def test_a_sample_in_32_bits(case):
    check(case, SAMPLE.index(case), 1e-4, "float32")


@pytest.mark.slow
@pytest.mark.parametrize("case", PRODUCT, ids=str)
def test_all_of_it(case, float64):  # noqa: F811
    check(case, PRODUCT.index(case) // len(PATCHES), 1e-10, "float64")


def test_the_sample_has_everything():
    for place, whole in enumerate((MATCHABLE, NAMES, PATCHES)):
        assert {case[place] for case in SAMPLE} == set(whole)
    met = {normalisation_of(k) for k, case in enumerate(SAMPLE) if case[1] in STEMS}
    assert met == set(NORMALISATIONS)
