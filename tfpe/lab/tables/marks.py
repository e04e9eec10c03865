"""The recipe `small` on all training images, beside what others reached: the marks.

Marks are quoted and not measured here. Those of plain PyTorch were measured once,
outside of this repository, with one seed each, on the full test set of CIFAR-10.
"""

import dataclasses

from tfpe.lab.measuring_conditions import (
    caption,
    conditions,
    grouped,
    row_settings,
)
from tfpe.lab.records import of_kind
from tfpe.lab.records.training_records import Training
from tfpe.lab.table import NONE, Cell, Table, number, percent_and_interval
from tfpe.lab.tables.accuracy import mean_accuracy, name_cell, wrong_key_cell
from tfpe.lab.tables.published import PUBLISHED

NETWORK = 20, 24  # depth and alpha of the PyramidNet that plain PyTorch trained
PYTORCH = "Plain PyTorch, the same network without tfpe, one seed: "
REFERENCE = {
    PYTORCH + "45,000 images, 8 epochs": {"plain": 84.7, "le": 68.3},
    PYTORCH + "10,000 images, 10 epochs": {
        **{"plain": 68.8, "le": 52.8, "pbe": 49.2, "logistic": 49.1},
        **{"etc": 48.9, "ele": 33.5},
    },
}
NOTE = (
    "At the best validation epoch. Drop: percentage points below plain. Beaten: the "
    "accuracy is at least the mark. Published marks are the best of all networks, with "
    "or without adaptation."
)


@dataclasses.dataclass(frozen=True)
class Mark:
    """What others reached: percent, as text and as a number, and where."""

    text: str
    percent: float
    note: str


def marks_of(settings):
    """The marks of one row of a comparison, a list of `Mark`.

    Args:
        settings: `TrainingSettings`.
    """
    found = []
    usual = not settings.per_image and not settings.adaptation
    if settings.dataset == "cifar10" and usual:
        if (settings.depth, settings.alpha) == NETWORK:
            for note, figures in REFERENCE.items():
                if (figure := figures.get(settings.cipher)) is not None:
                    found.append(Mark(f"{figure:.1f}", figure, note))
    wanted = settings.dataset, settings.cipher, settings.per_image
    rows = [
        row
        for row in PUBLISHED
        if (row.dataset, row.cipher, row.per_image) == wanted
        and row.test_accuracy is not None
    ]
    if rows:
        best = max(rows, key=lambda row: row.test_accuracy)
        adapted = f", {best.adaptation.upper()}-AdaptNet" if best.adaptation else ""
        note = f"{best.source}, {best.network}{adapted}: {best.caveat}"
        found.append(Mark(best.figure, best.test_accuracy, note))
    return found


def mark_tables(records):
    """A `Table` for each set of conditions: a row for each cipher, with its marks."""
    trainings = [
        record
        for record in of_kind(records, Training)
        if record.settings.recipe == "small"
        and not (record.settings.views or record.settings.jpeg)
        and not record.settings.stated.get("label_smoothing")  # not of the recipe
        and record.settings.stated.get("train_images") == 0
    ]
    trainings.sort(key=lambda record: record.settings.place)
    groups = grouped(trainings, lambda record: conditions(record.settings))
    return [_table(group, trainings) for group in groups]


def _table(trainings, among):
    rows = grouped(trainings, lambda record: row_settings(record.settings))
    plain = next((r for r in rows if r[0].settings.row_name == "plain"), None)
    sources = []
    columns = {
        "cipher": name_cell,
        "test (95 %)": lambda row: percent_and_interval(*mean_accuracy(row)),
        "drop": lambda row: _drop(row, plain),
        "wrong key": wrong_key_cell,
        "marks beaten": lambda row: _marks(row, sources, True),
        "marks missed": lambda row: _marks(row, sources, False),
    }
    settings = trainings[0].settings
    return Table.of(
        f"{settings.dataset}, recipe small, all training images: marks",
        rows,
        columns,
        [caption(trainings, among), NOTE],
        sources,
    )


def _drop(row, plain):
    if plain is None or row is plain:
        return NONE
    points = 100 * (mean_accuracy(plain)[0] - mean_accuracy(row)[0])
    return number(points, "{:.2f}")


def _marks(row, sources, beaten):
    """The marks that a row beats, or misses, with their sources; `sources` grows."""
    reached = 100 * mean_accuracy(row)[0]
    texts = []
    for mark in marks_of(row[0].settings):
        if mark.note not in sources:
            sources.append(mark.note)
        if (reached >= mark.percent) == beaten:
            texts.append(f"{mark.text} [{sources.index(mark.note) + 1}]")
    return Cell(", ".join(texts) or NONE, tone="published")
