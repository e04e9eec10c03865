"""The hybrid of compression and encryption: exact, small, never silently wrong."""

import heapq
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfpe import Key
from tfpe.chaos import CHAOS, chaotic_sequence
from tfpe.errors import (
    CipherOptionError,
    ImageError,
    ImageFileError,
    TfpeError,
    WrongKeyError,
)
from tfpe.hybrid import CodeTable, Container, Hybrid, crt_number
from tfpe.hybrid.bit_stream import read_bits, write_bits
from tfpe.hybrid.chaotic_streams import ARRAY_ORBITS, ChaoticStream
from tfpe.hybrid.container import CODES
from tfpe.hybrid.hybrid_cipher import _moved

KEY = Key(bytes(range(32)))
CHOICES = {
    **{name: st.sampled_from(CODES[name]) for name in CODES if name != "table"},
    "table": st.sampled_from(CODES["table"]),
    "orbits": st.sampled_from([1, 2, 64]),
}


def picture(seed, shape, levels):
    return np.random.default_rng(seed).integers(0, levels, shape).astype(np.uint8)


def check_round_trip(shape, seed, levels, options):
    image = picture(seed, shape, levels)
    if options["table"] == "public":
        table = CodeTable.public([image[:1]], options["symbols"], options["neighbours"])
        options = options | {"table": table}
    hybrid = Hybrid(KEY.derive(seed), **options)
    container = hybrid(image)
    found = hybrid.inverse(container)
    assert found.dtype == np.uint8 and np.array_equal(found, image)
    assert Container.from_bytes(container).options == hybrid.options


SHAPES = st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]))


@settings(max_examples=40, deadline=None)
@given(
    SHAPES, st.integers(0, 2**20), st.integers(1, 256), st.fixed_dictionaries(CHOICES)
)
def test_any_shape_and_options_come_back(shape, seed, levels, options):
    check_round_trip(shape, seed, levels, options)


@pytest.mark.slow
def test_2000_cases_come_back(rng):
    choices = {n: CODES[n] for n in CODES} | {"orbits": (1, 2, 64)}
    for seed in range(2000):
        options = {n: some[rng.integers(len(some))] for n, some in choices.items()}
        shape = *rng.integers(1, 41, 2).tolist(), int(rng.choice([1, 3]))
        check_round_trip(shape, seed, int(rng.integers(1, 257)), options)


def test_crt_numbers_are_congruent_and_unlike():
    a, b = np.divmod(np.arange(2**16), 256)
    x = crt_number(a, b)
    assert (x % 257 == a).all() and (x % 258 == b).all()
    assert x.min() >= 0 and x.max() < 257 * 258 and np.unique(x).size == 2**16


def huffman_cost(counts):
    """The bits of a Huffman code, by the textbook's heap: a second computation."""
    heap = [int(c) for c in counts if c]
    heapq.heapify(heap)
    cost = 0
    while len(heap) > 1:
        pair = heapq.heappop(heap) + heapq.heappop(heap)
        cost += pair
        heapq.heappush(heap, pair)
    return cost


@pytest.mark.parametrize("seed", range(5))
def test_codes_are_the_shortest(seed):
    counts = np.random.default_rng(seed).geometric(0.02, 256) - 1
    table = CodeTable.of(counts, "bytes")
    assert (table.lengths * counts).sum() == huffman_cost(counts)


def test_codes_stay_within_their_limit():
    counts = np.array([*itertools.accumulate(range(40), lambda c, _: 2 * c, initial=1)])
    table = CodeTable.of(np.pad(counts, (0, 256 - counts.size)), "bytes")
    assert table.lengths.max() == 18
    assert (2.0 ** -table.lengths[table.lengths > 0].astype(float)).sum() == 1


@pytest.mark.parametrize(
    "lengths", [[1, 1, 1], [2, 2, 2], [1, 19], [0], [2], [1, 1, 0, 200]]
)
def test_lengths_of_no_whole_code_are_refused(lengths):
    with pytest.raises(CipherOptionError, match="whole code"):
        CodeTable(np.pad(lengths, (0, 256 - len(lengths))), "bytes")
    with pytest.raises(CipherOptionError, match="whole code"):
        CodeTable([1, 1], "bytes")


def test_tables_are_stored_exactly(rng):
    for symbols, count in (("bytes", 256), ("pairs", 2**16)):
        for occurring in (1, 2, 3, 7, 40, count):
            counts = np.zeros(count, np.int64)
            places = rng.choice(count, occurring, replace=False)
            counts[places] = 1 + 3 ** np.arange(occurring).clip(0, 30)
            table = CodeTable.of(counts, symbols)
            data = table.to_bytes()
            again = CodeTable.from_bytes(data, symbols)
            assert np.array_equal(again.lengths, table.lengths)
            for damaged in (data[:-1], data + b"x", b""):
                with pytest.raises(ImageFileError, match="damaged"):
                    CodeTable.from_bytes(damaged, symbols)


def test_bits_are_those_of_a_plain_loop(rng):
    symbols = (rng.geometric(0.1, 3000) % 256).astype(np.uint16)
    table = CodeTable.of(np.bincount(symbols, minlength=256), "bytes")
    stream, bits, index = write_bits(symbols, table)
    words = [f"{table.codes[s]:0{table.lengths[s]}b}" for s in symbols]
    text = "".join(words)
    assert bits == len(text)
    assert "".join(f"{byte:08b}" for byte in stream)[:bits] == text
    assert index.tolist() == [
        sum(map(len, words[i : i + 384])) for i in range(0, 3000, 384)
    ]
    assert np.array_equal(read_bits(stream, index, 3000, table), symbols)


