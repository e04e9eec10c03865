"""Accuracy with K fixed views of each image, beside a fresh view in each epoch."""

import dataclasses

from tfpe.lab.measuring_conditions import (
    caption,
    conditions,
    different_conditions,
    grouped,
)
from tfpe.lab.records import of_kind
from tfpe.lab.records.training_records import Training
from tfpe.lab.table import Cell, Table, percent_and_interval
from tfpe.lab.tables.accuracy import mean_accuracy
from tfpe.lab.tables.scorecard_table import NOT_MEASURED

FRESH = 0  # as records say it
NOTE = (
    "Test accuracy (95 %) at the best validation epoch; epoch e takes view e mod K of "
    "each image, and fresh draws a new view in each epoch."
)


def view_tables(records):
    """A `Table` for each set of conditions that was tried with views."""
    trainings = of_kind(records, Training)
    groups = grouped(trainings, lambda record: conditions(record.settings))
    tried = [group for group in groups if any(r.settings.views for r in group)]
    different = different_conditions([record for group in tried for record in group])
    return [_table(group, different) for group in tried]


def _table(trainings, different):
    trainings.sort(key=lambda record: record.settings.place)
    by_row = grouped(trainings, _name)
    rows = [row for row in by_row if any(record.settings.views for record in row)]
    counts = {record.settings.views for row in rows for record in row}
    columns = {"cipher": lambda row: Cell(_name(row[0]), row[0].settings.place)}
    for count in sorted(counts - {FRESH}):
        title = f"{count} view{'s' * (count > 1)}"
        columns[title] = lambda row, count=count: _tested(row, count)
    columns["fresh"] = lambda row: _tested(row, FRESH)
    settings = trainings[0].settings
    shown = [record for row in rows for record in row]
    return Table.of(
        f"{settings.dataset}, recipe {settings.recipe}: views of each image",
        rows,
        columns,
        [caption(shown, different), NOTE],
    )


def _name(record):
    """The name of a row, of all numbers of views."""
    return dataclasses.replace(record.settings, views=FRESH).row_name


def _tested(row, views):
    trainings = [record for record in row if record.settings.views == views]
    if not trainings:
        return NOT_MEASURED
    return percent_and_interval(*mean_accuracy(trainings))
