"""One training run, from top to bottom: data, network, `fit`, test."""

import contextlib
import csv
import json
import math
import os
import pathlib
import time

import h5py
import keras
import numpy as np

from tfpe.atomic import output_errors, write_file
from tfpe.errors import TfpeError
from training.data import Batches, encrypt_all, tf_pipeline

HISTORY, SETTINGS = "history.csv", "settings.json"
BACKUP = "epoch-{:05d}.weights.h5"
BEST, BEST_MODEL, LAST_MODEL = "best.weights.h5", "best.keras", "last.keras"


class TrainingError(TfpeError):
    """A run cannot start, go on or be believed."""


def train(parts, classes, recipe, seed, encryption, folder, settings, max_seconds=None):
    """Trains one network, or goes on where a killed run of these settings stopped.

    Args:
        parts: `training.data.Parts`.
        classes: number of classes.
        recipe: a `training.recipes.Recipe`.
        seed: of weights, ShakeDrop, shuffling and augmentation.
        encryption: a `training.data.Encryption`, or None to train on plain images.
        folder: where everything of this run is kept.
        settings: a dict that must agree with the one that the run was begun with.
        max_seconds: stop after the epoch that ends nearest to this time; the same call
            goes on later.

    Returns:
        None where the time was not enough; or else a dict: `history` (the rows of its
        CSV file, one an epoch) and `last_model`, `best_model`, paths of saved models.

    Raises:
        TrainingError: the loss became NaN, or the folder holds a run of other settings.
        OutputError: the folder cannot be written.
    """
    started = time.monotonic()
    folder = pathlib.Path(folder)
    _begin(folder, settings)
    if (folder / LAST_MODEL).exists():  # written last of all
        return _result(folder)

    # Everything random: weights and ShakeDrop here, the batches in `Batches`.
    keras.utils.set_random_seed(seed)
    keras.config.set_dtype_policy(recipe.precision)
    on_tensorflow = keras.backend.backend() == "tensorflow"
    if recipe.deterministic and on_tensorflow:
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()

    # Data: the same batches whether NumPy, tf.data or the model encrypts them.
    strong = recipe.strong != "none"
    train_labels, validation_labels = (
        keras.utils.to_categorical(part.labels, classes) if strong else part.labels
        for part in (parts.train, parts.validation)
    )
    in_numpy = encryption if recipe.encrypt_in == "numpy" else None
    in_model = encryption if recipe.encrypt_in == "model" else None
    batches = Batches(
        parts.train, recipe, seed, in_numpy, train_labels, _shard(recipe.strategy)
    )
    data = batches
    if recipe.encrypt_in == "tf.data":
        data = tf_pipeline(batches, encryption, recipe.strong)
    validation = parts.validation.images
    if in_model is None:
        validation = encrypt_all(encryption, validation, parts.validation.numbers)

    # Network, loss and optimizer.
    with _strategy_scope(recipe.strategy):
        model = build_model(batches[0][0].shape[1:], classes, recipe, in_model)
        model.compile(
            optimizer=_optimizer(recipe, len(batches)),
            loss=(
                keras.losses.CategoricalCrossentropy(from_logits=True)
                if strong
                else keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            ),
            metrics=["accuracy"],
            jit_compile=recipe.jit_compile if on_tensorflow else "auto",
        )

    # Resume: weights, optimizer and ShakeDrop's random state of the last whole epoch.
    backup = Backup(folder)
    first_epoch = backup.restore(model)
    best = _trim_history(folder / HISTORY, first_epoch)

    # `logs["seconds"]` is set before the logger reads it; the backup is made after
    # everything else of an epoch is written, so that nothing of it can be missing.
    callbacks = [
        Clock(batches, started, max_seconds),
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.CSVLogger(folder / HISTORY, append=True),
        keras.callbacks.ModelCheckpoint(
            folder / BEST,
            monitor="val_accuracy",
            mode="max",
            save_best_only=True,
            save_weights_only=True,
            initial_value_threshold=best,
        ),
        *_tensorboard(folder),
        backup,
    ]
    if first_epoch < recipe.epochs:
        with output_errors(folder):
            model.fit(
                data,
                epochs=recipe.epochs,
                initial_epoch=first_epoch,
                validation_data=(validation, validation_labels),
                validation_batch_size=even_batch(len(validation), recipe.batch_size),
                callbacks=callbacks,
                shuffle=False,  # `Batches` does, from the seed; Keras would not
                verbose=2,
            )
    rows = read_history(folder / HISTORY)
    if not all(math.isfinite(row["loss"]) for row in rows):
        raise TrainingError(
            f"The loss became NaN in epoch {int(rows[-1]['epoch']) + 1} of {folder}. "
            "Take a lower `learning_rate` or another `precision` in a new run folder; "
            "the last good epoch is kept in this one"
        )
    if len(rows) < recipe.epochs:
        return None

    # Two models, without the state of the optimizer.
    with output_errors(folder):
        last = model.get_weights()
        model.load_weights(folder / BEST)
        _save_model(model, folder / BEST_MODEL)
        model.set_weights(last)
        _save_model(model, folder / LAST_MODEL)
        backup.clear()
        (folder / BEST).unlink()
    return _result(folder)


