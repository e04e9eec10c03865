"""The chaotic maps: orbits in float64, and the table of them all, `CHAOS`.

How they become bytes: `tfpe.chaos`.
"""

import dataclasses
import itertools
import struct
from collections.abc import Callable

import numpy as np

from tfpe.errors import CipherOptionError

LOGISTIC_STEPS = 2**12


def logistic_orbit(mu, d0):
    """The logistic map from `d0` on, without end: d <- (mu * d) * (1 - d).

    Args:
        mu: parameter, in [0, 4].
        d0: first state, in (0, 1).

    Returns:
        A generator of floats; `d0` is the first.

    Example:

    >>> import itertools
    >>> list(itertools.islice(logistic_orbit(4.0, 0.25), 3))
    [0.25, 0.75, 0.75]
    """
    yield d0
    for values in logistic_arrays(LOGISTIC_STEPS, mu, d0):
        yield from values.tolist()


def logistic_arrays(size, mu, d0):
    """What follows `d0` under the logistic map, in arrays.

    Every value waits for the one before it, so that there is nothing to do at once: it
    is Python that takes the time. Sixty-four steps written out, as arguments of one
    call, need no loop and no list.

    Args:
        size: values of an array, a multiple of 64.
        mu: parameter, in [0, 4].
        d0: first state, in (0, 1).

    Returns:
        A generator of one `float64` array, filled again and again.

    Example:

    >>> next(logistic_arrays(64, 4.0, 0.25))[:2].tolist()
    [0.75, 0.75]
    """
    values, d = np.empty(size), d0
    buffer, pack = memoryview(values).cast("B"), struct.Struct("64d").pack_into
    while True:
        for place in range(0, len(buffer), 512):
            # fmt: off
            pack(
                buffer, place,
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
                d := (mu * d) * (1.0 - d), d := (mu * d) * (1.0 - d),
            )
            # fmt: on
        yield values


def logistic_arrays_of_many(size, mu, d0):
    """As `logistic_arrays`, of many parameters side by side.

    Args:
        size: values of an array.
        mu, d0: as of `logistic_arrays`, `float64 (maps,)` each.

    Returns:
        A generator of one `float64 (size, maps)`, filled again and again.

    Example:

    >>> many = logistic_arrays_of_many(2, np.array([4.0, 2.0]), np.array([0.25, 0.5]))
    >>> next(many).tolist()
    [[0.75, 0.5], [0.75, 0.5]]
    """
    values, rest, d = np.empty((size, mu.size)), np.empty(mu.size), d0
    while True:
        for row in values:
            np.subtract(1.0, d, out=rest)
            np.multiply(mu, d, out=row)
            d = np.multiply(row, rest, out=row)
        yield values


def pwlcm_orbit(p, x0):
    """The piecewise-linear chaotic map (PWLCM) on (0, 1), control 0 < p < 1/2.

    x <- x / p below p, (x - p) / (1/2 - p) from p to 1/2, and mirrored above 1/2.
    Its invariant density is uniform and it has no periodic windows in p.

    Args:
        p: control parameter, in (0, 1/2).
        x0: first state, in (0, 1).

    Returns:
        A generator of floats; `x0` is the first.

    Source: Zhou & Ling, Problems with the chaotic inverse system encryption
    approach, IEEE TCAS-I 44(3), 1997.

    Example:

    >>> import itertools
    >>> list(itertools.islice(pwlcm_orbit(0.25, 0.125), 2))
    [0.125, 0.5]
    """
    rise = 0.5 - p

    def step(x, _):
        if x >= 0.5:
            x = 1 - x
        return x / p if x < p else (x - p) / rise

    return itertools.accumulate(itertools.repeat(None), step, initial=x0)


