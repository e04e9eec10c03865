"""The comparison: the same split, recipe and seeds for every cipher; a record each."""

import dataclasses
import pathlib
import time

from tfpe.ciphers import find_cipher
from tfpe.storage.atomic import output_errors
from training import strategies
from training.placement import placement
from training.progress import Progress
from training.recipes import PER_IMAGE, PLAIN, PLAIN_AS, default_ciphers
from training.run import CompareError, Run
from training.run_folder import OUT, RUNS, TrainingError


def compare(
    image_set,
    recipe,
    ciphers=None,
    seeds=(0,),
    key=None,
    out=OUT,
    runs=RUNS,
    max_seconds=None,
    say=None,
    progress=None,
    views=None,
    options=None,
):
    """Trains and tests on each cipher and seed; what is in `out` already is kept.

    Args:
        image_set: a `training.images.ImageSet`.
        recipe: a `training.recipe.Recipe`.
        ciphers: names in `tfpe.CIPHERS`, "plain", a name with "-per-image" behind it
            for a fresh key for every image, or with "plain-as-" before it; default
            `default_ciphers`.
        seeds: of split, weights and batches, one or more.
        key: a `tfpe.Key`; by default a public one for each seed (`experiment_key`).
        out: folder of the records.
        runs: folder of checkpoints and models.
        max_seconds: for all runs together; the same call goes on later.
        say: called with a line of progress; default `progress.say`.
        progress: a `training.progress.Progress`; default a quiet one.
        views: numbers of fixed views of each image, tried one after the other in place
            of that of the recipe; 0 draws fresh ones.
        options: of the ciphers, a dict; each takes those that it has.

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
    # Plain first: its model is tried on the images of the ciphers that it is beside.
    ciphers = ciphers or default_ciphers(recipe)
    ciphers = sorted(
        dict.fromkeys(ciphers), key=lambda name: not name.startswith(PLAIN)
    )
    recipes = [
        dataclasses.replace(recipe, views=count)
        for count in dict.fromkeys([recipe.views] if views is None else views)
    ]
    folders = pathlib.Path(out), pathlib.Path(runs)
    chosen = _options_of(ciphers, options or {})
    plan = [
        Run(image_set, one, cipher, seed, key, *folders, chosen[cipher])
        for seed in dict.fromkeys(seeds)
        for one in recipes
        for cipher in ciphers
    ]
    done = {run.name: run.finished_record() for run in plan}
    with output_errors(out):  # before hours of work, not after
        pathlib.Path(out).mkdir(parents=True, exist_ok=True)
    unfinished = []
    progress = progress or Progress(quiet=True)
    say = say or progress.say
    there = sum(record is not None for record in done.values())
    progress.plan(len(plan), there, recipe.epochs)
    if there < len(plan):
        say(placement(recipe))
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
        progress.begin(number, run.name)
        try:
            done[run.name] = run.execute(left, progress.epoch)
        except TrainingError as error:
            unfinished.append((run.name, str(error)))
            continue
        if done[run.name] is None:
            unfinished.append((run.name, "time was up"))
    records = [done[run.name] for run in plan]
    return [record for record in records if record is not None], unfinished


def _options_of(ciphers, options):
    """name -> those of the options that the cipher of a run has, a dict.

    Raises:
        CipherOptionError: a value does not fit.
        CompareError: no cipher has one of them.
    """
    found = {}
    for cipher in ciphers:
        name = cipher.removeprefix(PLAIN_AS).removesuffix(PER_IMAGE)
        known = {} if name == "plain" else find_cipher(name).defaults
        found[cipher] = {n: value for n, value in options.items() if n in known}
        if known:
            find_cipher(name).check(**found[cipher])
    if unknown := sorted(set(options).difference(*found.values())):
        raise CompareError(
            f"Options should be of one of {list(ciphers)}. Received: {unknown}"
        )
    return found
