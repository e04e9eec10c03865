"""Accuracies of training records, beside published ones that are marked as such."""

from tfpe.ciphers import CIPHERS
from tfpe.lab.conditions import (
    caption,
    conditions,
    different_conditions,
    grouped,
    row_name,
    row_settings,
)
from tfpe.lab.intervals import accuracy_interval
from tfpe.lab.markdown import NONE
from tfpe.lab.page.cells import Cell, Table, number, percent
from tfpe.lab.tables.published import published
from tfpe.lab.tables.scorecard import mean_of

HEADER = [
    "cipher",
    "test, last epoch, %",
    "test, best validation epoch, %",
    "95 % interval",
    "wrong key, %",
    "plain model, %",
    "images/s",
    "published, %",
]
EXPLAINED = (
    "Wrong key: the network on images under another key. Plain model: the network "
    "trained on plain images, on images of the cipher. Published figures are quoted, "
    "not measured here, and their conditions differ:"
)


def accuracy_sections(records):
    """One `Table` for each data set and recipe."""
    order = ["plain", *CIPHERS]
    training = sorted(
        (record for record in records if record["kind"] == "training"),
        key=lambda record: order.index(record["settings"]["cipher"]),
    )
    different = different_conditions(training)
    return [_table(group, different) for group in grouped(training, conditions)]


def _table(records, different):
    settings = records[0]["settings"]
    notes = []
    rows = [_row(group, notes) for group in grouped(records, row_settings)]
    numbered = [f"[{number}] {note}." for number, note in enumerate(notes, 1)]
    explained = EXPLAINED if notes else EXPLAINED.partition(" Published")[0]
    return Table(
        f"{settings['dataset']}, recipe {settings['recipe']}",
        HEADER,
        rows,
        [caption(records, different), *_warning(settings), explained, *numbered],
    )


def _row(records, notes):
    settings, results = records[0]["settings"], [r["results"] for r in records]
    best = [result["best_validation"] for result in results]
    accuracy, images = mean_of(best, "test_accuracy"), results[0]["test_images"]
    low, high = accuracy_interval(round(accuracy * images), images)
    return [
        Cell(row_name(settings)),
        percent(mean_of([r["last"] for r in results], "test_accuracy")),
        percent(accuracy),
        Cell(f"{100 * low:.1f} to {100 * high:.1f}", low),
        percent(mean_of(results, "wrong_key_accuracy")),
        percent(mean_of(results, "plain_model_accuracy")),
        number(mean_of(results, "images_per_second"), "{:,.0f}"),
        _published(settings, notes),
    ]


def _published(settings, notes):
    """The published figures of a row, with the numbers of their notes."""
    texts, value = [], None
    for row in published(settings):
        note = f"Published: {row.note}"
        if note not in notes:
            notes.append(note)
        texts.append(f"{row.figure} [{notes.index(note) + 1}]")
        value = row.test_accuracy if value is None else value
    return Cell(", ".join(texts) or NONE, value, "published")


def _warning(settings):
    if settings["recipe"] == "tiny":
        yield (
            "This run proves the chain, not the ranking: the images are few and small "
            "and the network is tiny."
        )
