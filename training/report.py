"""What a comparison shows: a table beside published figures, and two figures."""

import pathlib

import numpy as np

from tfpe.lab.conditions import network_words, row_name
from tfpe.lab.figures import save_figure
from tfpe.lab.tables.published import published
from tfpe.lab.terminal import new_table, table_console
from training.run_folder import safe_name

TINY_NOTE = (
    "This run proves the chain, not the ranking: the images are few and small and the "
    "network is tiny. For the ranking: --dataset cifar10 --recipe paper"
)


def show_comparison(records, out, console=None):
    """Prints the table of records and writes its figures beside them.

    Args:
        records: training records of one data set, as `training.compare` gives.
        out: folder of the PNG files.
        console: a `rich.console.Console`.
    """
    console = console or table_console()
    console.print(comparison_table(records))
    notes = sorted(
        {
            f"Published for {row_name(record['settings'])}, {figure.source}: "
            f"{figure.network}; {figure.caveat}."
            for record in records
            for figure in published(record["settings"])
        }
    )
    settings = records[0]["settings"]
    if settings["recipe"] == "tiny":
        notes.append(TINY_NOTE)
    for note in notes:
        console.print(note, highlight=False)
    out = pathlib.Path(out)
    name = f"training-{safe_name(settings['dataset'])}-{settings['recipe']}"
    draw_accuracies(records, out / f"{name}-accuracy.png")
    draw_confusions(records, out / f"{name}-confusion.png")
    console.print(f"Records and figures: {out}", highlight=False)


def comparison_table(records):
    """A `rich` table: test accuracies in percent, one row for each record."""
    settings, results = records[0]["settings"], records[0]["results"]
    matched = settings.get("matched")
    network = "the network that fits" if matched else network_words(settings)
    table = new_table(
        f"{settings['dataset']}: {network}, {settings['epochs']} epochs, "
        f"{results['train_images']} training and {results['test_images']} test images; "
        "test accuracy in %",
        "cipher",
        numbers=(
            *("seed", "last\nepoch", "best val.\nepoch", "95 %\ninterval"),
            *("wrong\nkey", "plain\nmodel", "images\n/s", "published"),
        ),
    )
    for record in records:
        results = record["results"]
        best = results["best_validation"]
        low, high = best["test_interval"]
        rows = published(record["settings"])
        figures = [row.figure for row in rows if row.test_accuracy is not None]
        table.add_row(
            row_name(record["settings"]),
            str(record["settings"]["seed"]),
            _percent(results["last"]["test_accuracy"]),
            _percent(best["test_accuracy"]),
            f"{100 * low:.1f} to {100 * high:.1f}",
            _percent(results["wrong_key_accuracy"]),
            _percent(results["plain_model_accuracy"]),
            f"{results['images_per_second']:.0f}",
            ", ".join(figures) or "-",
        )
    return table


def draw_accuracies(records, path):
    """A bar for each record, with its 95 % interval, and published figures as marks."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.2 + 1.1 * len(records), 4), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(records))
    best = [record["results"]["best_validation"] for record in records]
    heights = np.array([100 * epoch["test_accuracy"] for epoch in best])
    ends = 100 * np.array([epoch["test_interval"] for epoch in best])
    errors = np.maximum(0, [heights - ends[:, 0], ends[:, 1] - heights])
    axes.bar(places, heights, yerr=errors, capsize=4, label="measured, 95 % interval")
    known = [
        (place, figure.test_accuracy)
        for place, record in enumerate(records)
        for figure in published(record["settings"])
        if figure.test_accuracy
    ]
    if known:
        axes.plot(*zip(*known, strict=True), "k_", markersize=24, label="published")
    axes.set_xticks(places, [row_name(record["settings"]) for record in records])
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
        draw_confusion(panel, record["results"], row_name(record["settings"]))
    save_figure(figure, path)


def draw_confusion(axes, results, title):
    """Draws `results["confusion"]`, true classes in rows, on matplotlib axes."""
    counts = np.array(results["confusion"], float)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_title(title)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    names = results["class_names"]
    if len(names) <= 20:
        axes.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
        axes.set_yticks(range(len(names)), names, fontsize=7)


def _percent(share):
    return "-" if share is None else f"{100 * share:.2f}"
