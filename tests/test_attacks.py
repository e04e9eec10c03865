"""The table of attacks against the table of ciphers; scores of keys and images."""

import dataclasses

import numpy as np
import pytest
from key_arrays import TRANSFORMS

from tfpe import CIPHERS, Transform, attacks
from tfpe.algebra.substitution import Substitution
from tfpe.algebra.xor_transform import XorTransform
from tfpe.attacks import ATTACKS, score_images, score_key
from tfpe.ciphers.blocks import block_indices
from tfpe.errors import AttackError, ImageError, TfpeError

SHAPE = (32, 32, 3)
THREAT_MODELS = {
    *("chosen plaintext", "known plaintext", "ciphertext only", "key check"),
    "known model",
}
# On ciphers; those on containers are in tests/test_hybrid_attacks.py.
ROWS = [row for row in ATTACKS.values() if not row.containers]
CHOSEN = [row for row in ROWS if row.threat_model == "chosen plaintext"]
KNOWN = [row for row in ROWS if row.threat_model == "known plaintext"]
# Images asked at 32 x 32, without the one that verifies: the figures of the docstrings.
QUERIES = {
    ("chosen_plaintext", 8): 3,
    ("chosen_plaintext", 4): 5,
    "block_chosen_plaintext": 1,
    "logistic_chosen_plaintext": 2,
    "seed_algorithm": 1,
    "chang_case_le": 1,
    "substitution_chosen_plaintext": 1,
    "chang_case_pbe": 1,
}


def pairs_of(rows):
    return [
        pytest.param(row, cipher, id=f"{row.name}-{cipher}")
        for row in rows
        for cipher in CIPHERS
    ]


@pytest.fixture(scope="module")
def patches(photographs):
    """Real 32 x 32 images: the photographs in pieces that do not overlap, shuffled."""
    pieces = [
        photo[row : row + 32, column : column + 32]
        for photo in photographs
        for row in range(0, 416, 32)
        for column in range(0, 640, 32)
    ]
    return np.random.default_rng(7).permutation(np.stack(pieces))


def test_rows_say_what_they_are():
    for name, row in ATTACKS.items():
        assert row.name == name and getattr(attacks, name) is row.function
        assert row.threat_model in THREAT_MODELS
        assert set(row.ciphers) <= {*CIPHERS, "hybrid"} and row.ciphers
        for part in (row.evidence, row.recovers, row.reference, row.complexity):
            assert part
        doc = row.function.__doc__
        assert doc.partition("\n")[0] == row.summary
        for part in ("Threat model:", "Complexity:", "Example:"):
            assert part in doc or row.threat_model == "key check"
    assert {model for model in THREAT_MODELS} == {
        row.threat_model for row in ATTACKS.values()
    }


def raises_or_is_right(row, secret, *evidence, refusal=AttackError):
    """On a cipher that it is not for, an attack gives no key, or all of the key."""
    try:
        found = row(*evidence)
    except refusal:
        return
    assert found == secret and not np.size(getattr(found, "undetermined", ()))


@pytest.mark.parametrize("row, cipher", pairs_of(CHOSEN))
def test_chosen_plaintext_gives_the_key_or_raises(key, row, cipher):
    """Exact on its ciphers; on any other never a wrong key."""
    form = row.form_of(cipher)
    secret = CIPHERS[cipher](key, SHAPE, **form)
    if cipher not in row.ciphers:
        raises_or_is_right(row, secret, secret, SHAPE)
        return
    evidence = attacks.Evidence(oracle=secret, shape=SHAPE, cipher=cipher, options=form)
    found = attacks.run(row, evidence)
    assert found.key == secret and found.verifying == 1 and found.kind == "queries"
    name, bits = row.name, found.options.get("bits", 8)
    assert found.count == (QUERIES.get(name) or QUERIES[name, bits])
    assert score_key(found.key, secret) == (1, 1, 1)


@pytest.mark.parametrize(
    "name",
    [
        *("block_chosen_plaintext", "block_known_plaintext"),
        *("chang_case_le", "nibble_statistics"),
    ],
)
def test_attacks_that_pool_blocks_need_them_in_their_places(name):
    for word_bits in (4, 8):
        at_home = CIPHERS["le"].traits(word_bits=word_bits)
        moved = dataclasses.replace(at_home, moves_blocks=True)
        assert not attacks.ATTACKS[name].needs(moved)


