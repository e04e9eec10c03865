"""Accuracies that papers report, to stand beside measured ones, marked as published.

They are quoted, not measured here, and their conditions differ from each other and
from any run of this project: each row says how. The paper behind the logistic cipher
(Ahmad & Shin 2022) has no table of accuracies in its text, only losses, so its rows
have no figure: an inferred one is not quoted.
"""

import dataclasses

from tfpe.lab.measuring_conditions import grouped
from tfpe.lab.table import NONE, Table

MADONO = "Madono et al. 2020 (arXiv 2001.07761), Table 3"
SCRAMBLEMIX = "ScrambleMix (slides, PSIVT 2023)"
BEST_EPOCH = "best test epoch of 300, all 50,000 training images"
LOSSY = f"{BEST_EPOCH}; by code whose colour shuffle overwrites itself"
SLIDES = "split and epoch not stated"


@dataclasses.dataclass(frozen=True)
class Published:
    """One published accuracy.

    Attributes:
        dataset: "cifar10" or "cifar100".
        cipher: a name of `CIPHERS`, "plain", or a method that is no cipher of tfpe.
        test_accuracy: in percent, as printed; None where the paper prints none.
        network: what was trained.
        source: the paper.
        caveat: how its conditions differ.
        adaptation: "le" or "ele" for an adaptation network in front, else None.
        per_image: whether every image had a key of its own.
    """

    dataset: str
    cipher: str
    test_accuracy: float | None
    network: str
    source: str
    caveat: str
    adaptation: str | None = None
    per_image: bool = False

    @property
    def figure(self):
        """The accuracy as text; "no figure" where the paper prints none."""
        if self.test_accuracy is None:
            return "no figure"
        return f"{self.test_accuracy:.2f}"

    @property
    def note(self):
        """Where it comes from and how its conditions differ."""
        return f"{self.source}, {self.network}: {self.caveat}"


def _madono():
    network = "Shake-PyramidNet-110, alpha 270"
    ciphers = "plain", "le", "etc", "ele"
    table = {
        ("cifar10", None): (96.70, 94.94, 85.94, 67.10),
        ("cifar10", "le"): (95.64, 94.49, 80.16, 48.39),
        ("cifar10", "ele"): (85.32, 87.28, 89.09, 83.06),
        ("cifar100", None): (83.59, 78.25, 61.90, 43.05),
        ("cifar100", "le"): (79.13, 75.48, 44.83, 7.19),
        ("cifar100", "ele"): (60.36, 71.30, 71.91, 62.97),
    }
    for (dataset, adaptation), accuracies in table.items():
        for cipher, accuracy in zip(ciphers, accuracies, strict=True):
            caveat = LOSSY if cipher == "etc" else BEST_EPOCH
            yield Published(
                dataset, cipher, accuracy, network, MADONO, caveat, adaptation
            )


def _scramblemix():
    network = "ShakeDrop network"
    methods = {
        "pbe": (93.51, 77.10),
        "le": (94.02, 77.59),
        "scramblemix": (95.02, 79.39),
        "scramblemix, 4 test-time views": (95.31, 79.41),
        "instahide": (52.93, 39.95),
    }
    for cipher, accuracies in methods.items():
        for dataset, accuracy in zip(("cifar10", "cifar100"), accuracies, strict=True):
            yield Published(
                dataset,
                cipher,
                accuracy,
                network,
                SCRAMBLEMIX,
                SLIDES,
                per_image=cipher == "pbe",
            )


PUBLISHED = (
    *_madono(),
    *_scramblemix(),
    *(
        Published(
            dataset,
            "logistic",
            None,
            "Shake-PyramidNet-110, alpha 270",
            "Ahmad & Shin 2022 (arXiv 2203.16780)",
            f"no accuracy in its text, only a degradation of {loss} % on {name}; it "
            "calls ele the worst and le, pbe and logistic comparable",
        )
        for dataset, name, loss in (
            ("cifar10", "CIFAR-10", 2),
            ("cifar100", "CIFAR-100", 5),
        )
    ),
    *(
        Published(
            dataset,
            "plain",
            accuracy,
            "PyramidNet-110, alpha 270, without ShakeDrop",
            "Han et al. 2017",
            "test epoch not stated",
        )
        for dataset, accuracy in (("cifar10", 96.27), ("cifar100", 81.75))
    ),
)


def published(settings):
    """The published figures for one row of a comparison, a list.

    Args:
        settings: `TrainingSettings`; data sets other than CIFAR have no figures.
    """
    if settings.matched or settings.jpeg:
        return []  # no paper has these networks, or such images
    wanted = (
        *(settings.dataset, settings.cipher),
        *(settings.adaptation, settings.per_image),
    )
    return [
        row
        for row in PUBLISHED
        if (row.dataset, row.cipher, row.adaptation, row.per_image) == wanted
    ]


def published_tables(records=()):
    """Every published figure with its source, a `Table` in a list; needs no records."""
    rows = grouped(
        PUBLISHED, lambda row: (row.source, row.network, row.cipher, row.adaptation)
    )
    columns = {
        "cipher": lambda r: r[0].cipher + ", a key for each image" * r[0].per_image,
        "network": lambda r: r[0].network,
        "adaptation": lambda r: r[0].adaptation or NONE,
        "CIFAR-10": lambda rows: _figure(rows, "cifar10"),
        "CIFAR-100": lambda rows: _figure(rows, "cifar100"),
        "source": lambda r: f"{r[0].source}: {r[0].caveat}",
    }
    return [Table.of("Published test accuracy, quoted", rows, columns)]


def _figure(rows, dataset):
    return next((row.figure for row in rows if row.dataset == dataset), NONE)
