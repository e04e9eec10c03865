"""Fresh keys of learned attacks, and what guesses of them open and recognise."""

import keras
import learned_forms
import numpy as np
import pytest
from learned_forms import OPTIONS, SHAPE

from tfpe import CIPHERS, Key, Transform
from tfpe.algebra.structure import signed_words, source_regions, structure
from tfpe.attacks.learned.block_network import opened_blocks
from tfpe.attacks.learned.candidates import recognised
from tfpe.attacks.learned.forms import BLOCKS, PIXELS, POLARITIES, WORDS, form_of
from tfpe.attacks.learned.fresh_keys import encrypted, fresh_keys
from tfpe.attacks.learned.network_parts import words_of_blocks
from tfpe.attacks.learned.word_network import opened_words
from tfpe.ciphers.inside_out import iib_transform
from tfpe.ciphers.learnable import ele_transform, le_transform
from tfpe.ciphers.pixel import logistic_transform, pbe_transform
from tfpe.ciphers.scrambled import etc_transform

COUNT, BLOCKS_OF = 3, 16


@pytest.fixture(scope="module")
def pieces():
    return learned_forms.pieces()


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
    if form.family in (PIXELS, POLARITIES):
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
