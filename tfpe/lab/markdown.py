"""Tables in Markdown."""

import re

# A figure and the number of its source.
SOURCED = re.compile(r"([^,\[\]]+) \[(\d+)\]")


def to_markdown(table):
    """A `Table` in Markdown, its notes below it; the first column stands on the left.

    Example:

    >>> from tfpe.lab.table import Cell, Table
    >>> rows = [[Cell("le", tone="code"), Cell("94.94 [1]", tone="published")]]
    >>> table = Table("", ["cipher", "accuracy"], rows, ["CIFAR-10."], ["a paper"])
    >>> print(to_markdown(table))
    | cipher | *accuracy* |
    |---|--:|
    | `le` | *94.94*<sup>1</sup> |
    <BLANKLINE>
    CIFAR-10.
    <BLANKLINE>
    Published, not measured here, under other conditions: <sup>1</sup> a paper.
    """
    quoted = [
        any(row[place].tone == "published" for row in table.rows)
        for place in range(len(table.header))
    ]
    header = [
        f"*{title}*" if is_quoted else title
        for title, is_quoted in zip(table.header, quoted, strict=True)
    ]
    lines = [
        _line(header),
        "|---" + "|--:" * (len(header) - 1) + "|",
        *(_line(map(_text, row)) for row in table.rows),
    ]
    sources = [f"<sup>{n}</sup> {text}." for n, text in enumerate(table.sources, 1)]
    if sources:
        sources.insert(0, "Published, not measured here, under other conditions:")
    parts = ["\n".join(lines), *(_folded(" ".join(t)) for t in (table.notes, sources))]
    return "\n\n".join(filter(None, parts))


def _line(texts):
    return f"| {' | '.join(map(_folded, texts))} |"


def _folded(text):
    """Text of a record in one line: a break would end the row or begin a heading."""
    return " ".join(text.split())


def _text(cell):
    if cell.tone == "code":
        return f"`{cell.text}`"
    if cell.tone == "published":
        return SOURCED.sub(_sourced, cell.text)
    return cell.text


def _sourced(found):
    space = " " * found[1].startswith(" ")
    return f"{space}*{found[1].strip()}*<sup>{found[2]}</sup>"
