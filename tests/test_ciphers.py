"""Every cipher by one contract, and each by the invariants that its definition has."""

import itertools
import json
import math
import pathlib

import numpy as np
import pytest
import reference
import reference_keys
from hypothesis import given, settings
from hypothesis import strategies as st
from key_arrays import BYTES

from tfpe import CIPHERS, Key, Substitution, Transform, attacks, ciphers
from tfpe.algebra.keyed import Chain
from tfpe.algebra.orthogonal import Orthogonal
from tfpe.errors import CipherOptionError, ImageError

SECRETS = st.binary(min_size=32, max_size=32)
KEYED = [name for name in CIPHERS if name != "identity"]


def settings_of(name):
    """All combinations of the option values of a cipher."""
    table = reference.OPTION_VALUES[name]
    for values in itertools.product(*table.values()):
        yield dict(zip(table, values, strict=True))


ALL = [(name, options) for name in CIPHERS for options in settings_of(name)]


def needs_colour(options):
    return not options.get("fold", True)


@st.composite
def cases(draw, names=tuple(CIPHERS), max_blocks=3, **fixed):
    """A random (cipher, key, image shape, options)."""
    name = draw(st.sampled_from(names))
    table = reference.OPTION_VALUES[name]
    options = {k: draw(st.sampled_from(values)) for k, values in table.items()} | fixed
    block_size = options.get("block_size", 1)
    sizes = st.integers(1, max_blocks if "block_size" in options else 6)
    channels = 3 if needs_colour(options) else draw(st.sampled_from([1, 3]))
    shape = (block_size * draw(sizes), block_size * draw(sizes), channels)
    return name, draw(SECRETS), shape, options


def random_images(shape, count=2, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), np.uint8)


# --- the contract of all ciphers ------------------------------------------------------


@settings(max_examples=1000)
@given(cases(), st.integers(0, 2**32 - 1))
def test_round_trip(case, seed):
    name, secret, shape, options = case
    transform = CIPHERS[name](Key(secret), shape, **options)
    x = random_images(shape, seed=seed)
    y = transform(x)
    assert y.dtype == transform.output_dtype
    assert y.shape[1:] == CIPHERS[name].cipher_shape(shape, **options)
    assert np.array_equal(y, transform.definition(x))
    assert np.array_equal(transform.inverse(y), x)
    assert np.array_equal(transform(x[0]), y[0])
    undone = transform.inverse @ transform
    # Kinds that do not say what two of them make (`_after`) are chained as they are.
    assert undone.is_identity or type(undone) is Chain


# logistic takes 4,500 steps of rational arithmetic: its vectors are enough.
QUICK = tuple(name for name in CIPHERS if name != "logistic")


@settings(max_examples=250)
@given(st.one_of(cases(QUICK, 2), cases(("logistic",), chaos="shake256")))
def test_second_implementation_agrees(case):
    name, secret, shape, options = case
    x = random_images(shape, 1)[0]
    encrypted = CIPHERS[name](Key(secret), shape, **options)(x)
    expected = reference_keys.encrypt(secret, name, shape, options, x.ravel().tolist())
    assert encrypted.ravel().tolist() == expected


@pytest.mark.parametrize("name, options", ALL)
def test_contract(name, options, key):
    row = CIPHERS[name]
    shape = (8, 16, 3)
    transform = row(key, shape, **options)
    assert transform.input_shape == shape
    assert transform.output_shape == row.cipher_shape(shape, **options)
    assert row.plain_shape(transform.output_shape, **options) == shape
    assert row.block_size(**options) == options.get("block_size", 1)
    # Pure: the same arguments give the same transform, another key another one.
    assert row(key, list(shape), **options) == transform
    claimed, effective = row.key_space(shape, **options)
    same = row(key.derive("other"), shape, **options) == transform
    assert same == (name == "identity") or 0 < effective < 10
    assert claimed >= effective >= 0 and math.isfinite(claimed)
    # Images of a batch under keys of their own.
    x = random_images(shape, 3)
    batched = row.per_image(key, shape, [4, 5, 4], **options)
    for image, number, encrypted in zip(x, [4, 5, 4], batched(x), strict=True):
        alone = row(key.for_image(number), shape, **options)
        assert np.array_equal(encrypted, alone(image))
    assert np.array_equal(batched.inverse(batched(x)), x)


