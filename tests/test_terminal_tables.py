"""Tables in the terminal: 80 columns hold every one, with its names whole."""

import contextlib
import io
import pathlib

import pytest

from tfpe.cli import main
from tfpe.lab.bench.speed_report import bench_tables
from tfpe.lab.records import has_settings, load_records
from tfpe.lab.tables.accuracy import comparison_table, svm_table
from tfpe.lab.tables.attack_tables import (
    metrics_table,
    points_table,
    terminal_attack_table,
)
from tfpe.lab.terminal import print_table

RESULTS = pathlib.Path(__file__).parents[1] / "results"


def records(kind):
    return [record for record in load_records(RESULTS) if record.kind == kind]


def comparison(record):
    of_set = {"dataset": record.settings.dataset}
    found = [r for r in records("training") if has_settings(r, of_set)]
    print_table(comparison_table(found))


def evaluation(record):
    print_table(terminal_attack_table(record))
    print_table(metrics_table(record))


def curve(record):
    print_table(points_table(record))


def support_vectors(record):
    print_table(svm_table(record))


def speeds(record):
    for table in bench_tables(record):
        print_table(table)


def confusion(record):
    from training.evaluate import show_evaluation

    names = record.results.class_names
    row = {"precision": 0.5, "recall": 0.5, "f1-score": 0.5, "support": 1000}
    outcome = {
        "accuracy": 0.5,
        "interval": [0.49, 0.51],
        "test_images": 10_000,
        "key_fingerprint": "0123456789abcdef",
        "classes": dict.fromkeys(names, row),
        "class_names": names,
        "confusion": [[1000] * len(names)] * len(names),
    }
    show_evaluation(outcome)


SHOWN = {
    "evaluation": [evaluation],
    "attack-curve": [curve],
    "bench": [speeds],
    "svm": [support_vectors],
    "training": [comparison, confusion],
}
CASES = [(show, kind) for kind, shown in SHOWN.items() for show in shown]


def lines_of(monkeypatch, run):
    monkeypatch.setenv("COLUMNS", "80")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        run()
    return out.getvalue().splitlines()


@pytest.mark.parametrize(
    ("show", "kind"), CASES, ids=lambda value: getattr(value, "__name__", value)
)
def test_tables_of_records_fit(show, kind, monkeypatch):
    found = records(kind)
    if show in (comparison, confusion):  # one of each data set
        found = list({r.settings.dataset: r for r in found}.values())
    assert found
    for record in found:
        lines = lines_of(monkeypatch, lambda record=record: show(record))
        assert lines and max(map(len, lines)) <= 80
        assert "…" not in "".join(lines)


@pytest.mark.parametrize("command", ["ciphers", "attack"])
def test_listings_fit(command, monkeypatch):
    from tfpe import CIPHERS
    from tfpe.attacks import ATTACKS

    lines = lines_of(monkeypatch, lambda: main([command]))
    assert max(map(len, lines)) <= 80
    firsts = {line.split(" ")[0] for line in lines}
    assert set(CIPHERS if command == "ciphers" else ATTACKS) <= firsts