@pytest.mark.parametrize("row, cipher", pairs_of(KNOWN))
def test_known_plaintext_explains_the_pairs_or_raises(key, row, cipher, patches):
    secret = CIPHERS[cipher](key, SHAPE)
    plain = patches[:16]
    encrypted = secret(plain)
    if cipher not in row.ciphers:
        refusal = AttackError if encrypted.dtype == np.uint8 else ImageError
        raises_or_is_right(row, secret, plain, encrypted, refusal=refusal)
        return
    evidence = attacks.Evidence(pairs=(plain, encrypted), cipher=cipher)
    found = attacks.run(row, evidence)
    recovered = found.key
    assert (found.kind, found.count, found.verifying) == ("pairs", 16, 0)
    if row.exact:
        assert recovered == secret and score_key(recovered, secret) == (1, 1, 1)
        return
    assert found.undetermined == recovered.undetermined.size
    assert (recovered(plain) == encrypted).all()
    assert score_key(recovered, secret).index_accuracy > 0.98
    # What it does not list as undetermined is certain.
    if isinstance(recovered, Substitution):
        open_ = np.zeros((48, 256), bool)
        open_[tuple(recovered.undetermined.T)] = True
        tables = [
            t.tables[t.index[block_indices(SHAPE, 4)[0]]] for t in (recovered, secret)
        ]
        assert open_.mean() < 0.05 and ((tables[0] == tables[1]) | open_).all()
        return
    truth = secret.refine(recovered.bits)
    certain = np.ones(truth.perm.size, bool)
    certain[recovered.undetermined] = False
    assert certain.mean() > 0.95
    assert (recovered.perm == truth.perm)[certain].all()
    assert (recovered.mask == truth.mask)[certain].all()


@pytest.mark.parametrize("name", ["block_chosen_plaintext", "block_known_plaintext"])
def test_a_cipher_without_blocks_that_repeats_may_be_opened_and_never_wrongly(
    name, patches
):
    """Its mask begins again every four columns; the traits know no such side."""
    veil = np.random.default_rng(3).integers(0, 256, (4, 3), np.uint8)
    secret = XorTransform(np.tile(veil.ravel(), 32 * 8), SHAPE)
    plain = patches[:16]
    pairs = plain, secret(plain)
    evidence = (secret, SHAPE) if "chosen" in name else pairs
    assert ATTACKS[name](*evidence) == secret
    raises_or_is_right(ATTACKS[name], secret, *evidence)
    other = XorTransform(255 - secret.mask, SHAPE)
    with pytest.raises(AssertionError):
        raises_or_is_right(ATTACKS[name], other, *evidence)


@pytest.mark.parametrize("cipher", TRANSFORMS)
def test_key_of_another_image_set_scores_as_chance(key, cipher):
    """Under a wrong hypothesis scores are those of unrelated keys."""
    build = CIPHERS[cipher]
    secret, other = build(key, SHAPE), build(key.derive("other"), SHAPE)
    recovered = attacks.chosen_plaintext(other, SHAPE, bits=other.bits)
    chance = {"identity": 1, "negpos": 0.5, "pbe": 1 / 6, "logistic": 1 / 12}
    score = score_key(recovered, secret).index_accuracy
    assert score == pytest.approx(chance.get(cipher, 0), abs=0.03)


def test_key_check_row(key):
    few_bits = ("le", "etc", "etc_gray", "iib")
    for cipher in ATTACKS["key_sensitivity"].ciphers:
        changed = ATTACKS["key_sensitivity"](bytes(range(32)), SHAPE, cipher, bit=77)
        for part in ("perm", "mask"):
            expected = getattr(changed, f"{part}_unrelated")
            # le has 96 words, etc 64 negatives: their fractions vary by some 0.06.
            assert getattr(changed, f"{part}_changed") == pytest.approx(
                expected, abs=0.2 if cipher in few_bits else 0.04
            )


def test_key_score_counts_words():
    secret = Transform([1, 2, 0, 3], [0, 255, 7, 9])
    guess = Transform([1, 2, 3, 0], [0, 254, 7, 9])
    assert score_key(guess, secret) == (0.25, 0.5, 0.75)
    # On nibbles the mask 254 is half right.
    assert score_key(guess.refine(4), secret) == (3 / 8, 0.5, 7 / 8)
    with pytest.raises(AttackError, match="one image shape"):
        score_key(guess, Transform([0], [0]))


def test_image_scores(photographs):
    plain = photographs[0][:64, :64]
    wrong = plain.copy()
    wrong[:16, :, 0] ^= 1
    score = score_images(wrong, plain)
    assert score.exact_bytes == 1 - 1 / 12 and score.exact_pixels == 0.75
    assert score.psnr == pytest.approx(10 * np.log10(255**2 * 12))
    assert 0.99 < score.ssim < 1 and 0.95 < score.edge_correlation < 1
    assert score_images(255 - plain, plain).gray_correlation == pytest.approx(1)
    both = score_images(np.stack([plain, wrong]), np.stack([plain, plain]))
    assert both.exact_bytes == 1 - 1 / 24 and np.isfinite(both.psnr)
    flat = np.zeros_like(plain)
    mixed = score_images(np.stack([plain, flat]), np.stack([plain, flat]))
    assert mixed.gray_correlation == pytest.approx(1) and np.isinf(mixed.psnr)
    assert np.isnan(score_images(flat, flat).gray_correlation)
    with pytest.raises(ImageError):
        score_images(plain, plain[:32])


def test_errors_are_those_of_the_library():
    assert issubclass(AttackError, TfpeError)
