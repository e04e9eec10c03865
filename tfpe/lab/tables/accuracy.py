"""Tables of accuracy: what training on each cipher costs, beside what papers report."""

import statistics

from tfpe.ciphers import CIPHERS
from tfpe.lab.conditions import (
    caption,
    conditions,
    different_conditions,
    grouped,
    machine,
    row_name,
    row_settings,
)
from tfpe.lab.intervals import accuracy_interval
from tfpe.lab.markdown import NONE, markdown
from tfpe.lab.tables.published import PUBLISHED, published


def training_tables(records):
    """One table for each set of conditions: rows are ciphers, seeds are averaged."""
    order = ["plain", *CIPHERS]
    records = sorted(
        (record for record in records if record["kind"] == "training"),
        key=lambda record: order.index(record["settings"]["cipher"]),
    )
    different = different_conditions(records)
    return "\n\n".join(
        _training_table(list(group), different)
        for group in grouped(records, conditions)
    )


def _training_table(records, different):
    rows, notes = [], []
    for group in map(list, grouped(records, row_settings)):
        results = [record["results"] for record in group]
        last, best = (
            [r[when] for r in results] for when in ("last", "best_validation")
        )
        images = results[0]["test_images"]
        rows.append(
            [
                row_name(group[0]["settings"]),
                _train_and_validation(last),
                _percent_and_interval(last, images),
                _train_and_validation(best),
                _percent_and_interval(best, images),
                _percent(results, "wrong_key_accuracy"),
                _percent(results, "plain_model_accuracy"),
                _published(group[0]["settings"], notes),
            ]
        )
    header = [
        "cipher",
        "train / validation, last epoch",
        "test, last epoch (95 %)",
        "train / validation, best epoch",
        "test, best validation epoch (95 %)",
        "wrong key",
        "plain model",
        "*published*",
    ]
    notes = [f"<sup>{n}</sup> {note}." for n, note in enumerate(notes, 1)]
    if notes:
        notes.insert(0, "Published, not measured here, under other conditions:")
    parts = [markdown(header, rows), caption(records, different), " ".join(notes)]
    return "\n\n".join(filter(None, parts))


def svm_tables(records):
    """One table for each record of the SVM experiment."""
    records = [record for record in records if record["kind"] == "svm"]
    return "\n\n".join(map(_svm_table, records))


def _svm_table(record):
    settings, rows = record["settings"], record["results"]["rows"]
    kernels = list(dict.fromkeys(row["kernel"] for row in rows))
    images = settings["test_images"]
    cells = {(row["cipher"], row["kernel"]): row for row in rows}
    table = []
    for cipher in dict.fromkeys(row["cipher"] for row in rows):
        line = [cipher]
        for kernel in kernels:
            row = cells[cipher, kernel]
            line.append(_percent_and_interval([row], images))
            line.append(f"{row['predictions_equal_plain']:,} of {images:,}")
        table.append(line)
    header = ["cipher"]
    for kernel in kernels:
        header += [f"{kernel}: test (95 %)", "predicted as on plain"]
    height, width, channels = record["results"]["image_shape"]
    conditions_of_all = (
        f"Test accuracy in %, {settings['dataset']}, "
        f"{settings['train_images']:,} training and {images:,} test images of "
        f"{height} x {width} x {channels}, SVC with C = {settings['C']:g}, gamma = "
        f"{settings['gamma']:g}, one key; {machine([record])}."
    )
    return "\n\n".join([markdown(header, table), conditions_of_all])


def published_table(records):
    """Every published figure with its source; needs no records."""
    rows = []
    for names, group in grouped(
        PUBLISHED,
        lambda row: (row.source, row.network, row.cipher, row.adaptation or NONE),
        with_key=True,
    ):
        group = list(group)
        figures = {row.dataset: row.figure for row in group}
        source, network, cipher, adaptation = names
        rows.append(
            [
                f"{cipher}, a key for each image" if group[0].per_image else cipher,
                network,
                adaptation,
                figures.get("cifar10", NONE),
                figures.get("cifar100", NONE),
                f"{source}: {group[0].caveat}",
            ]
        )
    header = ["cipher", "network", "adaptation", "CIFAR-10", "CIFAR-100", "source"]
    return markdown(header, rows)


def _percent(results, name):
    values = [result.get(name) for result in results]
    if None in values:
        return NONE
    return f"{100 * statistics.fmean(values):.2f}"


def _train_and_validation(results):
    names = "train_accuracy", "validation_accuracy"
    return " / ".join(_percent(results, name) for name in names)


def _percent_and_interval(results, images):
    accuracy = statistics.fmean(result["test_accuracy"] for result in results)
    low, high = accuracy_interval(round(accuracy * images), images)
    return f"{100 * accuracy:.2f} ({100 * low:.1f} to {100 * high:.1f})"


def _published(settings, notes):
    """Figures with the numbers of their notes; `notes` grows."""
    figures = []
    for row in published(settings):
        if row.note not in notes:
            notes.append(row.note)
        figures.append(f"*{row.figure}*<sup>{notes.index(row.note) + 1}</sup>")
    return ", ".join(figures) or NONE
