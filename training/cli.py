"""The command line of training; exit code 2 is wrong use, others as in commands.py."""

import argparse

from tfpe.cli import run_command
from tfpe.cli.common import add_option, seed_number
from tfpe.cli.cpu_steps import quicken_steps
from tfpe.cli.error_lines import guard
from tfpe.cli.wording import Parser
from training import argument_types, commands, svm
from training.frontier_settings import SETTINGS
from training.gpu import ALPHAS as GPU_ALPHAS
from training.gpu import CIPHERS as GPU_CIPHERS
from training.recipe import STEP_FIELDS
from training.recipe_flags import add_recipe, field_meanings
from training.recipes import CIPHERS
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
    quicken_steps()
    return guard("training", lambda: run_command(options))


def _parser():
    parser = Parser(
        prog="python -m training",
        description="Training on encrypted images: what each cipher costs in accuracy.",
    )
    subparsers = parser.add_subparsers(dest="command", required=True)
    _add_compare(subparsers)
    _add_train(subparsers)
    _add_evaluate(subparsers)
    _add_speed(subparsers)
    _add_gpu(subparsers)
    _add_frontier(subparsers)
    _add_svm(subparsers)
    return parser


def _add_compare(subparsers):
    command = _command(
        *(subparsers, "compare", commands.compare),
        *("train on several ciphers and compare", COMPARE),
    )
    _add_training(command)
    command.add_argument(
        "--ciphers",
        type=argument_types.names,
        help="names between commas; NAME-per-image takes a key for each image, "
        "plain-as-NAME plain images in the network that fits a cipher "
        f"(default: {','.join(CIPHERS)}, and for the network matched each of "
        "them with its plain-as-NAME)",
    )


def _add_train(subparsers):
    command = _command(subparsers, "train", commands.compare, "train on one cipher")
    _add_training(command)
    command.add_argument("--cipher", default="plain", help=CIPHER)


def _add_training(command):
    _add_data(command)
    _add_json(command)
    _add_seeds(command, [0], "seeds of split, weights and batches, such as 0,1,2")
    _add_folders(command)
    _add_slices(command)
    add_recipe(command, without=["views"])
    add_option(command)
    command.add_argument(
        "--views",
        dest="view_counts",
        type=argument_types.seeds,
        metavar="K",
        help=field_meanings()["views"]
        + "; several between commas, one after the other",
    )


def _add_evaluate(subparsers):
    command = _command(
        *(subparsers, "evaluate", commands.evaluate, "test a saved model", EVALUATE)
    )
    _add_data(command)
    _add_json(command)
    command.add_argument("model", help="a .keras file")
    command.add_argument(
        "--cipher", help=f"{CIPHER} (default: that of the run or receipt of the model)"
    )
    command.add_argument(
        "--seed",
        type=seed_number,
        help="seed of the public key (default: that of the model's run, or 0)",
    )
    command.add_argument("--figure", help="PNG file for the confusion matrix")


def _add_speed(subparsers):
    help_text = "images/s of a step, beside plain PyTorch or, if matched, `small`"
    command = _command(subparsers, "speed", commands.speed, help_text)
    add_recipe(command, STEP_FIELDS)
    command.add_argument(
        "--steps", default=20, type=int, help="number of steps (default: 20)"
    )
    _add_folders(command, runs=False)
    _add_json(command)


def _add_gpu(subparsers):
    help_text = "all that one GPU can tell in a few minutes"
    command = _command(subparsers, "gpu", commands.gpu, help_text, GPU)
    add_recipe(command, default="fast")
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
    meaning = "the first is for every data set, then the others are for the first one"
    _add_seeds(command, [0, 1, 2], meaning)
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
    _add_folders(command)


def _add_frontier(subparsers):
    help_text = "accuracy against leakage, for many settings"
    command = _command(
        *(subparsers, "frontier", commands.frontier, help_text, FRONTIER)
    )
    _add_source(command)
    command.add_argument(
        "--settings",
        type=argument_types.names,
        default=list(SETTINGS),
        help=f"names between commas (default: all of {','.join(SETTINGS)})",
    )
    command.add_argument(
        "--seed", type=seed_number, default=0, help="of everything (default: 0)"
    )
    for name in ("epochs", "train_images", "batch_size"):
        command.add_argument(
            "--" + name.replace("_", "-"),
            type=argument_types.count,
            metavar="N",
            help=f"{field_meanings()[name]} (default: of the recipe of each setting)",
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
    _add_folders(command)
    _add_slices(command)
    _add_json(command)


def _add_svm(subparsers):
    command = _command(subparsers, "svm", svm.run, "kernel SVMs on encrypted images")
    _add_source(command)
    _add_key(command)
    svm.add_arguments(command)


def _command(subparsers, name, run, help_text, examples=None):
    """Adds the command that `run` carries out, described as `run` is."""
    command = subparsers.add_parser(
        name,
        help=help_text,
        description=run.__doc__,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run)
    return command


def _add_source(command):
    """Adds `--dataset` and `--data-dir`."""
    command.add_argument(
        "--dataset",
        default="digits",
        help="digits (embedded), cifar10, cifar100, tfds:NAME, a .npz file or a folder",
    )
    command.add_argument("--data-dir", help="folder of TensorFlow Datasets")


def _add_key(command):
    """Adds `--key`."""
    command.add_argument("--key", help="key file (default: a public key for each seed)")


def _add_data(command):
    """Adds where images and keys come from."""
    _add_source(command)
    _add_key(command)
    command.add_argument(
        "--per-image", action="store_true", help="take a fresh key for every image"
    )


def _add_json(command):
    """Adds `--json`."""
    command.add_argument(
        "--json", action="store_true", help="print the figures as JSON"
    )


def _add_seeds(command, default, meaning):
    """Adds `--seeds`."""
    shown = ",".join(map(str, default))
    command.add_argument(
        "--seeds",
        default=default,
        type=argument_types.seeds,
        help=f"{meaning} (default: {shown})",
    )


def _add_folders(command, runs=True):
    """Adds `--out`, and `--runs` where something is trained."""
    command.add_argument(
        "--out", default=OUT, help=f"folder of records and figures (default: {OUT})"
    )
    if runs:
        command.add_argument(
            "--runs",
            default=RUNS,
            help=f"folder of checkpoints and of what is trained (default: {RUNS})",
        )


def _add_slices(command):
    """Adds `--max-seconds` and `--quiet`, of what takes hours."""
    command.add_argument(
        "--max-seconds",
        type=float,
        metavar="X",
        help="stop after that time; the same command goes on",
    )
    command.add_argument("-q", "--quiet", action="store_true", help="show no progress")
