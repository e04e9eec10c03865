"""What a network learns from pairs of one key, beside the exact attacks from them."""

import statistics

from tfpe.lab.measuring_conditions import grouped
from tfpe.lab.records import newest, of_kind
from tfpe.lab.records.attack_records import AttackCurve
from tfpe.lab.records.learned_records import OURS
from tfpe.lab.table import NONE, Cell, Table

RIGHT = 0.5  # mean error, in levels, below which a picture is as good as the plain one
NOTE = (
    "Mean error of {unseen} unseen pictures, in levels 0 to 255, and SSIM in brackets, "
    "of the network of `inverse_network` that learned from so many pairs under one key "
    "and from nothing else, for a quarter of the usual steps{steps}. Exact attack: "
    "the fewest pairs from which on its error is under {right} for every key tried. "
    "`tfpe evaluate {images} --cipher NAME --curve ATTACK` measures both."
)


def leaked_pairs_tables(records):
    """A `Table` for each set of pictures, in a list."""
    curves = of_kind(records, AttackCurve)
    learned = [one for one in curves if one.settings.attack == OURS]
    by_images = grouped(learned, lambda one: one.settings.images)
    return [_table(group, curves) for group in by_images]


def _table(learned, curves):
    rows = [newest(one) for one in grouped(learned, lambda one: one.settings.row_name)]
    rows.sort(key=lambda one: (one.settings.place, one.settings.row_name))
    counts = sorted({p.evidence for row in rows for p in row.results.points})
    columns = {"cipher": lambda row: row.settings.row_name}
    columns |= {_pairs(n): lambda row, n=n: _learned(row, n) for n in counts}
    columns["exact attack"] = lambda row: _exact(row, curves)
    unseen = sorted({row.settings.unseen for row in rows} - {None})
    images = rows[0].settings.images
    steps = sorted({row.settings.steps for row in rows} - {None})
    steps = list(dict.fromkeys([*steps[:1], *steps[-1:]]))
    note = NOTE.format(
        unseen=" or ".join(map(str, unseen)),
        right=RIGHT,
        images=images,
        steps=steps and ", " + " to ".join(f"{n:,}" for n in steps) or "",
    )
    return Table.of(f"Pairs that leaked under one key, {images}", rows, columns, [note])


def _learned(curve, count):
    points = [p for p in curve.results.points if p.evidence == count]
    errors = [p.error for p in points if p.error is not None]
    if not errors:
        return NONE
    error = statistics.mean(errors)
    found = [p.ssim for p in points if p.ssim is not None]
    ssim = f" ({statistics.mean(found):.2f})" if found else ""
    return Cell(f"{error:.1f}{ssim}", error)


def _exact(row, curves):
    """The fewest pairs of any exact attack, and its name."""
    same = [
        one
        for one in curves
        if one.settings.attack != OURS
        and one.settings.evidence_kind == "pairs"
        and one.settings.images == row.settings.images
        and one.settings.row_name == row.settings.row_name
    ]
    if not same:
        return Cell("not measured")
    newest_of_each = map(newest, grouped(same, lambda one: one.settings.attack))
    enough = {one.settings.attack: _enough(one) for one in newest_of_each}
    right = {name: count for name, count in enough.items() if count is not None}
    if not right:
        most = max(p.evidence for one in same for p in one.results.points)
        return Cell(f"not by {_pairs(most)}", most)
    name = min(right, key=right.get)
    return Cell(f"{_pairs(right[name])} ({name})", right[name])


def _enough(curve):
    """The least evidence that is right under every key, as is all that is greater."""
    points = curve.results.points
    wrong = [p.evidence for p in points if p.error is None or p.error >= RIGHT]
    right = [p.evidence for p in points if p.evidence > max(wrong, default=0)]
    return min(right, default=None)


def _pairs(count):
    return f"{count:,} pair" + "s" * (count != 1)
