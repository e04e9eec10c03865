"""Scores of published learned attacks, quoted, beside those measured here.

A paper's attacker had other evidence than ours, who has public pictures and keys of his
own: each row says what.
"""

import dataclasses

from tfpe.lab.records import of_kind
from tfpe.lab.records.frontier_records import DISTANCES, Frontier
from tfpe.lab.records.learned_records import LearnedAttack
from tfpe.lab.table import NONE, Cell, Table, number

SIA = "Madono et al. 2021 (doi 10.1109/ACCESS.2021.3112684)"
KIYA = (
    "Sirichotedumrong & Kiya 2021 (arXiv 2010.06198), read off a figure of arXiv "
    "2205.12041"
)
LPIPS, SSIM = "LPIPS", "SSIM"
SHAPE = [32, 32, 3]
DATASET = "cifar10"  # whose pictures are measured: on others scores mean other things
NOTE = (
    "Published figures are quoted, in italics. Measured, all of them on cifar10 with a "
    "key for each image: the best `inverse_network` on the frontier (`python -m "
    "training frontier`), on test pictures. "
    "Which network LPIPS had there is not known; here it is AlexNet. SSIM is 1 and "
    "LPIPS 0 for the plain picture, which exact attacks give where one "
    "key serves all images, with a few known pairs."
)
AGAIN = "the same attack, measured"
AGAIN_NOTE = (
    " The same attack: the published network and losses, built anew and trained for "
    "the steps in brackets, fewer than the paper's (`tfpe attack inverse_network "
    "--train cifar10 --published`): ITN on pairs, the GANs on ciphertexts and pictures "
    "that are no pairs, all under fresh keys; scored on pictures that were held out."
)


@dataclasses.dataclass(frozen=True)
class PublishedAttack:
    """A published score of reconstructions.

    Attributes:
        cipher: a name of `CIPHERS`.
        attack: its name there.
        evidence: what it has.
        score: "LPIPS" or "SSIM".
        before: of the ciphertexts; None where it is not printed.
        after: of what the attack shows.
        source: the paper.
        per_image: whether each image has a key of its own.
    """

    cipher: str
    attack: str
    evidence: str
    score: str
    before: float | None
    after: float
    source: str
    per_image: bool = False


def _published():
    evidence = "labelled ciphertexts of one key, unpaired plain images"
    for cipher, before, after in (
        *(("le", 0.304, 0.091), ("ele", 0.295, 0.148)),
        *(("etc", 0.207, 0.207), ("pbe", 0.326, 0.163)),
    ):
        yield PublishedAttack(cipher, "SIA-GAN", evidence, LPIPS, before, after, SIA)
    evidence = "labelled ciphertexts, a key for each, unpaired plain images"
    yield PublishedAttack("pbe", "SIA-GAN", evidence, LPIPS, 0.323, 0.151, SIA, True)
    scores = {
        ("ITN", "own images under other keys, as pairs"): (0.407, 0.001, 0.529, 0.086),
        ("GAN", "ciphertexts, unpaired plain images"): (0.774, 0.021, 0.031, 0.010),
    }
    for (attack, evidence), found in scores.items():
        for cipher, score in zip(("le", "ele", "etc", "pbe"), found, strict=True):
            yield PublishedAttack(cipher, attack, evidence, SSIM, None, score, KIYA)


PUBLISHED_ATTACKS = tuple(_published())


def published_attack_tables(records):
    """Published scores beside measured ones, a `Table` in a list."""
    fresh = [
        record
        for record in of_kind(records, Frontier)
        if record.settings.per_image and record.settings.dataset == DATASET
    ]

    def measured(row, attack):
        """The best score of an attack on a cipher with a key for each image."""
        found = [
            getattr(one, row.score.lower())
            for record in fresh
            if record.settings.cipher == row.cipher and not record.settings.unusual()
            for one in record.results.attacks
            if one.attack == attack
        ]
        found = [value for value in found if value is not None]
        best = min if row.score.lower() in DISTANCES else max
        return number(best(found, default=None))

    def repeated(row):
        """The score of the published attack as it was trained here, and its steps."""
        found = [
            record
            for record in of_kind(records, LearnedAttack)
            if record.settings.attack == row.attack.lower()
            and record.settings.cipher == row.cipher
            and record.settings.source == DATASET
            and record.settings.image_shape == SHAPE
            and not record.settings.unusual()
            and getattr(record.results, row.score.lower()) is not None
        ]
        if not found:
            return NONE
        best = max(found, key=lambda r: (r.settings.steps, r.environment.date))
        value = getattr(best.results, row.score.lower())
        return Cell(f"{value:.3f} ({best.settings.steps:,} steps)", value)

    sources = list(dict.fromkeys(row.source for row in PUBLISHED_ATTACKS))

    def quoted(value, row):
        if value is None:
            return NONE
        mark = sources.index(row.source) + 1
        return Cell(f"{value:.3f} [{mark}]", value, "published")

    columns = {
        "cipher": lambda r: r.cipher + ", a key for each image" * r.per_image,
        "attack": lambda r: r.attack,
        "which has": lambda r: Cell(r.evidence, tone="wrap"),
        "score": lambda r: r.score,
        "ciphertext, published": lambda r: quoted(r.before, r),
        "attacked, published": lambda r: quoted(r.after, r),
        "ciphertext, measured": lambda r: measured(r, "ciphertext"),
        AGAIN: repeated,
        "`inverse_network`, measured": lambda r: measured(r, "inverse_network"),
    }
    note = NOTE
    if all(repeated(row) is NONE for row in PUBLISHED_ATTACKS):
        del columns[AGAIN]
    else:
        note += AGAIN_NOTE
    caption = "Learned attacks, published and measured"
    return [Table.of(caption, PUBLISHED_ATTACKS, columns, [note], sources)]
