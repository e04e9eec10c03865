"""What goes to the terminal: notes on stderr, nothing that steers it, no lost data."""

import contextlib
import errno
import io
import os
import sys


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


def printable(text):
    """`text` with everything that a terminal would not print as it is escaped.

    Example:

    >>> print(printable("cat\\x1b[2J.png"))
    cat\\x1b[2J.png
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text)
    )