def test_an_index_or_a_stream_that_does_not_fit_is_told(rng):
    symbols = rng.integers(0, 200, 3000).astype(np.uint16)
    table = CodeTable.of(np.bincount(symbols, minlength=256) ** 3, "bytes")
    stream, _, index = write_bits(symbols, table)
    moved = index.copy()
    moved[0] += 1
    moved[1] -= 1
    for other in (moved, index[:-1], index[::-1]):
        with pytest.raises(ImageFileError, match="damaged"):
            read_bits(stream, other, 3000, table)
    with pytest.raises(ImageFileError, match="damaged"):
        read_bits(stream[:-1], index, 3000, table)


def test_long_streams_are_written_in_parts(rng):
    symbols = (rng.geometric(0.001, 450_001) % 2**16).astype(np.uint16)
    table = CodeTable.of(np.bincount(symbols, minlength=2**16), "pairs")
    stream, _, index = write_bits(symbols, table)
    assert np.array_equal(read_bits(stream, index, symbols.size, table), symbols)


@pytest.mark.parametrize("name", CHAOS)
def test_orbits_side_by_side_are_those_of_the_map(name, rng):
    spans = CHAOS[name].intervals
    control = {n: 0.3 + 3.6 * (n == "mu") for n in spans if n in ("mu", "p", "theta")}
    states = {n: rng.uniform(0.1, 0.9, 7) for n in spans if n not in control}
    rows = ARRAY_ORBITS[name](**control, **states)
    rows = np.stack([next(rows).copy() for _ in range(400)])
    for lane in range(7):
        one = {n: float(state[lane]) for n, state in states.items()}
        orbit = CHAOS[name].orbit(**control, **one)
        assert rows[:, lane].tolist() == list(itertools.islice(orbit, 400))


def test_one_orbit_is_the_sequence_of_the_seed():
    from tfpe.chaos import draw_parameters

    material = KEY.material("test", (1, 1, 3))
    stream = ChaoticStream("logistic", material, 1)
    expected = chaotic_sequence("logistic", draw_parameters("logistic", material), 5000)
    found = [stream.bytes(count) for count in (1, 0, 4000, 999)]
    assert np.array_equal(np.concatenate(found), expected)


def test_moving_words_is_moving_rows(rng):
    planes = rng.integers(0, 256, (3, 50, 2), np.uint8)
    order = rng.permutation(50)
    assert np.array_equal(_moved(planes, order), planes[:, order])


def test_crt_and_pairs_save_the_same_and_shuffled_pixels_lose_it():
    image = np.linspace(0, 200, 128 * 128).reshape(128, 128, 1).astype(np.uint8)
    image += picture(0, image.shape, 6)
    crt, pairs, pixels, single = (
        Container.from_bytes(Hybrid(KEY, **options)(image)).bits
        for options in (
            {},
            {"symbols": "pairs"},
            {"permute": "pixels"},
            {"symbols": "bytes"},
        )
    )
    assert crt == pairs < pixels and pairs < single


def test_damage_and_cuts_are_told(rng):
    container = Hybrid(KEY)(picture(0, (20, 31, 3), 9))
    hybrid = Hybrid(KEY)
    for _ in range(100):
        damaged = bytearray(container)
        damaged[rng.integers(len(damaged))] ^= int(rng.integers(1, 256))
        with pytest.raises(ImageFileError):
            hybrid.inverse(bytes(damaged))
        with pytest.raises(ImageFileError):
            hybrid.inverse(container[: rng.integers(len(container))])


def test_wrong_keys_and_foreign_files_are_refused():
    container = Hybrid(KEY)(picture(0, (5, 5, 3), 9))
    with pytest.raises(WrongKeyError, match=KEY.fingerprint):
        Hybrid(Key(bytes(32))).inverse(container)
    with pytest.raises(ImageFileError, match="another file"):
        Hybrid(KEY).inverse(b"\x89PNG" + bytes(100))


def test_a_change_that_mends_the_checksum_is_told():
    """Whoever has no key can make the checksum fit, and not the tag."""
    import dataclasses

    container = Hybrid(KEY)(picture(0, (9, 9, 1), 9))
    found = Container.from_bytes(container)
    payload = bytes([found.payload[0] ^ 1]) + found.payload[1:]
    forged = dataclasses.replace(found, payload=payload).to_bytes(Key(bytes(32)))
    with pytest.raises(ImageFileError, match="keyed tag"):
        Hybrid(KEY).inverse(forged)


def test_bad_arguments_are_named():
    with pytest.raises(ImageError, match="uint8"):
        Hybrid(KEY)(np.zeros((4, 4, 3)))
    with pytest.raises(ImageError, match="image_shape"):
        Hybrid(KEY)(np.zeros((4, 4), np.uint8))
    for options in ({"symbols": "x"}, {"orbits": 0}, {"nonce": 1}, {"table": "public"}):
        with pytest.raises(TfpeError, match="should be"):
            Hybrid(KEY, **options)


def test_equal_calls_give_equal_bytes_and_other_images_another_stream():
    hybrid = Hybrid(KEY)
    first, second = picture(1, (8, 8, 3), 256), picture(2, (8, 8, 3), 256)
    assert hybrid(first) == hybrid(first) != hybrid(first, "other.png")
    assert hybrid.nonce(first) != hybrid.nonce(second)


def test_no_key_is_shown_or_copied():
    import pickle

    hybrid = Hybrid(KEY)
    assert bytes(range(32)).hex() not in repr(hybrid)
    with pytest.raises(TypeError):
        pickle.dumps(hybrid)
