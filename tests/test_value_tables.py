"""Attacks on ffx: exact from few chosen images, never wrong in silence from pairs."""

import json

import numpy as np
import pytest
from key_arrays import BYTES

from tfpe import CIPHERS, Key, attacks
from tfpe.algebra.substitution import Substitution
from tfpe.ciphers.blocks import block_indices
from tfpe.cli import main
from tfpe.errors import AttackError
from tfpe.files import encrypt_folder

SHAPE = (32, 32, 3)
FFX = CIPHERS["ffx"]


def block_tables(key, block_size=4):
    """The table of each place of the first block, `(places, 256)`."""
    block = block_indices(key.input_shape, block_size)[0]
    return key.tables[key.index[block]]


@pytest.mark.parametrize(
    "shape, options, queries",
    [
        (SHAPE, {}, 1),
        (SHAPE, {"tables": "per_place"}, 4),
        ((64, 64, 3), {"tables": "per_place"}, 1),
        (SHAPE, {"block_size": 8, "tables": "per_place"}, 16),
        ((8, 8, 1), {}, 64),
        ((6, 4, 3), {"block_size": 1}, 11),
    ],
)
def test_chosen_images_give_the_key(key, shape, options, queries):
    secret = FFX(key, shape, **options)
    row = attacks.ATTACKS["substitution_chosen_plaintext"]
    evidence = attacks.Evidence(
        oracle=secret, shape=shape, cipher="ffx", options=options
    )
    found = attacks.run(row, evidence)
    assert found.key == secret and (found.count, found.verifying) == (queries, 1)


def test_tables_of_each_place_are_not_taken_for_one(key):
    secret = FFX(key, SHAPE, tables="per_place")
    with pytest.raises(AttackError, match="no such tables explain"):
        attacks.substitution_chosen_plaintext(secret, SHAPE)
    plain = np.random.default_rng(0).integers(0, 256, (1, *SHAPE), np.uint8)
    with pytest.raises(AttackError, match="no such tables explain"):
        attacks.substitution_known_plaintext(plain, secret(plain))
    with pytest.raises(AttackError, match="as they were"):
        attacks.substitution_known_plaintext(plain, plain)


@pytest.mark.parametrize("tables", ["shared", "per_place"])
@pytest.mark.parametrize("count", [1, 2, 6])
@pytest.mark.parametrize("seed", range(3))
def test_what_is_not_listed_is_certain(photographs, tables, count, seed):
    secret = FFX(Key(bytes([seed]) * 32), SHAPE, tables=tables)
    corners = np.random.default_rng(seed).integers(0, 380, (count, 2))
    plain = np.stack([photographs[0][y : y + 32, x : x + 32] for y, x in corners])
    found = attacks.substitution_known_plaintext(plain, secret(plain), 4, tables)
    assert (found(plain) == secret(plain)).all()
    right = block_tables(found) == block_tables(secret)
    told = np.zeros(right.shape, bool)
    told[tuple(found.undetermined.T)] = True
    assert (right | told).all()
    score = attacks.score_key(found, secret).index_accuracy
    assert score == pytest.approx(right.mean()) and score >= 1 - told.mean()
    assert 0.4 < score <= 1


@pytest.fixture(scope="module")
def pieces(photographs):
    """520 real pictures of 32 x 32."""
    rows = np.stack(photographs)[:, :416].reshape(2, 13, 32, 20, 32, 3)
    pieces = rows.swapaxes(2, 3).reshape(-1, *SHAPE)
    return np.random.default_rng(0).permutation(pieces)


@pytest.mark.parametrize("tables, most", [("shared", 0.5), ("per_place", 6)])
def test_ciphertexts_alone(key, pieces, tables, most):
    secret = FFX(key, SHAPE, tables=tables)
    row = attacks.ATTACKS["substitution_statistics"]
    evidence = attacks.Evidence(
        ciphertexts=secret(pieces[:200]), cipher="ffx", options={"tables": tables}
    )
    found = attacks.run(row, evidence)
    assert (found.kind, found.count) == ("ciphertexts", 200)
    unseen = pieces[400:]
    errors = abs(found.key.inverse(secret(unseen)).astype(int) - unseen)
    assert errors.mean() < most
    # Which places are touched is certain.
    plain = np.arange(256)
    touched = [(block_tables(k) != plain).any(axis=1) for k in (found.key, secret)]
    assert (touched[0] == touched[1]).all()


@pytest.mark.parametrize("cipher", [name for name in BYTES if name != "ffx"])
def test_other_ciphertexts_are_refused(key, pieces, cipher):
    with pytest.raises(AttackError, match="should be of pictures"):
        attacks.substitution_statistics(CIPHERS[cipher](key, SHAPE)(pieces[:100]))


def test_a_key_for_each_image_is_refused(key, pieces):
    each = FFX.per_image(key, SHAPE, range(100))
    with pytest.raises(AttackError, match="should be of pictures"):
        attacks.substitution_statistics(each(pieces[:100]))


def test_keys_of_two_kinds_are_not_compared(key):
    with pytest.raises(AttackError, match="of one kind"):
        attacks.score_key(FFX(key, SHAPE), CIPHERS["le"](key, SHAPE))


def test_on_files(photo_folder, capsys):
    key = Key.load("owner.key")
    encrypt_folder("photos", "encrypted", key, "ffx")
    command = ["attack", "substitution_known_plaintext", "--plain", "leaked", "-q"]
    command += ["--cipher-folder", "encrypted", "--truth", "photos", "--json"]
    command += ["-o", "opened", "-k", "owner.key", "--save-transform", "key.npz"]
    assert main(command) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["options"] == {"block_size": 4, "tables": "shared"}
    assert summary["index_accuracy"] > 0.95 and summary["unseen"]
    assert summary["ssim"] > 0.95 and summary["undetermined"] < 48 * 256 * 0.05
    base = ["attack", "substitution_chosen_plaintext", "--cipher", "ffx", "-q"]
    base += ["--size", "32x32"]
    assert main([*base, "--make-queries", "queries"]) == 0
    encrypt_folder("queries", "answers", key, "ffx")
    capsys.readouterr()
    more = ["--answers", "answers", "encrypted", "--truth", "photos", "--json"]
    assert main([*base, *more, "--save-transform", "exact.npz"]) == 0
    assert json.loads(capsys.readouterr().out)["exact_pixels"] == 1
    with np.load("exact.npz") as file:
        saved = Substitution(file["tables"], file["index"], SHAPE)
    assert saved == FFX(key, SHAPE)
