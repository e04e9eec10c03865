"""Tables in the terminal: 80 columns hold every one, with its names whole."""

import contextlib
import io
import pathlib

import pytest

from tfpe.cli import evaluations, main
from tfpe.lab.records import read_records
from tfpe.lab.terminal import print_table

RESULTS = pathlib.Path(__file__).parents[1] / "results"


def comparison(record):
    from training.report import comparison_table

    of_set = {"kind": "training", "dataset": record["settings"]["dataset"]}
    print_table(comparison_table(read_records(RESULTS, **of_set)))


def support_vectors(record):
    from training import svm

    svm._print_table(record)


def speeds(record):
    from tfpe.lab.bench.report import rich_tables

    for table in rich_tables(record):
        print_table(table)


def confusion(record):
    from training.evaluate import show_evaluation

    results = record["results"]
    names = results["class_names"]
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
    "evaluation": [evaluations._print_evaluation],
    "attack-curve": [evaluations._print_curve],
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
    records = read_records(RESULTS, kind)
    records = records[:1] if show in (comparison, confusion) else records
    assert records
    for record in records:
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
