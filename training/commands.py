"""What the commands of `python -m training` do; each imports what it needs.

Data goes to stdout, progress to stderr. Exit codes: 0 done, 1 something failed, 3 time
was up (the same command goes on).
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import sys

from tfpe.cli.common import check_figure, read_key
from tfpe.cli.packages import require
from tfpe.cli.streams import note
from tfpe.errors import TfpeError
from training.networks import NETWORKS
from training.recipe import MATCHED, Recipe
from training.recipes import PER_IMAGE, PLAIN, default_ciphers, find_recipe

FINISHED, FAILED, TIME_UP = 0, 1, 3


def compare(options):
    """Trains on one cipher or more: a record each, then a table and figures."""
    recipe = _recipe(options)
    require("sklearn", *([] if options.json else ["rich", "matplotlib"]))
    require(*([] if recipe.strong == "none" else ["keras_cv"]))
    from training import strategies
    from training.compare import compare
    from training.images import load
    from training.progress import Progress
    from training.report import show_comparison

    if options.command == "train":
        ciphers = [options.cipher]
    else:
        ciphers = options.ciphers or default_ciphers(recipe)
    if options.per_image:
        ciphers = [
            c if c == PLAIN else c.removesuffix(PER_IMAGE) + PER_IMAGE for c in ciphers
        ]
    strategies.connect(recipe.strategy)
    strategies.check_backend(recipe.strategy)
    quiet = options.quiet or strategies.process(recipe.strategy)[0] > 0
    # Whatever is printed below goes to stderr: stdout is for figures.
    with contextlib.redirect_stdout(sys.stderr), Progress(quiet) as progress:
        records, unfinished = compare(
            load(options.dataset, options.data_dir),
            recipe,
            ciphers,
            options.seeds,
            read_key(options.key) if options.key else None,
            options.out,
            options.runs,
            options.max_seconds,
            progress=progress,
            views=options.view_counts,
            options=dict(options.option),
        )
    if options.json:
        print(json.dumps(records, indent=2))
    elif records and strategies.process(recipe.strategy)[0] == 0:
        show_comparison(records, options.out)
    return _exit_code(unfinished)


def evaluate(options):
    """Tests a saved model on encrypted test images."""
    require("sklearn", *([] if options.json else ["rich"]))
    if options.figure:
        check_figure(options.figure)
    from training.evaluate import evaluate, show_evaluation
    from training.images import load
    from training.run_folder import settings_of

    run = settings_of(options.model)
    images = load(options.dataset, options.data_dir)
    cipher = options.cipher
    if images.receipt is not None:
        if cipher not in (None, "plain"):
            raise TfpeError(
                f"--cipher should be left out: images of {options.dataset} are "
                f"encrypted already, with {images.receipt['cipher']}. "
                f"Received: {cipher}"
            )
        cipher = "plain"
    run = run or _told_by_receipt(options.model)
    if cipher is None:
        if not run:
            raise TfpeError(
                "--cipher should be the one of the training images, or plain: neither "
                f"a run folder nor a receipt in {options.model} tells it. "
                "Received: none"
            )
        cipher = run.get("cipher", "plain") + PER_IMAGE * bool(run.get("per_image"))
    told = cipher.removesuffix(PER_IMAGE)
    sent = images.receipt is not None and images.receipt.get("lossy")
    outcome = evaluate(
        options.model,
        images,
        told,
        read_key(options.key) if options.key else None,
        options.per_image or cipher.endswith(PER_IMAGE),
        run.get("seed", 0) if options.seed is None else options.seed,
        0 if sent else run.get("jpeg", 0),
        run.get("cipher_options") if run.get("cipher") == told else None,
    )
    if images.receipt is not None:
        outcome["key_fingerprint"] = images.receipt["key_fingerprint"]
    trained, tested = run.get("key_fingerprint"), outcome["key_fingerprint"]
    if run and trained != tested:
        names = (name or "none, plain images" for name in (trained, tested))
        note("training: warning: trained under key {}, tested under {}".format(*names))
    if options.json:
        print(json.dumps(outcome, indent=2))
    else:
        show_evaluation(outcome, options.figure)


def _told_by_receipt(model):
    """Cipher, key and code of the training images, as a model's receipt says; or {}."""
    from tfpe.receipts.model_files import carried

    found = carried(model)
    names = "cipher", "per_image", "key_fingerprint"
    if found is None:
        return {}
    receipt = found["receipt"]
    told = {name: receipt.get(name) for name in names}
    told |= {"jpeg": (receipt.get("lossy") or {}).get("quality", 0)}
    return told | {"cipher_options": receipt.get("options")}


