"""Records of the hybrid of compression and encryption as tables."""

import statistics

from tfpe.lab.measuring_conditions import grouped, machine
from tfpe.lab.records import newest, of_kind
from tfpe.lab.records.hybrid_records import HybridBench
from tfpe.lab.table import NONE, Cell, Table, number

# What the authors print, on UCID; in public text of theirs.
PRINTED = {"single bytes": "5.76 %", "CRT": "15.45 %"}
SHUFFLED = "CRT, pixels permuted"
MEAN = "mean"


def saving_tables(records):
    """A `Table` of savings for each record of `tfpe bench --hybrid`."""
    return [_saving_table(record) for record in of_kind(records, HybridBench)]


def speed_of_hybrid_tables(records):
    """A `Table` of speed for each record of `tfpe bench --hybrid`."""
    return [
        _speed_table(record)
        for record in of_kind(records, HybridBench)
        if record.results.speed
    ]


def hybrid_errata_tables(records):
    """What the hybrid's authors print, beside the newest record, in a list."""
    record = newest(of_kind(records, HybridBench))
    if record is None:
        return []
    rows = [
        ("Saving without the CRT: single bytes", "single bytes"),
        ("Saving with the CRT: neighbours are a pair", "CRT"),
        ("The same pairs, numbered in order instead", "pairs"),
        ("With the CRT, pixels permuted before, as the abstract has it", SHUFFLED),
    ]
    columns = {
        "statement": lambda row: row[0],
        "the paper prints": lambda row: PRINTED.get(row[1], NONE),
        "measured": lambda row: _means(record, row[1]),
    }
    note = (
        f"{NONE}: no figure of theirs. Theirs are means over UCID, those measured over "
        f"{', '.join(record.settings.photographs)}, with the table of each code, in "
        f"brackets without; {machine([record])}."
    )
    title = "Ahmad & Shin 2021, doi 10.1016/j.image.2021.116418"
    return [Table.of(title, rows, columns, [note])]


def mean_saved(record, coder):
    """Mean shares that a coder saves, with its tables and without; None of none."""
    rows = [row for row in record.results.savings if row.coder == coder]
    without = [row.saved_without_table for row in rows]
    if not rows:
        return None, None
    bare = None if None in without else statistics.mean(without)
    return statistics.mean(row.saved for row in rows), bare


def _means(record, coder):
    return _saved(*mean_saved(record, coder), " %")


def _saved(share, without, unit=""):
    if share is None:
        return Cell(NONE)
    bare = "" if without is None else f" ({100 * without:.1f}{unit})"
    return Cell(f"{100 * share:.1f}{unit}{bare}", share)


def _saving_table(record):
    photographs = grouped(record.results.savings, lambda row: row.photograph)
    coders = list(dict.fromkeys(row.coder for row in record.results.savings))

    def cell(rows, coder):
        if rows is None:
            return _saved(*mean_saved(record, coder))
        [row] = [row for row in rows if row.coder == coder]
        return _saved(row.saved, row.saved_without_table)

    columns = {
        "photograph": lambda rows: rows[0].photograph if rows else MEAN,
        "raw bytes": lambda rows: number(rows and rows[0].raw_bytes, "{:,d}"),
    }
    for coder in coders:
        columns[f"{coder}, %"] = lambda rows, coder=coder: cell(rows, coder)
    note = (
        "Share of the raw bytes that is saved, in brackets without the table of the "
        "code; containers whole, with head, index and tag. Public code: one table, of "
        f"the other photographs, is in no container. {machine([record])}."
    )
    return Table.of("Savings of the hybrid", [*photographs, None], columns, [note])


def _speed_table(record):
    results, settings = record.results, record.settings
    programs = grouped(results.speed, lambda row: row.program)

    def cell(rows, direction):
        [row] = [row for row in rows if row.direction == direction]
        speed, ratio = row.megabytes_per_second, row.to_reference
        text = f"{speed.median:.1f} ({speed.low:.1f} to {speed.high:.1f})"
        return Cell(text + (f", {ratio.median:.2f}x" if ratio else ""), speed.median)

    columns = {
        "program": lambda rows: rows[0].program,
        "pack, MB/s": lambda rows: cell(rows, "pack"),
        "unpack, MB/s": lambda rows: cell(rows, "unpack"),
    }
    height, width = settings.timed_sides
    peaks = ", ".join(
        f"{row.peak_bytes / 1e6:,.0f} MB to {row.direction}" for row in results.memory
    )
    sides = [row.image_shape for row in results.memory][:1]
    large = "".join(f" Memory of {w} x {h}: {peaks}." for h, w, _ in sides)
    note = (
        f"Raw bytes a second on one core, median and quartiles, of {width} x {height} "
        f"corners of {', '.join(settings.timed)}, all programs in turn; x: times "
        f"zlib + AES-256-CTR in the same rounds.{large} {machine([record])}."
    )
    return Table.of("Speed of the hybrid", programs, columns, [note])
