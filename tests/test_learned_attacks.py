"""Attacks that learn: pairs under fresh keys, what networks guess, training, files."""

import contextlib
import dataclasses

import keras
import numpy as np
import pytest
from image_folders import CHINA, FLOWER

from tfpe import CIPHERS, Key, Transform
from tfpe.algebra.structure import signed_words, source_regions, structure
from tfpe.attacks import ATTACKS, Evidence, InverseNetwork, run, score_images
from tfpe.attacks.learned import learning
from tfpe.attacks.learned.block_network import opened_blocks
from tfpe.attacks.learned.candidates import recognised
from tfpe.attacks.learned.forms import BLOCKS, MULTISETS, PIXELS, WORDS, form_of
from tfpe.attacks.learned.fresh_keys import encrypted, fresh_keys
from tfpe.attacks.learned.learning import learn
from tfpe.attacks.learned.network_file import read_network, write_network
from tfpe.attacks.learned.network_parts import words_of_blocks
from tfpe.attacks.learned.pairs import Pairs
from tfpe.attacks.learned.word_network import opened_words
from tfpe.ciphers.inside_out import iib_transform
from tfpe.ciphers.learnable import ele_transform, le_transform
from tfpe.ciphers.pixel import logistic_transform, pbe_transform
from tfpe.ciphers.scrambled import etc_transform
from tfpe.errors import AttackError

SHAPE = (16, 16, 3)
COUNT, BLOCKS_OF = 3, 16
FAMILIES = {
    **dict.fromkeys(("pbe", "logistic", "ffx", "negpos", "keystream"), PIXELS),
    **dict.fromkeys(("le", "blockshuffle"), WORDS),
    **dict.fromkeys(("etc", "iib"), BLOCKS),
    "ele": MULTISETS,
}
OPTIONS = [
    *((name, {}) for name in FAMILIES),
    ("pbe", {"channel_shuffle": False}),
    ("logistic", {"select": False, "stream": "shared"}),
    ("le", {"word_bits": 8}),
    ("le", {"reversal": "independent"}),
    ("ele", {"reversal": "independent"}),
    ("etc", {"block_size": 8, "channel_shuffle": False}),
    ("iib", {"block_shuffle": False}),
    ("iib", {"sub_block_shuffle": True, "turns": "per_channel"}),
    ("ffx", {"tables": "per_place"}),
]
SMALL = {
    PIXELS: {"widths": (8, 8)},
    WORDS: {"width": 16, "depth": 1},
    BLOCKS: {"width": 16, "depth": 1},
    MULTISETS: {"width": 16, "depth": 1},
}


@contextlib.contextmanager
def eagerly():
    """Steps that are not compiled: few of them are done sooner so."""
    compiled = learning._compile

    def in_steps(model, *arguments):
        compiled(model, *arguments)
        model.run_eagerly = True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learning, "_compile", in_steps)
        yield


@pytest.fixture
def eager():
    with eagerly():
        yield


@pytest.fixture(scope="module")
def pieces():
    """2,080 pieces of two photographs, shuffled."""
    whole = [photo[:416, :640].reshape(26, 16, 40, 16, 3) for photo in (CHINA, FLOWER)]
    found = np.concatenate([w.swapaxes(1, 2).reshape(-1, *SHAPE) for w in whole])
    return np.random.default_rng(0).permutation(found)


def each_key(keys, number):
    """The map of one image of the tall one, a `Transform`."""
    words = keys.perm.size // COUNT
    part = slice(number * words, (number + 1) * words)
    own = keys.perm[part].astype(int) - number * words
    return Transform(own, keys.mask[part], keys.bits, SHAPE)


@pytest.mark.parametrize("cipher, options", OPTIONS)
def test_fresh_keys_are_keys_of_the_cipher(pieces, cipher, options):
    """Each image alone, other keys for others, and of the structure of the cipher."""
    rng = np.random.default_rng(1)
    keys = fresh_keys(cipher, rng, COUNT, SHAPE, **options)
    same = np.repeat(pieces[:1], COUNT, axis=0)
    ciphertexts = encrypted(keys, same)
    assert (ciphertexts[0] != ciphertexts[1]).any()
    other = same.copy()
    other[1] ^= 255
    changed = encrypted(keys, other) != ciphertexts
    assert changed[1].any() and not changed[[0, 2]].any()
    if isinstance(keys, Transform):
        wanted = structure(CIPHERS[cipher](Key(bytes(32)), SHAPE, **options))
        found = [structure(each_key(keys, number)) for number in range(COUNT)]
        for one in found:
            names = ("bits", "region", "side", "tied")
            assert all(getattr(one, n) == getattr(wanted, n) for n in names)
        # Four blocks stay where they are once in 24 keys.
        assert any(one.moved for one in found) == wanted.moved
        for number in range(COUNT):
            one = each_key(keys, number)
            assert (one(same[number]) == ciphertexts[number]).all()


