"""A record of speed against another one: what became slower by more than the noise.

Compared are ratios of one run (to AES, to the same pipeline without a cipher), which
machines share. Seconds are compared where both records are of one processor.
"""

import dataclasses

from tfpe.lab.bench.baselines import AES
from tfpe.lab.bench.rows import unpack
from tfpe.lab.table import Cell, Table

LEAST = 1.05  # times: what is less is not worth a line, however quiet the machine
# Of what was measured once there are no quartiles: by so much single runs differ.
SINGLE = 1.3


@dataclasses.dataclass(frozen=True)
class Change:
    """One measurement that is in both records.

    Attributes:
        what: the part and its row, in words.
        before, now: medians, in the unit of the part.
        factor: how many times as fast it is now.
        told: whether that is more than the noise: the quartiles do not meet.
    """

    what: str
    before: float
    now: float
    factor: float
    told: bool


def changes(record, earlier):
    """Every measurement that two typed records of `tfpe bench` share.

    Args:
        record: of now.
        earlier: what it is compared with.

    Returns:
        A list of `Change`, the slowest first.

    Example:

    >>> changes_of({"le": (1.0, 0.9, 1.1)}, {"le": (2.0, 1.9, 2.1)}, True)[0].factor
    0.5
    """
    found = changes_of(_speeds(record), _speeds(earlier), more_is_better=True)
    if record.environment.cpu == earlier.environment.cpu:
        pair = _seconds(record), _seconds(earlier)
        found += changes_of(*pair, more_is_better=False)
    return sorted(found, key=lambda change: change.factor)


def changes_of(now, before, more_is_better):
    """`Change`s of two dicts from what was measured to (median, low, high)."""
    found = []
    for what in [name for name in now if name in before]:
        (new, new_low, new_high), (old, old_low, old_high) = now[what], before[what]
        factor = new / old if more_is_better else old / new
        apart = new_high < old_low or old_high < new_low
        single = new_low == new_high or old_low == old_high
        least = SINGLE if single else LEAST
        told = apart and not 1 / least <= factor <= least
        found.append(Change(what, old, new, factor, told))
    return found


def against_table(found):
    """What two records say differently, as a `Table`."""
    columns = {
        "measurement": lambda change: change.what,
        "before": lambda change: Cell(f"{change.before:.3g}", change.before),
        "now": lambda change: Cell(f"{change.now:.3g}", change.now),
        "times as fast": lambda change: Cell(f"{change.factor:.2f}", change.factor),
    }
    told = [change for change in found if change.told]
    slower = sum(change.factor < 1 for change in told)
    note = (
        f"{slower} slower and {len(told) - slower} faster by more than the noise (the "
        f"quartiles do not meet), of {len(found)} that both records hold."
    )
    return Table.of("Against the record", told, columns, [note])


def _speeds(record):
    results, found = record.results, {}
    for part in ("throughput", "one_core"):
        for row in unpack(getattr(results, part) or {}):
            ratio = row["ratios"].get(AES)
            if row["cipher"] and ratio:
                words = (row[n] for n in ("cipher", "runner", "direction", "size"))
                found[f"{part}: {', '.join(words)}, of AES"] = _three(ratio)
    for row in results.pipelines or ():
        kept = dataclasses.asdict(row.kept)
        found[f"pipelines: {row.cipher} from {row.source}, kept"] = _three(kept)
    for row in results.folders or ():
        found[f"folders: {row.folder}, {row.cipher}, of a loop"] = (row.kept,) * 3
    return found


def _seconds(record):
    found = {}
    for row in record.results.setup or ():
        name = f"set-up: {row.cipher} at {row.size} x {row.size}, s"
        found[name] = row.median, row.median, row.median
    for row in record.results.photographs or ():
        for name in ("setup", "inverse", "first", "image"):
            value = getattr(row, name)
            found[f"photographs: {row.cipher}, {name}, CPU s"] = value, value, value
    for row in record.results.own_keys or ():
        found[f"own keys: {row.cipher}, s an image"] = (1 / row.images_per_second,) * 3
    for row in record.results.peaks or ():
        name = f"peaks: {row.cipher}, {row.megapixels:g} megapixels, MB"
        found[name] = (row.peak_bytes / 1e6,) * 3
    return found


def _three(quartiles):
    return tuple(quartiles[name] for name in ("median", "low", "high"))
