"""Under which conditions the page's figures were measured, and what was not."""

import json

from tfpe.ciphers import CIPHERS
from tfpe.lab.records import of_kind
from tfpe.lab.records.attack_records import AttackCurve, Evaluation
from tfpe.lab.records.speed_records import Bench
from tfpe.lab.records.training_records import Training
from tfpe.lab.table import NONE, Cell, Table

SOFTWARE = ("tfpe", "keras", "tensorflow", "jax", "torch", "numpy", "python")


def conditions_table(records):
    """A `Table` with a row for each record; None of none."""
    if not records:
        return None
    columns = {
        "kind": lambda record: record.kind,
        "what": _what,
        "key": lambda r: r.settings.stated.get("key_fingerprint") or NONE,
        "date": lambda record: record.environment.date[:10],
        "machine": _machine,
        "software": _software,
    }
    return Table.of("Every record behind this page", records, columns)


def _what(record):
    settings = record.settings.stated
    told = [
        f"{name} {_short(settings[name])}"
        for name in record.TELLING or sorted(settings)
        if settings.get(name) is not None
    ]
    return Cell(", ".join(told), tone="long")


def _machine(record):
    where = record.environment
    return Cell(
        ", ".join([*(where.gpu or ()), where.cpu, f"{where.cores} cores"]), tone="wrap"
    )


def _software(record):
    versions = [(name, getattr(record.environment, name)) for name in SOFTWARE]
    return Cell(", ".join(f"{name} {v}" for name, v in versions if v), tone="long")


def _short(value):
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def missing(records):
    """What the page cannot show for want of records, a list of sentences."""
    sentences, ciphers = [], list(CIPHERS)
    trainings = of_kind(records, Training)
    trained = {record.settings.row_name for record in trainings}
    if not trained:
        sentences.append("No training: what the ciphers cost in accuracy is not known.")
    elif left := [c for c in ("plain", *ciphers) if c not in trained]:
        sentences.append(f"Not trained: {', '.join(left)}.")
    evaluated = {record.settings.cipher for record in of_kind(records, Evaluation)}
    if not evaluated:
        sentences.append("No evaluation: nothing was attacked, no picture is shown.")
    elif left := [c for c in ciphers if c not in evaluated]:
        sentences.append(f"Not attacked: {', '.join(left)}.")
    if not of_kind(records, Bench):
        sentences.append("No benchmark: speeds are not known.")
    if not of_kind(records, AttackCurve):
        sentences.append("No curve of attacks against the amount of evidence.")
    if len({record.settings.seed for record in trainings}) == 1:
        sentences.append("Training has one seed: its own chance is in no interval.")
    return sentences
