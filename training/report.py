"""What a comparison shows: a table beside published figures, and two figures."""

import pathlib

import numpy as np

from tfpe.lab.figures import save_figure
from tfpe.lab.records import typed
from tfpe.lab.tables.accuracy import comparison_table, mean_accuracy
from tfpe.lab.tables.published import published
from tfpe.lab.terminal import print_table, table_console
from training.run_folder import safe_name


def show_comparison(records, out, console=None):
    """Prints the table of records and writes its figures beside them.

    Args:
        records: training records of one data set, as `training.compare` gives.
        out: folder of the PNG files.
        console: a `rich.console.Console`.
    """
    console, records = console or table_console(), list(map(typed, records))
    print_table(comparison_table(records), console)
    settings, out = records[0].settings, pathlib.Path(out)
    name = f"training-{safe_name(settings.dataset)}-{settings.recipe}"
    draw_accuracies(records, out / f"{name}-accuracy.png")
    draw_confusions(records, out / f"{name}-confusion.png")
    console.print(f"Records and figures: {out}", highlight=False)


def draw_accuracies(records, path):
    """A bar for each record, with its 95 % interval, and published figures as marks."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.2 + 1.1 * len(records), 4), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(records))
    found = [mean_accuracy([record]) for record in records]
    heights = 100 * np.array([accuracy for accuracy, _ in found])
    ends = 100 * np.array([interval for _, interval in found])
    errors = np.maximum(0, [heights - ends[:, 0], ends[:, 1] - heights])
    axes.bar(places, heights, yerr=errors, capsize=4, label="measured, 95 % interval")
    known = [
        (place, figure.test_accuracy)
        for place, record in enumerate(records)
        for figure in published(record.settings)
        if figure.test_accuracy
    ]
    if known:
        axes.plot(*zip(*known, strict=True), "k_", markersize=24, label="published")
    axes.set_xticks(places, [record.settings.row_name for record in records])
    axes.set_ylabel("test accuracy, %")
    axes.set_ylim(0, 100)
    figure.legend(loc="outside upper right", ncols=2)
    save_figure(figure, path)


def draw_confusions(records, path):
    """A confusion matrix for each record, as shares of the true class."""
    from matplotlib.figure import Figure

    wide = min(len(records), 3)
    tall = -(-len(records) // wide)
    figure = Figure(figsize=(3.6 * wide, 3.6 * tall), layout="constrained")
    panels = figure.subplots(tall, wide, squeeze=False)
    for panel in panels.flat[len(records) :]:
        panel.set_axis_off()
    for panel, record in zip(panels.flat, records, strict=False):
        results = record.results
        draw_confusion(
            panel, results.confusion, results.class_names, record.settings.row_name
        )
    save_figure(figure, path)


def draw_confusion(axes, counts, names, title):
    """Draws a confusion matrix, true classes in rows, on matplotlib axes."""
    counts = np.array(counts, float)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_title(title)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    if len(names) <= 20:
        axes.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
        axes.set_yticks(range(len(names)), names, fontsize=7)
