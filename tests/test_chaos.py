"""Chaotic maps: bit for bit what rational arithmetic gives, and never weak ones."""

import itertools
import math

import numpy as np
import pytest
import reference_keys

from tfpe import Key, chaos, chaotic_maps
from tfpe.chaos import (
    CHAOS,
    chaotic_sequence,
    draw_parameters,
    drawn_sequence,
    is_weak,
    logistic_sequence,
    lyapunov_exponent,
)
from tfpe.errors import WeakParameterError
from tfpe.keys import Keys

LOGISTIC = CHAOS["logistic"]

PARAMETERS = [
    ("logistic", {"mu": 3.99, "d0": 0.1}),
    ("logistic", {"mu": 3.57, "d0": 0.7}),
    ("logistic", {"mu": 4.0, "d0": 0.3}),
    ("logistic", {"mu": 3.876543210987654, "d0": 2.0**-52}),
    ("pwlcm", {"p": 0.3, "x0": 0.1}),
    ("pwlcm", {"p": 0.499999, "x0": 0.9}),
    ("pwlcm", {"p": 0.001, "x0": 0.123}),
    ("logistic_sine", {"theta": 0.9, "x0": 0.3, "y0": 0.7}),
    ("logistic_sine", {"theta": 0.001, "x0": 0.5, "y0": 0.25}),
    ("logistic_sine", {"theta": 0.75, "x0": 0.9999, "y0": 0.0001}),
]


@pytest.mark.parametrize("name, parameters", PARAMETERS)
def test_orbit_is_bit_exact(name, parameters):
    steps = 3000 if name == "logistic_sine" else 10_000
    orbit = itertools.islice(CHAOS[name].orbit(**parameters), steps)
    expected = itertools.islice(reference_keys.ORBITS[name](**parameters), steps)
    for step, (value, exact) in enumerate(zip(orbit, expected, strict=True)):
        assert value.hex() == exact.hex(), step
        assert 0 <= value <= 1


@pytest.mark.parametrize("name, parameters", PARAMETERS)
def test_bytes_are_those_of_the_second_implementation(name, parameters):
    expected = reference_keys.chaotic_bytes(name, parameters, 500, 100)
    assert chaotic_sequence(name, parameters, 500, 100, True).tolist() == expected


def test_another_order_of_multiplication_gives_another_sequence():
    """Why the order is fixed: mu * (d * (1 - d)) parts from it within 100 steps."""
    d = other = 0.1
    for _ in range(100):
        d = (3.99 * d) * (1 - d)
        other = 3.99 * (other * (1 - other))
    assert abs(d - other) > 1e-3


def test_the_sine_is_a_sine():
    t = np.linspace(0, 1, 10_001)
    sines = [chaotic_maps._sin_pi(value) for value in t.tolist()]
    assert np.abs(np.array(sines) - np.sin(np.pi * t)).max() < 5e-16


def test_a_longer_sequence_extends_a_shorter_one():
    long = logistic_sequence(3.99, 0.1, 4000)
    for length in (0, 1, 1499, 1500, 1501):
        assert np.array_equal(logistic_sequence(3.99, 0.1, length), long[:length])
    assert np.array_equal(logistic_sequence(3.99, 0.1, 90, 3010), long[10:100])
    assert long.dtype == np.uint8 and long.shape == (4000,)


# --- weak parameters ------------------------------------------------------------


def test_a_periodic_window_is_weak():
    weak = logistic_sequence(3.83, 0.1, 1500, allow_weak=True)
    assert len(np.unique(weak)) == 3
    with pytest.raises(WeakParameterError, match="Received.*3;.*allow_weak"):
        logistic_sequence(3.83, 0.1, 10)
    assert is_weak("logistic", {"mu": 3.83, "d0": 0.1})


