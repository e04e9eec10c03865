"""Permutations and bytes of a chaotic map, of many orbits side by side.

One orbit is the paper's; slow, since each value waits for the last. Orbits side by
side have one control parameter and an initial value each, and take turns.
"""

import itertools

import numpy as np

from tfpe.chaos import BURN_IN, CHAOS, draw_parameters
from tfpe.keys.derivation import stable_argsort

CONTROLS = ("mu", "p", "theta")
ONE_ORBIT_STEPS = 2**16
# Of many orbits: each has a secret initial value of its own, so that what a burn-in is
# for, values that no longer tell the initial one and its 52 bits, takes few steps.
BURN_IN_OF_MANY = 128
STEPS = 32


class ShakeStream:
    """A cryptographic stream in place of a chaotic one: SHAKE-256, as a control."""

    def __init__(self, material):
        self._material, self._taken = material, 0

    def order(self, count):
        """A permutation of `count` places."""
        return self._material.permutation("order", count)

    def bytes(self, count):
        """The next `count` bytes."""
        start, self._taken = self._taken, self._taken + count
        return self._material.bytes("bytes", self._taken)[start:]


class ChaoticStream:
    """Values of a map of `tfpe.chaos.CHAOS`, taken in turns from its orbits.

    Args:
        name: of the map.
        material: a `tfpe.keys.derivation.Material`, which parameters come from.
        orbits: how many there are.

    The first 3,000 values of one orbit are not used, as in `tfpe.chaos`; the first 128
    of each of many. Bytes follow the rule of `tfpe.chaos.logistic_sequence`.
    """

    def __init__(self, name, material, orbits):
        parameters = draw_parameters(name, material)
        self._blocks = _blocks(name, parameters, material, orbits)
        self._rest = np.empty(0)

    def values(self, count):
        """The next `count` values, in arrays one after the other."""
        while count:
            if not self._rest.size:
                self._rest = next(self._blocks).reshape(-1)
            part, self._rest = self._rest[:count], self._rest[count:]
            count -= part.size
            yield part

    def order(self, count):
        """A permutation of `count` places: the argsort of as many values."""
        values = np.concatenate([np.empty(0), *self.values(count)])
        # Positive doubles are in the order of their bits.
        return stable_argsort(values.view(np.uint64)[None])[0]

    def bytes(self, count):
        """The next `count` bytes."""
        found, start = np.empty(count, np.uint8), 0
        for values in self.values(count):
            # (d / 2) * 1e14: halves are exact, so that one product rounds as that.
            found[start : start + values.size] = (values * 5e13).astype(np.int64)
            start += values.size
        return found


def _blocks(name, parameters, material, orbits):
    """Arrays `(steps, orbits)` of values, without end, after the burn-in."""
    if orbits == 1:
        orbit = CHAOS[name].orbit(**parameters)
        values = itertools.islice(orbit, BURN_IN + 1, None)
        while True:
            yield np.fromiter(itertools.islice(values, ONE_ORBIT_STEPS), np.float64)
    controls = {n: v for n, v in parameters.items() if n in CONTROLS}
    states = {
        n: (material.words(f"{n}/orbits", orbits) >> np.uint64(12)) + 0.5
        for n in parameters
        if n not in controls
    }
    states = {n: state * 2.0**-52 for n, state in states.items()}
    rows = ARRAY_ORBITS[name](**controls, **states)
    rows = itertools.islice(rows, BURN_IN_OF_MANY + 1, None)
    while True:
        block = np.empty((STEPS, orbits))
        for row, values in zip(block, rows, strict=False):
            row[:] = values
        yield block


def _logistic(mu, d0):
    """As `logistic_orbit`, of arrays."""
    value, rest = d0, np.empty_like(d0)
    while True:
        yield value
        np.subtract(1.0, value, out=rest)
        value = mu * value
        value *= rest


def _pwlcm(p, x0):
    """As `pwlcm_orbit`, of arrays."""
    rise, value = 0.5 - p, x0
    while True:
        yield value
        value = np.minimum(value, 1 - value)
        value = np.where(value < p, value / p, (value - p) / rise)


ARRAY_ORBITS = {
    "logistic": _logistic,
    "pwlcm": _pwlcm,
    "logistic_sine": CHAOS["logistic_sine"].orbit,
}