def build_model(image_shape, classes, recipe, encryption=None):
    """bytes -> (encryption ->) values from 0 to 1 -> (adaptation and) PyramidNet.

    Args:
        image_shape: of what comes in, `(H, W, C)`, `uint8`.
        classes: number of logits.
        recipe: a `training.recipes.Recipe`.
        encryption: an `Encryption` that becomes the first layer, or None.
    """
    from tfpe import PerceptualEncrypt
    from training import adaptation
    from training.pyramidnet import pyramidnet

    layers = [keras.Input(image_shape, dtype="uint8")]
    if encryption is not None:
        layer = PerceptualEncrypt(
            encryption.key, encryption.cipher, dtype="uint8", **encryption.options
        )
        layers.append(layer)
        image_shape = layer.compute_output_shape((None, *image_shape))[1:]
    networks = {
        "none": pyramidnet,
        "le": adaptation.le_adaptnet,
        "ele": adaptation.ele_adaptnet,
        "pixel": adaptation.pixel_adaptnet,
    }
    network = networks[recipe.adaptation](
        depth=recipe.depth,
        alpha=recipe.alpha,
        num_classes=classes,
        block=recipe.block,
        rounding=recipe.rounding,
        shakedrop=recipe.shakedrop or None,
        input_shape=tuple(image_shape),
        l2=recipe.weight_decay or None,
    )
    return keras.Sequential([*layers, keras.layers.Rescaling(1 / 255), network])


def _optimizer(recipe, steps):
    boundaries = [round(m * recipe.epochs) * steps for m in recipe.milestones]
    rates = [recipe.learning_rate * 0.1**n for n in range(len(boundaries) + 1)]
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, rates)
    return keras.optimizers.SGD(schedule, recipe.momentum, nesterov=True)


class Clock(keras.callbacks.Callback):
    """Tells the batches their epoch, times it, and stops when time is up."""

    def __init__(self, batches, started, max_seconds):
        super().__init__()
        self._batches, self._started = batches, started
        self._max_seconds = math.inf if max_seconds is None else max_seconds

    def on_epoch_begin(self, epoch, logs=None):
        self._batches.epoch = epoch
        self._begin, self._seconds = time.monotonic(), None

    def on_test_begin(self, logs=None):
        self._seconds = time.monotonic() - self._begin

    def on_epoch_end(self, epoch, logs):
        now = time.monotonic()
        logs["seconds"] = round(self._seconds or now - self._begin, 3)
        if now - self._started + (now - self._begin) / 2 > self._max_seconds:
            self.model.stop_training = True


class Backup(keras.callbacks.Callback):
    """The state after each epoch, in one file that is whole whenever it is there.

    keras.callbacks.BackupAndRestore writes weights and epoch number into two files,
    one after the other: a run that is killed in between repeats an epoch on weights
    that have seen it. Here the number is in the name, which a rename gives; and the
    random states are in the file, which Keras leaves out of weights.
    """

    def __init__(self, folder):
        super().__init__()
        self._folder = folder

    def _files(self):
        return sorted(self._folder.glob(BACKUP.replace("{:05d}", "[0-9]*")))

    def restore(self, model):
        """Loads the last backup, if any; returns the number of finished epochs."""
        files = self._files()
        if not files:
            return 0
        model.optimizer.build(model.trainable_variables)
        try:
            model.load_weights(files[-1])
            with h5py.File(files[-1]) as file:
                for number, state in enumerate(_random_states(model)):
                    state.assign(file[f"random_states/{number}"][()])
        except Exception as error:  # h5py and Keras raise several kinds
            raise TrainingError(f"Cannot resume from {files[-1]}: {error}") from error
        return int(files[-1].name.split("-")[1].split(".")[0])

    def on_epoch_end(self, epoch, logs=None):
        if not math.isfinite(logs["loss"]):
            return
        older = self._files()
        aside = self._folder / "aside.weights.h5"
        self.model.save_weights(aside, overwrite=True)
        with h5py.File(aside, "a") as file:
            for number, state in enumerate(_random_states(self.model)):
                file[f"random_states/{number}"] = keras.ops.convert_to_numpy(state)
        os.replace(aside, self._folder / BACKUP.format(epoch + 1))
        for file in older:
            file.unlink()

    def clear(self):
        """Removes the backups of a run that is done."""
        for file in self._files():
            file.unlink()


