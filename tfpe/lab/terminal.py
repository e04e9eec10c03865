"""Tables on the terminal, of little but their text, so that 80 columns hold them."""

import os
import sys

LONGEST_NAME = 25


def table_console():
    """A `rich` console for tables on stdout: of its terminal's width, or 80 columns."""
    from rich.console import Console

    known = sys.stdout.isatty() or os.environ.get("COLUMNS")
    return Console(width=None if known else 80, highlight=False, soft_wrap=False)


def print_table(table, console=None):
    """Prints a `Table` and its notes; names in its first column are not broken.

    Args:
        table: a `tfpe.lab.table.Table`.
        console: a `rich.console.Console`; default `table_console`.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    console = console or table_console()
    drawn = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 0),
    )
    widths = _widths(table, console.width)
    for place, (title, width) in enumerate(zip(table.header, widths, strict=True)):
        drawn.add_column(
            Text(title),
            overflow="fold",
            justify="left" if place == 0 or table.is_of_words(place) else "right",
            width=width,
        )
    for row in table.rows:
        drawn.add_row(*(Text(cell.text) for cell in row))
    # Not the title of what is drawn, which would be as narrow as its columns.
    if table.caption:
        console.print(Text(table.caption, "table.title"))
    console.print(drawn)
    sources = [f"[{n}] Published: {text}." for n, text in enumerate(table.sources, 1)]
    for note in (*table.notes, *sources):
        console.print(Text(note))


def _widths(table, room):
    """Widths of columns that fill at most `room`; [None, ...] leaves them to `rich`.

    Every word is whole; then names and figures are, where there is place; what is left
    goes to the columns that would be broken most often.
    """
    columns = [[row[n].text for row in table.rows] for n in range(len(table.header))]
    natural, widths = [], []
    for title, texts in zip(table.header, columns, strict=True):
        lines = "\n".join([title, *texts]).split("\n")
        natural.append(max(map(len, lines)))
        widths.append(max(map(len, " ".join(lines).split()), default=0))
    left = room - len(columns) + 1 - sum(widths)
    if sum(natural) + len(columns) - 1 <= room or left < 0:
        return [None] * len(columns)
    for place, texts in enumerate(columns):
        more = max(map(len, texts), default=0) - widths[place]
        is_name = place == 0 and widths[place] + more <= LONGEST_NAME
        if 0 < more <= left and (is_name or place and not table.is_of_words(place)):
            widths[place] += more
            left -= more
    for _ in range(left):
        most = max(range(len(columns)), key=lambda n: natural[n] / max(1, widths[n]))
        widths[most] += 1
    return widths
