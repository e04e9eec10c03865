"""Fills the marked tables of a Markdown text in from records."""

import json
import os
import re

from tfpe.errors import RecordError
from tfpe.lab.bench.speed_report import dataset_tables, speed_tables
from tfpe.lab.bench.waits_report import before_after_tables, waits_pages
from tfpe.lab.errata import errata_tables
from tfpe.lab.markdown import to_markdown
from tfpe.lab.records import has_settings, load_records, typed
from tfpe.lab.tables.accuracy import svm_tables, training_tables
from tfpe.lab.tables.beside_plain import beside_plain_tables
from tfpe.lab.tables.device_speed import device_speed_tables
from tfpe.lab.tables.frontier_table import frontier_tables
from tfpe.lab.tables.hybrid_tables import (
    hybrid_errata_tables,
    saving_tables,
    speed_of_hybrid_tables,
)
from tfpe.lab.tables.jpeg_rates_table import jpeg_tables
from tfpe.lab.tables.leaked_pairs_table import leaked_pairs_tables
from tfpe.lab.tables.learned_attacks_table import learned_attack_tables
from tfpe.lab.tables.marks import mark_tables
from tfpe.lab.tables.published import published_tables
from tfpe.lab.tables.published_attacks import published_attack_tables
from tfpe.lab.tables.scorecard_table import (
    attacks_tables,
    scorecard_tables,
    summary_tables,
)
from tfpe.lab.tables.training_speed import matched_speed_tables, training_speed_tables
from tfpe.lab.tables.varied_setting import jpeg_accuracy_tables, view_tables
from tfpe.storage.atomic import write_file

# Each makes a list of `Table` of a list of typed records, of all kinds.
TABLES = {
    "attacks": attacks_tables,
    "before-after": lambda records: list(before_after_tables(records)),
    "beside-plain": beside_plain_tables,
    "dataset": dataset_tables,
    "device-speed": device_speed_tables,
    "errata": errata_tables,
    "frontier": frontier_tables,
    "hybrid-errata": hybrid_errata_tables,
    "hybrid-savings": saving_tables,
    "hybrid-speed": speed_of_hybrid_tables,
    "jpeg": jpeg_tables,
    "jpeg-accuracy": jpeg_accuracy_tables,
    "leaked-pairs": leaked_pairs_tables,
    "learned-attacks": learned_attack_tables,
    "marks": mark_tables,
    "matched-speed": matched_speed_tables,
    "published": published_tables,
    "published-attacks": published_attack_tables,
    "scorecard": scorecard_tables,
    "speed": speed_tables,
    "summary": summary_tables,
    "svm": svm_tables,
    "training": training_tables,
    "training-speed": training_speed_tables,
    "views": view_tables,
    "waits": lambda records: list(waits_pages(records)),
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
    rendered, changed = render_tables(text, load_records(folder))
    if changed and not check:
        write_file(path, rendered.encode())
    return changed


def render_tables(text, records):
    """`text` with its marked tables rendered from records.

    Args:
        text: Markdown.
        records: a list of records of all kinds, documents or typed.

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
        records: a list of records of all kinds, documents or typed.
    """
    name, *conditions = marker.split()
    if name not in TABLES:
        raise RecordError(
            f"A table should be one of {sorted(TABLES)}. Received: {name!r}"
        )
    wanted = dict(map(_condition, conditions))
    records = [r for r in map(typed, records) if has_settings(r, wanted)]
    return "\n\n".join(map(to_markdown, TABLES[name](records))) or NOT_MEASURED


def _condition(text):
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise RecordError(f"A condition should be NAME=VALUE. Received: {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
