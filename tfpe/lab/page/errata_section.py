"""What a paper prints beside what was measured, on the page."""

from tfpe.lab.errata import errata_rows
from tfpe.lab.page.cells import Cell, Table
from tfpe.lab.records import newest


def errata_section(records):
    """A `Table` of the newest errata record; None of none."""
    record = newest(record for record in records if record["kind"] == "errata")
    if record is None:
        return None
    return Table(
        f"Ahmad & Shin 2022, {record['settings']['paper']}",
        ["statement", "the paper prints", "measured"],
        [[Cell(text) for text in row] for row in errata_rows(record)],
        ["–: no figure in its text."],
    )
