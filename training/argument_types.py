"""How the command line reads its arguments: lists, seeds, counts, positive numbers."""

import argparse
import contextlib
import math

from tfpe.cli.common import seed_number


def names(text):
    """Names between commas, one or more.

    Example:

    >>> names("plain, le")
    ['plain', 'le']
    """
    if not (found := [name.strip() for name in text.split(",") if name.strip()]):
        raise argparse.ArgumentTypeError("should be one name or more. Received: none")
    return found


def seeds(text):
    """Seeds between commas."""
    return [seed_number(number) for number in names(text)]


def count(text):
    """A whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"should be 1 or more. Received: {text!r}")
    return int(text)


def positive(text):
    """A number above 0, not infinite."""
    with contextlib.suppress(ValueError):
        if 0 < float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"should be a positive number. Received: {text!r}")


def fractions(text):
    """Numbers between commas, a tuple; it may be empty.

    Example:

    >>> fractions("0.5,0.75"), fractions("")
    ((0.5, 0.75), ())
    """
    try:
        return tuple(float(number) for number in text.split(",") if number.strip())
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"should be like 0.5,0.75. Received: {text!r}"
        ) from None
