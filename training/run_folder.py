"""The folder of one training run: its settings, history, backups and models."""

import csv
import json
import os
import pathlib
import re

from tfpe.errors import TfpeError
from tfpe.lab.records import different_names
from tfpe.receipts import attach_receipt
from tfpe.storage.atomic import write_file

# Apart from results/, whose committed records would stand in for a run of one's own.
OUT, RUNS = "out/training", "runs"
HISTORY, SETTINGS, LOCK = "history.csv", "settings.json", ".lock"
BACKUP = "epoch-{:05d}.weights.h5"
BEST, BEST_MODEL, LAST_MODEL = "best.weights.h5", "best.keras", "last.keras"


class TrainingError(TfpeError):
    """A run cannot start, go on or be believed."""


def settings_of(model):
    """The settings of the run that left a model file, a dict; {} where none is told.

    Raises:
        TrainingError: the file of settings beside the model is damaged.
    """
    path = pathlib.Path(model).parent / SETTINGS
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise TrainingError(f"Cannot read {path}: {error}") from error
    return settings if isinstance(settings, dict) else {}


def begin(folder, settings):
    """Makes the folder of a run, or checks that the run there has these settings.

    A run that ended before its first epoch did leaves nothing to go on from: other
    settings take its folder over.
    """
    text = json.dumps(settings, indent=2, sort_keys=True) + "\n"
    path = folder / SETTINGS
    if path.exists() and (backups(folder) or (folder / LAST_MODEL).exists()):
        there, wanted = json.loads(path.read_text(encoding="utf-8")), json.loads(text)
        if different := different_names(there, wanted):
            raise TrainingError(
                f"{folder} should hold a run of the same settings. Received: one that "
                f"differs in {different}; remove it, or name another folder"
            )
    else:
        write_file(path, text.encode())


def backups(folder):
    """The backups there are, the last epoch last; each is whole."""
    return sorted(folder.glob(BACKUP.replace("{:05d}", "[0-9]*")))


def outcome(folder):
    """What `training.train.train` returns of a run that is done."""
    return {
        "history": read_history(folder / HISTORY),
        "last_model": folder / LAST_MODEL,
        "best_model": folder / BEST_MODEL,
    }


def read_history(path):
    """The rows of a history, one dict of floats for each epoch."""
    if not pathlib.Path(path).exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return [
            {name: float(value) for name, value in row.items()}
            for row in csv.DictReader(file)
        ]


def trim_history(path, first_epoch):
    """Drops the rows of epochs that will be done again; returns the best before."""
    if not path.exists():
        return None
    header, *lines = path.read_text(encoding="utf-8").splitlines(keepends=True) or [""]
    kept = lines[:first_epoch]
    write_file(path, "".join([header, *kept] if kept else []).encode())
    return max((row["val_accuracy"] for row in read_history(path)), default=None)


def safe_name(name):
    """`name` as a part of the name of a file that every system takes.

    Example:

    >>> safe_name("tfds:cifar10_ele/1.0.0")
    'tfds-cifar10_ele-1.0.0'
    """
    return re.sub(r'[<>:"/\\|?*\x00-\x1f]', "-", name)


def save_model(model, path, receipt=None):
    """Saves a model without its optimizer; under its name it is always whole.

    `receipt`, what `tfpe.receipts.attach_receipt` takes besides the path, goes into it.
    """
    aside = path.with_name(f"aside-{path.name}")
    model.save(aside, include_optimizer=False)
    if receipt is not None:
        attach_receipt(aside, **receipt)
    os.replace(aside, path)
