"""Fills the marked tables of a Markdown text in from records."""

import json
import os
import re

from tfpe.errors import RecordError
from tfpe.lab.bench.datasets import dataset_table
from tfpe.lab.bench.report import speed_table
from tfpe.lab.errata import errata_table
from tfpe.lab.records import has_settings, read_records
from tfpe.lab.tables.accuracy import published_table, svm_tables, training_tables
from tfpe.lab.tables.scorecard_table import (
    attacks_tables,
    scorecard_table,
    summary_table,
)
from tfpe.lab.tables.training_speed import training_speed_table
from tfpe.storage.atomic import write_file

# Each makes Markdown of a list of records, of all kinds; no records give "".
TABLES = {
    "attacks": attacks_tables,
    "dataset": dataset_table,
    "errata": errata_table,
    "published": published_table,
    "scorecard": scorecard_table,
    "speed": speed_table,
    "summary": summary_table,
    "svm": svm_tables,
    "training": training_tables,
    "training-speed": training_speed_table,
}
NOT_MEASURED = "*Not measured yet.*"
MARKER = re.compile(r"<!-- *(table: *(?P<table>[^>]*?)|end table) *-->")


def records_beside(path):
    """The folder `results` beside a file, or beside the nearest folder that holds it.

    Args:
        path: a `pathlib.Path`.
    """
    folders = [parent / "results" for parent in path.absolute().parents]
    return next(filter(os.path.isdir, folders), path.parent / "results")


def render_file(path, folder, check=False):
    """Renders the marked tables of a file; returns the names of those that changed.

    Args:
        path: a `pathlib.Path` to Markdown.
        folder: of records.
        check: whether to write nothing.

    Raises:
        RecordError: as of `render_tables`, or the file cannot be read.
        OutputError: it cannot be written.
    """
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise RecordError(f"Cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RecordError(f"Cannot read {path}: it is not UTF-8 text") from error
    rendered, changed = render_tables(text, read_records(folder))
    if changed and not check:
        write_file(path, rendered.encode())
    return changed


def render_tables(text, records):
    """`text` with its marked tables rendered from records.

    Args:
        text: Markdown.
        records: a list of records, of all kinds.

    Returns:
        The text, and the names of the tables that are not as they were.

    Raises:
        RecordError: a marker without its end, an unknown table, or records that lack
            what it shows.

    Example:

    >>> text = "<!-- table: svm -->\\n<!-- end table -->\\n"
    >>> print(render_tables(text, [])[0], end="")
    <!-- table: svm -->
    *Not measured yet.*
    <!-- end table -->
    """
    lines, changed, opened = [], [], None
    for number, line in enumerate(text.split("\n"), 1):
        marker = MARKER.fullmatch(line.strip())
        if marker is None:
            lines.append(line)
        elif marker["table"] and opened is None:
            opened = marker["table"], number
            lines.append(line)
            first = len(lines)
        elif not marker["table"] and opened:
            table = render_table(opened[0], records).split("\n")
            if lines[first:] != table:
                changed.append(opened[0])
            lines[first:] = table
            lines.append(line)
            opened = None
        else:
            raise RecordError(
                "Markers should be `<!-- table: NAME -->`, then `<!-- end table -->`. "
                f"Received: {line.strip()!r} in line {number}"
            )
    if opened:
        raise RecordError(
            "A table should end with `<!-- end table -->`. "
            f"Received: no end of {opened[0]!r}, begun in line {opened[1]}"
        )
    return "\n".join(lines), changed


def render_table(marker, records):
    """The Markdown of one table.

    Args:
        marker: its name and conditions, such as `training dataset=cifar10`.
        records: a list of records, of all kinds.
    """
    name, *conditions = marker.split()
    if name not in TABLES:
        raise RecordError(
            f"A table should be one of {sorted(TABLES)}. Received: {name!r}"
        )
    wanted = dict(map(_condition, conditions))
    records = [record for record in records if has_settings(record, wanted)]
    try:
        return TABLES[name](records) or NOT_MEASURED
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise RecordError(
            f"The records should hold what table {name!r} shows. "
            f"Received: a record without it, {type(error).__name__}: {error}"
        ) from error


def _condition(text):
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise RecordError(f"A condition should be NAME=VALUE. Received: {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
