"""What a network learns from pairs of one key, beside the exact attack from them."""

import statistics

from tfpe.lab.records import newest, of_kind
from tfpe.lab.records.attack_records import AttackCurve
from tfpe.lab.records.learned_records import OURS
from tfpe.lab.table import NONE, Cell, Table

EXACT = "known_plaintext"
RIGHT = 0.5  # mean error, in levels, from which a picture is as good as the plain one
NOTE = (
    "Mean error of {unseen} unseen pictures, in levels 0 to 255, and SSIM in brackets: "
    "of the network of `inverse_network` that learned from so many pairs under one key "
    "and from nothing else, and of the exact attack, which solves for the key: the "
    "least number of pairs that brings its error under {right} for every key tried. "
    "`tfpe evaluate {images} --cipher NAME --curve inverse_network` measures the "
    "first, `--curve known_plaintext` the second."
)


def leaked_pairs_tables(records):
    """A `Table` for each set of pictures, in a list."""
    curves = of_kind(records, AttackCurve)
    learned = [one for one in curves if one.settings.attack == OURS]
    names = dict.fromkeys(one.settings.images for one in learned)
    return [_table(images, learned, curves) for images in names]


def _table(images, learned, curves):
    rows = [one for one in learned if one.settings.images == images]
    rows.sort(key=lambda one: (one.settings.place, one.settings.row_name))
    counts = sorted({p.evidence for row in rows for p in row.results.points})
    columns = {"cipher": lambda row: row.settings.row_name}
    columns |= {_pairs(n): lambda row, n=n: _learned(row, n) for n in counts}
    columns["exact attack"] = lambda row: _exact(row, curves)
    unseen = max(row.settings.stated.get("unseen") or 0 for row in rows)
    note = NOTE.format(unseen=unseen, right=RIGHT, images=images)
    return Table.of(f"Pairs that leaked under one key, {images}", rows, columns, [note])


def _learned(curve, count):
    points = [p for p in curve.results.points if p.evidence == count]
    errors = [p.error for p in points if p.error is not None]
    if not errors:
        return NONE
    error = statistics.mean(errors)
    found = [p.stated["ssim"] for p in points if p.stated.get("ssim") is not None]
    ssim = f" ({statistics.mean(found):.2f})" if found else ""
    return Cell(f"{error:.1f}{ssim}", error)


def _exact(row, curves):
    """The fewest pairs with which the exact attack is right under every key."""
    curve = newest(
        one
        for one in curves
        if one.settings.attack == EXACT
        and one.settings.images == row.settings.images
        and one.settings.row_name == row.settings.row_name
    )
    if curve is None:
        return NONE
    points = curve.results.points
    for count in sorted({p.evidence for p in points}):
        errors = [p.error for p in points if p.evidence == count]
        if all(error is not None and error < RIGHT for error in errors):
            return Cell(_pairs(count), count)
    return NONE


def _pairs(count):
    return f"{count:,} pair" + "s" * (count != 1)
