"""Markdown of a table."""

NONE = "–"


def markdown(header, rows):
    """A Markdown table; the first column is left-aligned, the others right.

    Example:

    >>> print(markdown(["cipher", "ms"], [["le", "1.5"]]))
    | cipher | ms |
    |---|--:|
    | le | 1.5 |
    """
    lines = [header, ["---", *["--:"] * (len(header) - 1)], *rows]
    lines = ["| " + " | ".join(map(str, line)) + " |" for line in lines]
    lines[1] = lines[1].replace(" ", "")
    return "\n".join(lines)
