"""One training run, from top to bottom: data, network, `fit`, test."""

import pathlib
import time

import keras
import numpy as np

from tfpe.layers import FoldedChannels
from tfpe.storage.atomic import output_errors
from training import strategies
from training.batches import Batches
from training.callbacks import (
    Backup,
    Checkpoint,
    Clock,
    Epochs,
    StopOnNaN,
    check_losses,
    tensorboard,
)
from training.encryption import encrypt_all
from training.pipelines import tf_pipeline
from training.recipe import RecipeError
from training.run_folder import (
    BEST,
    BEST_MODEL,
    HISTORY,
    LAST_MODEL,
    begin,
    outcome,
    read_history,
    save_model,
    trim_history,
)

RISING = 0.2  # share of a one-cycle run in which the rate rises
NORMALIZATIONS = {
    "unit": lambda: keras.layers.Rescaling(1 / 255),
    "centered": lambda: keras.layers.Rescaling(1 / 64, offset=-127.5 / 64),
    "folded": lambda: FoldedChannels(),
}
# What the same functions are of real ciphertexts, which are centred already: of a byte
# x the ciphers that give them take (2 x - 255) / 255.
CENTRED = {
    "unit": lambda: keras.layers.Rescaling(1 / 2, offset=1 / 2),
    "centered": lambda: keras.layers.Rescaling(127.5 / 64),
}


def train(
    parts,
    classes,
    recipe,
    seed,
    encryption,
    folder,
    settings,
    max_seconds=None,
    tell=lambda epoch, logs=None: None,
    receipt=None,
):
    """Trains one network, or goes on where a killed run of these settings stopped.

    Args:
        parts: `training.splits.Parts`.
        classes: number of classes.
        recipe: a `training.recipe.Recipe`.
        seed: of weights, ShakeDrop, shuffling and augmentation.
        encryption: a `training.encryption.Encryption`, or None for plain images.
        folder: where everything of this run is kept.
        settings: a dict that must agree with the one that the run was begun with.
        max_seconds: stop after the epoch that ends nearest to this time; the same call
            goes on later.
        tell: called with the number of epochs done and, after each, its logs.
        receipt: what the saved models carry for their owner, as of
            `training.run_folder.save_model`.

    Returns:
        None where the time was not enough, and in all processes but the first of
        several; or else a dict: `history` (the rows of its CSV file, one an epoch) and
        `last_model`, `best_model`, paths of saved models.

    Raises:
        TrainingError: the loss of training or validation became NaN, or the folder
            holds a run of other settings.
        StrategyError: the strategy does not fit the backend, devices or batches.
        OutputError: the folder cannot be written.
    """
    started = time.monotonic()
    folder = pathlib.Path(folder)
    strategies.check_backend(recipe.strategy)
    process, processes = strategies.process(recipe.strategy)
    writes = process == 0
    if writes:
        begin(folder, settings)
    if (folder / LAST_MODEL).exists():  # written last of all
        return outcome(folder)

    # Everything random: weights and ShakeDrop here, the batches in `Batches`.
    keras.utils.set_random_seed(seed)
    keras.config.set_dtype_policy(recipe.precision)
    if recipe.deterministic and keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()

    # Data: the same batches whether NumPy, tf.data or the model encrypts them.
    train_labels, validation_labels = (
        keras.utils.to_categorical(part.labels, classes)
        if one_hot(recipe)
        else part.labels
        for part in (parts.train, parts.validation)
    )
    in_numpy = encryption if recipe.encrypt_in == "numpy" else None
    in_model = encryption if recipe.encrypt_in == "model" else None
    batches = Batches(
        parts.train, recipe, seed, in_numpy, train_labels, (process, processes)
    )
    data = batches
    if recipe.encrypt_in == "tf.data":
        data = tf_pipeline(batches, encryption, recipe.strong)
    validation = parts.validation.images
    if in_model is None:
        numbers = parts.validation.numbers
        validation = encrypt_all(encryption, validation, numbers, jpeg=recipe.jpeg)
    validation_batch = even_batch(len(validation), recipe.batch_size)
    strategies.check_batches(
        recipe.strategy,
        batch_size=batches.batch_size,
        validation_batch=validation_batch,
        validation_images=len(validation),
    )

    # Network, loss and optimizer.
    scope = strategies.scope(recipe.strategy)
    with scope:
        real = encryption is not None and not encryption.gives_bytes
        inputs = batches[0][0].shape[1:], classes, recipe, in_model, real
        model = build_model(*inputs)
        compile_model(model, recipe, len(batches))

        # Resume: weights, optimizer and ShakeDrop's random state of the last epoch.
        backup = Backup(folder)
        first_epoch = backup.restore(model)

        # `logs["seconds"]` is set before the logger reads it; the backup is made after
        # all else of an epoch is written, so that nothing of it can be missing.
        callbacks = [
            Clock(batches, started, max_seconds),
            StopOnNaN(),
        ]
        if writes:
            best = trim_history(folder / HISTORY, first_epoch)
            callbacks += [
                keras.callbacks.CSVLogger(folder / HISTORY, append=True),
                Checkpoint(
                    folder / BEST,
                    monitor="val_accuracy",
                    mode="max",
                    save_best_only=True,
                    save_weights_only=True,
                    initial_value_threshold=best,
                ),
                *tensorboard(folder),
                backup,
                Epochs(tell),
            ]
            tell(first_epoch)
        if first_epoch < recipe.epochs:
            with output_errors(folder):
                fit = model.fit(
                    data,
                    epochs=recipe.epochs,
                    initial_epoch=first_epoch,
                    validation_data=(
                        validation[process::processes],
                        validation_labels[process::processes],
                    ),
                    validation_batch_size=validation_batch // processes,
                    callbacks=callbacks,
                    shuffle=False,  # `Batches` does, from the seed; Keras would not
                    verbose=0,  # `tell` does
                )
            check_losses(fit, recipe.precision, folder)
    if not writes or len(read_history(folder / HISTORY)) < recipe.epochs:
        return None

    # Two models, without the state of the optimizer, on one device.
    with output_errors(folder):
        last = model.get_weights()
        if recipe.strategy == "data-parallel":
            model = build_model(*inputs)
        model.load_weights(folder / BEST)
        save_model(model, folder / BEST_MODEL, receipt)
        model.set_weights(last)
        save_model(model, folder / LAST_MODEL, receipt)
        backup.clear()
        (folder / BEST).unlink()
    return outcome(folder)


