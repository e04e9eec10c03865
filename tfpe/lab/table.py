"""A table, written once: Markdown, the terminal and the page each render it.

The writers are `markdown.to_markdown`, `terminal.print_table` and the macro `table` of
the page's template.
"""

import dataclasses
import re

NONE = "–"


@dataclasses.dataclass(frozen=True)
class Cell:
    """A cell: what it says, and a number to sort by where it has one.

    Attributes:
        text: as shown.
        value: sorts the column; None sorts last.
        tone: how bad it is, "bad", "fair" or "good"; what it is, "code" (a name in the
            code), "published" (quoted, with the numbers of its sources), "wrap" or
            "long" (words, which stand on the left); or "".
    """

    text: str
    value: float | None = None
    tone: str = ""


@dataclasses.dataclass(frozen=True)
class Table:
    """A table, and what it shows.

    Attributes:
        caption: its title, where tables have one: not in Markdown.
        header: the titles of its columns.
        rows: lists of `Cell`; the first names the row.
        notes: sentences below it: conditions, explanations.
        sources: of published figures; cells name them by number, from 1.
    """

    caption: str
    header: list
    rows: list
    notes: list = dataclasses.field(default_factory=list)
    sources: list = dataclasses.field(default_factory=list)

    @classmethod
    def of(cls, caption, items, columns, notes=(), sources=()):
        """A table with a row for each item.

        Args:
            items: what the rows are of.
            columns: a dict from title to a function from an item to its `Cell`, or to
                the text of one.
            caption, notes, sources: as of the class.

        Example:

        >>> table = Table.of("Squares", [2], {"n": str, "n²": lambda n: number(n * n)})
        >>> table.header, [cell.text for cell in table.rows[0]]
        (['n', 'n²'], ['2', '4.000'])
        """
        rows = [[_cell(make(item)) for make in columns.values()] for item in items]
        return cls(caption, list(columns), rows, list(notes), list(sources))

    def is_of_words(self, column):
        """Whether a column holds words, which stand on the left, and no figures."""
        return bool(self.rows) and self.rows[0][column].tone in ("long", "wrap")


def number(value, pattern="{:.3f}", tone=""):
    """A `Cell` of a number, a dash for None.

    Example:

    >>> number(0.25, "{:.1f}").text, number(None).text, number(-0.0001).text
    ('0.2', '–', '0.000')
    """
    if value is None:
        return Cell(NONE)
    # No number reads as minus nothing.
    text = re.sub(r"^-(?=[0.]*$)", "", pattern.format(value))
    return Cell(text, float(value), tone)


def decibels(psnr, equal=False):
    """A `Cell` of a PSNR; that of equal pictures, of which records hold None.

    JSON has no infinity.

    Example:

    >>> decibels(8.21).text, decibels(None, equal=True).text, decibels(None).text
    ('8.2', 'infinite', '–')
    """
    if psnr is None and equal:
        return Cell("infinite", float("inf"))
    return number(psnr, "{:.1f}")


def percent(share, digits=2):
    """A `Cell` of a fraction, in percent."""
    return number(None if share is None else 100 * share, f"{{:.{digits}f}}")


def percent_and_interval(share, interval):
    """A `Cell` of a fraction in percent, with its 95 % interval.

    Example:

    >>> percent_and_interval(0.5, [0.401, 0.599]).text
    '50.00 (40.1 to 59.9)'
    """
    low, high = interval
    return Cell(f"{100 * share:.2f} ({100 * low:.1f} to {100 * high:.1f})", share)


def _cell(made):
    return Cell(made) if isinstance(made, str) else made
