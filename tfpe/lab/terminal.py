"""Tables on the terminal, of little but their text."""

import os
import sys

LONGEST_NAME = 25


def table_console():
    """A `rich` console for tables on stdout: of its terminal's width, or 80 columns."""
    from rich.console import Console

    known = sys.stdout.isatty() or os.environ.get("COLUMNS")
    return Console(width=None if known else 80)


def print_table(table):
    """Prints a table of `new_table`; names in its first column are not broken."""
    name = table.columns[0]
    name.no_wrap = max(map(len, map(str, name.cells)), default=0) <= LONGEST_NAME
    table_console().print(table)


def new_table(title, *columns, numbers=()):
    """A `rich` table with little but its text, so that 80 columns hold it.

    Args:
        title: above it; None for none.
        *columns: their titles, of text; cells wrap at words.
        numbers: titles of further columns, of figures, on the right.
    """
    from rich import box
    from rich.table import Table

    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 0),
    )
    for name in columns:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", overflow="fold")
    return table
