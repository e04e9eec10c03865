"""Published test accuracies, beside which measured ones are shown."""

from typing import NamedTuple


class Published(NamedTuple):
    """A figure of the literature: accuracy in percent, and how it came about."""

    accuracy: float
    source: str
    caveat: str


MADONO = (
    "Madono et al. 2020 (arXiv 2001.07761), Table 3",
    "Shake-PyramidNet-110, alpha 270, 300 epochs on all 50,000 training images, best "
    "test epoch",
)
ETC_CAVEAT = (
    MADONO[1] + "; the channel shuffle of its EtC code overwrites itself, so that its "
    "ciphertext has no inverse"
)
SCRAMBLEMIX = ("ScrambleMix, PSIVT 2023 (slides)", "ShakeDrop network")

_CIPHERS = ("plain", "le", "etc", "ele")
_MADONO = {
    ("cifar10", "none"): (96.70, 94.94, 85.94, 67.10),
    ("cifar10", "le"): (95.64, 94.49, 80.16, 48.39),
    ("cifar10", "ele"): (85.32, 87.28, 89.09, 83.06),
    ("cifar100", "none"): (83.59, 78.25, 61.90, 43.05),
    ("cifar100", "le"): (79.13, 75.48, 44.83, 7.19),
    ("cifar100", "ele"): (60.36, 71.30, 71.91, 62.97),
}
_SCRAMBLEMIX = {"cifar10": 93.51, "cifar100": 77.10}

NOTE = (
    "Of the logistic cipher no figure can be quoted: its paper (Ahmad & Shin 2022, arXiv "
    "2203.16780) states a loss of 2 % on CIFAR-10 and 5 % on CIFAR-100 in words, and "
    "that ELE is the worst and LE, PBE and logistic are comparable."
)


def published(dataset, cipher, adaptation="none", per_image=False):
    """The published figure of a data set, cipher and adaptation network, or None.

    Example:

    >>> published("cifar10", "le").accuracy
    94.94
    """
    if per_image:
        if cipher == "pbe" and adaptation == "none" and dataset in _SCRAMBLEMIX:
            return Published(_SCRAMBLEMIX[dataset], *SCRAMBLEMIX)
        return None
    figures = _MADONO.get((dataset, adaptation))
    if figures is None or cipher not in _CIPHERS:
        return None
    source, caveat = MADONO
    return Published(
        figures[_CIPHERS.index(cipher)],
        source,
        ETC_CAVEAT if cipher == "etc" else caveat,
    )
