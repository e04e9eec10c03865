"""What goes to the terminal: notes on stderr, nothing that steers it, no lost data."""

import contextlib
import errno
import io
import os
import sys

LONGEST_NAME = 25


class ClosedOutput(io.TextIOBase):
    """Stands for a stdout that is closed: data that are due there are an error."""

    def write(self, text):
        raise OSError(errno.EBADF, "stdout is closed")


def open_streams():
    """Gives Python's streams a value where the shell closed them (`>&-`)."""
    if sys.stdout is None:
        sys.stdout = ClosedOutput()
    if sys.stderr is None:
        # `print` would take stdout instead, where the data go.
        sys.stderr = open(os.devnull, "w", encoding="utf-8")


def abandon_stdout():
    """Forgets what stdout could not take, so that Python does not try again at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def note(text):
    """Prints a line to stderr; paths in it cannot steer the terminal."""
    print(printable(text), file=sys.stderr)


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


def printable(text):
    """`text` with everything that a terminal would not print as it is escaped.

    Example:

    >>> print(printable("cat\\x1b[2J.png"))
    cat\\x1b[2J.png
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text)
    )
