"""Tables of the page: cells with a value to sort by, and numbers in words."""

import dataclasses
import re

from tfpe.lab.markdown import NONE


@dataclasses.dataclass(frozen=True)
class Cell:
    """A cell: what it says, and a number to sort by where it has one.

    Attributes:
        text: as shown.
        value: sorts the column; None sorts last.
        tone: a CSS class: "bad", "fair", "good" or "".
    """

    text: str
    value: float | None = None
    tone: str = ""


@dataclasses.dataclass(frozen=True)
class Table:
    """A table: titles, rows (the first cell of each names it), and what it shows."""

    caption: str
    header: list
    rows: list
    notes: list = dataclasses.field(default_factory=list)


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


def percent(share, digits=2):
    """A `Cell` of a fraction, in percent."""
    return number(None if share is None else 100 * share, f"{{:.{digits}f}}")


def in_seconds(seconds):
    """A time in words.

    Example:

    >>> in_seconds(0.0123), in_seconds(2.34), in_seconds(300)
    ('12 ms', '2.3 s', '5.0 min')
    """
    if seconds < 0.001:
        return "under 1 ms"
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"
