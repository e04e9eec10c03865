"""Accuracy while one setting varies: views of each image, or the quality of JPEG."""

import dataclasses

from tfpe.lab.measuring_conditions import (
    caption,
    conditions,
    grouped,
)
from tfpe.lab.records import of_kind
from tfpe.lab.records.training_records import Training
from tfpe.lab.table import NONE, Cell, Table, percent_and_interval
from tfpe.lab.tables.accuracy import mean_accuracy, wrong_key_cell
from tfpe.lab.tables.scorecard_table import NOT_MEASURED

NONE_OF_IT = 0  # as records say it, of either setting
VIEWS_NOTE = (
    "Test accuracy (95 %) at the best validation epoch; epoch e takes view e mod K of "
    "each image, and fresh draws a new view in each epoch."
)
JPEG_NOTE = (
    "Test accuracy (95 %) at the best validation epoch. JPEG (4:4:4): the network "
    "learned from, and was tested on, what the cloud decodes. Wrong key: of the same "
    "networks on images under another key, in the order of the columns before."
)


def view_tables(records):
    """A `Table` for each set of conditions that was tried with views."""

    def columns(counts):
        made = {
            f"{count} view{'s' * (count > 1)}": _tested("views", count)
            for count in sorted(counts - {NONE_OF_IT})
        }
        return made | {"fresh": _tested("views", NONE_OF_IT)}

    return _tables(records, "views", "views of each image", columns, VIEWS_NOTE)


def jpeg_accuracy_tables(records):
    """A `Table` for each set of conditions in which images were sent as JPEG."""

    def columns(found):
        qualities = sorted(found - {NONE_OF_IT}, reverse=True)
        made = {"sent as it is": _tested("jpeg", NONE_OF_IT)}
        made |= {f"JPEG of {q}": _tested("jpeg", q) for q in qualities}
        return made | {"wrong key": lambda row: _wrong_keys(row, qualities)}

    return _tables(records, "jpeg", "training on JPEG", columns, JPEG_NOTE)


def _tables(records, setting, words, columns, note):
    trainings = of_kind(records, Training)
    groups = grouped(trainings, lambda record: conditions(record.settings))
    tried = [
        rows
        for group in groups
        if (rows := _rows(group, setting))  # those that were tried with it
    ]
    shown = [[record for row in rows for record in row] for rows in tried]
    among = [record for group in shown for record in group]
    tables = []
    for rows, group in zip(tried, shown, strict=True):
        values = {getattr(record.settings, setting) for record in group}
        settings = group[0].settings
        tables.append(
            Table.of(
                f"{settings.dataset}, recipe {settings.recipe}: {words}",
                rows,
                {"cipher": lambda row: _name_cell(row, setting)} | columns(values),
                [caption(group, among), note],
            )
        )
    return tables


def _rows(trainings, setting):
    """Records of each row, where any has another value of the setting than none."""
    trainings = sorted(trainings, key=lambda record: record.settings.place)
    return [
        row
        for row in grouped(trainings, lambda record: _name(record, setting))
        if any(getattr(record.settings, setting) for record in row)
    ]


def _name(record, setting):
    """The name of a row, of all values of a setting."""
    return dataclasses.replace(record.settings, **{setting: NONE_OF_IT}).row_name


def _name_cell(row, setting):
    return Cell(_name(row[0], setting), row[0].settings.place)


def _of_value(row, setting, value):
    return [record for record in row if getattr(record.settings, setting) == value]


def _tested(setting, value):
    """What makes the cell of a row at one value of a setting."""

    def cell(row):
        trainings = _of_value(row, setting, value)
        return (
            percent_and_interval(*mean_accuracy(trainings))
            if trainings
            else NOT_MEASURED
        )

    return cell


def _wrong_keys(row, qualities):
    if row[0].settings.cipher == "plain":
        return NONE
    found = (_of_value(row, "jpeg", quality) for quality in (NONE_OF_IT, *qualities))
    return " / ".join(wrong_key_cell(one).text if one else NONE for one in found)
