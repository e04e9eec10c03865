"""The comparison: the same split, recipe and seeds for every cipher; a record each."""

import dataclasses
import hashlib
import math
import pathlib
import time

import numpy as np

from tfpe.accuracy_tables import accuracy_interval
from tfpe.ciphers import find_cipher
from tfpe.errors import TfpeError
from tfpe.keys import Key
from tfpe.records import read_record, write_record
from training import strategies
from training.data import Encryption, encrypt_all, split
from training.recipes import RecipeError
from training.run_folder import OUT, RUNS, TrainingError

CIPHERS = ("plain", "le", "ele", "pbe", "logistic", "etc")
PER_IMAGE = "-per-image"


class CompareError(TfpeError):
    """A comparison cannot be made as asked."""


def compare(
    image_set,
    recipe,
    ciphers=CIPHERS,
    seeds=(0,),
    key=None,
    out=OUT,
    runs=RUNS,
    max_seconds=None,
    say=lambda message: None,
):
    """Trains and tests on each cipher and seed; what is in `out` already is kept.

    Args:
        image_set: a `training.sources.ImageSet`.
        recipe: a `training.recipes.Recipe`.
        ciphers: names in `tfpe.CIPHERS`, "plain", or a name with "-per-image" behind
            it for a fresh key for every image.
        seeds: of split, weights and batches, one or more.
        key: a `tfpe.Key`; by default a public one for each seed (`experiment_key`).
        out: folder of the records.
        runs: folder of checkpoints and models.
        max_seconds: for all runs together; the same call goes on later.
        say: called with a line of progress.

    Returns:
        `(records, unfinished)`: records in the order of the runs, and a list of
        (name, reason) of runs that have none yet: time was up, or training failed.

    Raises:
        TfpeError: before the first run, where an argument does not fit or a record of
            other settings is in the way.
    """
    started = time.monotonic()
    if max_seconds is not None and strategies.process(recipe.strategy)[1] > 1:
        raise CompareError(
            "`max_seconds` should be left out where several processes train together: "
            f"their clocks differ. Received: max_seconds={max_seconds}"
        )
    # Plain first: its model is tried on the images of all other ciphers.
    ciphers = sorted(dict.fromkeys(ciphers), key=lambda cipher: cipher != "plain")
    plan = [
        Run(image_set, recipe, cipher, seed, key, pathlib.Path(out), pathlib.Path(runs))
        for seed in dict.fromkeys(seeds)
        for cipher in ciphers
    ]
    done = {run.name: run.finished_record() for run in plan}
    unfinished = []
    for number, run in enumerate(plan, 1):
        if done[run.name] is not None:
            say(f"{run.name}: the record is there already")
            continue
        left = None
        if max_seconds is not None:
            left = max_seconds - (time.monotonic() - started)
            if left <= 0:
                unfinished.append((run.name, "time was up"))
                continue
        say(f"{run.name}: run {number} of {len(plan)}")
        try:
            done[run.name] = run.execute(left)
        except TrainingError as error:
            unfinished.append((run.name, str(error)))
            continue
        if done[run.name] is None:
            unfinished.append((run.name, "time was up"))
    records = [done[run.name] for run in plan]
    return [record for record in records if record is not None], unfinished


def experiment_key(seed):
    """The key of a comparison: from the seed, public, so that anyone can repeat it.

    Never a key for images of value.
    """
    label = f"tfpe training experiment, seed {seed}"
    return Key(hashlib.sha256(label.encode()).digest())


