"""What the SP 800-22 suite says of generators; cycles of orbits; bad input."""

import json
import random

import numpy as np
import pytest
from scipy import stats as scipy_stats

from tfpe import Key, chaos, metrics
from tfpe.errors import KeystreamError
from tfpe.metrics import sp800_22


def shake256_bits(size):
    stream = Key(bytes(32)).material("sp800_22", (1, 1, 1)).bytes("x", size // 8)
    return metrics.keystream_bits(stream)


def test_a_good_stream_passes_and_results_are_json():
    results = metrics.statistical_tests(shake256_bits(10**6))
    assert json.loads(json.dumps(results, allow_nan=False)) == results
    assert list(results) == list(sp800_22.TESTS)
    for name, result in results.items():
        # The excursion tests do not apply to every walk.
        assert result.get("passed", "excursions" in name), (name, result)


def test_p_values_of_good_streams_are_uniform():
    bits = np.random.default_rng(5).integers(0, 2, (400, 4096), np.uint8)
    for name in ("frequency", "runs", "cumulative_sums"):
        p_values = [sp800_22.TESTS[name].run(row)[0] for row in bits]
        assert scipy_stats.kstest(p_values, "uniform").pvalue > 1e-3, name


def register_stream(size):
    """x^19 + x^18 + x^17 + x^14 + 1: a maximal feedback register."""
    state, bits = 1, np.empty(size, np.uint8)
    for place in range(size):
        bits[place] = state & 1
        new = (state ^ state >> 1 ^ state >> 2 ^ state >> 5) & 1
        state = state >> 1 | new << 18
    return bits


PERIODIC = np.tile(np.random.default_rng(6).integers(0, 2, 5000, np.uint8), 200)


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("frequency", np.arange(1000) % 10 < 6),
        ("block_frequency", np.arange(25_600) // 128 % 2),
        ("runs", np.arange(1000) % 2),
        ("longest_run", np.arange(10_000) % 2),
        ("matrix_rank", register_stream(40_000)),
        ("fourier", np.arange(5000) % 4 < 2),
        ("non_overlapping_templates", PERIODIC),
        ("overlapping_template", np.arange(1_000_000) % 20 < 10),
        ("universal", np.tile(PERIODIC[:700], 1000)),
        ("linear_complexity", register_stream(20_000)),
        ("serial", PERIODIC),
        ("approximate_entropy", PERIODIC[:100_000]),
        ("cumulative_sums", np.arange(1000) < 500),
    ],
)
def test_every_test_finds_its_defect(name, bits):
    assert sp800_22.TESTS[name].run(np.asarray(bits)).min() < 1e-6


def test_excursions_find_a_walk_that_stays_near():
    bits = np.tile([0, 1, 1, 0], 10_000)
    for test in (sp800_22.random_excursions, sp800_22.random_excursions_variant):
        assert test(bits).min() < 1e-6


def test_keystream_metrics_of_the_logistic_cipher():
    stream = chaos.logistic_sequence(3.99, 0.1, 20_000)
    figures = metrics.keystream_metrics(stream)
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    entropy = figures["entropy"]
    assert entropy["limits"][0] < entropy["ideal"] < entropy["limits"][1]
    assert entropy["value"] == pytest.approx(entropy["ideal"], abs=0.01)
    assert "skipped" in figures["statistical_tests"]["universal"]
    # The first byte is the high one of the bits.
    assert metrics.keystream_bits(stream[:1]).tolist() == [
        int(b) for b in f"{stream[0]:08b}"
    ]


@pytest.mark.parametrize("seed", range(50))
def test_find_cycle_by_looking_back(seed):
    table = random.Random(seed).choices(range(60), k=60)
    seen, state = {}, 0
    while state not in seen:
        seen[state] = len(seen)
        state = table[state]
    expected = metrics.Cycle(seen[state], len(seen) - seen[state])
    assert metrics.find_cycle(table.__getitem__, 0) == expected
    assert metrics.find_cycle(table.__getitem__, 0, limit=1000) == expected


def test_float32_orbits_of_the_logistic_map_cycle_soon():
    generator = random.Random(0)
    for _ in range(40):
        mu, d0 = generator.uniform(3.57, 4), generator.random()
        cycle = metrics.logistic_cycle(mu, d0, limit=100_000)
        assert cycle.states < 15_000
        # The same orbit in an array of NumPy: equal a period later, not before.
        d, orbit = np.float32(d0), []
        for _ in range(cycle.tail + 2 * cycle.period):
            orbit.append(d)
            d = (np.float32(mu) * d) * (np.float32(1) - d)
        assert len(set(orbit)) == cycle.states
        repeated = orbit[cycle.tail :]
        assert repeated[: cycle.period] == repeated[cycle.period :]
    assert metrics.logistic_cycle(3.99, 0.1, "float64", 100_000) is None


BITS = np.zeros(1000, np.uint8)


@pytest.mark.parametrize(
    "call",
    [
        lambda: sp800_22.frequency([]),
        lambda: sp800_22.frequency([0, 2]),
        lambda: sp800_22.frequency([0, -1]),
        lambda: sp800_22.frequency([0.0, 1.0]),
        lambda: sp800_22.frequency("0101"),
        lambda: sp800_22.frequency(BITS[None]),
        lambda: sp800_22.block_frequency(BITS, 0),
        lambda: sp800_22.block_frequency(BITS, 1001),
        lambda: sp800_22.longest_run(BITS[:127]),
        lambda: sp800_22.matrix_rank(BITS),
        lambda: sp800_22.fourier(BITS[:1]),
        lambda: sp800_22.non_overlapping_templates(BITS, [(1, 0, 1)]),
        lambda: sp800_22.non_overlapping_templates(BITS, []),
        lambda: sp800_22.non_overlapping_templates(BITS, [(0, 1), (0, 0, 1)]),
        lambda: sp800_22.non_overlapping_templates(BITS, [(0, 7)]),
        lambda: sp800_22.non_overlapping_templates(BITS[:20]),
        lambda: sp800_22.overlapping_template(BITS),
        lambda: sp800_22.universal(BITS),
        lambda: sp800_22.linear_complexity(BITS, 100),
        lambda: sp800_22.linear_complexity(BITS, 2000),
        lambda: sp800_22.serial(BITS, 1),
        lambda: sp800_22.serial(BITS, 25),
        lambda: sp800_22.approximate_entropy(BITS, 2.5),
        lambda: sp800_22.random_excursions(BITS),
        lambda: sp800_22.random_excursions_variant(BITS),
        lambda: metrics.statistical_tests([3]),
        lambda: metrics.keystream_bits(np.zeros(4)),
        lambda: metrics.keystream_bits(b""),
        lambda: metrics.keystream_metrics("text"),
        lambda: metrics.find_cycle(abs, 1, 0),
        lambda: metrics.logistic_cycle(3.9, 0.1, "int8"),
        lambda: metrics.logistic_cycle(4.1, 0.1),
        lambda: metrics.logistic_cycle(3.9, 1.0),
    ],
)
def test_bad_input_has_a_named_error(call):
    with pytest.raises(KeystreamError, match="Received"):
        call()
