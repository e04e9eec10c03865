"""The command line of training; exit code 2 is wrong use, others as in commands.py."""

import argparse
import dataclasses
import inspect
import re

from tfpe.cli import run_command
from tfpe.cli.common import add_option
from tfpe.cli.error_lines import guard
from tfpe.cli.wording import Parser
from training import argument_types, commands, svm
from training.frontier_settings import SETTINGS
from training.gpu import ALPHAS as GPU_ALPHAS
from training.gpu import CIPHERS as GPU_CIPHERS
from training.networks import NETWORKS
from training.recipes import CHOICES, CIPHERS, RECIPES, STEP_FIELDS, Recipe
from training.run_folder import OUT, RUNS

COMPARE = """\
examples:
  python -m training compare
      takes minutes on 2 cores, with embedded digits; it shows that the chain works,
      and not how the ciphers rank
  python -m training compare --dataset cifar10 --recipe small --train-images 9000
  python -m training compare --dataset cifar10 --recipe small --max-seconds 3600
      works in slices: the same command goes on where it stopped
  python -m training compare --dataset cifar10 --recipe small --ciphers le \\
      --views 0,1,2,4,8
      a fresh view in each epoch, beside 1, 2, 4 and 8 fixed views of each image
  python -m training compare --dataset cifar10 --recipe matched --seeds 0,1
      each cipher with the network that fits it, beside that network on plain images
  KERAS_BACKEND=jax python -m training compare --dataset cifar10.npz --recipe paper
      for a GPU, without TensorFlow
"""
EVALUATE = """\
examples:
  python -m training evaluate runs/digits-tiny-le-seed0/best.keras
      takes cipher and seed from the run that left the model
  python -m training evaluate model.keras --cipher etc --key owner.key --dataset cifar10
"""
GPU = """\
example:
  KERAS_BACKEND=jax python -m training gpu --minutes 8 --data cifar10.npz cifar100.npz
      needs no TensorFlow and no network; the same command goes on with what is left
  KERAS_BACKEND=jax python -m training gpu --data cifar-10-batches-py cifar-100-python
"""
FRONTIER = """\
examples:
  python -m training frontier --dataset cifar10 --max-seconds 3600
      works in slices: the same command goes on where it stopped
  python -m training frontier --dataset cifar10 --settings plain,pbe-folded
      measures these alone; each record tells the command of its point
  tfpe attack inverse_network --train cifar10 --cipher pbe \\
      --model runs/attacks/inverse_network-pbe-32x32.attack
      trains an attack apart: it is taken from there
"""
CIPHER = "plain, a name of `tfpe ciphers`, or NAME-per-image"


def main(arguments=None):
    """Runs a command; returns its exit code."""
    options = _parser().parse_args(arguments)
    return guard("training", lambda: run_command(options))


