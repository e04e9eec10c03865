"""Tables of accuracy: what training on each cipher costs, beside what papers report."""

import itertools
import json
import statistics

from tfpe.ciphers import CIPHERS
from tfpe.published import PUBLISHED, published

# Settings by which the rows of one table differ; all others are its conditions.
ROW_SETTINGS = {
    "adaptation",
    "cipher",
    "cipher_options",
    "key_fingerprint",
    "per_image",
    "seed",
}
NONE = "–"


def accuracy_interval(right, images):
    """95 % interval of an accuracy on test images (Wilson's score interval).

    It holds the chance of which images were drawn for the test, not that of training:
    seeds show the latter.

    Args:
        right: number of test images that were classified rightly.
        images: number of test images.

    Returns:
        Two fractions, low and high.

    Example:

    >>> [round(end, 4) for end in accuracy_interval(9_000, 10_000)]
    [0.894, 0.9057]
    """
    from scipy.stats import binomtest

    interval = binomtest(right, images).proportion_ci(method="wilson")
    return [float(interval.low), float(interval.high)]


def markdown(header, rows):
    """A Markdown table; the first column is left-aligned, the others right.

    Example:

    >>> print(markdown(["cipher", "ms"], [["le", "1.5"]]))
    | cipher | ms |
    |---|--:|
    | le | 1.5 |
    """
    lines = [header, ["---", *["--:"] * (len(header) - 1)], *rows]
    lines = ["| " + " | ".join(map(str, line)) + " |" for line in lines]
    lines[1] = lines[1].replace(" ", "")
    return "\n".join(lines)


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
        figures = {row.dataset: _figure(row) for row in group}
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


def grouped(items, key, with_key=False):
    """Groups of equal key, in the order in which they first appear."""
    groups = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups.items() if with_key else groups.values()


def conditions(record):
    """What records of one table share, as text to compare: all but `ROW_SETTINGS`."""
    settings = record["settings"].items()
    return json.dumps(
        {k: v for k, v in settings if k not in ROW_SETTINGS}, sort_keys=True
    )


def row_settings(record):
    """What makes the row of a record, as text to compare; seeds share a row."""
    settings = record["settings"]
    names = sorted(ROW_SETTINGS - {"key_fingerprint", "seed"})
    return json.dumps([settings.get(name) or None for name in names], sort_keys=True)


def row_name(settings):
    """The name of a row: the cipher, and what is not as usual.

    Example:

    >>> row_name({"cipher": "le", "cipher_options": {"block_size": 8}})
    'le, block_size 8'
    """
    name = settings["cipher"]
    options = settings.get("cipher_options") or {}
    usual = CIPHERS[name].defaults if options else {}
    parts = [f"{o} {value}" for o, value in options.items() if usual.get(o) != value]
    if settings.get("per_image"):
        parts.append("a key for each image")
    if adaptation := settings.get("adaptation"):
        parts.append(f"{adaptation.upper()}-AdaptNet")
    return ", ".join([name, *parts])


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
    for row in published(
        settings["dataset"],
        settings["cipher"],
        settings.get("adaptation"),
        bool(settings.get("per_image")),
    ):
        note = f"{row.source}, {row.network}: {row.caveat}"
        if note not in notes:
            notes.append(note)
        number = notes.index(note) + 1
        figures.append(f"*{_figure(row)}*<sup>{number}</sup>")
    return ", ".join(figures) or NONE


def _figure(row):
    if row.test_accuracy is None:
        return "no figure"
    return f"{row.test_accuracy:.2f}"


def caption(records, different=()):
    """The conditions of training records of one table, in one sentence.

    Args:
        records: of one data set and recipe.
        different: settings that tell this table from others, as of
            `different_conditions`.
    """
    settings, results = records[0]["settings"], records[0]["results"]
    seeds = len({record["settings"]["seed"] for record in records})
    parts = [
        f"PyramidNet ({settings['depth']}, {settings['alpha']:g})",
        f"{results['train_images']:,} training, {results['validation_images']:,} "
        f"validation and {results['test_images']:,} test images",
        "train accuracy: while learning, on augmented images",
        f"epochs: {results['epochs']}",
        *(f"{name}: {settings.get(name)}" for name in different),
        "one seed" if seeds == 1 else f"mean of {seeds} seeds",
    ]
    return (
        f"Accuracy in %, {settings['dataset']}, recipe {settings['recipe']}: "
        f"{'; '.join(parts)}; {machine(records)}."
    )


def different_conditions(records):
    """Settings, beyond those in every caption, by which the tables differ."""
    stated = ROW_SETTINGS | {"dataset", "recipe", "depth", "alpha", "epochs"}
    settings = [record["settings"] for record in records]
    names = sorted({name for one in settings for name in one} - stated)
    return [
        name
        for name in names
        if len({json.dumps(one.get(name)) for one in settings}) > 1
    ]


def machine(records):
    """Where and when: machines and software of all records, each named once."""
    found = [record["environment"] for record in records]
    names = [
        ", ".join(e.get("gpu") or [f"{e['cpu']}, {e['cores']} cores"]) for e in found
    ]
    software = [
        ", ".join(
            f"{name} {e[name]}"
            for name in ("tfpe", "keras", e.get("backend"), "sklearn")
            if name in e
        )
        for e in found
    ]
    dates = sorted(e["date"][:10] for e in found)
    when = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    parts = itertools.chain(dict.fromkeys(names), dict.fromkeys(software))
    return "; ".join([*parts, when])
