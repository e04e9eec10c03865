"""What `compare` and `evaluate` really write is what tables and page show. 20 s."""

import html
import json
import re

import numpy as np
import pytest
from sklearn.datasets import load_sample_images

import tfpe.cli
import training.cli
from tfpe.lab.records import read_records
from tfpe.lab.tables.rendering import TABLES

CIPHER = "negpos"
TINY = (
    "--recipe tiny --epochs 1 --batch-size 16 --no-jit-compile --network mlp_mixer "
    "--patch-size 4 --depth 1 --width 8 --token-units 4 --channel-units 8"
)


@pytest.fixture(scope="module")
def measured(uncompiled_file, tmp_path_factory):
    """A folder: records of two trainings, all attacks and one curve; README, page."""
    folder = tmp_path_factory.mktemp("measured")
    random, labels = np.random.default_rng(0), np.arange(96) % 2
    toy = random.integers(0, 200, (96, 8, 8, 3)) + 40 * labels[:, None, None, None]
    arrays = {"x_train": toy[:64], "x_test": toy[64:]}
    arrays = {name: part.astype(np.uint8) for name, part in arrays.items()}
    np.savez(folder / "toy.npz", **arrays, y_train=labels[:64], y_test=labels[64:])
    china = load_sample_images().images[0]
    places = [(y, x) for y in range(0, 416, 32) for x in range(0, 608, 64)]
    crops = np.stack([china[y : y + 16, x : x + 16] for y, x in places])
    np.savez(folder / "crops.npz", x_train=crops, y_train=np.zeros(len(crops), int))
    markers = (f"<!-- table: {name} -->\n<!-- end table -->\n" for name in TABLES)
    (folder / "README.md").write_text("\n".join(markers))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        compare = f"compare --dataset toy.npz --ciphers plain,{CIPHER} {TINY} -q"
        compare += " --out results --runs runs"
        evaluate = f"evaluate crops.npz --cipher {CIPHER} --split train -q"
        evaluate += " --record-folder results"
        curve = "--curve known_plaintext --counts 1,2 --keys 2"
        assert training.cli.main(compare.split()) == 0
        assert tfpe.cli.main(f"{evaluate} --images 110".split()) == 0
        assert tfpe.cli.main(f"{evaluate} --images 110 {curve}".split()) == 0
        assert tfpe.cli.main(["tables"]) == 0
        assert tfpe.cli.main(["report", "page.html"]) == 0
    return folder


def rows(folder, table):
    """Rows of a rendered table of README, by the name in the first cell."""
    text = (folder / "README.md").read_text()
    block = re.search(rf"<!-- table: {table} -->\n(.*?)<!-- end", text, re.DOTALL)[1]
    lines = [line for line in block.splitlines() if line.startswith("|")]
    cells = [line.strip("| ").split(" | ") for line in lines]
    header, _, *body = cells
    return {row[0].strip("`"): dict(zip(header, row, strict=True)) for row in body}


def words(folder):
    page = (folder / "page.html").read_text(encoding="utf-8")
    page = re.sub(r"<(style|script|svg).*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_accuracies_are_those_of_compare(measured):
    for record in read_records(measured / "results", "training"):
        cipher, results = record["settings"]["cipher"], record["results"]
        best = results["best_validation"]
        row = rows(measured, "training")[cipher]
        low, high = best["test_interval"]
        tested = f"{100 * best['test_accuracy']:.2f}"
        interval = f"({100 * low:.1f} to {100 * high:.1f})"
        assert row["test, best validation epoch (95 %)"] == f"{tested} {interval}"
        for title, name in (
            ("wrong key", "wrong_key_accuracy"),
            ("plain model", "plain_model_accuracy"),
        ):
            share = results[name]
            assert row[title] == ("–" if share is None else f"{100 * share:.2f}")
            assert (share is None) == (cipher == "plain")
        scorecard = rows(measured, "scorecard")[cipher]
        assert scorecard["test accuracy, % (95 %)"] == f"{tested} {interval}"
        assert f"{tested} {interval}" in words(measured)
    assert "proves the chain, not the ranking" in words(measured)


def test_evidence_is_that_of_evaluate_and_of_every_key_of_the_curve(measured):
    [record] = read_records(measured / "results", "evaluation")
    [curve] = read_records(measured / "results", "attack-curve")
    attacks = record["results"]["attacks"]
    least = min(
        row["evidence"]["count"]
        for row in attacks
        if (row["threat_model"], row["outcome"]) == ("chosen plaintext", "recovered")
    )
    row = rows(measured, "scorecard")[CIPHER]
    assert row["chosen images"] == str(least)
    assert all(point["error"] == 0 for point in curve["results"]["points"])
    assert row["known pairs"] == "1 (3 keys)"
    space = record["results"]["key_space"]
    assert row["key space, bits: claimed / effective"] == " / ".join(
        f"{space[name]:,.0f}" for name in ("claimed_bits", "effective_bits")
    )
    before = record["results"]["metrics"]["ssim"]["value"]
    assert row["SSIM: encrypted → attacked"] == f"{before:.2f} → 1.00"
    assert rows(measured, "attacks")[CIPHER]["known pairs"] == "1 (3 keys)"
    text = words(measured)
    assert "1 known pair (every one of 3 keys) is enough" in text
    for attack in attacks:
        if attack["threat_model"] != "key check":
            assert attack["attack"].replace("_", " ") in text
    entropy = record["results"]["metrics"]["entropy"]["cipher"]
    assert f"{entropy:.4g}" in text


def test_a_key_that_withstood_raises_the_evidence(measured, tmp_path):
    """The amount is that from which on no key withstood."""
    [record] = read_records(measured / "results", "evaluation")
    [curve] = read_records(measured / "results", "attack-curve")
    curve["results"]["points"][1]["error"] = 0.5  # one pair, the second key
    readme = tmp_path / "README.md"
    readme.write_text("<!-- table: scorecard -->\n<!-- end table -->\n")
    (tmp_path / "results").mkdir()

    def shown():
        for name, document in (("a", record), ("b", curve)):
            path = tmp_path / "results" / f"{name}.json"
            path.write_text(json.dumps(document))
        assert tfpe.cli.main(["tables", str(readme)]) == 0
        return rows(tmp_path, "scorecard")[CIPHER]["known pairs"]

    assert shown() == "2 (3 keys)"
    curve["results"]["points"][3]["error"] = 0.5  # two pairs, too
    assert shown() == "partly: 2"
    curve["settings"]["cipher_options"] = {"other": 1}  # another form of the cipher
    assert shown() == "1"
