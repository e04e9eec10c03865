"""The frontier: measured in slices, every point repeatable, shown."""

import dataclasses
import json

import numpy as np
import pytest

from tfpe.attacks.learned.network_file import read_network, write_network
from tfpe.ciphers import CIPHERS, find_cipher
from tfpe.errors import TfpeError
from tfpe.lab.frontier_figure import draw_frontier, legend_names
from tfpe.lab.records import read_record, typed
from tfpe.lab.tables.frontier_table import frontier_tables
from tfpe.lab.tables.published_attacks import published_attack_tables
from tfpe.metrics.perceptual_similarity import has_lpips
from training.cli import main
from training.frontier import Frontier, FrontierError
from training.frontier_settings import FITTING, SETTINGS
from training.images import load
from training.networks.matched import matched_recipe
from training.recipes import find_recipe

CHANGES = {"epochs": 1, "train_images": 96, "batch_size": 48}
CHANGES |= {"network": "convmixer", "width": 8, "depth": 1, "kernel_size": 3}


def test_settings_fit_their_ciphers_and_networks():
    assert len(SETTINGS) >= 20
    for name, setting in SETTINGS.items():
        assert setting.name == name
        if setting.cipher == "plain":
            continue
        find_cipher(setting.cipher).check(3, **setting.options)
        if setting.recipe == FITTING:
            recipe = find_recipe(FITTING)
            given = setting.cipher, (32, 32, 3), setting.per_image
            assert matched_recipe(recipe, *given, **setting.options).network
    fresh = [one for one in SETTINGS.values() if one.per_image]
    sizes = [one.options.get("block_size", 4) for one in fresh if one.cipher == "etc"]
    assert {2, 4, 8} <= set(sizes)
    assert {one.cipher for one in fresh} <= set(CIPHERS)


@pytest.fixture(scope="module")
def digits():
    whole = load("digits")
    return dataclasses.replace(
        whole, x_test=whole.x_test[:40], y_test=whole.y_test[:40]
    )


@pytest.fixture(scope="module")
def measured(digits, uncompiled_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("frontier")
    frontier = Frontier(
        digits,
        0,
        folder / "out",
        folder / "runs",
        CHANGES,
        attack_steps=1,
        scored=20,
        say=lambda line: None,
    )
    names = ["plain", "pbe-fixed-cnn", "pbe-cnn"]
    return frontier, names, frontier.measure(names)


def test_what_is_hidden_by_nothing_leaks_all(measured):
    _, _, (records, unfinished) = measured
    assert not unfinished
    plain, fixed, fresh = (typed(record).results for record in records)
    for results in (plain, fixed):
        strongest = results.strongest("identification_rate")
        assert strongest.identification_rate == 1
        assert results.strongest("ssim").ssim == pytest.approx(1)
    assert "known_plaintext" in [one.attack for one in fixed.attacks]
    assert {"ciphertext", "chang_case_basic", "inverse_network"} == {
        one.attack for one in fresh.attacks
    }
    assert [one.attack for one in fresh.baselines] == ["constant", "class mean"]
    constant = fresh.baselines[0]
    assert constant.identification_rate <= 0.05 and 0 < constant.ssim < 0.9
    assert fresh.recognised == 1
    assert plain.kept == (plain.accuracy > plain.chance or None)


def test_a_finished_frontier_trains_nothing_again(measured, monkeypatch):
    frontier, names, (records, _) = measured
    monkeypatch.setattr("training.run.train", None)
    monkeypatch.setattr("tfpe.attacks.learned.learning.learn", None)
    assert frontier.measure(names) == (records, [])
    other = dataclasses.replace(frontier, scored=10)
    with pytest.raises(FrontierError, match="differs in .*scored"):
        other.measure(names)
    with pytest.raises(FrontierError, match="among"):
        frontier.measure(["nothing"])


def test_time_that_is_up_leaves_nothing_half_done(measured, tmp_path):
    frontier, names, _ = measured
    new = dataclasses.replace(frontier, out=tmp_path / "out", runs=tmp_path / "runs")
    records, unfinished = new.measure(names, max_seconds=0)
    assert not records and unfinished == [("plain", "time was up")]
    assert not list((tmp_path / "out").glob("*.json"))


def test_each_record_tells_the_command_of_its_point(measured):
    frontier, names, _ = measured
    for name in names:
        path = frontier.out / f"frontier-digits-{name}-seed0.json"
        command = read_record(path)["settings"]["command"]
        assert f"--settings {name} --seed 0 --scored 20" in command
        assert "--epochs 1" in command and "--attack-steps 1" in command


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": 7}, "seed 7"),
        ({"steps": 100}, "steps 100"),
        ({"network": {"published": "itn"}}, "network .*itn"),
        ({"pictures": "digits, test"}, "pictures digits, test"),
        ({"pictures": "cifar10, train"}, "pictures cifar10, train"),
        ({"options": {"channel_shuffle": False}}, "channel_shuffle=False"),
        ({"cipher": "negpos", "options": {}}, "one for negpos"),
    ],
)
def test_an_attack_that_the_command_would_not_train_is_refused(
    measured, tmp_path, changed, message
):
    frontier, _, _ = measured
    [kept] = (frontier.runs / "attacks").glob("*.attack")
    settings, arrays = read_network(kept)
    assert frontier._learned(SETTINGS["pbe-cnn"], None).settings == settings
    other = dataclasses.replace(frontier, runs=tmp_path)
    (tmp_path / "attacks").mkdir()
    write_network(tmp_path / "attacks" / kept.name, settings | changed, arrays)
    with pytest.raises(TfpeError, match=message):
        other._learned(SETTINGS["pbe-cnn"], None)


