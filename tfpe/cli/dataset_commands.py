"""`tfpe dataset encrypt | decrypt | reencrypt`: data sets for TensorFlow Datasets."""

import argparse
import contextlib
import json
import os

from tfpe.cli.common import (
    add_again,
    add_cipher,
    add_command,
    add_group,
    add_key,
    add_output,
    add_readable,
    add_workers,
    cipher_options,
    key_path,
    load_key,
    progress_bar,
)
from tfpe.cli.packages import require
from tfpe.cli.preparations import add_preparation, losses_line, preparation_of
from tfpe.cli.receipts import add_receipt, check_receipt, hand_receipt
from tfpe.cli.sizes import growth_line
from tfpe.cli.streams import note
from tfpe.cli.wording import failures
from tfpe.errors import DatasetError, SourceFilesError

EXAMPLES = {
    "dataset": """\
examples:
  tfpe dataset encrypt cifar10 --cipher ele --key owner.key --out cloud
  tfpe dataset decrypt cloud --key owner.key --out plain
""",
    "encrypt": """\
examples:
  tfpe dataset encrypt cifar10 --cipher ele --key owner.key --out cloud
      then anywhere: tfds.load("cifar10_ele", data_dir="cloud")
  tfpe dataset encrypt photos --cipher ele --key owner.key --out cloud \\
      --hide-labels labels.json
  tfpe dataset encrypt photos --cipher le --size 96x96 --rgb --key owner.key --out cloud
  tfpe dataset encrypt tfds:svhn_cropped --data-dir data --cipher pbe --per-image \\
      --key owner.key --out cloud
  tfpe dataset encrypt cifar10 --cipher le --copies 4 --augment crop,flip \\
      --key owner.key --out cloud
      then four splits to train on: train, train_view1, train_view2, train_view3

SOURCE is cifar10, cifar100, tfds:NAME, an .npz file with x_train, y_train, x_test,
y_test, or a folder with one folder of images for each class. The same command resumes a
killed run, which ends with the same files.
""",
    "decrypt": """\
examples:
  tfpe dataset decrypt cloud --key owner.key --out plain
  tfpe dataset decrypt cloud --key owner.key --labels labels.json --out plain
""",
    "reencrypt": """\
examples:
  tfpe dataset reencrypt cloud --key owner.key --new-key next.key --out cloud-next

The plain images are held in memory only, and never written.
""",
}


def register(commands):
    """Adds the commands of this file."""
    group = add_group(commands, "dataset", "Encrypts whole data sets.", EXAMPLES)

    command = add_command(group, encrypt, EXAMPLES)
    command.add_argument("source", metavar="SOURCE", help="a data set, see below")
    _add_common(command)
    add_cipher(command, "must be given")
    command.add_argument(
        "--data-dir", metavar="DIR", help="folder where TFDS keeps SOURCE"
    )
    command.add_argument(
        "--drop",
        action="append",
        default=[],
        metavar="FEATURE",
        help="leave this feature out (may be repeated)",
    )
    _add_new(command)
    command.add_argument(
        "--per-image",
        action="store_true",
        help="encrypt each image under a sub-key of its own",
    )
    add_preparation(command).add_argument(
        "--any-size",
        action="store_true",
        help="take images of several sizes without --size; they are hard to batch",
    )
    add_again(command)

    command = add_command(group, decrypt, EXAMPLES)
    command.add_argument("source", metavar="SET", help="folder of an encrypted set")
    _add_common(command)
    _add_labels(command)
    add_readable(command)

    command = add_command(group, reencrypt, EXAMPLES)
    command.add_argument("source", metavar="SET", help="folder of an encrypted set")
    _add_common(command)
    _add_labels(command)
    command.add_argument(
        "--new-key", required=True, metavar="FILE", help="key file of the result"
    )
    add_cipher(command, "the one it has")
    _add_new(command)
    command.add_argument(
        "--per-image",
        action=argparse.BooleanOptionalAction,
        help="a sub-key of its own for each image, or one key (default: as it was)",
    )


