"""Tables of the speed of training: beside plain PyTorch, and networks that fit."""

from tfpe.lab.measuring_conditions import grouped, machine
from tfpe.lab.records import of_kind
from tfpe.lab.records.training_records import MatchedSpeed, TrainingSpeed
from tfpe.lab.table import NONE, Cell, Table, number


def training_speed_tables(records):
    """A `Table` for each device, of the records of `python -m training speed`."""
    found = of_kind(records, TrainingSpeed)
    groups = grouped(found, lambda r: (*(r.environment.gpu or ()), r.environment.cpu))
    return list(map(_table, groups))


def matched_speed_tables(records):
    """A `Table` for each record of steps in the networks that fit the ciphers."""
    return list(map(_matched_table, of_kind(records, MatchedSpeed)))


def _matched_table(record):
    settings = record.settings
    columns = {
        "images": lambda row: Cell(row.name, tone="code"),
        "network": lambda row: f"{row.network}, {row.parameters:,} parameters",
        "images/s": lambda row: _rate(row.images_per_second),
        f"time of `{settings.beside}` (lowest to highest)": lambda row: _with_range(
            row.to_beside, row.to_beside_range
        ),
    }
    xla = ", XLA" * settings.compiled
    title = f"Steps in the networks that fit, {settings.backend}{xla}"
    note = (
        f"{settings.backend}{xla}, {settings.precision}, on batches of "
        f"{settings.batch_size}, median of {settings.rounds} rounds of "
        f"{settings.steps} steps, each network with the optimizer of its recipe, "
        "in a process of its own, in turn; "
        f"{machine([record])}."
    )
    return Table.of(title, record.results.rows, columns, [note])


def _table(records):
    versions = dict.fromkeys(
        record.environment.torch for record in records if _beside_torch(record)
    )
    steps, rounds, batch = (
        ", ".join(dict.fromkeys(str(getattr(r.settings, name)) for r in records))
        for name in ("steps", "rounds", "batch_size")
    )
    columns = {
        "network": lambda r: (
            f"{r.settings.network}, {r.results.parameters:,} parameters"
        ),
        "Keras backend": lambda r: r.settings.backend + ", XLA" * r.settings.compiled,
        "precision": lambda r: r.settings.precision,
        "Keras, images/s": lambda r: _rate(r.results.keras_images_per_second),
        "plain PyTorch, images/s": lambda r: _rate(r.results.torch_images_per_second),
        "Keras / PyTorch (lowest to highest)": _ratio,
    }
    note = (
        f"Training steps on batches of {batch}, median of {rounds} rounds of {steps} "
        f"steps, both in turn{''.join(f', PyTorch {name}' for name in versions)}; "
        f"{machine(records)}."
    )
    found = records[0].environment
    device = (found.gpu or [found.cpu])[0]
    caption = f"Steps of training, beside plain PyTorch, {device}"
    return Table.of(caption, records, columns, [note])


def _rate(images_per_second):
    return number(images_per_second, "{:,.0f}")


def _ratio(record):
    if not _beside_torch(record):
        return NONE
    found = record.results
    return _with_range(found.keras_to_torch, found.keras_to_torch_range)


def _with_range(ratio, ends):
    low, high = ends
    return Cell(f"{ratio:.2f} ({low:.2f} to {high:.2f})", ratio)


def _beside_torch(record):
    return record.results.torch_images_per_second is not None
