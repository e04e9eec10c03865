"""`tfpe evaluate`: records, figures, curves that go on."""

import json

import numpy as np
import pytest
from image_folders import save

from tfpe.cli import main
from tfpe.lab.evaluation.pictures import load_pictures
from tfpe.lab.records import read_record
from tfpe.pixels.depth import window_levels
from tfpe.pixels.preparation import Preparation


def run(*arguments):
    return main([str(argument) for argument in arguments])


def test_evaluate(photo_folder, monkeypatch, capsys):
    command = ["evaluate", "photos", "--cipher", "shuffle", "-q"]
    command += ["--record-folder", "results", "--figures", "figures", "--json"]
    assert run(*command) == 0
    record = json.loads(capsys.readouterr().out)
    assert record == json.loads(
        (photo_folder / "results" / "evaluation-photos-shuffle.json").read_text()
    )
    settings, results = record["settings"], record["results"]
    assert settings["image_shape"] == [32, 32, 3] and settings["apart"]
    assert settings["scored"] == 10 and settings["count"] == 40
    rows = {row["attack"]: row for row in results["attacks"]}
    assert set(rows) == {"chosen_plaintext", "known_plaintext", "key_sensitivity"}
    chosen = rows["chosen_plaintext"]
    assert chosen["outcome"] == "recovered" and chosen["exact_pixels"] == 1
    assert chosen["evidence"] == {"kind": "queries", "count": 3, "verifying": 1}
    assert rows["known_plaintext"]["index_accuracy"] > 0.99
    # Pictures of users stay out of records.
    assert results["gallery"] == [] and results["metrics"]["ssim"]["value"] < 0.2
    assert results["metrics"]["pixel_change"]["npcr"]["value"] == pytest.approx(
        1 / 3072
    )
    assert len(list((photo_folder / "figures").glob("*.png"))) == 3
    # A record of other settings is refused before the work, which takes minutes.
    with monkeypatch.context() as patched:
        patched.setattr("tfpe.lab.evaluation.cipher_metrics", pytest.fail)
        assert run(*command, "--seed", "1") == 1
    assert "differs in ['key_fingerprint', 'seed']" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--counts 1,2", "no --curve"),
        ("--keys 2", "no --curve"),
        ("--record a.json --record-folder b", "both"),
        ("--cipher all --option block_size=8", "for one cipher"),
        ("--split test", "of a data set"),
        ("--size 100000x100000", "at most"),
    ],
)
def test_options_without_effect_are_refused(options, message, photo_folder, capsys):
    assert run("evaluate", "photos", "--cipher", "le", *options.split()) == 1
    assert message in capsys.readouterr().err


def test_a_picture_that_cannot_be_taken_is_named(tmp_path, capsys):
    save(tmp_path, {"deep.png": np.full((16, 16), 999, np.uint16)})
    assert run("evaluate", str(tmp_path), "--cipher", "le") == 1
    assert "deep.png: " in capsys.readouterr().err


def test_a_window_takes_deep_pictures(tmp_path, capsys):
    deep = np.random.default_rng(0).integers(900, 1100, (9, 16, 16)).astype(np.uint16)
    save(tmp_path, {f"{k}.png": levels for k, levels in enumerate(deep)})
    pictures = load_pictures(tmp_path, preparation=Preparation(window=(1000, 100)))
    shown = np.concatenate([pictures.scored, pictures.evidence])[..., 0]
    levels = window_levels(deep, 1000, 100)
    assert sorted(map(bytes, shown)) == sorted(map(bytes, levels))
    assert "through the window (1000, 100)" in pictures.note
    command = ["evaluate", "--cipher", "ffx", "-q", "--json", "--window", "1000", "100"]
    assert run(*command, tmp_path) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["settings"]["note"] == pictures.note
    assert run(*command, "photographs") == 1
    assert "A window is for files" in capsys.readouterr().err


def test_a_curve_goes_on(photo_folder, capsys):
    command = ["evaluate", "photos", "--cipher", "shuffle", "-q", "--keys", "2"]
    command += ["--curve", "known_plaintext", "--counts", "1,6"]
    command += ["--record-folder", "r", "--figures", "f"]
    assert run(*command) == 0
    path = photo_folder / "r" / "attack-curve-known_plaintext-photos-shuffle.json"
    record = json.loads(path.read_text())
    points = record["results"]["points"]
    assert [(p["evidence"], p["key"]) for p in points] == [
        (1, 0),
        (1, 1),
        (6, 0),
        (6, 1),
    ]
    assert points[0]["error"] > 20 > 5 > points[-1]["error"]
    assert (photo_folder / "f" / "curve-known_plaintext-photos.png").exists()
    # What is measured is kept; what is missing is measured.
    record["results"]["points"] = [points[0] | {"seconds": 123.0}]
    path.write_text(json.dumps(record))
    assert run(*command) == 0
    again = json.loads(path.read_text())["results"]["points"]
    assert len(again) == 4 and again[0]["seconds"] == 123.0
    assert [p["error"] for p in again] == [p["error"] for p in points]


def test_forms_of_a_cipher_that_an_attack_is_for():
    from tfpe.lab.evaluation import evaluate

    record = evaluate("le", load_pictures("photographs", size=(32, 32), count=20))
    rows = {row["attack"]: row for row in record["results"]["attacks"]}
    assert rows["chang_case_le"]["outcome"] == "failed" and rows["chang_case_le"][
        "message"
    ].startswith("The oracle should move whole bytes")
    [variant] = record["results"]["variants"]
    assert variant["cipher_options"]["word_bits"] == 8
    assert variant["outcome"] == "recovered"
    gallery = {row["name"] for row in record["results"]["gallery"]}
    assert {"plain", "encrypted", "chosen_plaintext"} <= gallery


def test_evaluate_takes_a_single_image(photo_folder, photographs):
    """Attacks that want more images have failed; the others are measured."""
    save(photo_folder / "one", {"a.png": photographs[0][:32, :32]})
    command = ["evaluate", "one", "--cipher", "negpos", "-q", "--record-folder", "r"]
    assert run(*command) == 0
    (path,) = (photo_folder / "r").glob("*.json")
    rows = {row["attack"]: row for row in read_record(path)["results"]["attacks"]}
    assert rows["ciphertext_only"]["outcome"] == "failed"
    assert "25" in rows["ciphertext_only"]["message"]
    assert rows["chosen_plaintext"]["outcome"] == "recovered"
