"""Keystreams: statistical tests of their bytes, cycles of the orbit behind them.

The Lyapunov exponent is `tfpe.chaos.lyapunov_exponent`; the tests themselves are in
`tfpe.metrics.sp800_22`.
"""

import dataclasses
from collections.abc import Callable, Hashable

import numpy as np

from tfpe.checks import whole_number
from tfpe.errors import KeystreamError
from tfpe.metrics import noise
from tfpe.metrics.sp800_22 import keystream_bits, statistical_tests

FLOATS = {"float16": np.float16, "float32": np.float32, "float64": float}


@dataclasses.dataclass(frozen=True)
class Cycle:
    """An orbit that repeats: `tail` states once, then `period` states for ever.

    Attributes:
        tail: number of states before the first that comes again.
        period: number of states after which it does.
    """

    tail: int
    period: int

    @property
    def states(self):
        """How many different states the orbit visits."""
        return self.tail + self.period


def find_cycle(step: Callable, start: Hashable, limit=1_000_000):
    """The cycle that iterating a map ends in, by Brent's algorithm.

    Constant memory; at most some 3 (tail + period) steps.

    Args:
        step: the map, from a state to the next; deterministic.
        start: the first state, comparable by ==; NaN never returns.
        limit: the search gives up after as many steps.

    Returns:
        A `Cycle`, or None where none was found within `limit` steps.

    Raises:
        KeystreamError: `limit` is no whole number from 1 up.

    Source: Brent, An improved Monte Carlo factorization algorithm, BIT 20, 1980.

    Example:

    >>> find_cycle(lambda x: x * x % 11, 2)
    Cycle(tail=1, period=4)
    """
    limit = whole_number(limit, "limit", error=KeystreamError)
    # The hare runs on; the tortoise jumps to it after 1, 2, 4, ... steps.
    tortoise, hare = start, step(start)
    power = period = steps = 1
    while tortoise != hare:
        if steps == limit:
            return None
        if power == period:
            tortoise, power, period = hare, 2 * power, 0
        hare = step(hare)
        period += 1
        steps += 1
    tortoise = hare = start
    for _ in range(period):
        hare = step(hare)
    tail = 0
    while tortoise != hare:
        tortoise, hare = step(tortoise), step(hare)
        tail += 1
    return Cycle(tail, period)


def logistic_cycle(mu, d0, dtype="float32", limit=1_000_000):
    """The cycle of the logistic map d <- (mu * d) * (1 - d) in floats of a dtype.

    This is what a keystream made inside a float32 graph is worth: with mu and d0
    random in the chaotic range, 300 orbits visited 17 to 9134 states, half of them
    fewer than 2700, before they repeated. In float64 none repeats for millions.

    Args:
        mu: control parameter in [0, 4].
        d0: initial value in (0, 1).
        dtype: "float16", "float32" or "float64".
        limit: as for `find_cycle`.

    Returns:
        A `Cycle`, or None where none was found.

    Raises:
        KeystreamError: an argument out of range; the message does not quote mu or d0.

    Example:

    >>> logistic_cycle(3.2, 0.4).period
    2
    """
    if dtype not in FLOATS:
        raise KeystreamError(
            f"`dtype` should be one of {list(FLOATS)}. Received: dtype={dtype!r}"
        )
    if not (0 <= mu <= 4 and 0 < d0 < 1):
        raise KeystreamError(
            "`mu` should be in [0, 4] and `d0` in (0, 1). Received: one outside"
        )
    number = FLOATS[dtype]
    mu, one = number(mu), number(1)
    return find_cycle(lambda d: (mu * d) * (one - d), number(d0), limit)


def keystream_metrics(keystream, alpha=0.01):
    """Entropy, histogram and the SP 800-22 tests of a keystream, ready for JSON.

    Args:
        keystream: `bytes`, or `uint8` of any shape; 125,000 bytes for all tests.
        alpha: significance level of each test.

    Returns:
        A dict: `bytes`; `entropy` and `histogram_chi_square`, dicts of `value`, `ideal`
        and `limits` at the level .05; `statistical_tests`, as that function returns.

    Raises:
        KeystreamError: no bytes.

    Example:

    >>> from tfpe.chaos import logistic_sequence
    >>> metrics = keystream_metrics(logistic_sequence(3.99, 0.1, 4096))
    >>> metrics["statistical_tests"]["frequency"]["passed"]
    True
    """
    bits = keystream_bits(keystream)
    values = np.packbits(bits).reshape(1, -1, 1)
    size = values.size
    return {
        "bytes": size,
        "entropy": {
            "value": noise.shannon_entropy(values),
            "ideal": noise.entropy_expectation(size),
            "limits": list(noise.entropy_limits(size)),
        },
        "histogram_chi_square": {
            "value": noise.histogram_chi_square(values),
            "ideal": 255.0,
            "limits": [None, noise.histogram_chi_square_limit()],
        },
        "statistical_tests": statistical_tests(bits, alpha),
    }