def test_fresh_keys_equal_the_ciphers_image_by_image(pieces):
    """Material drawn a second time, through each image's own builder."""

    def drawn(cipher, **options):
        keys = fresh_keys(cipher, np.random.default_rng(5), COUNT, SHAPE, **options)
        return encrypted(keys, pieces[:COUNT]), np.random.default_rng(5)

    def permutations(rng, count, length):
        return rng.permuted(np.tile(np.arange(length), (count, 1)), axis=1)

    def check(found, build):
        for number in range(COUNT):
            wanted = build(number)(pieces[number])
            assert (found[number] == wanted).all()

    each = (COUNT, *SHAPE)
    tall = (COUNT * SHAPE[0], *SHAPE[1:])
    found, rng = drawn("pbe")
    negate = rng.integers(0, 2, tall, np.uint8).reshape(each)
    order = rng.integers(0, 6, tall[:2]).reshape(each[:3])
    check(found, lambda k: pbe_transform(negate[k], order[k]))

    found, rng = drawn("logistic")
    sequence = rng.integers(0, 256, tall, np.uint8).reshape(each)
    select = rng.integers(0, 2, tall, np.uint8).reshape(each)
    order = rng.integers(0, 6, tall[:2]).reshape(each[:3])
    check(found, lambda k: logistic_transform(sequence[k], select[k], order[k]))

    found, rng = drawn("le")
    orders = permutations(rng, COUNT, 96)
    check(found, lambda k: le_transform(orders[k], SHAPE))

    found, rng = drawn("ele")
    orders = permutations(rng, COUNT * BLOCKS_OF, 96).reshape(COUNT, BLOCKS_OF, 96)
    places = permutations(rng, COUNT, BLOCKS_OF)
    check(found, lambda k: ele_transform(orders[k], places[k], SHAPE))

    for cipher in ("etc", "iib"):
        found, rng = drawn(cipher)
        places = permutations(rng, COUNT, BLOCKS_OF)
        negate = rng.integers(0, 2, COUNT * BLOCKS_OF, np.uint8).reshape(COUNT, -1)
        codes = rng.integers(0, 6, COUNT * BLOCKS_OF).reshape(COUNT, -1)
        shape = (COUNT * BLOCKS_OF, 4)[: 2 if cipher == "iib" else 1]
        turns = rng.integers(0, 8, shape).reshape(COUNT, BLOCKS_OF, *shape[1:])
        build, sizes = (
            (etc_transform, (4,)) if cipher == "etc" else (iib_transform, (4, 2))
        )
        check(
            found,
            lambda k, b=build, s=sizes, p=places, t=turns, n=negate, c=codes: b(
                p[k], t[k], n[k], c[k], SHAPE, *s
            ),
        )


def test_what_is_drawn_for_ffx_is_a_table_and_half_of_the_places(pieces):
    keys = fresh_keys("ffx", np.random.default_rng(5), COUNT, SHAPE)
    values = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, 2)
    found = encrypted(keys, np.stack([values] * COUNT))
    changed = (found != values).reshape(COUNT, 4, 4, 4, 4, 3).any(axis=(1, 3))
    for number in range(COUNT):
        # A fixed point of the table shows at none of the places.
        assert changed[number].sum() == 24
        pairs = np.stack([values, found[number]], -1)[found[number] != values]
        assert len(np.unique(pairs, axis=0)) == len(np.unique(pairs[:, 1])) >= 150


@pytest.mark.parametrize("cipher, options", OPTIONS)
def test_right_guesses_open_the_ciphertext(pieces, cipher, options):
    """What a network is taught of a key, taken for certain, gives the very picture."""
    form = form_of(cipher, SHAPE, **options)
    keys = form.keys(np.random.default_rng(2), COUNT)
    plain, targets = pieces[:COUNT], form.targets(keys)
    ciphertexts = encrypted(keys, plain)
    if form.family == PIXELS:
        assert targets == {}
        return
    sure = {
        name: 99 * np.eye(form_classes(form, name), dtype=np.float32)[values]
        for name, values in targets.items()
    }
    images = keras.ops.convert_to_tensor(ciphertexts)
    values = words_of_blocks(images, form.block_size, form.bits)
    if form.family == WORDS:
        tokens = keras.ops.transpose(values, (0, 2, 1))
        tokens = keras.ops.concatenate([tokens, -tokens], axis=1)
        shown = opened_words(sure["words"], tokens, form)
    elif form.family == BLOCKS:
        shown = opened_blocks(sure, values, form)
    else:
        source, _, _ = source_regions(signed_words(keys), form.block_size)
        places = source.reshape(COUNT, -1) - BLOCKS_OF * np.arange(COUNT)[:, None]
        assert (targets.get("place", places) == places).all()
        return
    shown = keras.ops.convert_to_numpy(shown) * 255
    np.testing.assert_allclose(shown, plain, atol=0.01)