@pytest.mark.parametrize("name", CIPHERS)
def test_row(name):
    row = CIPHERS[name]
    assert row.name == name and row.function is getattr(ciphers, name)
    assert row.summary.endswith(".") and row.reference
    assert ciphers.find_cipher(name) is row
    defaults = row(Key(bytes(32)), (8, 8, 3))
    assert defaults == row(Key(bytes(32)), (8, 8, 3), **row.defaults)


@pytest.mark.parametrize("name, options", ALL)
def test_gray_images_work_or_raise(name, options, key):
    x = random_images((8, 8, 1))
    if needs_colour(options):
        with pytest.raises(CipherOptionError, match="3 channels.*Received"):
            CIPHERS[name](key, (8, 8, 1), **options)
    else:
        transform = CIPHERS[name](key, (8, 8, 1), **options)
        assert np.array_equal(transform.inverse(transform(x)), x)


@pytest.mark.parametrize("name", CIPHERS)
def test_sizes_that_blocks_do_not_divide(name, key):
    row = CIPHERS[name]
    if row.block_size() == 1:
        for shape in ((1, 1, 3), (33, 47, 3), (30, 30, 3)):
            x = random_images(shape, 1)
            transform = row(key, shape)
            assert np.array_equal(transform.inverse(transform(x)), x)
    else:
        for shape in ((33, 48, 3), (32, 47, 3), (1, 1, 3)):
            with pytest.raises(ImageError, match="pad_to_blocks.*Received"):
                row(key, shape)


@pytest.mark.parametrize("name", KEYED)
def test_photographs_come_back_and_are_hidden(name, key, photographs):
    for photograph in photographs:
        x = np.ascontiguousarray(photograph[:224, :224])
        transform = CIPHERS[name](key, x.shape)
        y = transform(x)
        assert np.array_equal(transform.inverse(y), x)
        assert (y != x).mean() > 0.25
        other = CIPHERS[name](key.derive("wrong"), x.shape)
        assert (other.inverse(y) != x).mean() > 0.25


def test_ciphers_chain(key):
    shape = (8, 8, 3)
    x = random_images(shape)
    f, g = CIPHERS["le"](key, shape), CIPHERS["etc"](key, shape)
    assert np.array_equal((f @ g)(x), f(g(x)))
    assert np.array_equal((f @ g).inverse(f(g(x))), x)


# --- traits -----------------------------------------------------------------------


def test_traits_are_those_of_the_definitions():
    traits = {name: row.traits() for name, row in CIPHERS.items()}

    def those(trait):
        return {name for name, one in traits.items() if getattr(one, trait)}

    assert {n for n, one in traits.items() if one.word_bits == 4} == {"le", "ele"}
    still = {"identity", "negpos", "keystream"}
    assert those("in_place") == still | {"pbe", "logistic", "ffx"}
    assert those("tied") == {*("le", "blockshuffle", "ffx", "orthogonal", "identity")}
    assert set(CIPHERS) - those("moves_words") == still | {"ffx"}
    assert those("moves_blocks") == {"ele", "etc", "etc_gray", "iib"}
    assert those("moves_planes") == {"etc_gray"}
    assert set(CIPHERS) - those("negates") == {
        *("logistic", "keystream", "ffx", "orthogonal")
    }
    assert those("substitutes") == {"ffx"}
    assert those("rotates") == {"orthogonal"} == set(CIPHERS) - those("gives_bytes")
    siblings = {"ffx", "orthogonal"}
    assert {n for n, one in traits.items() if one.word_bits is None} == siblings
    assert set(CIPHERS) - those("leaves_values") == {"keystream", "orthogonal"}
    assert set(CIPHERS) - those("keyed") == {"identity"}
    squares = {n: one.whole_square for n, one in traits.items() if one.whole_square}
    assert squares == {"etc": 4, "iib": 2, "pbe": 1, "negpos": 1, "identity": 8}
    assert {name for name, row in CIPHERS.items() if row.control} == {
        *("identity", "negpos", "shuffle", "blockshuffle", "keystream")
    }


