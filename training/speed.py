"""Images a second of a training step, beside plain PyTorch in the same run."""

import dataclasses
import importlib.util
import math
import pathlib
import statistics
import time
from collections.abc import Callable

import keras
import numpy as np

from tfpe.lab.records import check_replaceable, read_record, write_record
from tfpe.lab.records.training_records import TrainingSpeedResults
from training.recipe import STEP_FIELDS, RecipeError
from training.recipes import find_recipe
from training.run_folder import OUT
from training.train import build_model, compile_model

WARM_UP = 3  # steps that are not timed: they compile and choose algorithms
ROUNDS = 5  # of both in turn, so that other work on the machine meets both


def training_speed(
    recipe, steps=20, out=OUT, image_shape=(32, 32, 3), classes=10, again=True
):
    """Times training steps on random images, with Keras and with plain PyTorch.

    Plain: no `torch.compile`, channels first, float32 or autocast to bfloat16; the
    same network, optimizer and L2 on the same device, in turn for several rounds.
    From the end of one step to the end of another: neither side's beginning counts.

    Args:
        recipe: a `training.recipe.Recipe` with basic blocks.
        steps: how many are timed in a round, after a few that are not.
        out: folder of the record.
        image_shape: (height, width, 3).
        classes: number of classes.
        again: measure, and replace a record of these settings; else it is returned.

    Returns:
        The record: medians over the rounds, and of the ratio of both also the lowest
        and the highest. Where torch is not installed, these and
        `torch_images_per_second` are None.

    Raises:
        RecipeError: the plain PyTorch network has no such option.
    """
    plain = {"block": "basic", "rounding": "ceil", "adaptation": "none"}
    plain |= {"network": "pyramidnet", "stem": "convolution"}
    plain |= {"strategy": "none", "strong": "none", "optimizer": "sgd"}
    knobs = dataclasses.asdict(recipe) | recipe.options
    for name, value in plain.items():
        if knobs.get(name) != value:
            raise RecipeError(
                f"`{name}` should be {value!r} to be compared with plain PyTorch. "
                f"Received: {name}={knobs.get(name)!r}"
            )
    if steps < 1:
        raise RecipeError(f"`steps` should be 1 or more. Received: steps={steps}")
    settings = {name: knobs[name] for name in STEP_FIELDS}
    settings |= {
        "recipe": recipe.name,
        "steps": steps,
        "rounds": ROUNDS,
        "image_shape": list(image_shape),
        "backend": keras.backend.backend(),
    }
    path = pathlib.Path(out, f"training-speed-{step_name(recipe)}.json")
    check_replaceable(path, "training-speed", settings)
    if path.exists() and not again:
        return read_record(path)
    batch = recipe.batch_size
    images, labels = random_batch(batch, image_shape, classes)
    sides = [keras_steps(recipe, images, labels, classes)]
    parameters = sides[0].parameters
    if importlib.util.find_spec("torch") is not None:
        sides.append(_torch_steps(recipe, images, labels, classes, parameters))
    # PyTorch first: where its first step comes behind TensorFlow's, the system gives it
    # new memory in every step, and it is slower than in a process of its own.
    for side in reversed(sides):
        side.run(WARM_UP)
    rates = [[steps * batch / side.run(steps) for side in sides] for _ in range(ROUNDS)]
    medians = [round(statistics.median(found), 1) for found in zip(*rates, strict=True)]
    ratios = sorted(found[0] / found[1] for found in rates if len(found) == 2)
    results = TrainingSpeedResults(
        parameters=parameters, keras_images_per_second=medians[0]
    )
    if ratios:
        results = dataclasses.replace(
            results,
            torch_images_per_second=medians[1],
            keras_to_torch=round(statistics.median(ratios), 3),
            keras_to_torch_range=[round(ratios[end], 3) for end in (0, -1)],
        )
    results = dataclasses.asdict(results)
    record = {"kind": "training-speed", "settings": settings, "results": results}
    return write_record(path, record)


def random_batch(count, image_shape, classes):
    """`count` images, uint8 of `image_shape`, and labels, int32: the same each time."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, *image_shape), np.uint8)
    return images, random.integers(0, classes, count).astype(np.int32)


def step_name(recipe):
    """Recipe, what of a step differs from it, backend: how a record is called."""
    usual = find_recipe(recipe.name)
    usual = dataclasses.asdict(usual) | usual.options
    knobs = dataclasses.asdict(recipe) | recipe.options
    parts = [
        f"{name}-{knobs[name]}" if name != "precision" else str(knobs[name])
        for name in STEP_FIELDS
        if name in knobs and knobs[name] != usual[name]
    ]
    return "-".join([recipe.name, *parts, keras.backend.backend()])


@dataclasses.dataclass(frozen=True)
class Steps:
    """Training steps of one network: `run(count)` gives the seconds that they take."""

    run: Callable[[int], float]
    parameters: int


class _Same(keras.utils.PyDataset):
    """The same batch again and again, as training gets its batches."""

    def __init__(self, batch, count):
        super().__init__()
        self._batch, self._count = batch, count

    def __len__(self):
        return self._count

    def __getitem__(self, step):
        return self._batch


class _Ends(keras.callbacks.Callback):
    """When the result of each step was there.

    Not the time of `fit`, which begins with the first batch and ends with an idle
    second or more while Keras takes its iterator down.
    """

    async_safe = True  # Keras need not wait for a step before it starts the next

    def __init__(self):
        super().__init__()
        self.times = {}

    def on_train_batch_end(self, batch, logs=None):
        float(logs["loss"])
        self.times[batch] = time.perf_counter()


def keras_steps(recipe, images, labels, classes):
    """The `Steps` of a `training.recipe.Recipe` on one batch again and again."""
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(recipe.precision)
    model = build_model(images.shape[1:], classes, recipe)
    compile_model(model, recipe, WARM_UP)

    def run(count):
        ends = _Ends()
        batches = _Same((images, labels), 1 + count)
        model.fit(batches, shuffle=False, verbose=0, callbacks=[ends])
        return ends.times[count] - ends.times[0]

    return Steps(run, sum(math.prod(v.shape) for v in model.trainable_variables))


def _torch_steps(recipe, images, labels, classes, parameters):
    import torch

    from training.pyramidnet.torch_network import PyramidNet

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    model = PyramidNet(
        *(recipe.options[name] for name in ("depth", "alpha")),
        classes,
        recipe.options["shakedrop"],
    )
    count = sum(parameter.numel() for parameter in model.parameters())
    if count != parameters:
        raise RecipeError(
            "Both networks should have as many parameters. "
            f"Received: {parameters} in Keras and {count} in PyTorch"
        )
    model.to(device)
    optimizer = torch.optim.SGD(
        model.parameters(),
        recipe.learning_rate,
        recipe.momentum,
        weight_decay=recipe.weight_decay,
        nesterov=recipe.momentum > 0,
    )
    half = {"mixed_bfloat16": torch.bfloat16, "mixed_float16": torch.float16}
    precision = half.get(recipe.precision)

    def step():
        x = torch.from_numpy(images).to(device).permute(0, 3, 1, 2) / 255
        y = torch.from_numpy(labels).to(device).long()
        with torch.autocast(device.type, precision, enabled=precision is not None):
            loss = torch.nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    def run(count):
        step().item()
        started = time.perf_counter()
        for _ in range(count):
            loss = step()
        loss.item()  # waits for the device
        return time.perf_counter() - started

    return Steps(run, count)
