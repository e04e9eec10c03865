"""What users wait for, as tables: photographs, keys for each image, folders, memory."""

import dataclasses

from tfpe.lab.records import of_kind
from tfpe.lab.records.speed_records import Bench, TreesBench
from tfpe.lab.table import NONE, Cell, Table, number


def waits_pages(records):
    """The same for a page of docs/, which shows no captions: with the machine below."""
    for record in of_kind(records, Bench):
        where, dates = record.environment, record.results.dates or {}
        for part, table in _parts(record.results):
            date = dates.get(part, where.date)[:10]
            machine = f"{where.cpu}, {where.cores} cores; tfpe {where.tfpe}, {date}."
            notes = [f"{table.caption}.", *table.notes, machine]
            yield dataclasses.replace(table, notes=[" ".join(notes)])


def waits_tables(results):
    """What `tfpe.lab.bench.waits` measured, of the results of a record."""
    return [table for _, table in _parts(results)]


def _parts(results):
    """The part of the record, and the table, of each."""
    cipher = {"cipher": lambda row: row.cipher}
    if results.photographs:
        titles = {
            "set-up": "setup",
            "inverse": "inverse",
            "first image": "first",
            "each image": "image",
        }
        columns = cipher | {
            title: lambda row, name=name: number(getattr(row, name), "{:.3f}")
            for title, name in titles.items()
        }
        columns["held, MB"] = lambda row: number(row.held_bytes / 1e6, "{:.1f}")
        title = "A photograph of 4000 x 3000, NumPy, CPU seconds"
        yield "photographs", Table.of(title, results.photographs, columns)
    if any(row.files for row in results.photographs or ()):
        yield (
            "photographs",
            _files_table([row for row in results.photographs if row.files]),
        )
    if results.own_keys:
        columns = cipher | {
            "images a CPU second": lambda r: number(r.images_per_second, "{:,.0f}")
        }
        title = "A key for each image, 32 x 32, batches of 256, NumPy"
        yield "own_keys", Table.of(title, results.own_keys, columns)
    if results.folders:
        columns = {
            "folder": lambda row: row.folder,
            **cipher,
            "seconds": lambda row: number(row.seconds, "{:.2f}"),
            "of a plain loop": lambda row: number(row.kept, "{:.2f}"),
        }
        note = (
            "The loop decodes each file and encodes its pixels as PNG, in four threads."
        )
        yield "folders", Table.of("Folders", results.folders, columns, [note])
    if results.peaks:
        columns = cipher | {
            "megapixels": lambda row: number(row.megapixels, "{:.0f}"),
            "peak, MB": lambda row: number(row.peak_bytes / 1e6, "{:,.0f}"),
        }
        yield (
            "peaks",
            Table.of("Memory of one large photograph", results.peaks, columns),
        )


def before_after_tables(records):
    """A `Table` for each record of `tfpe.lab.bench.trees`."""
    columns = {
        "measurement": lambda row: row.what,
        "unit": lambda row: row.unit,
        "before": lambda row: _three_digits(row.before),
        "now": lambda row: _three_digits(row.now),
        "times less": lambda row: Cell(
            f"{_times(row.factor)} ({_times(row.lowest)} to {_times(row.highest)})",
            row.factor,
        ),
    }
    for record in of_kind(records, TreesBench):
        where, settings = record.environment, record.settings
        sketch = "" if settings.scale == 1 else f" A sketch of {settings.scale:g}."
        trained = any("step of training" in row.what for row in record.results.rows)
        losses = (
            ", and in training the same first loss, compared with that of a step that "
            "nothing compiled"
        ) * trained
        note = (
            f"Commit {settings.before} and commit {settings.now} in turn, medians of "
            f"{settings.repeats} rounds; times less: before over now of a round, "
            "median, lowest and highest; both gave the same pixels, some of each "
            f"compared with the oracle's{losses}."
            f"{sketch} {where.cpu}, {where.cores} cores, {where.date[:10]}."
        )
        yield Table.of("Before and after", record.results.rows, columns, [note])


def _times(ratio):
    # One digit would hide which side of 1 it is on.
    return f"{ratio:.2f}" if ratio < 2 else f"{ratio:.1f}"


def _three_digits(value):
    return number(value, "{:,.0f}" if value >= 1000 else "{:.3g}")


def _files_table(rows):
    ways = list(rows[0].files)
    columns = {"cipher": lambda row: row.cipher}
    for way in ways:
        columns[way] = lambda row, way=way: _coding(row.files.get(way))
    note = (
        "Bytes of the file for each byte of the pixels; MB/s that one core writes, and "
        "reads. Of the ways to write PNG a trial of each image chooses."
    )
    title = "Ciphertexts of six photographs as files"
    return Table.of(title, rows, columns, [note])


def _coding(numbers):
    if numbers is None:
        return NONE
    size, written, read = numbers
    return Cell(f"{size:.2f} ({written:,.0f}, {read:,.0f})", size)