def speed(options):
    """Images a second of a training step, beside one of plain PyTorch.

    Of the recipe `matched` those in the network that fits each cipher, beside `small`.
    """
    require(*([] if options.json else ["rich"]))
    from tfpe.lab.records import typed
    from tfpe.lab.tables.training_speed import (
        matched_speed_tables,
        training_speed_tables,
    )
    from tfpe.lab.terminal import print_table

    recipe = _recipe(options)
    if recipe.network == MATCHED:
        from training.matched_speed import matched_speed

        def told(done, total, name):
            note(f"{done}/{total} {name}")

        record = matched_speed(recipe, options.steps, options.out, progress=told)
        tables = matched_speed_tables
    else:
        from training.speed import training_speed

        record = training_speed(recipe, options.steps, options.out)
        tables = training_speed_tables
    if options.json:
        print(json.dumps(record, indent=2))
    else:
        for table in tables([typed(record)]):
            print_table(table)


def frontier(options):
    """Measures accuracy and leakage of many settings: a record each, table, figure."""
    require("sklearn", *([] if options.json else ["rich"]))
    if options.figure:
        require("matplotlib")
        check_figure(options.figure, force=True)
    from tfpe.lab.records import typed
    from tfpe.lab.tables.frontier_table import frontier_tables
    from tfpe.lab.terminal import print_table
    from training.frontier import Frontier
    from training.images import load

    names = ("epochs", "train_images", "batch_size")
    changes = {name: getattr(options, name) for name in names}
    changes = {name: value for name, value in changes.items() if value is not None}
    measuring = Frontier(
        load(options.dataset, options.data_dir),
        options.seed,
        pathlib.Path(options.out),
        pathlib.Path(options.runs),
        changes,
        options.attack_steps,
        options.scored,
        (lambda line: None) if options.quiet else note,
    )
    records, unfinished = measuring.measure(options.settings, options.max_seconds)
    if options.json:
        print(json.dumps(records, indent=2))
    else:
        for table in frontier_tables([typed(record) for record in records]):
            print_table(table)
    if options.figure and records:
        from tfpe.lab.frontier_figure import draw_frontier

        draw_frontier([typed(record) for record in records], options.figure)
        note(f"Figure: {options.figure}")
    return _exit_code(unfinished)


def gpu(options):
    """Measures ciphers, training steps and the recipe on the device of this machine."""
    # JAX would take most of the memory for itself, and PyTorch is measured beside it.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    require("sklearn")
    from training.gpu import measure_gpu
    from training.images import load

    unfinished = measure_gpu(
        [load(path) for path in options.data],
        options.minutes,
        options.seeds,
        options.ciphers,
        _recipe(options),
        options.images,
        options.network_depth,
        options.network_alphas,
        options.steps,
        options.out,
        options.runs,
        note,
    )
    return _exit_code(unfinished)


def _exit_code(unfinished):
    for name, reason in unfinished:
        note(f"not finished: {name}: {reason}")
    if not unfinished:
        return FINISHED
    return TIME_UP if all(why == "time was up" for _, why in unfinished) else FAILED


def _recipe(options):
    names = {field.name for field in dataclasses.fields(Recipe)} - {"name", "options"}
    for row in NETWORKS.values():
        names |= set(row.options)
    overrides = {
        name: getattr(options, name)
        for name in sorted(names)
        if getattr(options, name, None) is not None
    }
    return find_recipe(options.recipe, **overrides)
