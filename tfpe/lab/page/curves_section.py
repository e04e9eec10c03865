"""Curves: errors against evidence, and training, as figures with their numbers."""

import dataclasses
import statistics

from tfpe.lab.evaluation.curves import error_of, error_title
from tfpe.lab.measuring_conditions import (
    caption,
    conditions,
    grouped,
    row_settings,
)
from tfpe.lab.page.plots import draw
from tfpe.lab.records import of_kind
from tfpe.lab.records.attack_records import AttackCurve
from tfpe.lab.records.training_records import Training
from tfpe.lab.table import Table, number


@dataclasses.dataclass(frozen=True)
class Curve:
    """A figure: its title, what it shows in words, its SVG, and its numbers."""

    title: str
    alt: str
    svg: str = dataclasses.field(repr=False)
    table: Table = dataclasses.field(repr=False)


def evidence_curves(records):
    """A `Curve` for each attack, set of images and measure; a line for each cipher."""
    groups = grouped(
        _in_order(of_kind(records, AttackCurve)),
        lambda record: (record.settings.attack, record.settings.images),
    )
    return [
        curve
        for group in groups
        for measure in ("error", "index_accuracy")
        if (curve := _evidence_curve(group, measure))
    ]


def _evidence_curve(records, measure):
    settings, error = records[0].settings, measure == "error"
    lines, spreads = {}, {}
    for record in records:
        points = {}
        for point in record.results.points:
            value = point.index_accuracy
            if error:
                value = error_of(settings.attack, point.stated)
            if value is not None:
                points.setdefault(point.evidence, []).append(value)
        if points:
            name = record.settings.row_name
            amounts = sorted(points)
            lines[name] = [(n, statistics.median(points[n])) for n in amounts]
            spreads[name] = [(n, min(points[n]), max(points[n])) for n in amounts]
    # Two points are the least that make a curve.
    if not any(len(line) > 1 for line in lines.values()):
        return None
    what = "words of the key that are right"
    if error:
        what = error_title(settings.attack)
    attack = settings.attack.replace("_", " ")
    title = f"{attack}, {settings.images}: {what}"
    return Curve(
        title,
        f"{title}, against the amount of evidence. {_ends(lines)}",
        draw(
            lines,
            "evidence (images)",
            "mean error (0 to 255)" if error else "words right, a share",
            spreads,
            log_x=True,
            log_y=error,
        ),
        _table(title, "evidence", lines, ["The median over keys."]),
    )


def training_curves(records):
    """A `Curve` of validation accuracy for each set of conditions; means over seeds."""
    trainings, curves = _in_order(of_kind(records, Training)), []
    for group in grouped(trainings, lambda record: conditions(record.settings)):
        lines, spreads = {}, {}
        for row in grouped(group, lambda record: row_settings(record.settings)):
            epochs = list(zip(*filter(None, map(_validated, row)), strict=False))
            if len(epochs) < 2:
                continue
            name = row[0].settings.row_name
            lines[name] = [(n, statistics.fmean(e)) for n, e in enumerate(epochs, 1)]
            if len(row) > 1:
                spreads[name] = [(n, min(e), max(e)) for n, e in enumerate(epochs, 1)]
        if not lines:
            continue
        settings = group[0].settings
        title = f"{settings.dataset}, recipe {settings.recipe}: training"
        what = "validation accuracy, %"
        notes = [caption(group, trainings)]
        if spreads:
            notes.append("The mean over seeds; bars show the lowest and the highest.")
        curves.append(
            Curve(
                title,
                f"{title}, {what} against epochs. {_ends(lines)}",
                draw(lines, "epoch", what, spreads),
                _table(f"{title}, {what}", "epoch", lines, notes),
            )
        )
    return curves


def _validated(record):
    """Accuracy on validation images after each epoch, in percent."""
    history = record.results.history or {}
    return [100 * accuracy for accuracy in history.get("val_accuracy") or ()]


def _in_order(records):
    """Plain first, then in the order of `CIPHERS`."""
    return sorted(records, key=lambda record: record.settings.place)


def _ends(lines):
    """Where each line begins and ends, for those who do not see the figure."""
    told = [
        f"{name} from {line[0][1]:.3g} at {line[0][0]:,} to {line[-1][1]:.3g} at "
        f"{line[-1][0]:,}"
        for name, line in lines.items()
    ]
    return f"{'; '.join(told)}."


def _table(caption, first, lines, notes):
    """The numbers of a figure, a column for each line."""
    places = sorted({x for line in lines.values() for x, _ in line})
    columns = {first: lambda place: number(place, "{:,}")}
    for name, line in lines.items():
        columns[name] = lambda place, line=dict(line): number(line.get(place), "{:.4g}")
    return Table.of(caption, places, columns, notes)
