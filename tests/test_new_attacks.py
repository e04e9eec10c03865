"""An attack added by CONTRIBUTING's steps alone runs in every command."""

import json

import numpy as np
import pytest

from tfpe import Key, Transform
from tfpe.attacks import attack_table
from tfpe.attacks.attack import PICTURES, Attack
from tfpe.cli import main
from tfpe.files import encrypt_folder


def mean_values(ciphertexts, reference):
    """Finds negatives of places whose mean is not that of other pictures."""
    means, wanted = ciphertexts.mean(axis=0), reference.mean(axis=0)
    negated = abs(means - wanted) > abs(255 - means - wanted)
    return _negatives(negated)


def from_corner(ciphertexts, first_pixel):
    """Finds negatives from the first pixel on, by the signs of neighbours."""
    values = ciphertexts.astype(float).reshape(len(ciphertexts), -1, 3) - 127.5
    alike = (values[:, 1:] * values[:, :-1]).sum(axis=0) > 0
    start = (ciphertexts[:, 0, 0] != first_pixel).mean(axis=0) > 0.5
    signs = np.cumprod(np.where([start, *~alike], -1, 1), axis=0)
    return _negatives((signs < 0).reshape(ciphertexts.shape[1:]))


def brightest(ciphertexts, first_pixel):
    """Shows each picture as the values that are brighter than its first pixel."""
    return np.uint8(255) * (ciphertexts > first_pixel[..., None, None, :])


def alone(ciphertext, reference):
    """Opens one picture with what most of the others have."""
    return mean_values(ciphertext[None], reference)


def _negatives(negated):
    mask = np.uint8(255) * negated.ravel()
    return Transform(np.arange(mask.size), mask, 8, negated.shape)


def row(function, *takes, **fields):
    words = (
        "some images",
        lambda c: c.negates and not c.moves_words,
        "a guess",
        "-",
        "-",
    )
    return Attack(function, takes, *words, **fields)


CLIMB = {"ladder": (10, 20)}
SHOWS = {"returns": PICTURES}
TOYS = [
    row(mean_values, "ciphertexts", "reference", **CLIMB, curve=(5, 15)),
    row(from_corner, "ciphertexts", "first_pixel", **CLIMB, least=5),
    row(brightest, "ciphertexts", "first_pixel", **SHOWS),
    row(alone, "ciphertexts", "reference", **SHOWS, per_picture=True, budget=2),
]
KEYS = [toy for toy in TOYS if toy.has_curve]


@pytest.fixture
def toys(photo_folder, monkeypatch):
    """The table with these attacks alone, and photographs under negpos."""
    for name in list(attack_table._TABLE):
        monkeypatch.delitem(attack_table._TABLE, name)
    for toy in TOYS:
        monkeypatch.setitem(attack_table._TABLE, toy.name, toy)
    encrypt_folder("photos", "encrypted", Key.load("owner.key"), "negpos")


@pytest.mark.parametrize("toy", TOYS, ids=lambda toy: toy.name)
def test_attack_command(toy, toys, capsys):
    command = ["attack", toy.name, "encrypted", "-q", "--json", "--truth", "photos"]
    flags = {"reference": ["--reference", "leaked"]}
    flags["first_pixel"] = ["--first-pixel", "200,200,200"]
    (field,) = toy.takes[1:]
    assert main(command) == 1
    assert f"--{field.replace('_', '-')}" in capsys.readouterr().err
    assert main([*command, *flags[field], "-o", "opened", "-k", "owner.key"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["evidence"] == {"kind": "ciphertexts", "count": 40, "verifying": 0}
    assert summary["scored"] == 40 and summary["threat_model"] == "ciphertext only"
    assert ("index_accuracy" in summary) == toy.has_curve
    if toy.name == "mean_values":
        assert summary["index_accuracy"] > 0.6
    assert main(["attack", "--json"]) == 0
    assert [one["attack"] for one in json.loads(capsys.readouterr().out)] == [
        toy.name for toy in TOYS
    ]


def test_evaluate(toys, capsys):
    assert main(["evaluate", "photos", "--cipher", "negpos", "-q", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["results"]["attacks"]
    assert [one["attack"] for one in rows] == [toy.name for toy in TOYS]
    assert not any(one["message"] and "should" in one["message"] for one in rows)
    means, corner, bright, each = rows
    assert means["tried"] == [10] and means["reference"] == 20
    assert means["index_accuracy"] > 0.6 and each["evidence"]["count"] == 1
    assert corner["tried"] == [10] and corner["outcome"] == "recovered"
    assert bright["evidence"]["count"] == 1 and bright["ssim"] is not None
    assert bright["index_accuracy"] is None and each["gray_correlation"] is not None


@pytest.mark.parametrize("toy", TOYS, ids=lambda toy: toy.name)
def test_curves(toy, toys, capsys):
    command = ["evaluate", "photos", "--cipher", "negpos", "-q", "--json", "--curve"]
    if toy not in KEYS:
        assert main([*command, toy.name]) == 1
        assert "one of ['mean_values', 'from_corner']" in capsys.readouterr().err
        return
    assert main([*command, toy.name, "--keys", "1"]) == 0
    points = json.loads(capsys.readouterr().out)["results"]["points"]
    assert [point["evidence"] for point in points] == list(toy.curve or toy.ladder)
    assert all(point["error"] < 100 for point in points)


def test_least_evidence_is_asked_for_by_name(toys, capsys):
    command = ["attack", "from_corner", "encrypted/p/0-0-0.png", "-q"]
    assert main([*command, "--first-pixel", "1,2,3", "--cipher", "negpos"]) == 1
    assert "from_corner should have at least 5 ciphertexts. Received: 1" in (
        capsys.readouterr().err
    )
