"""How many images an attack is given: ladders, references, and where they end."""

import dataclasses

import numpy as np
import pytest

from tfpe import CIPHERS, Key
from tfpe.attacks import ATTACKS, score_key
from tfpe.errors import AttackError, TfpeError
from tfpe.lab.evaluation import curves, ladders
from tfpe.lab.evaluation.ladders import Case, applicable, try_attack
from tfpe.lab.evaluation.pictures import Pictures

SHAPE = (12, 12, 3)
SECRET = CIPHERS["ele"](Key(bytes(32)), SHAPE)


def pictures_of(count):
    images = np.random.default_rng(3).integers(0, 256, (count + 2, *SHAPE), np.uint8)
    return Pictures("noise", images[:2], images[2:], True, images[0], "made up")


def watched(ladder, enough=None):
    """A row with this ladder, and what it is given: (ciphertexts, references).

    It gives the key from `enough` ciphertexts, and fails with less.
    """
    given = []

    def block_statistics(ciphertexts, reference, block_size=4):
        """Counts what it is given."""
        given.append((ciphertexts, reference))
        if enough is None or len(ciphertexts) < enough:
            raise AttackError("too few. Received: few")
        return SECRET

    row = ATTACKS["block_statistics"]
    return dataclasses.replace(row, function=block_statistics, ladder=ladder), given


@pytest.mark.parametrize(
    "pictures, tried, references",
    [(2300, [2, 4, 8], 1000), (1008, [2, 4, 8], 1000), (500, [2, 4, 8], 492)]
    + [(16, [2, 4, 8], 8), (15, [2, 4], 11), (4, [2], 2), (3, [1], 2), (2, [1], 1)],
)
def test_what_is_no_evidence_is_reference(pictures, tried, references):
    row, given = watched((2, 4, 8))
    pictures = pictures_of(pictures)
    found, shown = try_attack(row, Case("ele", {}, SECRET, bytes(32), pictures))
    assert shown is None and found["outcome"] == "failed" and found["message"]
    assert found["tried"] == tried == [len(ciphertexts) for ciphertexts, _ in given]
    assert found["evidence"]["count"] == tried[-1]
    assert found["reference"] == references == len(given[-1][1])
    evidence = {image.tobytes() for image in pictures.evidence[: tried[-1]]}
    assert not evidence & {image.tobytes() for image in given[-1][1]}
    for ciphertexts, reference in given:
        seen = SECRET(pictures.evidence[: len(ciphertexts)])
        assert np.array_equal(ciphertexts, seen)
        assert np.array_equal(reference, given[0][1])


@pytest.mark.parametrize("enough, count", [(1, 2), (2, 2), (3, 4), (8, 8)])
def test_the_least_that_gives_the_key(enough, count):
    row, given = watched((2, 4, 8), enough)
    found, shown = try_attack(row, Case("ele", {}, SECRET, bytes(32), pictures_of(40)))
    assert found["outcome"] == "recovered" and found["index_accuracy"] == 1
    assert found["evidence"]["count"] == count == len(given[-1][0])
    assert found["tried"] == [n for n in (2, 4, 8) if n <= count]
    assert shown.shape == (2, *SHAPE)


def curve(monkeypatch, pictures, ladder=(2, 4, 8), **options):
    row, given = watched(ladder)
    row = dataclasses.replace(row, curve=())
    monkeypatch.setattr(curves, "ATTACKS", {row.name: row})
    record = curves.measure_curve(row.name, "ele", pictures_of(pictures), **options)
    points = [point["evidence"] for point in record["results"]["points"]]
    # Without any reference it is not even asked.
    asked = [count for count in points if count < pictures]
    assert [len(ciphertexts) for ciphertexts, _ in given] == asked
    return record["settings"]["counts"], given


def test_curves_go_as_far_as_the_pictures(monkeypatch):
    # As many pictures again are wanted as references.
    for pictures, counts in {16: [2, 4, 8], 15: [2, 4], 8: [2, 4], 7: [2]}.items():
        assert curve(monkeypatch, pictures, keys=1)[0] == counts
    counts, given = curve(monkeypatch, 10, counts=[10, 1], keys=2)
    assert counts == [1, 10] and len(given) == 2
    for wrong in ([0], [11], [0, 1], [1, 11]):
        with pytest.raises(TfpeError, match="`counts` should be from 1 to 10"):
            curve(monkeypatch, 10, counts=wrong)
    with pytest.raises(TfpeError, match="counts"):
        curve(monkeypatch, 3)


def test_curves_need_no_references_where_the_attack_takes_none(monkeypatch):
    def known_plaintext(plain, cipher, bits=8):
        """Gives up."""
        raise AttackError("never. Received: all")

    row = ATTACKS["known_plaintext"]
    row = dataclasses.replace(row, function=known_plaintext, ladder=(2, 4, 8), curve=())
    monkeypatch.setattr(curves, "ATTACKS", {row.name: row})
    for pictures, counts in {8: [2, 4, 8], 7: [2, 4]}.items():
        record = curves.measure_curve(row.name, "ele", pictures_of(pictures), keys=1)
        assert record["settings"]["counts"] == counts
        points = record["results"]["points"]
        assert [point["error"] for point in points] == [None] * len(counts)


def test_keys_of_other_shapes_are_not_compared():
    other = CIPHERS["ele"](Key(bytes(32)), (4, 36, 3))
    for pair in ((SECRET, other), (other, SECRET)):
        with pytest.raises(AttackError, match="one image shape"):
            score_key(*pair)


@pytest.mark.parametrize("largest, sizes", [(None, [8, 16, 17]), (16, [8, 16])])
def test_attacks_that_take_long_on_large_pictures(largest, sizes, monkeypatch):
    row = dataclasses.replace(ATTACKS["known_plaintext"], largest=largest)
    monkeypatch.setattr(ladders, "ATTACKS", {row.name: row})
    for shape in ((8, 8, 3), (16, 16, 3), (16, 17, 3), (17, 16, 3)):
        expected = [row] if max(shape[:2]) in sizes else []
        assert applicable("le", shape) == expected


@pytest.mark.parametrize("cipher", ["le", "pbe"])
def test_a_published_model_is_evidence_too(cipher):
    secret = CIPHERS[cipher](Key(bytes(32)), SHAPE)
    row = ATTACKS["known_model"]
    found, shown = try_attack(row, Case(cipher, {}, secret, bytes(32), pictures_of(4)))
    assert found["outcome"] == "recovered" and found["index_accuracy"] == 1
    assert np.array_equal(shown, pictures_of(4).scored)