def test_the_frontier_is_shown(measured, tmp_path):
    _, _, (records, _) = measured
    records = [typed(record) for record in records]
    [table] = frontier_tables(records)
    assert len(table.rows) == 3 + 2
    assert ("LPIPS" in table.header) == has_lpips()
    assert ("its weights were not installed" in table.notes[0]) != has_lpips()
    assert table.rows[-3][0].text in ("plain", "pbe")
    # Whose pictures come out exactly: JSON has no such number, the table a word.
    exact = [row[0].text for row in table.rows if row[8].text == "infinite"]
    assert table.header[8] == "PSNR, dB"
    assert {"plain", "pbe"} <= set(exact) and len(exact) == 2
    # Baselines stand in the same table, with the scores of their records.
    for row, baseline in zip(
        table.rows[-2:], records[0].results.baselines, strict=True
    ):
        cells = dict(zip(table.header, row, strict=True))
        assert cells["setting"].text == baseline.evidence
        assert cells["network"].text == cells["by"].text == "–"
        assert cells["MS-SSIM"].value == baseline.ms_ssim
        assert cells["PSNR, dB"].value == baseline.psnr > 5
        assert cells["SSIM"].value == baseline.ssim
    assert "a key for each image" in " ".join(row[0].text for row in table.rows)
    results = dataclasses.replace(records[0].results, network="another network")
    names = legend_names([*records, dataclasses.replace(records[0], results=results)])
    assert names[-1].endswith("another network") and len(set(names)) == 4
    draw_frontier(records, tmp_path / "frontier.png")
    assert (tmp_path / "frontier.png").stat().st_size > 10_000


def learned_record(date="2026", ssim=0.125, **changed):
    """A record of ITN on pbe, or of something near it."""
    settings = {"cipher": "pbe", "cipher_options": {"channel_shuffle": True}}
    settings |= {"image_shape": [32, 32, 3], "network": {"published": "itn"}}
    settings |= {"pictures": "cifar10, train", "count": 9, "steps": 1500}
    return typed(
        {
            "kind": "learned-attack",
            "settings": {**settings, "batch_size": 2, **changed},
            "results": {"count": 500, "ssim": ssim, "constant": {}},
            "environment": {"date": date, "cpu": "Abacus", "cores": 2, "tfpe": "0"},
        }
    )


def test_published_attacks_stand_beside_those_measured(measured):
    _, _, (records, _) = measured
    records = [typed(record) for record in records]
    [fresh] = [one for one in records if one.settings.per_image]
    scores = {
        (one.attack, name): getattr(one, name)
        for one in fresh.results.attacks
        for name in ("lpips", "ssim")
    }
    best = fresh.results.strongest("lpips")
    found = [value for (_, name), value in scores.items() if name == "lpips"]
    assert (best is None) == (not has_lpips())
    assert best is None or best.lpips == min(found)
    settings = dataclasses.replace(fresh.settings, dataset="cifar10")
    trained = learned_record(pictures="cifar10, train")
    # Of other pictures, options or networks, and older: not what is shown.
    others = [
        learned_record(pictures="digits, train", ssim=0.9),
        learned_record(pictures="cifar100, train", steps=9000, ssim=0.9),
        learned_record(image_shape=[16, 16, 3], steps=9000, ssim=0.9),
        learned_record(steps=1499, ssim=0.9, date="2030"),
        learned_record(cipher_options={"channel_shuffle": False}, ssim=0.9),
        learned_record(network={}, ssim=0.9),
        learned_record(ssim=0.9, date="2020"),
    ]
    [before] = published_attack_tables(records)
    assert {cell.text for row in before.rows for cell in row[-2:]} == {"–"}
    assert "the same attack, measured" not in before.header
    records += [dataclasses.replace(fresh, settings=settings), trained, *others]
    [table] = published_attack_tables(records)
    for row in table.rows:
        cells = dict(zip(table.header, row, strict=True))
        assert cells["attacked, published"].tone == "published"
        measured_here = ("ciphertext", "`inverse_network`")
        shown = [cells[f"{what}, measured"] for what in measured_here]
        again = cells["the same attack, measured"].text
        is_it = (cells["cipher"].text, cells["attack"].text) == ("pbe", "ITN")
        assert again == ("0.125 (1,500 steps)" if is_it else "–")
        if cells["cipher"].text.startswith("pbe"):
            wanted = [
                scores[attack, cells["score"].text.lower()]
                for attack in ("ciphertext", "inverse_network")
            ]
            assert [cell.value for cell in shown] == wanted
        else:
            assert [cell.text for cell in shown] == ["–", "–"]


def test_a_setting_that_is_none_is_refused(capsys, tmp_path):
    arguments = ["--settings", "none", "--out", str(tmp_path), "--json"]
    assert main(["frontier", *arguments]) == 1
    assert "--settings should be among" in capsys.readouterr().err


def test_records_are_json(measured):
    _, _, (records, _) = measured
    assert np.all([json.loads(json.dumps(one)) for one in records])
