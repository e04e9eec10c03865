"""Chaotic sequences, in float64 and bit for bit the same on every machine.

Only +, -, *, / of IEEE doubles are used, each rounded once and in the order written
(another order gives another sequence within some 50 steps), never a library's sine.
They run on the host: in the float32 of a graph the logistic orbit collapses.
"""

import itertools
import math
import numbers

import numpy as np

from tfpe.chaotic_maps import (
    CHAOS,
    ChaoticMap,
    find_map,
    logistic_orbit,
    logistic_sine_orbit,
    pwlcm_orbit,
)
from tfpe.checks import whole_number
from tfpe.errors import CipherOptionError, WeakParameterError

__all__ = [
    "BURN_IN",
    "CHAOS",
    "ChaoticMap",
    "chaotic_sequence",
    "draw_parameters",
    "drawn_sequence",
    "find_map",
    "is_weak",
    "logistic_orbit",
    "logistic_sequence",
    "logistic_sine_orbit",
    "lyapunov_exponent",
    "pwlcm_orbit",
]

BURN_IN = 3000
CHECKED_BYTES = 1500
CHUNK = 2**14  # values, of which several arrays stay in the cache
FEW = 50  # maps, up to which Python follows them one by one as fast as NumPy all
MIN_DISTINCT_BYTES = 200


def logistic_sequence(mu, d0, length, burn_in=BURN_IN, allow_weak=False):
    """Bytes of the logistic map: Eq. 3-4 and Algorithm 2 of Ahmad & Shin.

    d <- (mu * d) * (1 - d), left to right; `burn_in` iterates are discarded, then each
    value advances the map once and is floor((d / 2) * 1e14) mod 256.

    Args:
        mu: control parameter in [3.57, 4], where the map is chaotic.
        d0: initial value in (0, 1).
        length: number of bytes.
        burn_in: number of discarded iterates.
        allow_weak: take mu in [0, 4], and parameters with a short cycle, too.

    Returns:
        `uint8 (length,)`.

    Raises:
        CipherOptionError: an argument is no number in its range.
        WeakParameterError: fewer than 200 distinct bytes in the first 1,500.

    Source: Ahmad & Shin 2022 (arXiv 2203.16780), Eq. 3-4, Algorithm 2.

    Example:

    >>> logistic_sequence(3.99, 0.1, 8).tolist()
    [248, 86, 116, 13, 132, 27, 78, 78]
    """
    parameters = {"mu": mu, "d0": d0}
    return chaotic_sequence("logistic", parameters, length, burn_in, allow_weak)


def chaotic_sequence(name, parameters, length, burn_in=BURN_IN, allow_weak=False):
    """Bytes of any map of `CHAOS`, by the byte rule of `logistic_sequence`.

    Args:
        name: a name in `CHAOS`.
        parameters: a dict with one float for each parameter of the map.
        length: number of bytes.
        burn_in: number of discarded iterates.
        allow_weak: take mu in [0, 4], and parameters with a short cycle, too.

    Returns:
        `uint8 (length,)`.

    Raises:
        CipherOptionError: an unknown map, parameters out of range or, without
            `allow_weak`, weak ones.

    Example:

    >>> chaotic_sequence("pwlcm", {"p": 0.3, "x0": 0.1}, 4).tolist()
    [75, 120, 165, 46]
    """
    chaotic_map = find_map(name)
    parameters = _check_parameters(chaotic_map, parameters, allow_weak)
    length = whole_number(length, "length", low=0)
    burn_in = whole_number(burn_in, "burn_in", low=0)
    checked = 0 if allow_weak else CHECKED_BYTES
    sequence = _bytes_of(chaotic_map, parameters, burn_in + max(length, checked))
    sequence = sequence[burn_in:]
    if not allow_weak and _is_weak(sequence):
        raise WeakParameterError(
            f"Parameters of the {name} map should give at least {MIN_DISTINCT_BYTES} "
            f"distinct bytes in {CHECKED_BYTES}. Received: parameters that give "
            f"{len(np.unique(sequence[:CHECKED_BYTES]))}; "
            "draw others, or pass allow_weak=True"
        )
    return sequence[:length]


def is_weak(name, parameters, burn_in=BURN_IN):
    """Whether parameters give fewer than 200 distinct bytes in the first 1,500.

    About 9.75 % of mu in [3.57, 4] do, in the periodic windows of the logistic map.

    Args:
        name: a name in `CHAOS`.
        parameters: a dict with one float for each parameter of the map.
        burn_in: number of discarded iterates.

    Returns:
        A bool.

    Example:

    >>> is_weak("logistic", {"mu": 3.83, "d0": 0.1})
    True
    >>> is_weak("logistic", {"mu": 4.0, "d0": 0.5})
    True
    """
    return _is_weak(chaotic_sequence(name, parameters, CHECKED_BYTES, burn_in, True))


def draw_parameters(name, material):
    """Parameters of a map drawn from `tfpe.keys.derivation.Material`; never weak ones.

    Weak draws are passed over in a fixed order, so the result depends on the key only.

    Args:
        name: a name in `CHAOS`.
        material: a `tfpe.keys.derivation.Material`, which is drawn from.

    Returns:
        A dict with one float for each parameter.

    Example:

    >>> from tfpe import Key
    >>> material = Key(bytes(32)).material("example", (1, 1, 3))
    >>> sorted(draw_parameters("logistic", material))
    ['d0', 'mu']
    """
    chaotic_map = find_map(name)
    for attempt in itertools.count():
        parameters = _drawn(chaotic_map, material, attempt)
        if not is_weak(name, parameters):
            return parameters


