"""Ciphers with the network that fits each, beside the same network on plain images."""

import json

from tfpe.lab.measuring_conditions import (
    MATCHED_SETTINGS,
    caption,
    conditions,
    grouped,
)
from tfpe.lab.records import of_kind
from tfpe.lab.records.training_records import Training
from tfpe.lab.table import Cell, Table, number, percent_and_interval
from tfpe.lab.tables.accuracy import mean_accuracy, name_cell, wrong_key_cell
from tfpe.lab.tables.scorecard_table import NOT_MEASURED

NOTE = (
    "At the best validation epoch. Within: whether the accuracy on ciphertext lies in "
    "the 95 % interval of that on plain images, over the seeds that both have. The "
    "interval holds the chance of the test images, and not that of training."
)


def beside_plain_tables(records):
    """A `Table` for each set of conditions: a row for each cipher and its network."""
    trainings = [r for r in of_kind(records, Training) if r.settings.matched]
    groups = grouped(trainings, lambda record: conditions(record.settings))
    return [_table(group, trainings) for group in groups]


def _table(trainings, among):
    plain = {}
    for record in trainings:
        if record.settings.cipher == "plain":
            plain.setdefault(_network(record), []).append(record)
    encrypted = [r for r in trainings if r.settings.cipher != "plain"]
    encrypted.sort(key=lambda record: record.settings.place)
    rows = [
        _same_seeds(own, plain.get(_network(own[0]), []))
        for own in grouped(encrypted, lambda record: record.settings.row_name)
    ]
    columns = {
        "cipher, and the network that fits it": lambda row: name_cell(row[0]),
        "seeds": lambda row: number(len(row[0]), "{}"),
        "encrypted (95 %)": lambda row: _tested(row[0]),
        "the same network, plain (95 %)": lambda row: _tested(row[1]),
        "difference": _difference,
        "within": _within,
        "wrong key": lambda row: wrong_key_cell(row[0]),
    }
    settings = trainings[0].settings
    return Table.of(
        f"{settings.dataset}, recipe {settings.recipe}: beside plain images",
        rows,
        columns,
        [caption(trainings, among), NOTE],
    )


def _network(record):
    """What tells the network of a record, as text to compare."""
    stated = record.settings.stated
    return json.dumps([stated.get(name) for name in sorted(MATCHED_SETTINGS)])


def _same_seeds(encrypted, plain):
    """Records of the seeds that both have, one each; all encrypted where none is."""
    mine, theirs = (
        {record.settings.seed: record for record in records}
        for records in (encrypted, plain)
    )
    both = sorted(mine.keys() & theirs.keys())
    return [mine[seed] for seed in both or mine], [theirs[seed] for seed in both]


def _tested(trainings):
    if not trainings:
        return NOT_MEASURED
    return percent_and_interval(*mean_accuracy(trainings))


def _difference(row):
    """Percentage points that encryption adds to the accuracy of plain images."""
    encrypted, plain = row
    if not plain:
        return NOT_MEASURED
    points = 100 * (mean_accuracy(encrypted)[0] - mean_accuracy(plain)[0])
    return number(points, "{:+.2f}")


def _within(row):
    encrypted, plain = row
    if not plain:
        return NOT_MEASURED
    _, (low, high) = mean_accuracy(plain)
    inside = low <= mean_accuracy(encrypted)[0] <= high
    return Cell("yes" if inside else "no", float(inside), "good" if inside else "bad")
