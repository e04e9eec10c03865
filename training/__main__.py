"""`python -m training compare | train | evaluate | svm | speed`.

Data goes to stdout, progress to stderr. Exit codes: 0 done, 1 something failed, 2 wrong
use, 3 time was up (the same command goes on).
"""

import argparse
import dataclasses
import json
import os
import sys

from tfpe.errors import TfpeError
from training import svm
from training.recipes import RECIPES, Recipe, find_recipe
from training.run_folder import OUT, RUNS

COMPARE = """\
examples:
  python -m training compare
      minutes on 2 cores, embedded digits: proves the chain, not the ranking
  python -m training compare --dataset cifar10 --recipe small --train-images 9000
  python -m training compare --dataset cifar10 --recipe small --max-seconds 3600
      in slices: the same command goes on
  KERAS_BACKEND=jax python -m training compare --dataset cifar10.npz --recipe paper
      on a GPU, without TensorFlow
"""
EVALUATE = """\
examples:
  python -m training evaluate runs/digits-tiny-le-seed0/best.keras --cipher le
  python -m training evaluate model.keras --cipher etc --key owner.key --dataset cifar10
"""
FINISHED, FAILED, TIME_UP = 0, 1, 3


def main(arguments=None):
    """Runs a command; returns its exit code."""
    options = _parser().parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        return options.run(options) or FINISHED
    except TfpeError as error:
        print(f"training: error: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("training: interrupted; the same command goes on", file=sys.stderr)
        return 130


def compare(options):
    """Compares ciphers: one record each, then a table and figures."""
    from training import strategies
    from training.compare import PER_IMAGE, compare
    from training.report import show_comparison
    from training.sources import load

    ciphers = [options.cipher] if options.command == "train" else options.ciphers
    if options.per_image:
        ciphers = [c if c == "plain" else c + PER_IMAGE for c in ciphers]
    recipe = _recipe(options)
    strategies.connect(recipe.strategy)
    strategies.check_backend(recipe.strategy)
    records, unfinished = compare(
        load(options.dataset, options.data_dir),
        recipe,
        ciphers,
        options.seeds,
        _load_key(options.key),
        options.out,
        options.runs,
        options.max_seconds,
        say=lambda line: print(line, file=sys.stderr, flush=True),
    )
    if options.json:
        print(json.dumps(records, indent=2))
    elif records and strategies.process(recipe.strategy)[0] == 0:
        show_comparison(records, options.out)
    for name, reason in unfinished:
        print(f"not finished: {name}: {reason}", file=sys.stderr)
    if not unfinished:
        return FINISHED
    return TIME_UP if all(why == "time was up" for _, why in unfinished) else FAILED


def evaluate(options):
    """Tests a saved model on encrypted test images."""
    from training.compare import PER_IMAGE
    from training.evaluate import evaluate, show_evaluation
    from training.sources import load

    outcome = evaluate(
        options.model,
        load(options.dataset, options.data_dir),
        options.cipher.removesuffix(PER_IMAGE),
        _load_key(options.key),
        options.per_image or options.cipher.endswith(PER_IMAGE),
        options.seed,
    )
    if options.json:
        print(json.dumps(outcome, indent=2))
    else:
        show_evaluation(outcome, options.figure)


def speed(options):
    """Images a second of a training step, beside one of plain PyTorch."""
    from training.speed import show_speed, training_speed

    record = training_speed(_recipe(options), options.steps, options.out)
    if options.json:
        print(json.dumps(record, indent=2))
    else:
        show_speed(record)


def _recipe(options):
    overrides = {
        field.name: getattr(options, field.name)
        for field in dataclasses.fields(Recipe)
        if getattr(options, field.name, None) is not None
    }
    return find_recipe(options.recipe, **overrides)


def _load_key(path):
    if path is None:
        return None
    import getpass

    from tfpe.keys import Key

    return Key.load(path, lambda: getpass.getpass("Passphrase: "))


def _names(text):
    return [name.strip() for name in text.split(",") if name.strip()]


def _ciphers(text):
    if not (names := _names(text)):
        raise argparse.ArgumentTypeError("should be one name or more. Received: none")
    return names


def _seeds(text):
    numbers = _names(text)
    if not numbers or not all(number.isdecimal() for number in numbers):
        raise argparse.ArgumentTypeError(
            f"should be whole numbers from 0, such as 0,1,2. Received: {text!r}"
        )
    return [int(number) for number in numbers]


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Training on encrypted images: what each cipher costs in accuracy.",
    )
    commands = parser.add_subparsers(dest="command", required=True)

    data = argparse.ArgumentParser(add_help=False)
    data.add_argument(
        "--dataset",
        default="digits",
        help="digits (embedded), cifar10, cifar100, tfds:NAME, a .npz file or a folder",
    )
    data.add_argument("--data-dir", help="of TensorFlow Datasets")
    data.add_argument("--key", help="key file; by default a public key for each seed")
    data.add_argument(
        "--per-image", action="store_true", help="a fresh key for every image"
    )
    data.add_argument("--json", action="store_true", help="figures as JSON on stdout")

    recipe = argparse.ArgumentParser(add_help=False)
    recipe.add_argument("--recipe", default="tiny", choices=list(RECIPES))
    knobs = recipe.add_argument_group("fields of the recipe")
    for field in dataclasses.fields(Recipe):
        if field.name != "name":
            flag = "--" + field.name.replace("_", "-")
            knobs.add_argument(flag, default=None, **_value(field))

    training = argparse.ArgumentParser(add_help=False)
    training.add_argument("--seeds", default=[0], type=_seeds, help="such as 0,1,2")
    training.add_argument("--out", default=OUT, help="folder of records and figures")
    training.add_argument("--runs", default=RUNS, help="folder of checkpoints")
    training.add_argument("--max-seconds", type=float, help="stop then; go on later")

    for name, help_text in {
        "compare": "train on several ciphers and compare",
        "train": "train on one cipher",
    }.items():
        command = commands.add_parser(
            name,
            parents=[data, training, recipe],
            help=help_text,
            epilog=COMPARE if name == "compare" else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == "train":
            command.add_argument("--cipher", default="plain")
        else:
            command.add_argument(
                "--ciphers",
                type=_ciphers,
                default=["plain", "le", "ele", "pbe", "logistic", "etc"],
                help="comma-separated; NAME-per-image for a key for every image",
            )
        command.set_defaults(run=compare)

    command = commands.add_parser(
        "evaluate",
        parents=[data],
        help="test a saved model",
        epilog=EVALUATE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("model", help="a .keras file")
    command.add_argument("--cipher", default="plain")
    command.add_argument("--seed", type=int, default=0, help="of the public key")
    command.add_argument("--figure", help="PNG file for the confusion matrix")
    command.set_defaults(run=evaluate)

    command = commands.add_parser(
        "speed", parents=[recipe], help="images/s of a step, beside plain PyTorch"
    )
    command.add_argument("--steps", default=20, type=int, help="that are timed; 20")
    command.add_argument("--out", default=OUT, help="folder of the record")
    command.add_argument(
        "--json", action="store_true", help="figures as JSON on stdout"
    )
    command.set_defaults(run=speed)

    command = commands.add_parser("svm", help="kernel SVMs on encrypted images")
    svm.add_arguments(command)
    command.set_defaults(run=svm.run)
    return parser


def _value(field):
    """How argparse reads a field of `Recipe`."""
    if isinstance(field.default, bool):
        return {"action": argparse.BooleanOptionalAction}
    if isinstance(field.default, tuple):
        return {"type": lambda text: tuple(map(float, _names(text)))}
    return {"type": type(field.default) if field.name != "alpha" else float}


if __name__ == "__main__":
    sys.exit(main())
