"""Interleaved timing: what is compared runs in turn, so that noise meets all alike."""

import statistics
import time

from tfpe.errors import TfpeError


def interleave(programs, repeats, references=()):
    """Times programs in turn, `repeats` rounds of them all, after one round unseen.

    Args:
        programs: a dict from name to (run, is_right): a function without arguments,
            and a check of what it returns, which is done after every single run and
            is not timed.
        repeats: number of rounds.
        references: names of programs that the others are compared with.

    Returns:
        A dict from name to a dict of `median`, `low` and `high` (fastest and slowest)
        in seconds, and `ratios`: for each reference the median and the quartiles of
        how many times as fast the program was in the same round.

    Raises:
        TfpeError: a result is not right.

    Example:

    >>> found = interleave({"sum": (lambda: sum([1, 2]), lambda total: total == 3)}, 3)
    >>> sorted(found["sum"])
    ['high', 'low', 'median', 'ratios']
    """
    seconds = {name: [] for name in programs}
    for round_ in range(repeats + 1):
        for name, (run, is_right) in programs.items():
            start = time.perf_counter()
            result = run()
            end = time.perf_counter()
            if not is_right(result):
                raise TfpeError(f"{name} should give the ciphertext of the oracle")
            if round_:
                seconds[name].append(end - start)
    return {
        name: {
            "median": statistics.median(values),
            "low": min(values),
            "high": max(values),
            "ratios": {
                reference: _quartiles(
                    [r / v for r, v in zip(seconds[reference], values, strict=True)]
                )
                for reference in references
                if reference in programs
            },
        }
        for name, values in seconds.items()
    }


def _quartiles(values):
    low = high = values[0]
    if len(values) > 1:
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": statistics.median(values), "low": low, "high": high}