def build_model(image_shape, classes, recipe, encryption=None, real=False):
    """bytes -> (encryption ->) normalisation or words -> network.

    Args:
        image_shape: of what comes in, `(H, W, C)`.
        classes: number of logits.
        recipe: a `training.recipe.Recipe`.
        encryption: an `Encryption` that becomes the first layer, or None.
        real: whether ciphertexts are real numbers, and no bytes.

    Raises:
        RecipeError: `real`, and a network or normalization for bytes alone.
    """
    from tfpe import PerceptualEncrypt
    from training.networks import find_network

    bytes_in = encryption is not None or not real
    layers = [keras.Input(image_shape, dtype="uint8" if bytes_in else "float32")]
    if encryption is not None:
        layer = PerceptualEncrypt(
            *(encryption.key, encryption.cipher),
            dtype="float32" if real else "uint8",
            **encryption.options,
        )
        layers.append(layer)
        image_shape = layer.compute_output_shape((None, *image_shape))[1:]
    row = find_network(recipe.network)
    layers += normalization(recipe, real)
    in_loss = recipe.weight_decay if recipe.optimizer == "sgd" else 0
    network = row.build(classes, tuple(image_shape), in_loss or None, **recipe.options)
    return keras.Sequential([*layers, network])


def normalization(recipe, real=False):
    """The layer before the network in a list, which is empty for networks of bytes.

    Args:
        recipe: a `training.recipe.Recipe`.
        real: whether ciphertexts are real numbers.

    Raises:
        RecipeError: they are, and the recipe is for bytes alone.
    """
    from training.networks import find_network

    takes_bytes = find_network(recipe.network).takes_bytes(recipe.options)
    if not real:
        return [] if takes_bytes else [NORMALIZATIONS[recipe.normalization]()]
    if takes_bytes or recipe.normalization not in CENTRED:
        raise RecipeError(
            "The recipe should be for real numbers, as the ciphertexts are: a network "
            f"without words, and `normalization` one of {list(CENTRED)}. Received: "
            f"network={recipe.network!r}, normalization={recipe.normalization!r}"
        )
    return [CENTRED[recipe.normalization]()]


def compile_model(model, recipe, steps):
    """Compiles a model from `build_model`; `steps` are those of one epoch.

    Labels are one-hot where the recipe mixes or smooths them. The variables of the
    optimizer and of the metrics are made here: TensorFlow traces a step that makes
    variables once more, which takes seconds.
    """
    on_tensorflow = keras.backend.backend() == "tensorflow"
    model.compile(
        optimizer=_optimizer(recipe, steps),
        loss=(
            keras.losses.CategoricalCrossentropy(
                from_logits=True, label_smoothing=recipe.label_smoothing
            )
            if one_hot(recipe)
            else keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        ),
        metrics=["accuracy"],
        jit_compile=recipe.jit_compile if on_tensorflow else "auto",
    )
    model.optimizer.build(model.trainable_variables)
    if on_tensorflow and recipe.strategy == "none":
        logits = keras.ops.zeros((1, model.output_shape[-1]))
        labels = logits if one_hot(recipe) else keras.ops.zeros((1,), "int32")
        model.compute_metrics(None, labels, logits)


def one_hot(recipe):
    """Whether labels are vectors: strong augmentation mixes them, smoothing spreads."""
    return recipe.strong != "none" or recipe.label_smoothing > 0


def _optimizer(recipe, steps):
    rate = schedule(recipe, steps)
    if recipe.optimizer == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)
    return keras.optimizers.SGD(rate, recipe.momentum, nesterov=True)


def schedule(recipe, steps):
    """The learning rate over the run; `steps` are those of one epoch.

    Example:

    >>> from training.recipes import find_recipe
    >>> rate = schedule(find_recipe("small"), steps=100)
    >>> [round(float(rate(step)), 3) for step in (0, 80, 160, 480, 800)]
    [0.0, 0.1, 0.2, 0.1, 0.0]
    """
    if recipe.schedule == "one_cycle":
        total = recipe.epochs * steps
        rising = round(RISING * total)
        return keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=0.0,
            decay_steps=max(1, total - rising),
            warmup_target=recipe.learning_rate,
            warmup_steps=rising,
        )
    boundaries = [round(m * recipe.epochs) * steps for m in recipe.milestones]
    rates = [recipe.learning_rate * 0.1**n for n in range(len(boundaries) + 1)]
    return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, rates)


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
