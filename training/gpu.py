"""What one GPU can tell within a few minutes, most wanted first.

Each measurement writes its record at once: what time does not allow is left out and
named, and the same command goes on with it.
"""

import dataclasses
import functools
import itertools
import pathlib
import time
from collections.abc import Callable

from tfpe.errors import TfpeError
from training.recipes import find_recipe
from training.run_folder import OUT, RUNS

CIPHERS = ("plain", "logistic", "pbe", "le", "ele", "etc")
ALPHAS = (48, 270)
PRECISIONS = ("float32", "mixed_bfloat16")
# A measurement of speeds is not begun with less left: compiling a deep network takes
# about as long.
LEAST_SECONDS = 45


@dataclasses.dataclass(frozen=True)
class Part:
    """A measurement.

    Attributes:
        name: what is measured.
        run: `(seconds left) -> names of what is unfinished`; it writes records.
        slices: whether it stops by itself when time is up, and goes on later.
    """

    name: str
    run: Callable
    slices: bool = False


def measure_gpu(
    image_sets,
    minutes=8.0,
    seeds=(0, 1, 2),
    ciphers=CIPHERS,
    recipe=None,
    images=16_384,
    depth=110,
    alphas=ALPHAS,
    steps=20,
    out=OUT,
    runs=RUNS,
    say=print,
    clock=time.monotonic,
):
    """Measures the ciphers, the training step and the recipe on the device here.

    Args:
        image_sets: `training.images.ImageSet`s; the first is trained on first.
        minutes: for all together.
        seeds: the first for every image set, then the others for the first set.
        ciphers: that are trained on, as of `training.compare`.
        recipe: a `training.recipe.Recipe` to train with; default `fast`.
        images: of one call of a cipher.
        depth, alphas: of the PyramidNets whose step is timed.
        steps: timed of it in each round.
        out: folder of the records.
        runs: folder of checkpoints and models.
        say: called with a line of progress.
        clock: seconds since some moment.

    Returns:
        Names of what is not finished, with the reason.

    Raises:
        TfpeError: before the first measurement, where a run does not fit.
    """
    from training.pyramidnet.network import count_units

    end = clock() + 60 * minutes
    unfinished = []
    recipe = recipe or find_recipe("fast")
    count_units(depth)
    _check_runs(image_sets, ciphers, recipe, out, runs)
    parts = [
        Part("ciphers in the layer", lambda left: _ciphers(images, out)),
        *_steps(depth, alphas, steps, out),
        *_trainings(image_sets, seeds, ciphers, recipe, out, runs),
    ]
    for part in parts:
        left = end - clock()
        if left < (1 if part.slices else LEAST_SECONDS):
            unfinished.append((part.name, "time was up"))
            continue
        say(f"{part.name}; {left:.0f} s left")
        try:
            unfinished += part.run(left)
        # RuntimeError: of JAX and torch, such as too little memory on the device.
        except (TfpeError, RuntimeError) as error:
            unfinished.append((part.name, str(error).strip().partition("\n")[0]))
    return unfinished


def _check_runs(image_sets, ciphers, recipe, out, runs):
    """Raises now what training would raise when the time of the device is spent."""
    if not image_sets:
        return
    from training.run import Run

    for image_set, cipher in itertools.product(image_sets, ciphers):
        Run(image_set, recipe, cipher, 0, None, pathlib.Path(out), pathlib.Path(runs))


def _steps(depth, alphas, steps, out):
    for alpha, precision in itertools.product(alphas, PRECISIONS):
        recipe = find_recipe("paper", depth=depth, alpha=alpha, precision=precision)
        yield Part(
            f"a step of PyramidNet ({depth}, {alpha}), {precision}",
            functools.partial(_step, recipe, steps, out),
        )


def _trainings(image_sets, seeds, ciphers, recipe, out, runs):
    plan = [(image_set, seed) for seed in seeds[:1] for image_set in image_sets]
    plan += [(image_sets[0], seed) for seed in seeds[1:]]
    for image_set, seed in plan:
        yield Part(
            f"{recipe.name} on {image_set.name}, seed {seed}",
            functools.partial(_compare, image_set, recipe, ciphers, seed, out, runs),
            slices=True,
        )


def _ciphers(images, out):
    from training.device import cipher_throughput

    cipher_throughput(images, out=out, again=False)
    return []


def _step(recipe, steps, out, left):
    from training.speed import training_speed

    training_speed(recipe, steps, out, again=False)
    return []


def _compare(image_set, recipe, ciphers, seed, out, runs, left):
    from training.compare import compare

    _, unfinished = compare(
        image_set, recipe, ciphers, (seed,), None, out, runs, max_seconds=left
    )
    return unfinished