@dataclasses.dataclass(frozen=True, repr=False)
class Run:
    """One cipher and seed of a comparison; arguments as of `compare`."""

    image_set: object
    recipe: object
    cipher: str
    seed: int
    key: Key | None
    out: pathlib.Path
    runs: pathlib.Path

    def __post_init__(self):
        if self.cipher == "plain":
            return
        name = self.cipher.removesuffix(PER_IMAGE)
        options = find_cipher(name).options()
        if self.cipher != name and self.recipe.encrypt_in != "numpy":
            raise RecipeError(
                "`encrypt_in` should be 'numpy' with a key for every image. "
                f"Received: encrypt_in={self.recipe.encrypt_in!r}"
            )
        key = experiment_key(self.seed) if self.key is None else self.key
        encryption = Encryption(key, name, self.cipher != name, options)
        object.__setattr__(self, "_encryption", encryption)

    @property
    def encryption(self):
        """The `Encryption` of this run; None for plain."""
        return None if self.cipher == "plain" else self._encryption

    @property
    def name(self):
        """Names the record file and the run folder; plain runs need no key."""
        adaptation = self.recipe.adaptation
        parts = [self.image_set.name, self.recipe.name, self.cipher]
        parts += [] if adaptation == "none" else [f"{adaptation}adaptnet"]
        return "-".join([*parts, f"seed{self.seed}"])

    @property
    def settings(self):
        """What a record states and a resumed run must agree with."""
        settings = dataclasses.asdict(self.recipe)
        settings |= {
            "recipe": settings.pop("name"),
            "milestones": list(self.recipe.milestones),
            "dataset": self.image_set.name,
            "source": self.image_set.source,
            "cipher": self.cipher.removesuffix(PER_IMAGE),
            "seed": self.seed,
        }
        if settings["adaptation"] == "none":
            del settings["adaptation"]
        if self.encryption is not None:
            settings["cipher_options"] = self.encryption.options
            settings["key_fingerprint"] = self.encryption.key.fingerprint
            if self.encryption.per_image:
                settings["per_image"] = True
        return settings

    @property
    def record_path(self):
        return self.out / f"training-{self.name}.json"

    def finished_record(self):
        """The record, or None; an error where it has other settings."""
        if not self.record_path.exists():
            return None
        record = read_record(self.record_path)
        there, wanted = record["settings"], self.settings
        names = sorted({*there, *wanted})
        different = [name for name in names if there.get(name) != wanted.get(name)]
        if different:
            raise CompareError(
                f"{self.record_path} should be a record of these settings. Received: "
                f"one that differs in {different}; move it away, or use another --out"
            )
        return record

    def execute(self, max_seconds=None):
        """Trains, tests and writes the record; None where time was up before.

        Of several processes all train; the first tests and writes, the others wait.
        """
        from training.train import train

        parts = split(self.image_set, self.recipe, self.seed)
        outcome = train(
            parts,
            len(self.image_set.class_names),
            self.recipe,
            self.seed,
            self.encryption,
            self.runs / self.name,
            self.settings,
            max_seconds,
        )
        if strategies.process(self.recipe.strategy)[0]:
            # Without end: JAX ends this process where the first one fails.
            while (record := self.finished_record()) is None:
                time.sleep(1)
            return record
        if outcome is None:
            return None
        results = self._results(parts, outcome)
        record = {"kind": "training", "settings": self.settings, "results": results}
        return write_record(self.record_path, record)

    def _results(self, parts, outcome):
        history, test = outcome["history"], parts.test
        best = max(history, key=lambda row: row["val_accuracy"])
        last_model = load_model(outcome["last_model"], self.encryption)
        predicted_last = predict(last_model, test, self.encryption)
        best_model = load_model(outcome["best_model"], self.encryption)
        predicted = predict(best_model, test, self.encryption)
        epoch_seconds = np.array([row["seconds"] for row in history])
        return {
            "last": _epoch(history[-1], predicted_last, test.labels),
            "best_validation": _epoch(best, predicted, test.labels),
            "confusion": confusion(test.labels, predicted, self.image_set.class_names),
            "class_names": list(self.image_set.class_names),
            "wrong_key_accuracy": self._wrong_key_accuracy(best_model, test),
            "plain_model_accuracy": self._plain_model_accuracy(test),
            "parameters": sum(
                math.prod(variable.shape) for variable in best_model.trainable_variables
            ),
            "train_images": len(parts.train.labels),
            "validation_images": len(parts.validation.labels),
            "test_images": len(test.labels),
            "epochs": len(history),
            "seconds": round(float(epoch_seconds.sum()), 1),
            # The median: the first epoch of each start compiles.
            "images_per_second": round(
                len(parts.train.labels) / float(np.median(epoch_seconds)), 1
            ),
            "history": {
                name: [round(row[name], 6) for row in history]
                for name in ("accuracy", "loss", "val_accuracy", "val_loss", "seconds")
            },
        }

    def _wrong_key_accuracy(self, model, test):
        """On images under another key: what the network is worth to a stranger."""
        if self.encryption is None:
            return None
        wrong = self.encryption.key.derive("wrong key")
        return _accuracy(predict(model, test, self.encryption, wrong), test.labels)

    def _plain_model_accuracy(self, test):
        """Of the network trained on plain images, on the images of this cipher."""
        plain = dataclasses.replace(self, cipher="plain")
        path = self.runs / plain.name / "best.keras"
        if self.encryption is None or not path.exists():
            return None
        if plain.finished_record() is None:
            return None
        model = load_model(path, None)
        images = encrypt_all(self.encryption, test.images, test.numbers)
        if images.shape[1:] != model.input_shape[1:]:
            return None
        return _accuracy(
            predict(model, test._replace(images=images), None), test.labels
        )


