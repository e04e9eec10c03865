"""`tfpe predict`: the returned model, on images that are encrypted here."""

import argparse
import importlib
import json
import os
import sys

from tfpe.cli.common import add_cipher, add_command, add_key, cipher_options, load_key
from tfpe.cli.terminal import note, printable
from tfpe.errors import TfpeError

EXAMPLES = {
    "predict": """\
examples:
  tfpe predict model.keras photos --key owner.key --cipher ele
  tfpe predict model.keras digits.npz --key owner.key --cipher le --value-range 0,1
  tfpe predict model.keras photos --key owner.key --json
  tfpe predict best.keras photos --key owner.key --import training.pyramidnet

IMAGES is a folder, an image, or an .npz file with x_test (and y_test: accuracy).
The cipher, its options and the value range are those that the model was trained with.
""",
}


def register(commands):
    """Adds the commands of this file."""
    command = add_command(commands, predict, EXAMPLES)
    command.add_argument("model", metavar="MODEL", help="a .keras file")
    command.add_argument("images", metavar="IMAGES")
    add_key(command)
    add_cipher(command, "that of the training images")
    command.add_argument(
        "--value-range",
        type=_range,
        default=(0, 255),
        metavar="LOW,HIGH",
        help="of the images that the model takes; 0,255",
    )
    command.add_argument(
        "--import",
        dest="modules",
        action="append",
        default=[],
        metavar="MODULE",
        help="the module of a model's own layers, installed or in this folder; "
        "training.pyramidnet for those of python -m training, from a checkout",
    )
    command.add_argument("--json", action="store_true", help="outputs as JSON")


def predict(options):
    """Encrypts images and lets a model predict their classes."""
    import numpy as np

    from tfpe import roles

    chosen = cipher_options(options)
    key = load_key(options)
    for module in options.modules:
        _import(module)
    images, names, labels = roles.load_images(options.images)
    outputs = roles.predict(
        options.model,
        images,
        key,
        options.cipher,
        value_range=options.value_range,
        **chosen,
    )
    if outputs.ndim != 2 or outputs.shape[1] < 2:
        raise TfpeError(
            "The model should have an output for each class, two or more. Received: "
            f"outputs of shape {outputs.shape}; tfpe.predict gives them in Python"
        )
    if not np.isfinite(outputs).all():
        raise TfpeError("The model should give numbers. Received: NaN or infinity")
    classes = outputs.argmax(axis=-1)
    if options.json:
        rows = zip(names, classes.tolist(), outputs.tolist(), strict=True)
        print(json.dumps([{"image": n, "class": c, "outputs": o} for n, c, o in rows]))
    else:
        for name, number in zip(names, classes, strict=True):
            print(f"{printable(name)}\t{number}")
    if labels is not None:
        right = float((classes == labels).mean())
        note(f"Accuracy on {len(labels)} images: {right:.4f}")


def _import(module):
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise TfpeError(
            "--import should name a module that is installed or in this folder. "
            f"Received: {module}: {error}"
        ) from error


def _range(text):
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"should be like 0,255. Received: {text!r}"
        ) from None
    return low, high
