"""Rows of throughput in a record: short lists of numbers, one line each.

`{size: {direction: {cipher: {runner: [number of each of COLUMNS]}}}}`, with the
baselines, which every cipher is measured beside, once under the name "baselines".
"""

from tfpe.lab.bench.baselines import AES, FIELD
from tfpe.lab.bench.timing import quartiles

BASELINES = "baselines"
VALUES = ("median", "low", "high")
COLUMNS = (
    "rounds",
    *(f"seconds {v}" for v in VALUES),
    *(f"times {AES} {v}" for v in VALUES),
    *(f"times {FIELD} {v}" for v in VALUES),
)


def pack(rows):
    """Rows, as `tfpe.lab.bench.measure_throughput` returns them, as nested lists."""
    packed, baselines = {}, {}
    for row in rows:
        group = packed.setdefault(row["size"], {}).setdefault(row["direction"], {})
        if row["cipher"] is None:
            name = row["size"], row["direction"], row["runner"]
            baselines.setdefault(name, []).append(row)
            group.setdefault(BASELINES, {})
        else:
            group.setdefault(row["cipher"], {})[row["runner"]] = _numbers(row)
    for (size, direction, runner), found in baselines.items():
        # All ciphers have their own measurement of it: the median of these medians.
        merged = {
            "rounds": sum(row["rounds"] for row in found),
            **quartiles([row["median"] for row in found]),
            "ratios": {
                reference: quartiles(
                    [row["ratios"][reference]["median"] for row in found]
                )
                for reference in found[0]["ratios"]
            },
        }
        packed[size][direction][BASELINES][runner] = _numbers(merged)
    return packed


def unpack(packed):
    """Rows as dicts of what `pack` made: `cipher` is None where it is a baseline."""
    return [
        {
            "size": size,
            "direction": direction,
            "cipher": None if cipher == BASELINES else cipher,
            "runner": runner,
            "rounds": numbers[0],
            **dict(zip(VALUES, numbers[1:4], strict=True)),
            "ratios": {
                name: dict(zip(VALUES, values, strict=True))
                for name, values in ((AES, numbers[4:7]), (FIELD, numbers[7:10]))
                if values[0] is not None
            },
        }
        for size, directions in packed.items()
        for direction, ciphers in directions.items()
        for cipher, runners in ciphers.items()
        for runner, numbers in runners.items()
    ]


def short(number):
    """A number with four digits that count; more is noise in what a clock says.

    Example:

    >>> short(0.00123456)
    0.001235
    """
    return float(f"{number:.4g}")


def _numbers(row):
    numbers = [row["rounds"], *(short(row[value]) for value in VALUES)]
    for name in (AES, FIELD):
        ratio = row["ratios"].get(name)
        numbers += [short(ratio[v]) if ratio else None for v in VALUES]
    return numbers
