"""`tfpe predict`: the returned model, on images that are encrypted here."""

import argparse
import contextlib
import importlib
import json
import os
import sys

from tfpe.cli.common import (
    add_cipher,
    add_command,
    add_key,
    cipher_options,
    key_path,
    load_key,
)
from tfpe.cli.receipts import find_receipt, helped_to_the_key
from tfpe.cli.streams import note, printable
from tfpe.errors import CipherOptionError, TfpeError

EXAMPLES = {
    "predict": """\
examples:
  tfpe predict model.keras photos --key owner.key --set cifar10_ele
  tfpe predict model.keras photos --key owner.key
      for a model of python -m training, which carries its receipt
  tfpe predict model.keras tfds:cifar10 --key owner.key --set cloud --json
  tfpe predict model.keras photos --key owner.key --set photos_ele --labels labels.json
  tfpe predict model.keras digits.npz --key owner.key --cipher le --value-range 0,1
      without a receipt, you say what was done to the training images

IMAGES is a folder, an image, an .npz file with x_test, cifar10, cifar100 or tfds:NAME,
all of them plain. Where they have labels (class folders, y_test), the accuracy is
printed too. --set is the NAME of a set, whose receipt NAME.receipt.json lies beside the
key, or a receipt, or the folder of the encrypted set. Cipher, options, preparation and
classes come from there, and another key is refused.

stdout gets CSV: image, class, probability. Outputs that are not a distribution (numbers
from 0 to 1 that sum to 1) are taken as logits, and softmax turns them to probabilities.
""",
}


def register(commands):
    """Adds the commands of this file."""
    command = add_command(commands, predict, EXAMPLES)
    command.add_argument("model", metavar="MODEL", help="a .keras file")
    command.add_argument("images", metavar="IMAGES", help="plain images, see below")
    add_key(command)
    command.add_argument(
        "--set", metavar="SET", help="the encrypted set that the model was trained on"
    )
    add_cipher(command, "where no receipt tells it")
    command.add_argument(
        "--value-range",
        type=_range,
        metavar="LOW,HIGH",
        help="range of the values that the model takes (default: 0,255)",
    )
    command.add_argument(
        "--labels",
        metavar="FILE",
        help="the file that --hide-labels or --hide-names wrote",
    )
    command.add_argument(
        "--data-dir", metavar="DIR", help="folder where TFDS keeps IMAGES"
    )
    command.add_argument(
        "--import",
        dest="modules",
        action="append",
        default=[],
        metavar="MODULE",
        help="the module that defines layers of the model, installed or in this folder",
    )
    command.add_argument(
        "--json",
        action="store_true",
        help="print the probabilities of all classes as JSON",
    )


def predict(options):
    """Encrypts images and lets a model predict their classes."""
    from tfpe.receipts import model_receipt
    from tfpe.receipts.model_files import carried
    from tfpe.roles import predictions
    from tfpe.roles.labelled_images import load_images

    chosen = cipher_options(options)
    key, file = load_key(options), key_path(options)
    with helped_to_the_key(file, key, options.set):
        given = options.set and find_receipt(options.set, key, file)
        inside = model_receipt(options.model, key)
    receipt = given or inside
    if receipt is None:
        if options.cipher is None:
            raise CipherOptionError(
                "--set should name the set that the model was trained on, or --cipher "
                "its cipher (`tfpe ciphers`): the model carries no receipt. Received: "
                "neither"
            )
    for module in options.modules:
        _import(module)
    if carried(options.model) is not None:
        _import_training()
    found = load_images(
        *(options.images, options.data_dir),
        *((receipt.preparation, receipt.stored) if receipt else ()),
    )
    from tfpe import roles

    outputs = roles.predict(
        options.model,
        found.images,
        key,
        options.cipher,
        receipt=given or None,
        value_range=options.value_range,
        **chosen,
    )
    shares = predictions.probabilities(outputs)
    classes = predictions.classes_of(receipt, shares.shape[1], key, options.labels)
    result = predictions.Predictions(found, shares, classes)
    if options.json:
        print(json.dumps(result.document(receipt)))
    else:
        import csv

        rows = csv.writer(sys.stdout, lineterminator="\n")
        rows.writerow(["image", "class", "probability"])
        for name, label, share in result.best():
            rows.writerow([printable(name), printable(label), f"{share:.4f}"])
    if receipt is None:
        note(
            "No receipt: nothing tells whether key, cipher and options are those of "
            "the training images (--set names their set)"
        )
    for line in result.notes():
        note(line)


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


def _import_training():
    """The layers of `python -m training`, where Python finds them by itself.

    Never from this folder, unless `--import` says so: the model may come with code.
    """
    with contextlib.suppress(ImportError):
        importlib.import_module("training.networks.registered")


def _range(text):
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"should be like 0,255. Received: {text!r}"
        ) from None
    return low, high
