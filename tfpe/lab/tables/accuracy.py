"""Tables of accuracy: what training on each cipher costs, beside what papers report."""

import statistics

from tfpe.lab.intervals import accuracy_interval
from tfpe.lab.measuring_conditions import (
    caption,
    conditions,
    grouped,
    machine,
    row_settings,
)
from tfpe.lab.records import of_kind
from tfpe.lab.records.training_records import Svm, Training
from tfpe.lab.table import NONE, Cell, Table, number, percent, percent_and_interval
from tfpe.lab.tables.published import published

TINY_NOTE = (
    "This run proves the chain, not the ranking: the images are few and small and the "
    "network is tiny. For the ranking: --dataset cifar10 --recipe paper"
)


def training_tables(records):
    """A `Table` for each set of conditions: rows are ciphers, seeds are averaged."""
    trainings = sorted(of_kind(records, Training), key=lambda r: r.settings.place)
    groups = grouped(trainings, lambda record: conditions(record.settings))
    return [_training_table(group, trainings) for group in groups]


def _training_table(trainings, among):
    sources = []
    columns = {
        "cipher": name_cell,
        "train / validation, last epoch": lambda rows: _learned(rows, "last"),
        "test, last epoch (95 %)": lambda rows: _tested(rows, "last"),
        "train / validation, best epoch": lambda r: _learned(r, "best_validation"),
        "test, best validation epoch (95 %)": lambda r: _tested(r, "best_validation"),
        "wrong key": wrong_key_cell,
        "plain model": lambda rows: _mean(rows, "plain_model_accuracy"),
        "published": lambda rows: _published(rows, sources),
    }
    settings = trainings[0].settings
    return Table.of(
        f"{settings.dataset}, recipe {settings.recipe}",
        grouped(trainings, lambda record: row_settings(record.settings)),
        columns,
        [caption(trainings, among), *_warnings(settings)],
        sources,
    )


def comparison_table(trainings):
    """A `Table` for the terminal: a row for each training, of one comparison."""
    sources, settings = [], trainings[0].settings
    results = trainings[0].results
    network = "the network that fits" if settings.matched else settings.network
    columns = {
        "cipher": name_cell,
        "seed": lambda rows: str(rows[0].settings.seed),
        "last\nepoch": lambda rows: _mean_test(rows, "last"),
        "best val.\nepoch": lambda rows: _mean_test(rows, "best_validation"),
        "95 %\ninterval": _interval,
        "wrong\nkey": wrong_key_cell,
        "plain\nmodel": lambda rows: _mean(rows, "plain_model_accuracy"),
        "images\n/s": lambda r: number(r[0].results.images_per_second, "{:.0f}"),
        "published": lambda rows: _published(rows, sources),
    }
    epochs = settings.stated["epochs"]
    return Table.of(
        f"{settings.dataset}: {network}, {epochs} epoch{'' if epochs == 1 else 's'}, "
        f"{results.train_images} training and {results.test_images} test images; "
        "test accuracy in %",
        [[record] for record in trainings],
        columns,
        _warnings(settings),
        sources,
    )


def svm_tables(records):
    """A `Table` for each record of the SVM experiment."""
    return [svm_table(record) for record in of_kind(records, Svm)]


def svm_table(record):
    """A `Table` of one record of the SVM experiment: a row for each cipher."""
    settings, results = record.settings, record.results
    images = settings.test_images
    cells = {(row.cipher, row.kernel): row for row in results.rows}
    kernels = dict.fromkeys(row.kernel for row in results.rows)
    ciphers = list(dict.fromkeys(row.cipher for row in results.rows))

    def tested(cipher, kernel):
        accuracy = cells[cipher, kernel].test_accuracy
        interval = accuracy_interval(round(accuracy * images), images)
        return percent_and_interval(accuracy, interval)

    def equal(cipher, kernel):
        count = cells[cipher, kernel].predictions_equal_plain
        return Cell(f"{count:,} of {images:,}", count)

    header, makers = ["cipher"], []
    for kernel in kernels:
        header += [f"{kernel}: test (95 %)", "predicted as on plain"]
        makers += [(tested, kernel), (equal, kernel)]
    height, width, channels = results.image_shape
    source = f" (source: {settings.source})" if settings.source else ""
    return Table(
        f"SVM on {settings.dataset}",
        header,
        [[Cell(c), *(make(c, kernel) for make, kernel in makers)] for c in ciphers],
        [
            f"Test accuracy in %, {settings.dataset}{source}, "
            f"{settings.train_images:,} training and {images:,} test images of "
            f"{height} x {width} x {channels}, "
            f"SVC with C = {settings.C:g}, gamma = {settings.gamma:g}, one key; "
            f"{machine([record])}."
        ],
    )


def mean_accuracy(trainings, when="best_validation"):
    """Test accuracy, a mean over seeds, and its 95 % interval.

    Args:
        trainings: records of one row.
        when: "last" or "best_validation".
    """
    epochs = [getattr(record.results, when) for record in trainings]
    accuracy = statistics.fmean(epoch.test_accuracy for epoch in epochs)
    images = trainings[0].results.test_images
    return accuracy, accuracy_interval(round(accuracy * images), images)


def name_cell(trainings):
    """The name of the row of some trainings, in the order of `CIPHERS`."""
    return Cell(trainings[0].settings.row_name, trainings[0].settings.place)


def wrong_key_cell(trainings):
    """Accuracy in percent on images under another key, a mean over seeds."""
    return _mean(trainings, "wrong_key_accuracy")


def _mean(trainings, name):
    values = [getattr(record.results, name) for record in trainings]
    return percent(None if None in values else statistics.fmean(values))


def _learned(trainings, when):
    epochs = [getattr(record.results, when) for record in trainings]
    shares = (
        statistics.fmean(getattr(epoch, name) for epoch in epochs)
        for name in ("train_accuracy", "validation_accuracy")
    )
    return " / ".join(f"{100 * share:.2f}" for share in shares)


def _tested(trainings, when):
    return percent_and_interval(*mean_accuracy(trainings, when))


def _mean_test(trainings, when):
    return percent(mean_accuracy(trainings, when)[0])


def _interval(trainings):
    _, (low, high) = mean_accuracy(trainings)
    return f"{100 * low:.1f} to {100 * high:.1f}"


def _published(trainings, sources):
    """Figures with the numbers of their sources; `sources` grows."""
    figures, value = [], None
    for row in published(trainings[0].settings):
        if row.note not in sources:
            sources.append(row.note)
        figures.append(f"{row.figure} [{sources.index(row.note) + 1}]")
        value = row.test_accuracy if value is None else value
    return Cell(", ".join(figures) or NONE, value, "published")


def _warnings(settings):
    return [TINY_NOTE] if settings.recipe == "tiny" else []