def test_the_full_map_collapses_from_one_half():
    assert set(logistic_sequence(4.0, 0.5, 100, allow_weak=True).tolist()) == {0}
    for d0 in (0.5, 0.25, 0.75):  # all go through 1/2 or 3/4, exactly
        with pytest.raises(WeakParameterError):
            logistic_sequence(4.0, d0, 10)


def test_share_of_weak_parameters():
    """9.75 % of mu in [3.57, 4], by 1,000 midpoints of equal parts."""
    mus = 3.57 + 0.43 * (np.arange(1000) + 0.5) / 1000
    share = np.mean([is_weak("logistic", {"mu": mu, "d0": 0.3}) for mu in mus.tolist()])
    assert share == pytest.approx(0.0975, abs=0.012)


def weak_of(name, count, rng):
    """How many of `count` random parameters of a map are weak."""
    return sum(
        is_weak(
            name, {p: rng.uniform(*ends) for p, ends in CHAOS[name].intervals.items()}
        )
        for _ in range(count)
    )


def test_the_piecewise_linear_map_has_no_weak_parameters(rng):
    assert weak_of("pwlcm", 100, rng) == 0


def test_the_logistic_sine_map_has_weak_parameters_too(rng):
    """71 of 1,000 random ones, with theta near 0.165, 0.34, 0.39 and 0.835."""
    assert is_weak("logistic_sine", {"theta": 0.342, "x0": 0.36, "y0": 0.08})
    assert 1 <= weak_of("logistic_sine", 100, rng) <= 20


def test_draws_pass_weak_parameters_over():
    passed_over = 0
    for n in range(80):
        material = Key(bytes(32)).derive(n).material("logistic", (1, 1, 3))
        parameters = draw_parameters("logistic", material)
        assert not is_weak("logistic", parameters)
        assert draw_parameters("logistic", material) == parameters
        first = {
            parameter: material.uniform(f"{parameter}/0", low, high)
            for parameter, (low, high) in CHAOS["logistic"].intervals.items()
        }
        passed_over += first != parameters
        assert is_weak("logistic", first) == (first != parameters)
    assert 2 <= passed_over <= 20  # 9.75 % of 80 are 8


@pytest.mark.parametrize("length", [700, 3001])
@pytest.mark.parametrize("few", [1, 1000])
def test_sequences_of_many_keys_are_those_of_each(few, length, monkeypatch):
    """Weak parameters of some of them are passed over there too."""
    monkeypatch.setattr(chaos, "FEW", few)
    monkeypatch.setattr(chaos, "CHUNK", 2**10)
    keys = [Key(bytes(32)).derive(n) for n in range(40)]
    materials = Keys(keys).material("logistic", (1, 1, 3))
    each = materials.each()
    expected = [
        chaotic_sequence("logistic", draw_parameters("logistic", one), length)
        for one in each
    ]
    assert any(is_weak("logistic", chaos._drawn(LOGISTIC, one, 0)) for one in each)
    found = drawn_sequence("logistic", materials, length)
    assert np.array_equal(found, expected)
    assert np.array_equal(drawn_sequence("logistic", each[3], length), expected[3])


@pytest.mark.parametrize("name", CHAOS)
def test_bytes_are_close_to_uniform(name):
    material = Key(bytes(32)).material("test", (1, 1, 3))
    parameters = draw_parameters(name, material)
    counts = np.bincount(chaotic_sequence(name, parameters, 20_000), minlength=256)
    assert counts.min() > 30 and counts.max() < 140  # 78 on the average


# --- Lyapunov exponent -------------------------------------------------------------


@pytest.mark.parametrize("mu, expected", [(3.57, 0.0110), (4.0, math.log(2))])
def test_lyapunov_exponent(mu, expected):
    """The seed prints 0.0012 and 0.00693; a decimal slip and a rounding."""
    assert lyapunov_exponent(mu) == pytest.approx(expected, abs=3e-4)


def test_lyapunov_exponent_of_periodic_orbits():
    assert lyapunov_exponent(3.83) < 0
    assert lyapunov_exponent(2.0, d0=0.5) == -math.inf