def drawn_sequence(name, material, length):
    """Bytes of a map with parameters as `draw_parameters` draws them.

    Args:
        name: a name in `CHAOS`.
        material: a `tfpe.keys.derivation.Material`, or `Materials` of several keys.
        length: number of bytes.

    Returns:
        `uint8 (length,)`; of several keys `(keys, length)`.

    Example:

    >>> from tfpe import Key
    >>> material = Key(bytes(32)).material("example", (1, 1, 3))
    >>> drawn_sequence("logistic", material, 5).shape
    (5,)
    """
    if not material.lead:
        return chaotic_sequence(name, draw_parameters(name, material), length)
    chaotic_map, each = find_map(name), material.each()
    found, left = np.empty((len(each), length), np.uint8), np.arange(len(each))
    for attempt in itertools.count():
        drawn = [_drawn(chaotic_map, each[place], attempt) for place in left]
        count = BURN_IN + max(length, CHECKED_BYTES)
        sequences = _bytes_of_many(chaotic_map, drawn, count)[:, BURN_IN:]
        found[left] = sequences[:, :length]
        left = left[[_is_weak(sequence) for sequence in sequences]]
        if not left.size:
            return found


def lyapunov_exponent(mu, d0=0.1, length=100_000, burn_in=BURN_IN):
    """Lyapunov exponent of the logistic map, in nats a step: mean ln|mu (1 - 2d)|.

    It is ln 2 = 0.6931 at mu = 4 and about 0.0110 at mu = 3.57 (the paper prints
    0.00693 and 0.0012). Negative values mean a periodic orbit, -inf one through
    d = 1/2.

    Args:
        mu: parameter of the map, in [0, 4].
        d0: first state, in (0, 1).
        length: number of steps that the mean is of.
        burn_in: number of steps before them.

    Returns:
        A float.

    Example:

    >>> round(lyapunov_exponent(4.0), 2)
    0.69
    """
    parameters = _check_parameters(CHAOS["logistic"], {"mu": mu, "d0": d0}, True)
    mu = parameters["mu"]
    orbit = logistic_orbit(**parameters)
    orbit = itertools.islice(orbit, burn_in, burn_in + length)
    slopes = np.abs(mu * (1 - 2 * np.fromiter(orbit, np.float64)))
    if not slopes.all():
        return -math.inf
    return float(np.mean(np.log(slopes)))


def _check_parameters(chaotic_map, parameters, allow_weak):
    if set(parameters) != set(chaotic_map.intervals):
        raise CipherOptionError(
            f"The map has the parameters {list(chaotic_map.intervals)}. "
            f"Received: {list(parameters)}"
        )
    checked = {}
    for name, (low, high) in chaotic_map.intervals.items():
        value = parameters[name]
        # The value itself may be key material: it stays out of the messages.
        if not isinstance(value, numbers.Real) or not math.isfinite(value):
            raise CipherOptionError(
                f"`{name}` should be a finite number. Received: {type(value).__name__}"
            )
        value = float(value)
        if name == "mu":
            # Below 3.57 the map is only weak; outside [0, 4] its orbit escapes.
            low = 0.0 if allow_weak else low
            inside = low <= value <= high
        else:
            inside = low < value < high
        if not inside:
            raise CipherOptionError(
                f"`{name}` should be a number from {low} to {high}. "
                "Received: one outside"
            )
        checked[name] = value
    return checked


def _drawn(chaotic_map, material, attempt):
    return {
        parameter: material.uniform(f"{parameter}/{attempt}", low, high)
        for parameter, (low, high) in chaotic_map.intervals.items()
    }


def _bytes_of(chaotic_map, parameters, count):
    """Bytes of a map from the first one on, `uint8 (count,)`."""
    size = min(CHUNK, max(64, count + -count % 64))
    arrays = chaotic_map.arrays(size, **parameters)
    sequence = np.empty(count, np.uint8)
    for start in range(0, count, size):
        part = sequence[start : start + size]
        part[:] = _whole_numbers(next(arrays)[: part.size])
    return sequence


def _bytes_of_many(chaotic_map, parameters, count):
    """`_bytes_of` each of a list of parameters, `uint8 (maps, count)`."""
    maps = len(parameters)
    if chaotic_map.of_many is None or maps < FEW:
        return np.stack([_bytes_of(chaotic_map, one, count) for one in parameters])
    names, size = list(chaotic_map.intervals), max(1, CHUNK // maps)
    columns = {name: np.array([one[name] for one in parameters]) for name in names}
    arrays = chaotic_map.of_many(size, **columns)
    sequences = np.empty((count, maps), np.uint8)
    for start in range(0, count, size):
        part = sequences[start : start + size]
        part[:] = _whole_numbers(next(arrays)[: len(part)])
    return np.ascontiguousarray(sequences.T)


def _whole_numbers(values):
    """floor((d / 2) * 1e14): halves are exact, so that one product gives the same."""
    # What cuts off decimals is the floor of numbers that are not negative.
    return (values * 5e13).astype(np.int64)


def _is_weak(sequence):
    counts = np.bincount(sequence[:CHECKED_BYTES])
    return bool(np.count_nonzero(counts) < MIN_DISTINCT_BYTES)
