"""The frontier as a table: accuracy beside leakage, a row for each setting."""

import collections
import dataclasses

from tfpe.lab.measuring_conditions import grouped
from tfpe.lab.records import of_kind
from tfpe.lab.records.frontier_records import Frontier, Reconstruction
from tfpe.lab.table import (
    NONE,
    Cell,
    Table,
    decibels,
    number,
    percent,
    percent_and_interval,
)

NOTE = (
    "Leakage under the strongest attack of each score that was tried. Identified: the "
    "share of reconstructions that find their picture among {gallery:,}. Recognised: "
    "of 100 ciphertexts that do without one, by what no key changes. Then SSIM with "
    "the plain picture, and accuracy of a network trained on plain pictures on the "
    "reconstructions. By: the attack that identifies most; other scores may be of "
    "others, and one that takes long for each picture was scored on 20. "
    "Kept: of the plain accuracy above chance."
)
BASELINES_NOTE = (
    " The last rows are no setting: one picture for all, and one for each class, which "
    "is known; classified without a star."
)
LPIPS_NOTE = " LPIPS: 0 is the plain picture, as AlexNet sees it."
CLASSIFIERS_NOTE = (
    " Classified, with a star: by another network, trained alike; compare with others "
    "that have one."
)
NO_LPIPS = (
    " LPIPS is left out: its weights were not installed (`tfpe[lpips]`), or the "
    "pictures are too small."
)


def frontier_tables(records):
    """A `Table` for each data set and gallery, the least leaking settings first."""
    found = of_kind(records, Frontier)
    return list(map(_table, grouped(found, _gallery)))


def _gallery(record):
    return record.settings.dataset, record.results.gallery, record.results.scored


def _table(records):
    records = sorted(records, key=lambda r: (_leak(r) or 0, -r.results.accuracy))
    seeds = {record.settings.seed for record in records}

    def setting(record):
        seed = f", seed {record.settings.seed}" * (len(seeds) > 1)
        return Cell(record.settings.row_name + seed, record.settings.place)

    others = _of_other_classifier(records)
    columns = {
        "setting": lambda row: (
            Cell(row.evidence or row.attack)
            if isinstance(row, Reconstruction)
            else setting(row)
        ),
        "network": _of_settings(lambda r: Cell(r.results.network, tone="wrap")),
        "test accuracy, % (95 %)": _of_settings(
            lambda r: percent_and_interval(
                r.results.accuracy, r.results.accuracy_interval
            )
        ),
        "kept, %": _of_settings(lambda r: percent(r.results.kept, 0)),
        "identified, %": lambda row: percent(_leak(row), 1),
        "recognised, %": _of_settings(lambda r: percent(r.results.recognised, 1)),
        "SSIM": lambda row: number(_best(row, "ssim"), "{:.2f}"),
        "MS-SSIM": lambda row: number(_best(row, "ms_ssim"), "{:.2f}"),
        "PSNR, dB": _psnr,
        "classified, %": lambda row: _classified(row, row in others),
    }
    lpips = any(_best(record, "lpips") is not None for record in records)
    if lpips:
        columns["LPIPS"] = lambda row: number(_best(row, "lpips"), "{:.3f}")
    columns["by"] = _of_settings(lambda r: Cell(_attack(r), tone="wrap"))
    usual = next(record for record in records if record not in others)
    baselines = usual.results.baselines
    note = NOTE.format(gallery=usual.results.gallery)
    note += BASELINES_NOTE * bool(baselines) + (LPIPS_NOTE if lpips else NO_LPIPS)
    if others:
        note += CLASSIFIERS_NOTE
    untried = [
        f"{one.attack} of {record.settings.row_name} ({one.message})"
        for record in records
        for one in record.results.attacks
        if one.message
    ]
    if untried:
        note += f" Without a figure: {'; '.join(dict.fromkeys(untried))}."
    dataset = records[0].settings.dataset
    rows = [*records, *baselines]
    return Table.of(f"Accuracy and leakage, {dataset}", rows, columns, [note])


def _of_settings(make):
    """A column that says nothing of a baseline, which trains no network."""
    return lambda row: Cell(NONE) if isinstance(row, Reconstruction) else make(row)


def _psnr(row):
    attacks = [] if isinstance(row, Reconstruction) else row.results.attacks
    if any(one.ssim is not None and one.psnr is None for one in attacks):
        return decibels(None, equal=True)
    return decibels(_best(row, "psnr"))


def _classified(row, starred):
    cell = percent(_best(row, "classifier_accuracy"), 1)
    starred = starred and cell.value is not None
    return dataclasses.replace(cell, text=cell.text + "*" * starred)


def _of_other_classifier(records):
    """Records whose classifier is not that of the most: it sees other classes in the
    same baselines, such as the mean picture of a class."""
    seen = [
        tuple(one.classifier_accuracy for one in record.results.baselines)
        for record in records
    ]
    [(usual, _), *_] = collections.Counter(seen).most_common()
    pairs = zip(records, seen, strict=True)
    return [record for record, found in pairs if found != usual]


def _best(row, score):
    if isinstance(row, Reconstruction):
        return getattr(row, score)
    found = row.results.strongest(score)
    return found and getattr(found, score)


def _leak(row):
    return _best(row, "identification_rate")


def _attack(record):
    # Of those that identify as many the one that comes nearest.
    scored = [a for a in record.results.attacks if a.identification_rate is not None]
    if not scored:
        return "no attack"
    found = max(scored, key=lambda a: (a.identification_rate, a.ssim or 0))
    return f"{found.attack}, {found.evidence}" if found.evidence else found.attack
