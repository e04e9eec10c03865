"""The scorecard as the page's first table: the same rows as README's."""

import dataclasses

from tfpe.ciphers import CIPHERS
from tfpe.lab.page.cells import Cell, Table
from tfpe.lab.tables.outcomes import OUTCOMES, THREAT_MODELS
from tfpe.lab.tables.scorecard import attacked_images, scorecard
from tfpe.lab.tables.scorecard_table import (
    COLUMNS,
    accuracy_text,
    attack_conditions,
    conditions_of,
    drop_text,
    evidence_text,
    key_space_text,
    speed_text,
    ssim_text,
)

HEADER = (
    "cipher",
    "test accuracy, %",
    "drop",
    "GB/s (x AES)",
    "key space, bits",
    *(COLUMNS[model] for model in THREAT_MODELS),
    "SSIM encrypted → attacked",
)
# The columns from here on are of attacks, those before of costs.
COSTS = HEADER.index("key space, bits")
TONES = dict(zip(OUTCOMES, ("bad", "fair", "good"), strict=True))
# Attacks that needed less sort first; then what was got in part, then failures.
STEP = 1e12


def scorecard_section(records):
    """The scorecard as a `Table`; None where no record says anything for it."""
    card = scorecard(records)
    if not card.rows:
        return None
    return Table(
        "What each cipher costs, and the least evidence that breaks it",
        list(HEADER),
        [_cells(row) for row in card.rows],
        conditions_of(card),
    )


def other_attacks(records):
    """A `Table` of attacks for each set of images that the scorecard is not of."""
    tables = []
    for images in attacked_images(records)[1:]:
        card = scorecard(records, images)
        rows = [_cells(row) for row in card.rows if row.evaluated]
        rows = [[row[0], *row[COSTS:]] for row in rows]
        title = f"The least evidence that breaks each cipher on {images}"
        header = [HEADER[0], *HEADER[COSTS:]]
        tables.append(Table(title, header, rows, [attack_conditions(card)]))
    return tables


def scorecard_json(records):
    """The rows of the scorecard, ready for JSON."""
    return [
        dataclasses.asdict(row)
        | {
            "evidence": {model: _as_recorded(o) for model, o in row.evidence.items()},
            "best": _as_recorded(row.best),
        }
        for row in scorecard(records).rows
    ]


def _as_recorded(outcome):
    return outcome and {"images": outcome.images} | outcome.others


def _cells(row):
    order = ["plain", *CIPHERS].index(row.cipher)
    return [
        Cell(row.name, order + (0.5 if row.name != row.cipher else 0)),
        Cell(accuracy_text(row), row.accuracy),
        Cell(drop_text(row), row.drop if row.cipher != "plain" else None),
        Cell(speed_text(row), None if row.per_image else row.speed),
        Cell(key_space_text(row), row.effective_bits),
        *(_evidence(row, model) for model in THREAT_MODELS),
        Cell(ssim_text(row), row.best.ssim if row.best else None, _tone(row.best)),
    ]


def _evidence(row, model):
    found = row.evidence.get(model)
    if found is None:
        return Cell(evidence_text(row, model))
    value = (found.count or 0) + STEP * OUTCOMES.index(found.outcome)
    return Cell(evidence_text(row, model), value, TONES[found.outcome])


def _tone(best):
    """By how much of the picture is back: noise has an SSIM of about 0."""
    if best is None:
        return ""
    return "bad" if best.ssim >= 0.9 else "fair" if best.ssim >= 0.3 else "good"
