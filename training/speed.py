"""Images a second of a training step, beside plain PyTorch in the same run."""

import dataclasses
import importlib.util
import math
import pathlib
import time

import keras
import numpy as np

from tfpe.records import write_record
from training.recipes import RecipeError
from training.run_folder import OUT
from training.train import build_model, compile_model

WARM_UP = 3  # steps that are not timed: they compile and choose algorithms


def training_speed(recipe, steps=20, out=OUT, image_shape=(32, 32, 3), classes=10):
    """Times training steps on random images, with Keras and with plain PyTorch.

    Plain: no `torch.compile`, channels first, float32 or autocast to bfloat16; the
    same network, optimizer and L2 on the same device, one after the other.

    Args:
        recipe: a `training.recipes.Recipe` with basic blocks.
        steps: how many are timed, after a few that are not.
        out: folder of the record.
        image_shape: (height, width, 3).
        classes: number of classes.

    Returns:
        The record. `torch_images_per_second` is None where torch is not installed.

    Raises:
        RecipeError: the plain PyTorch network has no such option.
    """
    plain = {"block": "basic", "rounding": "ceil", "adaptation": "none"}
    plain |= {"strategy": "none", "strong": "none"}
    for name, value in plain.items():
        if getattr(recipe, name) != value:
            raise RecipeError(
                f"`{name}` should be {value!r} to be compared with plain PyTorch. "
                f"Received: {name}={getattr(recipe, name)!r}"
            )
    if steps < 1:
        raise RecipeError(f"`steps` should be 1 or more. Received: steps={steps}")
    random = np.random.default_rng(0)
    batch = recipe.batch_size
    images = random.integers(0, 256, (batch, *image_shape), np.uint8)
    labels = random.integers(0, classes, batch).astype(np.int32)
    ours, parameters = _keras_rate(recipe, images, labels, classes, steps)
    theirs = None
    if importlib.util.find_spec("torch") is not None:
        theirs = _torch_rate(recipe, images, labels, classes, steps, parameters)
    settings = dataclasses.asdict(recipe)
    settings |= {
        "recipe": settings.pop("name"),
        "milestones": list(recipe.milestones),
        "steps": steps,
        "image_shape": list(image_shape),
        "backend": keras.backend.backend(),
    }
    results = {
        "keras_images_per_second": round(ours, 1),
        "torch_images_per_second": theirs and round(theirs, 1),
        "parameters": parameters,
    }
    name = f"training-speed-{recipe.name}-{keras.backend.backend()}.json"
    record = {"kind": "training-speed", "settings": settings, "results": results}
    return write_record(pathlib.Path(out, name), record)


def show_speed(record, console=None):
    """Prints what was measured, and on what."""
    from rich.console import Console

    results, found = record["results"], record["environment"]
    settings = record["settings"]
    console = console or Console()
    where = ", ".join(found.get("gpu") or [f"{found['cpu']}, {found['cores']} cores"])
    lines = [
        f"PyramidNet ({settings['depth']}, {settings['alpha']:g}), "
        f"{results['parameters']:,} parameters, batches of {settings['batch_size']}, "
        f"{settings['precision']}, on {where}:",
        f"Keras on {settings['backend']}: "
        f"{results['keras_images_per_second']:.0f} images/s",
    ]
    theirs = results["torch_images_per_second"]
    if theirs is None:
        lines.append("plain PyTorch: not measured, torch is not installed")
    else:
        ratio = results["keras_images_per_second"] / theirs
        lines.append(f"plain PyTorch: {theirs:.0f} images/s; Keras does {ratio:.2f}")
    console.print("\n".join(lines), highlight=False)


def _keras_rate(recipe, images, labels, classes, steps):
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(recipe.precision)
    model = build_model(images.shape[1:], classes, recipe)
    compile_model(model, recipe, steps)

    def fit(count):
        x, y = (np.concatenate([part] * count) for part in (images, labels))
        model.fit(x, y, batch_size=len(images), shuffle=False, verbose=0)

    fit(WARM_UP)
    started = time.perf_counter()
    fit(steps)
    seconds = time.perf_counter() - started
    parameters = sum(math.prod(v.shape) for v in model.trainable_variables)
    return steps * len(images) / seconds, parameters


def _torch_rate(recipe, images, labels, classes, steps, parameters):
    import torch

    from training.torch_pyramidnet import PyramidNet

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    model = PyramidNet(recipe.depth, recipe.alpha, classes, recipe.shakedrop)
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

    for _ in range(WARM_UP):
        step().item()
    started = time.perf_counter()
    for _ in range(steps):
        loss = step()
    loss.item()  # waits for the device
    return steps * len(images) / (time.perf_counter() - started)
