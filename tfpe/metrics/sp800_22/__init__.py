"""The fifteen tests of NIST SP 800-22 Rev. 1a (2010) for sequences of bits.

A. Rukhin et al., A Statistical Test Suite for Random and Pseudorandom Number
Generators for Cryptographic Applications. `TESTS` has them by name, each with the least
number of bits that the publication recommends for its default parameters. Passing all
of them does not make a keystream secure: a published generator passes.

>>> bits = keystream_bits(b"\\x80\\x01")
>>> bits.tolist()
[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
>>> statistical_tests(bits)["frequency"]["skipped"]
'needs 100 bits, has 16'
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from tfpe.errors import KeystreamError
from tfpe.metrics.noise import check_alpha
from tfpe.metrics.sp800_22.balance import (
    block_frequency,
    frequency,
    longest_run,
    runs,
)
from tfpe.metrics.sp800_22.bits import bits_of
from tfpe.metrics.sp800_22.linearity import fourier, linear_complexity, matrix_rank
from tfpe.metrics.sp800_22.patterns import (
    approximate_entropy,
    non_overlapping_templates,
    overlapping_template,
    serial,
    universal,
)
from tfpe.metrics.sp800_22.walks import (
    cumulative_sums,
    random_excursions,
    random_excursions_variant,
)


@dataclasses.dataclass(frozen=True)
class StatisticalTest:
    """A test: a function from bits to p-values, and how many bits it needs."""

    run: Callable
    least_bits: int


TESTS = {
    "frequency": StatisticalTest(frequency, 100),
    "block_frequency": StatisticalTest(block_frequency, 12_800),
    "runs": StatisticalTest(runs, 100),
    "longest_run": StatisticalTest(longest_run, 128),
    "matrix_rank": StatisticalTest(matrix_rank, 38_912),
    "fourier": StatisticalTest(fourier, 1000),
    "non_overlapping_templates": StatisticalTest(non_overlapping_templates, 1_000_000),
    "overlapping_template": StatisticalTest(overlapping_template, 1_000_000),
    "universal": StatisticalTest(universal, 387_840),
    "linear_complexity": StatisticalTest(linear_complexity, 1_000_000),
    "serial": StatisticalTest(serial, 2**19),
    "approximate_entropy": StatisticalTest(approximate_entropy, 2**16),
    "cumulative_sums": StatisticalTest(cumulative_sums, 100),
    "random_excursions": StatisticalTest(random_excursions, 1_000_000),
    "random_excursions_variant": StatisticalTest(random_excursions_variant, 1_000_000),
}

__all__ = [
    "TESTS",
    "StatisticalTest",
    "approximate_entropy",
    "block_frequency",
    "cumulative_sums",
    "fourier",
    "frequency",
    "keystream_bits",
    "linear_complexity",
    "longest_run",
    "matrix_rank",
    "non_overlapping_templates",
    "overlapping_template",
    "random_excursions",
    "random_excursions_variant",
    "runs",
    "serial",
    "statistical_tests",
    "universal",
]


def keystream_bits(keystream):
    """The bits of a keystream of bytes, the highest bit of a byte first.

    Args:
        keystream: `bytes`, or `uint8` of any shape, such as `(length,)`.

    Returns:
        `uint8 (8 * size,)`.

    Raises:
        KeystreamError: no bytes, or none of them.

    Example:

    >>> keystream_bits(b"\\x05").tolist()
    [0, 0, 0, 0, 0, 1, 0, 1]
    """
    if isinstance(keystream, (bytes, bytearray)):
        keystream = np.frombuffer(keystream, np.uint8)
    keystream = np.asarray(keystream)
    if keystream.dtype != np.uint8 or not keystream.size:
        raise KeystreamError(
            "`keystream` should be bytes, or uint8 and not empty. Received: dtype "
            f"{keystream.dtype}, shape {keystream.shape}"
        )
    return np.unpackbits(keystream.ravel())


def statistical_tests(bits, alpha=0.01):
    """Every test of `TESTS` that has enough bits.

    Args:
        bits: 0 and 1, `(n,)`; 10^6 for all of them. Bytes go through `keystream_bits`.
        alpha: significance level; a test with k p-values passes when the least is at
            least alpha / k, so that ideal bits fail each test with at most alpha.

    Returns:
        A dict from test to either `{"p_values": [...], "passed": bool}` or
        `{"skipped": reason}`, ready for JSON.

    Raises:
        KeystreamError: these are no bits.

    Example:

    >>> bits = np.random.default_rng(0).integers(0, 2, 1000, np.uint8)
    >>> statistical_tests(bits)["runs"]["passed"]
    True
    >>> statistical_tests(np.zeros(1000, np.uint8))["runs"]["passed"]
    False
    """
    bits = bits_of(bits)
    check_alpha(alpha)
    results = {}
    for name, test in TESTS.items():
        if len(bits) < test.least_bits:
            reason = f"needs {test.least_bits} bits, has {len(bits)}"
            results[name] = {"skipped": reason}
            continue
        try:
            p_values = test.run(bits)
        except KeystreamError as error:  # too few cycles for the excursions
            results[name] = {"skipped": str(error)}
            continue
        passed = bool(p_values.min() >= alpha / len(p_values))
        results[name] = {"p_values": p_values.tolist(), "passed": passed}
    return results
