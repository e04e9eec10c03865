"""Interleaved timing: what is compared runs in turn, so that noise meets all alike."""

import statistics
import time

from tfpe.errors import TfpeError

LEAST_ROUNDS = 3


def interleave(programs, repeats, references=(), budget=None):
    """Times programs in turn, `repeats` rounds of them all, after one round unseen.

    Args:
        programs: a dict from name to (run, is_right): a function without arguments,
            and a check of what it returns, which is done after every single run and
            is not timed.
        repeats: number of rounds.
        references: names of programs that the others are compared with.
        budget: seconds after which a program sits out, once it ran three rounds; None
            for no limit. References never sit out.

    Returns:
        A dict from name to a dict of `rounds` (that it ran), `median`, `low` and `high`
        (quartiles) in seconds, and `ratios`: for each reference the median and the
        quartiles of how many times as fast the program was in the same round.

    Raises:
        TfpeError: a result is not right.

    Example:

    >>> found = interleave({"sum": (lambda: sum([1, 2]), lambda total: total == 3)}, 3)
    >>> sorted(found["sum"])
    ['high', 'low', 'median', 'ratios', 'rounds']
    """
    seconds = {name: [] for name in programs}
    for round_ in range(repeats + 1):
        for name, (run, is_right) in programs.items():
            done = seconds[name]
            if budget is not None and name not in references:
                if len(done) >= LEAST_ROUNDS and sum(done) > budget:
                    continue
            start = time.perf_counter()
            result = run()
            end = time.perf_counter()
            if not is_right(result):
                raise TfpeError(f"{name} should give the ciphertext of the oracle")
            if round_:
                done.append(end - start)
    return {
        name: {
            "rounds": len(values),
            **quartiles(values),
            # What sits out does so at the end: its rounds are the first ones.
            "ratios": {
                reference: quartiles(
                    [r / v for r, v in zip(seconds[reference], values, strict=False)]
                )
                for reference in references
                if reference in programs
            },
        }
        for name, values in seconds.items()
    }


def quartiles(values):
    """Median and quartiles of a list of numbers.

    Example:

    >>> quartiles([3.0, 1.0, 2.0])
    {'median': 2.0, 'low': 1.5, 'high': 2.5}
    """
    low = high = values[0]
    if len(values) > 1:
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": statistics.median(values), "low": low, "high": high}