def _random_states(model):
    """The variables of all random layers (ShakeDrop), which are no weights."""
    weights = {id(weight) for weight in model.weights}
    return [variable for variable in model.variables if id(variable) not in weights]


def even_batch(images, batch_size):
    """A batch size up to twice `batch_size` that leaves no smaller last batch.

    Each other size costs one more compilation. Falls back to `batch_size`.

    Example:

    >>> even_batch(5000, 128), even_batch(4999, 128)
    (250, 128)
    """
    most = 2 * batch_size
    divisors = (b for b in range(most, batch_size // 2, -1) if images % b == 0)
    return next(divisors, min(batch_size, images))


def predict_labels(model, images, batch_size=250):
    """The class that a model sees in each of `uint8` images: `int64 (N,)`."""
    short = -len(images) % batch_size
    images = np.concatenate([images, images[:1].repeat(short, axis=0)])
    logits = model.predict(images, batch_size=batch_size, verbose=0)
    return np.argmax(logits, axis=-1)[: len(images) - short]


def read_history(path):
    """The rows of a history, one dict of floats for each epoch."""
    if not pathlib.Path(path).exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return [
            {name: float(value) for name, value in row.items()}
            for row in csv.DictReader(file)
        ]


def _trim_history(path, first_epoch):
    """Drops the rows of epochs that will be done again; returns the best before."""
    if not path.exists():
        return None
    header, *lines = path.read_text(encoding="utf-8").splitlines(keepends=True) or [""]
    kept = lines[:first_epoch]
    write_file(path, "".join([header, *kept] if kept else []).encode())
    return max((row["val_accuracy"] for row in read_history(path)), default=None)


def _begin(folder, settings):
    """Makes the folder of a run, or checks that the run there has these settings."""
    text = json.dumps(settings, indent=2, sort_keys=True) + "\n"
    path = folder / SETTINGS
    if path.exists():
        there, wanted = json.loads(path.read_text(encoding="utf-8")), json.loads(text)
        names = sorted({*there, *wanted})
        different = [name for name in names if there.get(name) != wanted.get(name)]
        if different:
            raise TrainingError(
                f"{folder} should hold a run of the same settings. Received: one that "
                f"differs in {different}; remove it, or name another folder"
            )
    else:
        write_file(path, text.encode())


def _result(folder):
    return {
        "history": read_history(folder / HISTORY),
        "last_model": folder / LAST_MODEL,
        "best_model": folder / BEST_MODEL,
    }


def _save_model(model, path):
    aside = path.with_name(f"aside-{path.name}")
    model.save(aside, include_optimizer=False)
    os.replace(aside, path)


def _tensorboard(folder):
    """TensorBoard's log, where TensorFlow runs and TensorBoard is installed."""
    if keras.backend.backend() != "tensorflow":
        return []
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        return []
    # No graph: it could hold constants of the key.
    return [keras.callbacks.TensorBoard(folder / "tensorboard", write_graph=False)]


def _strategy_scope(name):
    if name == "none":
        return contextlib.nullcontext()
    if name == "data-parallel":
        if keras.backend.backend() != "jax":
            raise TrainingError(
                "`strategy` data-parallel needs KERAS_BACKEND=jax. "
                f"Received: {keras.backend.backend()}"
            )
        return keras.distribution.DataParallel(auto_shard_dataset=False).scope()
    if keras.backend.backend() != "tensorflow":
        raise TrainingError(
            f"`strategy` {name} needs KERAS_BACKEND=tensorflow. "
            f"Received: {keras.backend.backend()}"
        )
    import tensorflow as tf

    if name == "mirrored":
        return tf.distribute.MirroredStrategy().scope()
    resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
    tf.config.experimental_connect_to_cluster(resolver)
    tf.tpu.experimental.initialize_tpu_system(resolver)
    return tf.distribute.TPUStrategy(resolver).scope()


def _shard(strategy):
    """Which share of every batch this process feeds, and of how many."""
    if strategy != "data-parallel" or keras.backend.backend() != "jax":
        return 0, 1
    import jax

    return jax.process_index(), jax.process_count()
