"""What is drawn from a key: uniform, separate, and the same for ever (test_vectors)."""

import itertools
import sys
from unittest import mock

import numpy as np
import pytest
import reference_keys
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tfpe import Key
from tfpe.keys import derivation, long_orders
from tfpe.keys.derivation import Material, residues, stable_argsort

SECRET = bytes(range(32))
NAMES = st.text(st.sampled_from('a",]["\\:{}1'), max_size=6)
PLACES = st.tuples(
    NAMES,
    st.tuples(*[st.integers(1, 11)] * 3),
    st.dictionaries(NAMES, st.booleans() | st.integers(0, 2) | NAMES, max_size=2),
    NAMES,
)


def material(secret=SECRET):
    return Key(secret).material("test", (2, 2, 3), option=1)


def typed(place):
    """True and 1 are equal in Python and two values here."""
    name, shape, options, stream = place
    items = sorted((k, type(v).__name__, v) for k, v in options.items())
    return name, shape, items, stream


@given(PLACES, PLACES)
def test_two_places_never_share_a_stream(place, other):
    def stream(cipher, shape, options, name):
        draws = Key(SECRET).material(cipher, shape, **options)
        return draws.bytes(name, 16).tolist()

    assert (stream(*place) == stream(*other)) == (typed(place) == typed(other))


@given(
    st.lists(st.integers(0, 9) | NAMES, max_size=3),
    st.lists(st.integers(0, 9) | NAMES, max_size=3),
)
def test_sub_keys_differ_where_their_labels_do(labels, others):
    key = Key(SECRET)
    assert (key.derive(*labels) == key.derive(*others)) == (labels == others)
    assert key.derive(*labels) != key


def test_sub_keys_of_images_by_any_kind_of_whole_number():
    key = Key(SECRET)
    subkeys = [key.for_image(np.int64(n)) for n in range(5)]
    assert subkeys == [key.for_image(n) for n in range(5)]
    assert len({subkey.fingerprint for subkey in [key, *subkeys]}) == 6


@given(st.binary(min_size=32, max_size=32), st.integers(1, 2**64), st.integers(0, 40))
def test_draws_are_those_of_the_second_implementation(secret, below, count):
    draws = reference_keys.Draws(secret, "test", (2, 2, 3), {"option": 1})
    drawn = material(secret)
    if below < 2**63:
        expected = draws.integers("i", count, below)
        assert drawn.integers("i", count, below).tolist() == expected
    assert drawn.bits("b", count).tolist() == draws.bits("b", count)
    assert drawn.bytes("y", count).tolist() == draws.bytes("y", count)
    assert drawn.permutation("p", count).tolist() == draws.permutation("p", count)
    rows = drawn.permutations("q", 3, count).tolist()
    assert rows == draws.permutations("q", 3, count)
    assert drawn.uniform("u", 3.57, 4.0) == draws.uniform("u", 3.57, 4.0)


def test_more_of_a_stream_extends_it():
    m = material()
    for draw in (
        m.bytes,
        m.bits,
        m.words,
        lambda name, n: m.integers(
            name, n, 2**63 + 1
        ),  # half the words are passed over
    ):
        assert draw("x", 200)[:77].tolist() == draw("x", 77).tolist()


def test_shapes_are_filled_in_row_order():
    m = material()
    flat = m.integers("x", 24, 7)
    assert np.array_equal(m.integers("x", (2, 3, 4), 7).ravel(), flat)
    assert np.array_equal(m.bits("x", (2, 3)).ravel(), m.bits("x", 6))
    assert m.bits("x", (2, 3)).dtype == bool and flat.dtype == np.int64
    assert m.permutation("x", 1).tolist() == [0]


@pytest.mark.parametrize("below", [2, 3, 6, 8, 10])
def test_whole_numbers_are_uniform(below):
    counts = np.bincount(material().integers("x", 60_000, below), minlength=below)
    assert len(counts) == below and stats.chisquare(counts).pvalue > 1e-4


def test_rejection_leaves_no_bias():
    """Modulo 3 * 2**61 the highest third would come less often."""
    below = 3 * 2**61
    thirds = material().integers("x", 30_000, below) // 2**61
    assert stats.chisquare(np.bincount(thirds, minlength=3)).pvalue > 1e-4


