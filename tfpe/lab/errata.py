"""What the paper behind the logistic cipher prints, measured again.

    tfpe errata --record results/errata-seed.json

Ahmad & Shin 2022 (arXiv 2203.16780), "the seed". Quoted figures are in `PRINTED`; all
others are measured by `measure_errata`, in some seconds, with public keys.
"""

import hashlib
from dataclasses import asdict

import numpy as np

from tfpe.lab.measuring_conditions import machine
from tfpe.lab.records import newest, of_kind
from tfpe.lab.records.errata_records import Errata, ErrataResults
from tfpe.lab.table import NONE, Cell, Table

IMAGE_SHAPE = (32, 32, 3)
MU_RANGE = (3.57, 4.0)
# As the paper prints them, in its section on the logistic map.
PRINTED = {"lyapunov_low": "0.0012", "lyapunov_high": "0.00693"}


def measure_errata(keys=20, draws=4000, orbits=100, length=1_000_000, seed=0):
    """Measures what the paper says of its cipher, and what it does not say.

    Args:
        keys: number of keys that are attacked, each on images of 32 x 32 x 3.
        draws: of mu and d0, uniform, looked at for short cycles.
        orbits: of the logistic map in float32, followed until they repeat.
        length: of the orbits that Lyapunov exponents are means over.
        seed: of keys and draws.

    Returns:
        A record, a dict without `environment`.

    Example:

    >>> found = measure_errata(keys=1, draws=10, orbits=1, length=1000)["results"]
    >>> found["two_chosen_images_exact"]
    1
    """
    from tfpe import chaos, ciphers, metrics

    rng = np.random.default_rng(seed)
    parameters = np.column_stack(
        [rng.uniform(*MU_RANGE, draws), rng.uniform(0, 1, draws)]
    )
    weak = [chaos.is_weak("logistic", {"mu": mu, "d0": d}) for mu, d in parameters]
    cycles = [metrics.logistic_cycle(mu, d) for mu, d in parameters[:orbits]]
    space = ciphers.CIPHERS["logistic"].key_space(
        IMAGE_SHAPE, select=False, channel_shuffle=False
    )
    low, high = (chaos.lyapunov_exponent(mu, length=length) for mu in MU_RANGE)
    results = ErrataResults(
        lyapunov_low=low,
        lyapunov_high=high,
        sequence_claimed_bits=space.claimed,
        sequence_effective_bits=space.effective,
        weak_share=float(np.mean(weak)),
        float32_states_median=float(np.median([c.states for c in cycles if c])),
        float32_states_most=max(c.states for c in cycles if c),
        **_attacks(keys, seed),
    )
    settings = {
        "paper": "arXiv 2203.16780",
        "image_shape": list(IMAGE_SHAPE),
        "mu_range": list(MU_RANGE),
        "keys": keys,
        "draws": draws,
        "orbits": orbits,
        "length": length,
        "seed": seed,
    }
    return {"kind": "errata", "settings": settings, "results": asdict(results)}


def _attacks(keys, seed):
    """Algorithm 1 of the paper, and two chosen images, on as many keys."""
    from tfpe import Key, attacks, ciphers

    zeros = np.zeros(IMAGE_SHAPE, np.uint8)
    unchanged, flagged, exact, pbe_exact, queries = [], [], 0, 0, set()
    for number in range(keys):
        label = f"tfpe errata, seed {seed}, key {number}"
        key = Key(hashlib.sha256(label.encode()).digest())
        secret = ciphers.logistic(key, IMAGE_SHAPE)
        encrypted = secret(zeros)
        unchanged.append((encrypted == 0).mean())
        flagged.append(attacks.negative_flags(encrypted).mean())
        oracle = attacks.CountingOracle(secret)
        found = attacks.logistic_chosen_plaintext(oracle, IMAGE_SHAPE, verify=False)
        exact += found == secret
        queries.add(oracle.queries)
        secret = ciphers.pbe(key, IMAGE_SHAPE, channel_shuffle=False)
        pbe_exact += attacks.seed_algorithm(secret, IMAGE_SHAPE) == secret
    return {
        "unchanged_share": float(np.mean(unchanged)),
        "algorithm_1_flags_share": float(np.mean(flagged)),
        "algorithm_1_pbe_exact": pbe_exact,
        "chosen_images": max(queries),
        "two_chosen_images_exact": exact,
    }


def errata_tables(records):
    """A `Table` of the newest errata record, in a list."""
    record = newest(of_kind(records, Errata))
    if record is None:
        return []
    settings, found = record.settings, record.results
    low, high = settings.mu_range
    keys = settings.keys
    rows = [
        (
            f"Lyapunov exponent of the logistic map at mu = {low:g}",
            PRINTED["lyapunov_low"],
            f"{found.lyapunov_low:.4f}",
        ),
        (
            f"Lyapunov exponent at mu = {high:g} (ln 2 = {np.log(2):.4f})",
            PRINTED["lyapunov_high"],
            f"{found.lyapunov_high:.4f}",
        ),
        (
            "Key space of the chaotic sequence, 32 x 32 x 3",
            f"256^(3n): {found.sequence_claimed_bits:,.0f} bits",
            f"at most that of mu and d0: {found.sequence_effective_bits:.0f} bits",
        ),
        (
            f"Share of mu in [{low:g}, {high:g}] that gives a short cycle",
            NONE,
            f"{100 * found.weak_share:.1f} % of {settings.draws:,}",
        ),
        (
            "Values that pass unchanged, up to the channel order",
            NONE,
            f"{100 * found.unchanged_share:.1f} %",
        ),
        (
            "Chosen plaintexts",
            "claims resistance",
            f"{found.chosen_images} images give the whole key, "
            f"{found.two_chosen_images_exact} of {keys} keys",
        ),
        (
            "Values that Algorithm 1 flags on the logistic cipher",
            "its claim rests on this",
            f"{100 * found.algorithm_1_flags_share:.2f} %; on pbe without channel "
            f"shuffle it gives the key, {found.algorithm_1_pbe_exact} of {keys}",
        ),
        (
            "States of the map in float32 before it repeats",
            NONE,
            f"median {found.float32_states_median:,.0f}, at most "
            f"{found.float32_states_most:,} ({settings.orbits} orbits)",
        ),
    ]
    notes = [
        f"{NONE}: no figure in its text. Images of 32 x 32 x 3, public keys; "
        f"{machine([record])}."
    ]
    header = ["statement", "the paper prints", "measured"]
    cells = [[Cell(text) for text in row] for row in rows]
    return [Table(f"Ahmad & Shin 2022, {settings.paper}", header, cells, notes)]
