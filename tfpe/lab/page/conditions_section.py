"""Under which conditions the page's figures were measured, and what was not."""

import json

from tfpe.ciphers import CIPHERS
from tfpe.lab.conditions import row_name
from tfpe.lab.markdown import NONE
from tfpe.lab.page.cells import Cell, Table

# Which settings tell most of a record; the record itself has all of them.
TELLING = {
    "attack-curve": ("attack", "images", "cipher"),
    "bench": ("cores", "repeats", "sizes", "quick"),
    "errata": ("paper", "keys", "draws", "orbits", "seed"),
    "evaluation": ("images", "image_shape", "count", "cipher", "seed"),
    "svm": ("dataset", "train_images", "test_images"),
    "training": ("dataset", "recipe", "epochs", "train_images", "cipher", "seed"),
}
SOFTWARE = ("tfpe", "keras", "tensorflow", "jax", "torch", "numpy", "python")


def conditions_table(records):
    """A `Table` with a row for each record; None of none."""
    if not records:
        return None
    return Table(
        "Every record behind this page",
        ["kind", "what", "key", "date", "machine", "software"],
        [_row(record) for record in records],
    )


def _row(record):
    settings, where = record["settings"], record["environment"]
    names = TELLING.get(record["kind"], tuple(sorted(settings)))
    told = [
        f"{name} {_short(settings[name])}"
        for name in names
        if settings.get(name) is not None
    ]
    software = [f"{name} {where[name]}" for name in SOFTWARE if name in where]
    machine = [*(where.get("gpu") or ()), where["cpu"], f"{where['cores']} cores"]
    return [
        Cell(record["kind"]),
        Cell(", ".join(told), tone="long"),
        Cell(settings.get("key_fingerprint") or NONE),
        Cell(where["date"][:10]),
        Cell(", ".join(machine), tone="wrap"),
        Cell(", ".join(software), tone="long"),
    ]


def _short(value):
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def missing(records):
    """What the page cannot show for want of records, a list of sentences."""
    by_kind = {}
    for record in records:
        by_kind.setdefault(record["kind"], []).append(record)
    sentences = []
    trained = {row_name(r["settings"]) for r in by_kind.get("training", ())}
    ciphers = list(CIPHERS)
    if not trained:
        sentences.append("No training: what the ciphers cost in accuracy is not known.")
    elif left := [c for c in ("plain", *ciphers) if c not in trained]:
        sentences.append(f"Not trained: {', '.join(left)}.")
    evaluated = {r["settings"]["cipher"] for r in by_kind.get("evaluation", ())}
    if not evaluated:
        sentences.append("No evaluation: nothing was attacked, no picture is shown.")
    elif left := [c for c in ciphers if c not in evaluated]:
        sentences.append(f"Not attacked: {', '.join(left)}.")
    if not by_kind.get("bench"):
        sentences.append("No benchmark: speeds are not known.")
    if not by_kind.get("attack-curve"):
        sentences.append("No curve of attacks against the amount of evidence.")
    seeds = {r["settings"].get("seed") for r in by_kind.get("training", ())}
    if len(seeds) == 1:
        sentences.append("Training has one seed: its own chance is in no interval.")
    return sentences
