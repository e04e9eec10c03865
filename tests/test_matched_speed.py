"""The time of a step in the network that fits, beside one of the recipe `small`."""

import pytest

from tfpe.errors import TfpeError
from tfpe.lab.records import read_record
from tfpe.lab.tables.rendering import render_table
from training import matched_speed as module
from training.cli import main
from training.matched_speed import matched_speed
from training.recipe import RecipeError
from training.recipes import find_recipe


def test_a_network_is_timed_in_a_process_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ROUNDS", 1)
    monkeypatch.setattr(module, "BESIDE", "tiny")
    recipe = find_recipe("matched", batch_size=2, jit_compile=False)
    seen = []
    record = matched_speed(
        *(recipe, 1, tmp_path, (8, 8, 3)),
        ciphers=[],
        progress=lambda done, total, name: seen.append((done, total, name)),
    )
    assert seen == [(1, 1, "tiny")]
    [plain] = record["results"]["rows"]
    assert (plain["name"], plain["network"]) == ("plain", "PyramidNet (8, 24)")
    assert plain["to_beside"] == 1 and plain["to_beside_range"] == [1, 1]
    assert plain["parameters"] > 0 and plain["images_per_second"] > 0
    [path] = tmp_path.iterdir()
    assert path.name.startswith("matched-speed-matched-batch_size-2-jit_compile-False-")
    assert read_record(path) == record


def test_times_are_of_the_same_round(tmp_path, monkeypatch, capsys):
    rounds = {"small": [2.0, 8.0, 4.0], "etc": [1.0, 6.0, 4.0]}
    turns, networks = [], {}

    def timed(name, recipe, image_shape, classes, steps):
        networks[name] = recipe
        turns.append(name)
        return 7, rounds.get(name, [1.0] * 3)[turns.count(name) - 1]

    monkeypatch.setattr(module, "ROUNDS", 3)
    monkeypatch.setattr(module, "_in_own_process", timed)
    run = ["speed", "--recipe", "matched", "--steps", "4", "--out", str(tmp_path)]
    assert main([*run, "--batch-size", "2"]) == 0
    assert "18/18 small" in capsys.readouterr().err
    # Either end goes first in turn.
    assert turns[5] == turns[6] == turns[-1] == "small"
    assert networks["etc"].network == "mlp_mixer"
    assert networks["small"].options["stem"] == "convolution"
    assert {recipe.batch_size for recipe in networks.values()} == {2}
    [path] = tmp_path.iterdir()
    record = read_record(path)
    rows = {row["name"]: row for row in record["results"]["rows"]}
    assert list(rows) == ["plain", "le", "ele", "pbe", "logistic", "etc"]
    # The machine was slow in the second round, and small was not slower than etc.
    assert rows["etc"]["to_beside"] == 0.75
    assert rows["etc"]["to_beside_range"] == [0.5, 1]
    assert rows["etc"]["images_per_second"] == 2  # batches of 2, 4 steps in 4 s
    table = render_table("matched-speed", [record])
    assert "| `etc` | MLP-Mixer-128/8 on 4 x 4 patches" in table
    assert "| 2 | 0.75 (0.50 to 1.00) |" in table
    assert "on batches of 2, median of 3 rounds of 4 steps" in table


def test_what_cannot_be_timed_is_named(tmp_path, monkeypatch):
    with pytest.raises(RecipeError, match="'matched'.*'pyramidnet'"):
        matched_speed(find_recipe("small"))
    with pytest.raises(RecipeError, match="steps=0"):
        matched_speed(find_recipe("matched"), 0)
    with pytest.raises(RecipeError, match="chooses its options itself"):
        find_recipe("matched", depth=3)
    # Both as the process ends: by an error that it tells, and killed without a word.
    monkeypatch.setattr(module, "PROGRAM", "raise ValueError('of this kind')")
    with pytest.raises(TfpeError, match="steps of small .*code 1, ValueError: of this"):
        matched_speed(find_recipe("matched"), 1, tmp_path, ciphers=[])
    monkeypatch.setattr(module, "PROGRAM", "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(TfpeError, match="steps of small .*code -9, without a word"):
        matched_speed(find_recipe("matched"), 1, tmp_path, ciphers=[])
    assert not list(tmp_path.iterdir())
