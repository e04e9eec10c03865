"""Scores of attacks: up to what each leaves open, for all, and of which pictures."""

import json

import numpy as np
import pytest
from image_folders import save

from tfpe import CIPHERS, Key
from tfpe.attacks import ATTACKS, mirrored, score_images, score_key
from tfpe.attacks.symmetry import SYMMETRIES, aligned, forms
from tfpe.cli import main
from tfpe.files import encrypt_folder
from tfpe.lab.evaluation import ladders
from tfpe.lab.evaluation.curves import error_of, error_title
from tfpe.lab.evaluation.pictures import load_pictures

OPEN = [row for row in ATTACKS.values() if row.up_to]


def run(*arguments):
    return main([str(argument) for argument in arguments])


def pictures_of(photographs, count=12, size=32):
    return np.stack(
        [photographs[k % 2][25 * k :, 40 * k :][:size, :size] for k in range(count)]
    )


def test_the_table_names_symmetries():
    assert {row.name: row.up_to for row in OPEN} == {
        "block_statistics": ("mirror",),
        "jigsaw": ("orientation", "negative", "channel order"),
    }
    for row in ATTACKS.values():
        assert set(row.up_to) <= set(SYMMETRIES) and not (row.exact and row.up_to)


@pytest.mark.parametrize("shape", [(12, 12, 3), (11, 12, 1)])
@pytest.mark.parametrize("row", OPEN, ids=lambda row: row.name)
def test_every_form_scores_as_exact(row, shape, rng):
    plain = rng.integers(0, 256, (1, *shape), np.uint8)
    images = {form(plain).tobytes() for form in forms(shape, row.up_to)}
    assert len(images) == len(list(forms(shape, row.up_to))) or shape[2] == 1
    shown = [form(plain) for form in forms(shape, row.up_to)]
    if row.per_picture:  # all at once: each is opened alone
        shown, plain = [np.concatenate(shown)], np.repeat(plain, len(shown), axis=0)
    for pictures in shown:
        assert row.score_images(pictures, plain).exact_pixels == 1


def test_keys_and_pictures_have_the_same_forms(key):
    secret = CIPHERS["ele"](key, (16, 16, 3))
    row = ATTACKS["block_statistics"]
    assert score_key(mirrored(secret), secret).index_accuracy < 0.1
    assert row.score_key(mirrored(secret), secret).index_accuracy == 1
    assert row.score_key(secret.inverse, secret).index_accuracy < 0.1


def test_one_form_is_that_of_all_pictures(photographs):
    """Not chosen picture by picture, but where each is opened alone."""
    plain = pictures_of(photographs)
    mixed = plain.copy()
    mixed[::3] = mixed[::3, :, ::-1]
    assert ATTACKS["block_statistics"].score_images(mixed, plain).exact_pixels < 0.7
    assert ATTACKS["jigsaw"].score_images(mixed, plain).exact_pixels == 1


@pytest.mark.parametrize("row", OPEN, ids=lambda row: row.name)
def test_wrong_pictures_gain_nothing(row, photographs, rng):
    """Noise, and other pictures, score as they did before forms were compared."""
    plain = pictures_of(photographs)
    noise = rng.integers(0, 256, plain.shape, np.uint8)
    before, after = score_images(noise, plain), row.score_images(noise, plain)
    for name, most in {"exact_bytes": 0.003, "ssim": 0.02, "psnr": 0.3}.items():
        assert getattr(after, name) == pytest.approx(getattr(before, name), abs=most)
    other = np.roll(plain, 1, axis=0)
    assert row.score_images(other, plain).exact_pixels < 0.03
    # One form for all of them: no more than the better of two such scores.
    nearest = aligned(other, plain, ("mirror",))
    assert np.array_equal(nearest, other) or np.array_equal(nearest, other[:, :, ::-1])


@pytest.mark.parametrize("view", ["etc", "etc_gray"])
def test_symmetries_are_those_of_the_puzzle(view, photographs):
    plain = pictures_of(photographs, 2)
    row = ATTACKS["jigsaw"]
    puzzle = row.view(view, plain.shape[1:])
    turned = puzzle(plain)[:, ::-1, ::-1] ^ 255
    shown = puzzle.inverse(np.ascontiguousarray(turned))
    assert row.score_images(shown, plain, view).exact_pixels == 1


def mirroring(row, secret):
    """The row, whose function finds the key of mirrored pictures."""
    import dataclasses

    def function(ciphertexts, reference, block_size=4):
        """Finds the key of mirrored pictures."""
        return mirrored(secret)

    function.__name__ = row.name
    return dataclasses.replace(row, function=function)


def test_evaluate_and_attack_score_alike(photo_folder, monkeypatch, capsys):
    """The mirrored key is exact to all: command, evaluation and curve."""
    secret = CIPHERS["ele"](Key.load("owner.key"), (32, 32, 3))
    row = mirroring(ATTACKS["block_statistics"], secret)
    monkeypatch.setattr("tfpe.attacks.ATTACKS", {row.name: row})
    encrypt_folder("photos", "encrypted", Key.load("owner.key"), "ele")
    command = ["attack", row.name, "encrypted", "--reference", "leaked", "-q"]
    assert run(*command, "--truth", "photos", "-k", "owner.key", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["exact_pixels"] == told["index_accuracy"] == 1
    assert told["up_to"] == "left and right of all pictures"
    pictures = load_pictures("photos")
    case = ladders.Case("ele", {}, secret, bytes(32), pictures)
    found, shown = ladders.try_attack(row, case)
    assert found["outcome"] == "recovered" and found["up_to"] == told["up_to"]
    assert np.array_equal(shown, pictures.scored)
    point = {"error": 50.0, "error_up_to_mirror": 0.0}
    assert error_of("block_statistics", point) == 0
    assert "up to left and right" in error_title("block_statistics")


def test_pictures_left_out_of_scores_are_counted(photo_folder, photographs, capsys):
    encrypt_folder("photos", "encrypted", Key.load("owner.key"), "logistic")
    truth = sorted((photo_folder / "photos").rglob("*.png"))
    truth[0].unlink()
    truth[1].unlink()
    save(truth[2].parent, {truth[2].name: photographs[0][:16, :16]})
    truth[3].write_bytes(b"no image")
    command = ["attack", "mode_filter", "encrypted", "--truth", "photos", "-q"]
    assert run(*command, "--json") == 0
    out, err = capsys.readouterr()
    summary = json.loads(out)
    assert summary["scored"] == 36 and summary["not_scored"] == {
        "without a plain image of that name": 2,
        "with a plain image of another size": 1,
        "with a plain image that cannot be decoded": 1,
    }
    assert "scores are of 36 of 40 pictures" in err and "2 without a plain" in err
    command = ["attack", "known_plaintext", "encrypted", "--plain", "leaked", "-q"]
    save(photo_folder, {"leaked/other.png": photographs[0][:16, :16]})
    assert run(*command, "--truth", "leaked", "--json") == 0
    out, err = capsys.readouterr()
    summary = json.loads(out)
    assert summary["unpaired"] == 1 and "1 plain images without" in err
    assert summary["not_scored"] == {"without a plain image of that name": 24}