def _parser():
    parser = Parser(
        prog="python -m training",
        description="Training on encrypted images: what each cipher costs in accuracy.",
    )
    subparsers = parser.add_subparsers(dest="command", required=True)

    sources = argparse.ArgumentParser(add_help=False)
    sources.add_argument(
        "--dataset",
        default="digits",
        help="digits (embedded), cifar10, cifar100, tfds:NAME, a .npz file or a folder",
    )
    sources.add_argument("--data-dir", help="folder of TensorFlow Datasets")

    images = argparse.ArgumentParser(add_help=False, parents=[sources])
    images.add_argument("--key", help="key file (default: a public key for each seed)")

    data = argparse.ArgumentParser(add_help=False, parents=[images])
    data.add_argument(
        "--per-image", action="store_true", help="take a fresh key for every image"
    )
    data.add_argument("--json", action="store_true", help="print the figures as JSON")

    fields = {field.name for field in dataclasses.fields(Recipe)}
    recipe = _recipe_parser((fields | set(network_options())) - {"views"})
    step = _recipe_parser(STEP_FIELDS)

    training = argparse.ArgumentParser(add_help=False)
    training.add_argument(
        "--seeds",
        default=[0],
        type=argument_types.seeds,
        help="seeds of split, weights and batches, such as 0,1,2 (default: 0)",
    )
    training.add_argument(
        "--out", default=OUT, help=f"folder of records and figures (default: {OUT})"
    )
    training.add_argument(
        "--runs",
        default=RUNS,
        help=f"folder of checkpoints and models (default: {RUNS})",
    )
    training.add_argument(
        "--max-seconds",
        type=float,
        metavar="X",
        help="stop after that time; the same command goes on",
    )

    training.add_argument("-q", "--quiet", action="store_true", help="show no progress")

    for name, help_text in {
        "compare": "train on several ciphers and compare",
        "train": "train on one cipher",
    }.items():
        command = subparsers.add_parser(
            name,
            parents=[data, training, recipe],
            help=help_text,
            description=commands.compare.__doc__,
            epilog=COMPARE if name == "compare" else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == "train":
            command.add_argument("--cipher", default="plain", help=CIPHER)
        else:
            command.add_argument(
                "--ciphers",
                type=argument_types.names,
                help="names between commas; NAME-per-image takes a key for each image, "
                "plain-as-NAME plain images in the network that fits a cipher "
                f"(default: {','.join(CIPHERS)}, and for the network matched each of "
                "them with its plain-as-NAME)",
            )
        add_option(command)
        command.add_argument(
            "--views",
            dest="view_counts",
            type=argument_types.seeds,
            metavar="K",
            help=_meanings()["views"] + "; several between commas, one after the other",
        )
        command.set_defaults(run=commands.compare)

    command = subparsers.add_parser(
        "evaluate",
        parents=[data],
        help="test a saved model",
        description=commands.evaluate.__doc__,
        epilog=EVALUATE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("model", help="a .keras file")
    command.add_argument(
        "--cipher", help=f"{CIPHER} (default: that of the run or receipt of the model)"
    )
    command.add_argument(
        "--seed",
        type=argument_types.seed,
        help="seed of the public key (default: that of the model's run, or 0)",
    )
    command.add_argument("--figure", help="PNG file for the confusion matrix")
    command.set_defaults(run=commands.evaluate)

    command = subparsers.add_parser(
        "speed",
        parents=[step],
        help="images/s of a step, beside plain PyTorch",
        description=commands.speed.__doc__,
    )
    command.add_argument(
        "--steps", default=20, type=int, help="number of steps (default: 20)"
    )
    command.add_argument("--out", default=OUT, help="folder of the record")
    command.add_argument(
        "--json", action="store_true", help="print the figures as JSON"
    )
    command.set_defaults(run=commands.speed)

    command = subparsers.add_parser(
        "gpu",
        parents=[_recipe_parser(fields | set(network_options()), "fast")],
        help="all that one GPU can tell in a few minutes",
        description=commands.gpu.__doc__,
        epilog=GPU,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "--data",
        nargs="+",
        required=True,
        metavar="FILE",
        help=".npz files, folders of the files of CIFAR as they are downloaded, or of "
        "pictures; the first is trained on first",
    )
    command.add_argument(
        "--minutes",
        default=8.0,
        type=argument_types.positive,
        help="time for all of it (default: 8)",
    )
    command.add_argument(
        "--seeds",
        default=[0, 1, 2],
        type=argument_types.seeds,
        help="the first is for every data set, then the others are for the first one "
        "(default: 0,1,2)",
    )
    command.add_argument(
        "--ciphers",
        type=argument_types.names,
        default=GPU_CIPHERS,
        help=f"names to train on (default: {','.join(GPU_CIPHERS)})",
    )
    command.add_argument(
        "--images",
        default=16_384,
        type=argument_types.count,
        help="number of images that a cipher encrypts in one call (default: 16384)",
    )
    command.add_argument(
        "--network-depth",
        default=110,
        type=argument_types.count,
        help="depth of the PyramidNet whose step is timed (default: 110)",
    )
    command.add_argument(
        "--network-alphas",
        default=GPU_ALPHAS,
        type=lambda text: [int(alpha) for alpha in argument_types.names(text)],
        metavar="48,270",
        help="alphas of that PyramidNet, timed one after the other (default: 48,270)",
    )
    command.add_argument(
        "--steps",
        default=20,
        type=argument_types.count,
        help="number of its steps (default: 20)",
    )
    command.add_argument(
        "--out", default=OUT, help=f"folder of records (default: {OUT})"
    )
    command.add_argument(
        "--runs",
        default=RUNS,
        help=f"folder of checkpoints and models (default: {RUNS})",
    )
    command.set_defaults(run=commands.gpu)

    command = subparsers.add_parser(
        "frontier",
        parents=[sources],
        help="accuracy against leakage, for many settings",
        description=commands.frontier.__doc__,
        epilog=FRONTIER,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "--settings",
        type=argument_types.names,
        default=list(SETTINGS),
        help=f"names between commas (default: all of {','.join(SETTINGS)})",
    )
    command.add_argument(
        "--seed", type=argument_types.seed, default=0, help="of everything (default: 0)"
    )
    for name in ("epochs", "train_images", "batch_size"):
        command.add_argument(
            "--" + name.replace("_", "-"),
            type=argument_types.count,
            metavar="N",
            help=f"{_meanings()[name]} (default: of the recipe of each setting)",
        )
    command.add_argument(
        "--attack-steps",
        type=argument_types.count,
        help="of the training of a learned attack (default: by its kind)",
    )
    command.add_argument(
        "--scored",
        type=argument_types.count,
        default=1000,
        help="number of test images that are attacked (default: 1000)",
    )
    command.add_argument("--figure", help="PNG file to draw the frontier to")
    command.add_argument(
        "--out", default=OUT, help=f"folder of records (default: {OUT})"
    )
    command.add_argument(
        "--runs",
        default=RUNS,
        help=f"folder of checkpoints, models and attacks (default: {RUNS})",
    )
    command.add_argument(
        "--max-seconds",
        type=float,
        metavar="X",
        help="stop after that time; the same command goes on",
    )
    command.add_argument(
        "--json", action="store_true", help="print the figures as JSON"
    )
    command.add_argument("-q", "--quiet", action="store_true", help="show no progress")
    command.set_defaults(run=commands.frontier)

    command = subparsers.add_parser(
        "svm",
        parents=[images],
        help="kernel SVMs on encrypted images",
        description=svm.run.__doc__,
    )
    svm.add_arguments(command)
    command.set_defaults(run=svm.run)
    return parser


def _recipe_parser(names, default="tiny"):
    """The options `--recipe` and those of some of its fields."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--recipe",
        default=default,
        choices=list(RECIPES),
        help=f"training/recipes.py says what each takes (default: {default})",
    )
    knobs = parser.add_argument_group(
        "fields of the recipe", "these replace the values that the recipe has"
    )
    meanings, names = _meanings(), set(names) - {"name", "options"}
    for field in dataclasses.fields(Recipe):
        if field.name in names:
            meaning = meanings.get(field.name)
            choices = CHOICES.get(field.name, ())
            _add_knob(knobs, field.name, field.default, choices, meaning)
    for name, option in network_options().items():
        if name in names:
            rows = [row.name for row in NETWORKS.values() if name in row.options]
            meaning = f"{option.meaning} ({', '.join(rows)})"
            _add_knob(knobs, name, option.default, option.choices, meaning)
    return parser


def network_options():
    """The options of all networks, name -> the first `Option` of that name."""
    options = {}
    for row in NETWORKS.values():
        for name, option in row.options.items():
            options.setdefault(name, option)
    return options


def _add_knob(knobs, name, default, choices, meaning):
    """Adds the flag of a field of `Recipe`, or of an option of a network."""
    flag = "--" + name.replace("_", "-")
    knobs.add_argument(flag, default=None, help=meaning, **_value(default, choices))


def _value(default, choices):
    """How argparse reads a value like `default`."""
    if isinstance(default, bool):
        return {"action": argparse.BooleanOptionalAction}
    if choices:
        return {"choices": choices, "type": type(default)}
    if isinstance(default, tuple):
        return {"type": argument_types.fractions, "metavar": "0.5,0.75"}
    whole = isinstance(default, int)
    return {"type": int, "metavar": "N"} if whole else {"type": float, "metavar": "X"}


def _meanings():
    """Field name -> help, from the docstring of `Recipe`."""
    text = inspect.getdoc(Recipe).partition("Attributes:\n")[2].partition("\n\n")[0]
    entries = re.findall(r"^    (\w[\w, ]*): (.*(?:\n        .*)*)", text, re.MULTILINE)
    return {
        name: " ".join(meaning.split()).rstrip(".")
        for names, meaning in entries
        for name in names.split(", ")
    }