def logistic_sine_orbit(theta, x0, y0):
    """The x of the two-dimensional logistic-sine-coupling map, 0 < theta < 1.

    x <- sin(pi (4 theta x (1 - x) + (1 - theta) sin(pi y))), then the same for y with
    the new x. Source: Hua, Jin, Xu, Huang, 2D Logistic-Sine-coupling map for image
    encryption, Signal Processing 149, 2018, Eq. 4. The sine is `_sin_pi`. It is not
    chaotic for every theta: 7 % of random parameters are weak (measured; theta near
    0.165, 0.34, 0.39, 0.835).

    Args:
        theta: control parameter, in (0, 1).
        x0, y0: first state, each in (0, 1).

    Returns:
        A generator of floats; `x0` is the first.

    Example:

    >>> import itertools
    >>> [round(x, 4) for x in itertools.islice(logistic_sine_orbit(0.9, 0.3, 0.5), 2)]
    [0.3, 0.4371]
    """
    four_theta, rest = 4 * theta, 1 - theta
    x, y = x0, y0
    while True:
        yield x
        x = _sin_pi((four_theta * x) * (1 - x) + rest * _sin_pi(y))
        y = _sin_pi((four_theta * y) * (1 - y) + rest * _sin_pi(x))


# Taylor coefficients (-1)^k pi^(2k) / (2k)! of cos(pi u), highest first, rounded once
# from 50 digits. For |u| <= 1/2 the first term left out is below 1e-19.
_COSINE = (
    1.3768647280377414e-12,
    -7.700707130601354e-11,
    3.604730797462501e-09,
    -1.3878952462213771e-07,
    4.303069587032947e-06,
    -0.0001046381049248457,
    0.0019295743094039231,
    -0.02580689139001406,
    0.2353306303588932,
    -1.3352627688545895,
    4.0587121264167685,
    -4.934802200544679,
    1.0,
)


def _sin_pi(t):
    """sin(pi t) for 0 <= t <= 1, as one fixed polynomial."""
    u = t - 0.5
    square = u * u
    value = 0.0
    for coefficient in _COSINE:
        value = value * square + coefficient
    return value


@dataclasses.dataclass(frozen=True)
class ChaoticMap:
    """A map: its orbit, and the open interval that each parameter is drawn from.

    Attributes:
        orbit: a function of the parameters that gives a generator of floats in (0, 1).
        intervals: a dict from the name of each parameter to (low, high).
        following: a function of a size and the parameters that gives a generator of
            float64 arrays of that size, of what follows the first state; None takes
            them from the orbit.
        of_many: the same of arrays of parameters, which gives `(size, maps)`; None
            where orbits are followed one by one.
    """

    orbit: Callable
    intervals: dict[str, tuple[float, float]]
    following: Callable | None = None
    of_many: Callable | None = None

    def arrays(self, size, **parameters):
        """What follows the first state, in arrays; one may be filled again and again.

        Args:
            size: values of an array, a multiple of 64.
            **parameters: of the map.

        Returns:
            A generator of `float64` arrays, without end.
        """
        if self.following is not None:
            yield from self.following(size, **parameters)
        orbit = itertools.islice(self.orbit(**parameters), 1, None)
        while True:
            yield np.fromiter(itertools.islice(orbit, size), np.float64, size)


CHAOS = {
    "logistic": ChaoticMap(
        logistic_orbit,
        {"mu": (3.57, 4.0), "d0": (0.0, 1.0)},
        logistic_arrays,
        logistic_arrays_of_many,
    ),
    "pwlcm": ChaoticMap(pwlcm_orbit, {"p": (0.0, 0.5), "x0": (0.0, 1.0)}),
    "logistic_sine": ChaoticMap(
        logistic_sine_orbit,
        {"theta": (0.0, 1.0), "x0": (0.0, 1.0), "y0": (0.0, 1.0)},
    ),
}


def find_map(name):
    """The row of `CHAOS`, or an error that lists the names.

    Args:
        name: of a map.

    Returns:
        A `ChaoticMap`.

    Raises:
        CipherOptionError: there is no such map.

    Example:

    >>> list(find_map("pwlcm").intervals)
    ['p', 'x0']
    """
    if not isinstance(name, str) or name not in CHAOS:
        raise CipherOptionError(
            f"The chaotic map should be one of {list(CHAOS)}. Received: {name!r}"
        )
    return CHAOS[name]
