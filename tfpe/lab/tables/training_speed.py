"""The table of training speed: Keras on each backend beside plain PyTorch."""

from tfpe.lab.conditions import machine, network_words
from tfpe.lab.markdown import NONE, markdown


def training_speed_table(records):
    """A row for each record of `python -m training speed`; "" without records."""
    records = [record for record in records if record["kind"] == "training-speed"]
    if not records:
        return ""
    header = [
        "network",
        "Keras backend",
        "precision",
        "Keras, images/s",
        "plain PyTorch, images/s",
        "Keras / PyTorch (lowest to highest)",
    ]
    with_torch = [r["environment"]["torch"] for r in records if _beside_torch(r)]
    versions = "".join(f", PyTorch {name}" for name in dict.fromkeys(with_torch))
    steps, rounds, batch = (
        ", ".join(dict.fromkeys(str(record["settings"][name]) for record in records))
        for name in ("steps", "rounds", "batch_size")
    )
    note = (
        f"Training steps on batches of {batch}, median of {rounds} rounds of {steps} "
        f"steps, both in turn{versions}; {machine(records)}."
    )
    return markdown(header, map(_row, records)) + "\n\n" + note


def _row(record):
    settings, results = record["settings"], record["results"]
    row = [
        f"{network_words(settings)}, {results['parameters']:,} parameters",
        settings["backend"] + ", XLA" * _compiled(settings),
        settings["precision"],
        f"{results['keras_images_per_second']:,.0f}",
    ]
    if not _beside_torch(record):
        return [*row, NONE, NONE]
    low, high = results["keras_to_torch_range"]
    return [
        *row,
        f"{results['torch_images_per_second']:,.0f}",
        f"{results['keras_to_torch']:.2f} ({low:.2f} to {high:.2f})",
    ]


def _compiled(settings):
    """JAX compiles always, torch never."""
    return {"jax": True, "torch": False}.get(
        settings["backend"], settings["jit_compile"]
    )


def _beside_torch(record):
    return record["results"]["torch_images_per_second"] is not None
