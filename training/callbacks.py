"""What happens around the epochs of a run: time, backups, logs."""

import errno
import math
import os
import shutil
import time

import h5py
import keras

from training import strategies
from training.run_folder import BACKUP, TrainingError, backups


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


class Epochs(keras.callbacks.Callback):
    """Tells `tell(epochs done, logs)` after each epoch; `Clock` comes before it."""

    def __init__(self, tell):
        super().__init__()
        self._tell = tell

    def on_epoch_end(self, epoch, logs=None):
        self._tell(epoch + 1, dict(logs))


class StopOnNaN(keras.callbacks.TerminateOnNaN):
    """TerminateOnNaN, and the end of training after an epoch that is not `finite`.

    A compiler may be wrong about the network that predicts and right about the one
    that learns: XLA of jaxlib 0.11.2 is, in bfloat16 on CPUs.
    """

    def on_epoch_end(self, epoch, logs=None):
        if not finite(logs):
            self.model.stop_training = True


def check_losses(fit, precision, folder):
    """Raises `TrainingError` where the last epoch of a `History` was not `finite`."""
    logs = {name: values[-1] for name, values in fit.history.items()}
    if finite(logs):
        return
    epoch, loss = fit.epoch[-1] + 1, logs["loss"]
    if not math.isfinite(loss):
        raise TrainingError(
            f"The loss became NaN in epoch {epoch} of {folder}. Take a lower "
            "`learning_rate` or another `precision` in a new run folder; the last good "
            "epoch is kept in this one"
        )
    raise TrainingError(
        f"The validation loss became NaN in epoch {epoch} of {folder}; the loss of "
        f"training is {loss:.4g}: the network learns, and predicts no numbers, in "
        f"{precision}. Take another `precision` (float32), or else a lower "
        "`learning_rate`, in a new run folder; the last good epoch, if there was one, "
        "is kept in this one"
    )


def finite(logs):
    """Whether both losses of an epoch are numbers: if not, nothing of it is kept."""
    return math.isfinite(logs["loss"]) and math.isfinite(logs["val_loss"])


class Checkpoint(keras.callbacks.ModelCheckpoint):
    """ModelCheckpoint in one of several processes."""

    def on_epoch_end(self, epoch, logs=None):
        if not finite(logs):
            return
        check_space(os.path.dirname(self.filepath), self.model)
        with strategies.local():
            super().on_epoch_end(epoch, logs)


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

    def restore(self, model):
        """Loads the last backup, if any; returns the number of finished epochs.

        The optimizer of the model has its variables already.
        """
        files = backups(self._folder)
        if not files:
            return 0
        try:
            model.load_weights(files[-1])
            with h5py.File(files[-1]) as file:
                for number, state in enumerate(_random_states(model)):
                    state.assign(file[f"random_states/{number}"][()])
        except Exception as error:  # h5py and Keras raise several kinds
            raise TrainingError(f"Cannot resume from {files[-1]}: {error}") from error
        return int(files[-1].name.split("-")[1].split(".")[0])

    def on_epoch_end(self, epoch, logs=None):
        if not finite(logs):
            return
        older = backups(self._folder)
        aside = self._folder / "aside.weights.h5"
        check_space(self._folder, self.model)
        with strategies.local():
            self.model.save_weights(aside, overwrite=True)
        with h5py.File(aside, "a") as file:
            for number, state in enumerate(_random_states(self.model)):
                file[f"random_states/{number}"] = keras.ops.convert_to_numpy(state)
        os.replace(aside, self._folder / BACKUP.format(epoch + 1))
        for file in older:
            file.unlink()

    def clear(self):
        """Removes the backups of a run that is done."""
        for file in backups(self._folder):
            file.unlink()


def check_space(folder, model):
    """Raises `OSError` where the weights of a model would fill the disk.

    HDF5 does not survive that: the process ends in a page of errors, or crashes.
    """
    variables = [*model.variables, *model.optimizer.variables]
    # Numbers of 4 bytes, and what HDF5 keeps beside each array.
    needed = sum(4 * math.prod(variable.shape) + 4096 for variable in variables)
    if shutil.disk_usage(folder).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _random_states(model):
    """The variables of all random layers (ShakeDrop), which are no weights."""
    weights = {id(weight) for weight in model.weights}
    return [variable for variable in model.variables if id(variable) not in weights]


def tensorboard(folder):
    """TensorBoard's log, where TensorFlow runs and TensorBoard is installed."""
    if keras.backend.backend() != "tensorflow":
        return []
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        return []
    # No graph: it could hold constants of the key.
    return [keras.callbacks.TensorBoard(folder / "tensorboard", write_graph=False)]