def load_model(path, encryption):
    """Loads a model; unlocks its encryption layer, where it has one, with the key."""
    import keras

    import tfpe
    from training import adaptation, pyramidnet  # noqa: F401  registers their layers

    model = keras.saving.load_model(path, compile=False)
    for layer in model.layers:
        if isinstance(layer, tfpe.PerceptualEncrypt):
            if encryption is None:
                raise CompareError(f"The model {path} encrypts and needs a key")
            inside = layer.cipher, layer.options
            wanted = encryption.cipher, encryption.options
            if inside != wanted or encryption.per_image:
                raise CompareError(
                    f"The cipher should be the one that the model {path} encrypts "
                    f"with, {inside}, under one key. Received: {wanted}"
                )
            layer.key = encryption.key
    return model


def predict(model, part, encryption, key=None):
    """Labels that a model gives to the encrypted images of a `Part`.

    Args:
        model: as from `load_model`.
        part: a `training.data.Part` of plain images, or encrypted with encryption None.
        encryption: an `Encryption`, or None.
        key: another key than that of `encryption`.

    Returns:
        `int64 (N,)`.
    """
    import keras

    import tfpe
    from training.train import predict_labels

    encrypts = [isinstance(layer, tfpe.PerceptualEncrypt) for layer in model.layers]
    if any(encrypts):
        if key is None:
            return predict_labels(model, part.images)
        # A compiled layer keeps its key: images under another one go in behind it.
        model = keras.Sequential(
            [keras.Input(model.layers[0].output.shape[1:], dtype="uint8")]
            + [
                layer
                for layer in model.layers
                if not isinstance(layer, tfpe.PerceptualEncrypt)
            ]
        )
    if encryption is not None:
        encryption = dataclasses.replace(encryption, key=key or encryption.key)
    return predict_labels(model, encrypt_all(encryption, part.images, part.numbers))


def confusion(labels, predicted, class_names):
    """Confusion matrix, true classes in rows: a list of lists."""
    from sklearn.metrics import confusion_matrix

    classes = range(len(class_names))
    return confusion_matrix(labels, predicted, labels=classes).tolist()


def _epoch(row, predicted, labels):
    right = int((predicted == labels).sum())
    return {
        "epoch": int(row["epoch"]) + 1,
        # While it learns, augmented and with ShakeDrop: lower than it would be after.
        "train_accuracy": row["accuracy"],
        "validation_accuracy": row["val_accuracy"],
        "test_accuracy": right / len(labels),
        "test_interval": accuracy_interval(right, len(labels)),
    }


def _accuracy(predicted, labels):
    return float((predicted == labels).mean())
