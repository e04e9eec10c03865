"""The table of training speed: Keras on each backend beside plain PyTorch."""

from tfpe.lab.measuring_conditions import grouped, machine
from tfpe.lab.records import of_kind
from tfpe.lab.records.training_records import TrainingSpeed
from tfpe.lab.table import NONE, Cell, Table, number


def training_speed_tables(records):
    """A `Table` for each device, of the records of `python -m training speed`."""
    found = of_kind(records, TrainingSpeed)
    groups = grouped(found, lambda r: (*(r.environment.gpu or ()), r.environment.cpu))
    return list(map(_table, groups))


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
    ratio, (low, high) = (
        record.results.keras_to_torch,
        record.results.keras_to_torch_range,
    )
    return Cell(f"{ratio:.2f} ({low:.2f} to {high:.2f})", ratio)


def _beside_torch(record):
    return record.results.torch_images_per_second is not None