@pytest.mark.parametrize("name, options", ALL)
def test_whole_squares_are_those_of_the_image(name, options, key):
    """Each is one of the image up to its turn, seen by its sorted values."""
    traits = CIPHERS[name].traits(**options)
    side, shape = traits.whole_square, (48, 48, 3)
    if side == 0:
        return
    side = min(side, 16)  # identity leaves all whole
    encrypt = CIPHERS[name](key, shape, **options)
    image = np.random.default_rng(1).integers(0, 256, shape, np.uint8)

    def squares(image):
        """The sorted values of each square of each channel, negated or not."""
        height, width, channels = image.shape
        cut = image.reshape(height // side, side, width // side, side, channels)
        values = np.sort(cut.transpose(0, 2, 4, 1, 3).reshape(-1, side**2), axis=1)
        return sorted(min(v.tobytes(), (255 - v[::-1]).tobytes()) for v in values)

    assert squares(encrypt(image)) == squares(image)
    # Neighbours stay neighbours: a picture that is smooth in each square stays so.
    ramp = np.add.outer(np.arange(48) % side, np.arange(48) % side).astype(np.uint8)
    shown = encrypt(np.repeat(ramp[..., None], 3, axis=2)).astype(int)
    steps = np.abs(np.diff(shown, axis=1))
    assert (np.delete(steps, np.s_[side - 1 :: side], axis=1) == 1).all()


@pytest.mark.parametrize("name, options", ALL)
def test_traits_hold_under_every_key(name, options, key):
    traits = CIPHERS[name].traits(**options)
    size = traits.block_size
    assert size == CIPHERS[name].block_size(**options)
    shape = (4 * size, 4 * size, 3)
    transform = CIPHERS[name](key, shape, **options)
    assert traits.substitutes == isinstance(transform, Substitution)
    assert traits.rotates == isinstance(transform, Orthogonal)
    assert traits.gives_bytes == (transform.output_dtype == "uint8")
    assert traits.in_place or not traits.substitutes
    assert (traits.word_bits is None) != isinstance(transform, Transform)
    if traits.word_bits is None:
        return
    transform = transform.coarsen()
    assert transform.bits == traits.word_bits
    assert (transform.output_shape == shape) == traits.keeps_shape
    place = np.arange(transform.perm.size)
    words = 24 // transform.bits
    at_home = (transform.perm // words == place // words).all()
    assert at_home == traits.in_place
    assert (transform.perm != place).any() == traits.moves_words
    full = 2**transform.bits - 1
    assert np.isin(transform.mask, (0, full)).all() == traits.negates


def test_traits_follow_options():
    assert not CIPHERS["etc_gray"].traits(fold=False).keeps_shape
    assert CIPHERS["le"].traits(word_bits=8).word_bits == 8
    assert not CIPHERS["pbe"].traits(channel_shuffle=False).moves_words
    assert not CIPHERS["logistic"].traits(select=False).leaves_values
    assert not CIPHERS["etc"].traits(block_size=1).in_place
    assert not CIPHERS["iib"].traits(block_shuffle=False).moves_blocks
    sides = {"block_size": 16, "sub_block_size": 8}
    assert CIPHERS["iib"].traits(**sides).whole_square == 8
    # Channels that are turned each by itself, or lie in one image, tear colours.
    assert CIPHERS["iib"].traits(**sides, turns="per_channel").whole_square == 0
    assert CIPHERS["etc_gray"].traits(block_size=8).whole_square == 0
    assert CIPHERS["etc_gray"].traits(block_size=8, fold=False).whole_square == 8
    with pytest.raises(CipherOptionError, match="`block_size`.*Received"):
        CIPHERS["etc"].traits(block_size=[4])
    with pytest.raises(CipherOptionError, match="Options of pbe.*Received"):
        CIPHERS["pbe"].traits(block_size=4)


@pytest.mark.parametrize("name", [name for name in KEYED if name in BYTES])
def test_what_breaks_it_is_what_the_records_say(name):
    row = CIPHERS[name]
    results = pathlib.Path(__file__).parents[1] / "results"
    paths = sorted(results.glob(f"evaluation-*-{name}.json"))
    records = [json.loads(path.read_text()) for path in paths]
    by_default = [r for r in records if r["settings"]["cipher_options"] == row.defaults]
    if not by_default:
        pytest.skip(f"no record of {name} in results/ yet")
    tried = [a for record in by_default for a in record["results"]["attacks"]]
    broken = {a["threat_model"] for a in tried if a["outcome"] == "recovered"}
    # The records are older than the attack on matched models.
    untried = {"known model"} - {attack["threat_model"] for attack in tried}
    assert set(attacks.broken_by(row)) - untried == broken
    assert not attacks.broken_by(CIPHERS["identity"])