def encrypt(options):
    """Encrypts a data set to one that tfds.load reads without tfpe."""
    chosen, preparation = cipher_options(options, needed=True), preparation_of(options)
    key = load_key(options)
    check_receipt(options, key_path(options))
    dataset = _dataset()
    with _told(options), progress_bar("Encrypting", options) as progress:
        summary = dataset.encrypt_dataset(
            options.source,
            options.output,
            key,
            options.cipher,
            name=options.name,
            per_image=options.per_image,
            hide_labels=options.hide_labels,
            drop=options.drop,
            copies=options.copies,
            augment=options.augment,
            data_dir=options.data_dir,
            preparation=preparation,
            any_size=options.any_size,
            skip_others=options.skip_others,
            again=options.again,
            progress=progress,
            workers=options.workers,
            **chosen,
        )
    _report(summary, "encrypted", options)
    hand_receipt(summary.folder, key, key_path(options), options.receipt)
    if summary.written and os.path.isdir(options.source):
        if line := growth_line(options.source, summary.folder):
            note(line)


def decrypt(options):
    """Gives back the data set that `encrypt` encrypted."""
    key = load_key(options)
    dataset = _dataset()
    with progress_bar("Decrypting", options) as progress:
        summary = dataset.decrypt_dataset(
            options.source,
            options.output,
            key,
            labels=options.labels,
            readable=options.readable,
            progress=progress,
            workers=options.workers,
        )
    _report(summary, "decrypted", options)


def reencrypt(options):
    """Encrypts an encrypted data set under a new key."""
    chosen = cipher_options(options)
    key = load_key(options)
    new_key = load_key(options, options.new_key)
    check_receipt(options, options.new_key)
    dataset = _dataset()
    with progress_bar("Encrypting anew", options) as progress:
        summary = dataset.reencrypt_dataset(
            options.source,
            options.output,
            key,
            new_key,
            options.cipher,
            name=options.name,
            per_image=options.per_image,
            labels=options.labels,
            hide_labels=options.hide_labels,
            copies=options.copies,
            augment=options.augment,
            progress=progress,
            workers=options.workers,
            **chosen,
        )
    _report(summary, "encrypted anew", options)
    hand_receipt(summary.folder, new_key, options.new_key, options.receipt)


def _add_common(command):
    add_workers(command)
    add_output(command, "data_dir of the result, for tfds.load")
    add_key(command)
    command.add_argument(
        "--json", action="store_true", help="print the summary as JSON"
    )
    command.add_argument(
        "-q", "--quiet", action="store_true", help="show no progress bar"
    )


def _add_new(command):
    command.add_argument(
        "--name", help="name of the result (default: like cifar10_ele)"
    )
    command.add_argument(
        "--hide-labels",
        metavar="FILE",
        help="make classes opaque numbers; FILE, which the owner keeps, maps them back",
    )
    command.add_argument(
        "--copies",
        type=int,
        metavar="K",
        help="views of each training image, augmented before encryption: split train "
        "(the image itself), train_view1 and so on (default: 1, or what the set has)",
    )
    command.add_argument(
        "--augment",
        metavar="crop,flip",
        help="how these views differ (default: crop,flip)",
    )
    add_receipt(command)


def _add_labels(command):
    command.add_argument(
        "--labels", metavar="FILE", help="the file that --hide-labels wrote"
    )


def _dataset():
    require("tensorflow", "tensorflow_datasets", "PIL", "rich")
    # Before the progress bar: TFDS replaces `__import__` while it is imported, and the
    # thread that draws the bar would import through that.
    import tensorflow_datasets  # noqa: F401

    import tfpe.dataset

    return tfpe.dataset


@contextlib.contextmanager
def _told(options):
    """Names all files of a source that cannot be taken, not the first alone."""
    try:
        yield
    except SourceFilesError as error:
        for line in failures(error.problems, options.parser.words()):
            note(f"tfpe: {line}")
        count = len(error.problems)
        raise DatasetError(
            f"{count} file{'s' * (count > 1)} of the source cannot be taken; nothing "
            "was written"
        ) from error


def _report(summary, verb, options):
    if options.json:
        print(json.dumps(vars(summary), indent=2))
    if summary.lost:
        note(losses_line(summary.lost))
    note(
        f"{summary.written} {verb}, {summary.skipped} done before: "
        f'tfds.load("{summary.name}", data_dir="{options.output}")'
    )