def form_classes(form, name):
    words = form.block_size**2 * SHAPE[2] * 8 // form.bits
    blocks = SHAPE[0] * SHAPE[1] // form.block_size**2
    sizes = {"words": 2 * words, "place": blocks, "turn": 8, "polarity": 2}
    return sizes.get(name, 6)


@pytest.mark.parametrize("cipher, options", OPTIONS)
def test_ciphertexts_are_recognised_among_known_pictures(pieces, cipher, options):
    """All of them, under any key, but for those of which a key leaves nothing."""
    form, gallery = form_of(cipher, SHAPE, **options), pieces[:300]
    # Flat pieces of sky are alike.
    busy = np.flatnonzero(gallery.std(axis=(1, 2, 3)) > 40)[:COUNT]
    keys = form.keys(np.random.default_rng(3), COUNT)
    ciphertexts = encrypted(keys, gallery[busy])
    found = recognised(form, ciphertexts, gallery, busy)
    nothing = cipher == "keystream" or not options.get("select", True)
    assert found.all() if not nothing else not found.any()
    wrong = recognised(form, ciphertexts, gallery, (busy + 1) % len(gallery))
    assert not wrong.any()


@pytest.mark.parametrize("cipher", ["pbe", "le"])
def test_the_published_network_sees_no_neighbours(pieces, tmp_path, eager, cipher):
    form, given = form_of(cipher, SHAPE), {"steps": 2, "published": "itn", "width": 8}
    trained = learn(form, pieces[:40], tmp_path / "itn", **given)
    assert trained.settings["network"] == {"published": "itn", "width": 8}
    shown = trained(pieces[:1])
    changed = pieces[:1].copy()
    size = form.block_size
    changed[0, :size, :size] ^= 255
    different = (trained(changed) != shown).any(axis=(0, 3))
    assert different[:size, :size].any()
    assert not different[size:].any() and not different[:, size:].any()


def test_families_follow_from_traits():
    for name, family in FAMILIES.items():
        assert form_of(name, SHAPE).family == family
    for name in CIPHERS:
        wanted = name in FAMILIES
        assert (name in ATTACKS["inverse_network"].ciphers) == wanted
        if not wanted:
            with pytest.raises(AttackError, match=f"A network is for .* {name}"):
                form_of(name, SHAPE)


TOY = {
    "pbe": (0.03, 200, {"widths": (24, 32)}),
}


@pytest.mark.parametrize("cipher", TOY)
def test_a_toy_budget_beats_the_best_constant_picture(pieces, tmp_path, cipher):
    """By a margin of SSIM, on pictures and keys that it has not seen."""
    margin, steps, sizes = TOY[cipher]
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
    assert held_out["ssim"] > held_out["constant"]["ssim"] + margin
    plain = pieces[:20]  # of the held out
    keys = CIPHERS[cipher].per_image(Key(bytes(32)), SHAPE, range(20))
    evidence = Evidence(ciphertexts=keys(plain), cipher=cipher)
    model = InverseNetwork.load(tmp_path / "toy.attack")
    evidence = dataclasses.replace(evidence, model=model)
    found = run(ATTACKS["inverse_network"], evidence)
    assert found.key is None and found.count == 20
    constant = held_out["constant"]["ssim"]
    assert score_images(found.pictures, plain).ssim > constant + margin / 2
    # Larger pictures, of no multiple of its strides, and what of them is a piece.
    large = CHINA[:53, :70]
    secret = CIPHERS[cipher](Key(bytes(32)), large.shape)
    shown = model(secret(large)[None])[0]
    assert score_images(shown, large).ssim > constant


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
                break
            with pytest.raises(AttackError, match="none"):
                InverseNetwork.load(path)
    assert seen == 2 * [(2, 6), (4, 6), (6, 6)]
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "cut").read_bytes()
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
