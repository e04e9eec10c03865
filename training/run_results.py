"""What a trained run is worth: its networks on the test images, under three keys."""

import dataclasses
import math

import numpy as np

from tfpe.lab.intervals import accuracy_interval
from tfpe.lab.records.training_records import Epoch, TrainingResults
from training.encryption import encrypt_all
from training.recipe import MATCHED
from training.recipes import PLAIN_AS
from training.saved_models import confusion, load_model, predict


def measured(run, parts, outcome):
    """The results that a record of this run holds.

    Args:
        run: a `training.run.Run`.
        parts: its images, as of `split`.
        outcome: what `train` gave.

    Returns:
        A dict of the fields of `TrainingResults`.
    """
    history, test = outcome["history"], parts.test
    best = max(history, key=lambda row: row["val_accuracy"])
    model = load_model(outcome["last_model"], run.encryption)
    jpeg = run.recipe.jpeg
    predicted_last = predict(model, test, run.encryption, jpeg=jpeg)
    # The same network with other weights: TensorFlow need not compile it again.
    model.load_weights(outcome["best_model"])
    predicted = predict(model, test, run.encryption, jpeg=jpeg)
    epoch_seconds = np.array([row["seconds"] for row in history])
    results = TrainingResults(
        last=_epoch(history[-1], predicted_last, test.labels),
        best_validation=_epoch(best, predicted, test.labels),
        confusion=confusion(test.labels, predicted, run.image_set.class_names),
        class_names=list(run.image_set.class_names),
        wrong_key_accuracy=_wrong_key_accuracy(run, model, test),
        plain_model_accuracy=_plain_model_accuracy(run, test),
        parameters=sum(
            math.prod(variable.shape) for variable in model.trainable_variables
        ),
        train_images=len(parts.train.labels),
        validation_images=len(parts.validation.labels),
        test_images=len(test.labels),
        epochs=len(history),
        seconds=round(float(epoch_seconds.sum()), 1),
        # The median: the first epoch of each start compiles.
        images_per_second=round(
            len(parts.train.labels) / float(np.median(epoch_seconds)), 1
        ),
        history={
            name: [round(row[name], 6) for row in history]
            for name in ("accuracy", "loss", "val_accuracy", "val_loss", "seconds")
        },
    )
    return dataclasses.asdict(results)


def _wrong_key_accuracy(run, model, test):
    """On images under another key: what the network is worth to a stranger."""
    if run.encryption is None:
        return None
    wrong = run.encryption.key.derive("wrong key")
    predicted = predict(model, test, run.encryption, wrong, run.recipe.jpeg)
    return _accuracy(predicted, test.labels)


def _plain_model_accuracy(run, test):
    """Of the network trained on plain images, on the images of this cipher."""
    if run.encryption is None or not run.encryption.gives_bytes:
        return None
    # The network that fits depends on the options of the cipher, no other does.
    matched = run.recipe.network == MATCHED
    plain = dataclasses.replace(
        run,
        cipher=PLAIN_AS + run.cipher if matched else "plain",
        cipher_options=run.cipher_options if matched else {},
    )
    path = run.runs / plain.name / "best.keras"
    if not path.exists():
        return None
    if plain.finished_record() is None:
        return None
    model = load_model(path, None)
    images = encrypt_all(
        run.encryption, test.images, test.numbers, jpeg=run.recipe.jpeg
    )
    if images.shape[1:] != model.input_shape[1:]:
        return None
    return _accuracy(predict(model, test._replace(images=images), None), test.labels)


def _epoch(row, predicted, labels):
    right = int((predicted == labels).sum())
    return Epoch(
        epoch=int(row["epoch"]) + 1,
        # While it learns, augmented and with ShakeDrop: lower than it would be after.
        train_accuracy=row["accuracy"],
        validation_accuracy=row["val_accuracy"],
        test_accuracy=right / len(labels),
        test_interval=accuracy_interval(right, len(labels)),
    )


def _accuracy(predicted, labels):
    return float((predicted == labels).mean())
