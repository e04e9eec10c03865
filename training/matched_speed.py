"""Steps of the network that fits each cipher, beside those of the recipe `small`."""

import dataclasses
import json
import os
import pathlib
import pickle
import statistics
import subprocess
import sys

import keras

from tfpe.errors import TfpeError
from tfpe.lab.records import check_replaceable, write_record
from tfpe.lab.records.training_records import MatchedSpeedResults, MatchedSpeedRow
from training.networks.matched import matched_recipe
from training.recipe import MATCHED, STEP_FIELDS, RecipeError
from training.recipes import CIPHERS, PLAIN, find_recipe
from training.run_folder import OUT
from training.speed import ROUNDS, WARM_UP, keras_steps, random_batch, step_name

BESIDE = "small"  # whose step on plain images is the measure
PROGRAM = """
import json, pickle, sys
from training.matched_speed import _timed
print(json.dumps(_timed(*pickle.load(sys.stdin.buffer))))
"""


def matched_speed(
    recipe,
    steps=20,
    out=OUT,
    image_shape=(32, 32, 3),
    classes=10,
    ciphers=CIPHERS[1:],
    progress=None,
):
    """Times training steps in the network that fits each cipher, and those of `small`.

    Each is a process of its own, one after the other, in every round: of networks that
    share a process the later ones wait longer for memory. Batches, precision and XLA
    are the same; each recipe has its own optimizer.

    Args:
        recipe: a `training.recipe.Recipe` with the network `matched`.
        steps: how many are timed in a round, after a few that are not.
        out: folder of the record.
        image_shape: (height, width, 3).
        classes: number of classes.
        ciphers: names in `tfpe.CIPHERS`.
        progress: called with (done, total, name), after each measurement.

    Returns:
        The record. A row for `small` and for each cipher: medians over the rounds, and
        of the time beside that of `small` in the same round also the lowest and the
        highest.

    Raises:
        RecipeError: another network, several devices, or no step.
        CipherOptionError: an unknown cipher.
        NetworkError: no network fits a cipher.
        RecordError: there is a record of other settings.
        TfpeError: steps failed, as where patches do not fit the image, or their process
            was killed.
    """
    if recipe.network != MATCHED or recipe.strategy != "none":
        raise RecipeError(
            "`network` should be 'matched', and `strategy` 'none'. Received: "
            f"network={recipe.network!r}, strategy={recipe.strategy!r}"
        )
    if steps < 1:
        raise RecipeError(f"`steps` should be 1 or more. Received: steps={steps}")
    knobs = dataclasses.asdict(recipe)
    shared = {name: knobs[name] for name in ("batch_size", "precision", "jit_compile")}
    sides = {BESIDE: find_recipe(BESIDE, **shared)}
    sides |= {name: matched_recipe(recipe, name, image_shape) for name in ciphers}
    settings = {name: knobs[name] for name in STEP_FIELDS if name in knobs}
    settings |= {
        "recipe": recipe.name,
        "beside": BESIDE,
        "ciphers": list(ciphers),
        "steps": steps,
        "rounds": ROUNDS,
        "image_shape": list(image_shape),
        "backend": keras.backend.backend(),
    }
    path = pathlib.Path(out, f"matched-speed-{step_name(recipe)}.json")
    check_replaceable(path, "matched-speed", settings)
    seconds = {name: [] for name in sides}
    parameters = {}
    for round_ in range(ROUNDS):
        # Either end goes first in turn.
        for name in list(sides)[:: 1 if round_ % 2 else -1]:
            arguments = sides[name], image_shape, classes, steps
            parameters[name], taken = _in_own_process(name, *arguments)
            seconds[name].append(taken / steps)
            if progress:
                done = sum(map(len, seconds.values()))
                progress(done, ROUNDS * len(sides), name)
    rows = []
    for name, side in sides.items():
        pairs = zip(seconds[name], seconds[BESIDE], strict=True)
        ratios = sorted(one / other for one, other in pairs)
        row = MatchedSpeedRow(
            name=PLAIN if name == BESIDE else name,
            network=side.network_words,
            parameters=parameters[name],
            images_per_second=round(
                recipe.batch_size / statistics.median(seconds[name]), 1
            ),
            to_beside=round(statistics.median(ratios), 3),
            to_beside_range=[round(ratios[end], 3) for end in (0, -1)],
        )
        rows.append(row)
    results = dataclasses.asdict(MatchedSpeedResults(rows))
    record = {"kind": "matched-speed", "settings": settings, "results": results}
    return write_record(path, record)


def _in_own_process(name, *arguments):
    """What `_timed` gives in a new process, which has the environment of this one."""
    # No pool of processes: its workers outlive a parent that is killed.
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=pickle.dumps(arguments),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
    )
    if run.returncode:
        said = run.stderr.decode(errors="replace").strip().splitlines()
        raise TfpeError(
            f"Training steps of {name} should end by themselves. Received: exit code "
            f"{run.returncode}, {said[-1] if said else 'without a word'}"
        )
    return json.loads(run.stdout.splitlines()[-1])


def _timed(recipe, image_shape, classes, steps):
    """The number of parameters, and the seconds of `steps` steps."""
    batch = random_batch(recipe.batch_size, image_shape, classes)
    side = keras_steps(recipe, *batch, classes)
    side.run(WARM_UP)
    return side.parameters, side.run(steps)