def test_permutations_are_uniform():
    rows = material().permutations("x", 48_000, 4)
    codes = rows @ [64, 16, 4, 1]
    counts = np.unique(codes, return_counts=True)[1]
    assert len(counts) == 24 and stats.chisquare(counts).pvalue > 1e-4


def test_bits_and_bytes_are_uniform():
    bits = material().bits("x", 80_000)
    assert abs(bits.mean() - 0.5) < 4 * 0.5 / 80_000**0.5
    counts = np.bincount(material().bytes("y", 100_000), minlength=256)
    assert stats.chisquare(counts).pvalue > 1e-4


def test_reals_are_uniform_in_the_open_interval():
    m = material()
    drawn = np.array([m.uniform(f"x{n}", 3.57, 4.0) for n in range(2000)])
    assert 3.57 < drawn.min() and drawn.max() < 4.0
    assert stats.kstest(drawn, stats.uniform(3.57, 0.43).cdf).pvalue > 1e-4


@pytest.mark.parametrize("word, unit", [(0, 2.0**-53), (2**64 - 1, 1 - 2.0**-53)])
def test_reals_never_reach_the_ends(word, unit):
    extreme = Material(lambda name, size: word.to_bytes(8, "little"))
    assert extreme.uniform("x", 0.0, 1.0) == unit
    for low, high in ((0.0, 1.0), (0.0, 0.5)):
        assert low < extreme.uniform("x", low, high) < high


def test_keys_one_bit_apart_have_unrelated_streams():
    streams = [material().bits("x", 4096)]
    for bit in (0, 7, 255):
        secret = bytearray(SECRET)
        secret[bit // 8] ^= 1 << bit % 8
        streams.append(material(bytes(secret)).bits("x", 4096))
    for a, b in itertools.combinations(streams, 2):
        assert 0.45 < (a != b).mean() < 0.55


@given(st.integers(1, 300), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_short_and_long_rows_are_sorted_as_numpy_sorts_them(length, ties, seed):
    """Also where the bits that are sorted first are equal, and whole words too."""
    words = np.random.default_rng(seed).integers(0, ties, (5, length), np.uint64)
    for shift in (0, 8, 40, 60):
        expected = np.argsort(words << np.uint64(shift), axis=-1, kind="stable")
        found = stable_argsort(words << np.uint64(shift))
        assert np.array_equal(found, expected)


@given(st.integers(1, 300), st.integers(1, 60), st.integers(1, 4), st.data())
def test_long_orders_are_those_of_numpy_by_parts(length, step, ties, data):
    seed, shift = data.draw(st.integers(0, 2**32 - 1)), data.draw(st.integers(0, 62))
    words = np.random.default_rng(seed).integers(0, ties, length, np.uint64)
    words <<= np.uint64(shift)

    def parts():
        return (words[start : start + step] for start in range(0, length, step))

    with mock.patch.object(long_orders, "STEP", 64):
        order = long_orders.long_argsort(parts, length)
    assert np.array_equal(order, np.argsort(words, kind="stable"))
    assert order.dtype == np.int32


@given(st.integers(1, 2**63 - 1) | st.integers(1, 5000), st.integers(0, 2**32 - 1))
def test_residues_are_those_of_python(below, seed):
    words = np.random.default_rng(seed).integers(0, 2**64, 20, np.uint64)
    words[:2] = 2**64 - 1, 0
    assert residues(words, below).tolist() == [int(word) % below for word in words]


@pytest.mark.parametrize("absent", [(), ("hazmat.primitives.hashes",), ("exceptions",)])
def test_large_draws_come_in_parts_of_the_same_stream(monkeypatch, absent):
    if not absent:
        pytest.importorskip("cryptography")
    for module in absent:
        monkeypatch.setitem(sys.modules, f"cryptography.{module}", None)
    whole = material(), {name: material().words(name, 1000) for name in "ab"}
    monkeypatch.setattr(derivation, "PART_WORDS", 96)
    m, words = whole
    assert m.integers("a", 1000, 6).tolist() == [int(word) % 6 for word in words["a"]]
    orders = m.permutations("b", 40, 25)
    assert np.array_equal(orders, np.argsort(words["b"].reshape(40, 25), kind="stable"))
    assert np.array_equal(m.permutation("b", 999), np.argsort(words["b"][:999]))
    parts = list(m._stream.parts("a", 8000, 768))
    assert b"".join(parts) == m.bytes("a", 8000).tobytes()
    assert {len(part) for part in parts[:-1]} == {768}
