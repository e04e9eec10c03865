"""SP 800-22, tests of the random walk that the signs make: 2.13 to 2.15."""

import math

import numpy as np
import scipy

from tfpe.errors import KeystreamError
from tfpe.metrics.sp800_22.bits import bits_of, fit_p

MIN_CYCLES = 500
EXCURSION_STATES = (-4, -3, -2, -1, 1, 2, 3, 4)
VARIANT_STATES = (*range(-9, 0), *range(1, 10))
EXCURSION_CLASSES = 6


def cumulative_sums(bits):
    """How far the walk of the signs goes from 0, forward and backward.

    Args:
        bits: 0 and 1, `(n,)`; recommended n >= 100.

    Returns:
        `float64 (2,)`: forward, backward.

    Raises:
        KeystreamError: these are no bits, or none.

    Source: NIST SP 800-22 Rev. 1a, section 2.13.

    Example (section 2.13.4):

    >>> cumulative_sums([1, 0, 1, 1, 0, 1, 0, 1, 1, 1]).round(6).tolist()
    [0.411659, 0.411659]
    """
    signs = 2 * bits_of(bits).astype(np.int64) - 1
    return np.array([_cumulative_sums_p(signs), _cumulative_sums_p(signs[::-1])])


def random_excursions(bits, min_cycles=MIN_CYCLES):
    """Visits to the states -4 to 4 in the cycles between two returns to 0.

    Args:
        bits: 0 and 1, `(n,)`; recommended n >= 10^6.
        min_cycles: how many cycles the walk must have; the publication's 500 makes
            the chi-square approximation hold.

    Returns:
        `float64 (8,)`: states -4, -3, -2, -1, 1, 2, 3, 4.

    Raises:
        KeystreamError: these are no bits, or the walk has fewer cycles: the test does
            not apply.

    Source: NIST SP 800-22 Rev. 1a, sections 2.14 and 3.14.

    Example (section 2.14.4, there with rounded probabilities, x = 1):

    >>> bits = [0, 1, 1, 0, 1, 1, 0, 1, 0, 1]
    >>> random_excursions(bits, min_cycles=1).round(4).tolist()[4]
    0.5025
    """
    walk, cycle, cycles = _cycles(bits, min_cycles)
    p_values = []
    for state in EXCURSION_STATES:
        visits = np.bincount(cycle[walk == state], minlength=cycles)
        classes = np.minimum(visits, EXCURSION_CLASSES - 1)
        counts = np.bincount(classes, minlength=EXCURSION_CLASSES)
        p_values.append(fit_p(counts, excursion_probabilities(state)))
    return np.array(p_values)


def excursion_probabilities(state):
    """Probabilities of 0, 1, ..., 4 and at least 5 visits to a state in a cycle.

    Example:

    >>> [round(p, 4) for p in excursion_probabilities(4)]
    [0.875, 0.0156, 0.0137, 0.012, 0.0105, 0.0733]
    """
    reach = 1 / (2 * abs(state))
    middle = [reach**2 * (1 - reach) ** (k - 1) for k in range(1, 5)]
    return (1 - reach, *middle, reach * (1 - reach) ** 4)


def random_excursions_variant(bits, min_cycles=MIN_CYCLES):
    """All visits to the states -9 to 9: erfc(|v - J| / sqrt(2 J (4|x| - 2))).

    Args:
        bits: 0 and 1, `(n,)`; recommended n >= 10^6.
        min_cycles: as for `random_excursions`.

    Returns:
        `float64 (18,)`: states -9 to -1 and 1 to 9.

    Raises:
        KeystreamError: as `random_excursions`.

    Source: NIST SP 800-22 Rev. 1a, section 2.15.

    Example (section 2.15.4, x = 1):

    >>> bits = [0, 1, 1, 0, 1, 1, 0, 1, 0, 1]
    >>> random_excursions_variant(bits, min_cycles=1).round(6).tolist()[9]
    0.683091
    """
    walk, _, cycles = _cycles(bits, min_cycles)
    states = np.array(VARIANT_STATES)
    visits = np.array([np.count_nonzero(walk == state) for state in states])
    spread = np.sqrt(2 * cycles * (4 * np.abs(states) - 2))
    return scipy.special.erfc(np.abs(visits - cycles) / spread)


def _cycles(bits, min_cycles):
    """The walk, the cycle that each place is in, and the number of cycles J."""
    signs = 2 * bits_of(bits).astype(np.int64) - 1
    walk = np.cumsum(signs)
    returns = walk == 0
    # The last cycle is closed by the 0 that the publication appends.
    cycles = int(returns.sum()) + (not returns[-1])
    if cycles < min_cycles:
        raise KeystreamError(
            f"The excursion tests need a walk of at least {min_cycles} cycles. "
            f"Received: bits that give {cycles}"
        )
    return walk, np.cumsum(returns) - returns, cycles


def _cumulative_sums_p(signs):
    n = len(signs)
    z = int(np.abs(np.cumsum(signs)).max())
    root = math.sqrt(n)

    def bands(first, low, high):
        # The publication's sums run over whole k between bounds that C truncates.
        k = np.arange(int((-n / z + first) / 4), int((n / z - 1) / 4) + 1)
        return (
            scipy.stats.norm.cdf((4 * k + high) * z / root)
            - scipy.stats.norm.cdf((4 * k + low) * z / root)
        ).sum()

    return float(np.clip(1 - bands(1, -1, 1) + bands(-3, 1, 3), 0, 1))
