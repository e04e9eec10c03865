"""What commands do with receipts: where they lie, and which key they need."""

import contextlib
import os
import pathlib

from tfpe.cli.streams import note, printable
from tfpe.errors import (
    KeyFileError,
    ManifestError,
    OutputError,
    TfpeError,
    WrongKeyError,
)


def add_receipt(command):
    """Adds `--receipt`."""
    command.add_argument(
        "--receipt",
        metavar="FILE",
        help="where the owner's receipt goes; NAME.receipt.json beside the key file",
    )


def check_receipt(options, key_file):
    """Raises `OutputError`, before the work, where no receipt can be left after it."""
    from tfpe.receipts import check_place, receipt_file

    if options.receipt:
        return check_place(options.receipt)  # among what others see, too, where asked
    folder, output = pathlib.Path(key_file).parent, pathlib.Path(options.output)
    if folder.resolve().is_relative_to(output.resolve()):
        raise OutputError(
            f"The key file should stay out of {output}, which others see, and the "
            f"receipt with it; or --receipt FILE names its place. Received: {key_file}"
        )
    return check_place(receipt_file("", folder))  # its name is not known yet


def hand_receipt(folder, key, key_file, path=None):
    """Leaves the receipt of a set beside the key, or where `--receipt` says."""
    from tfpe.receipts import leave_receipt

    path = leave_receipt(folder, key, path, pathlib.Path(key_file).parent)
    note(f"Receipt of the set, for its owner: {path}")


def find_receipt(word, key, key_file):
    """The `Receipt` that `--set` names: a file, a folder, or a name beside the key."""
    from tfpe.receipts import read_receipt, receipt_file
    from tfpe.receipts.receipt_files import SUFFIX
    from tfpe.receipts.sets import has_manifest

    path, beside = pathlib.Path(word), pathlib.Path(key_file).parent
    named = receipt_file(word, beside)
    if path.is_file():
        return read_receipt(path, key)
    if path.is_dir() and not named.exists():
        named = receipt_file(path.resolve().name, beside)
        if not named.exists() or has_manifest(path):
            return read_receipt(path, key)
        word = path.resolve().name  # its manifest is lost
    if not named.exists():
        there = sorted(f.name.removesuffix(SUFFIX) for f in beside.glob(f"*{SUFFIX}"))
        raise ManifestError(
            "--set should be a receipt, the folder of an encrypted set, or a name "
            f"whose receipt lies beside the key file, such as {there}. Received: {word}"
        )
    receipt = read_receipt(named, key)
    if word not in (receipt.name, f"{receipt.name}-{word.rpartition('-')[2]}"):
        note(printable(f"{named} is the receipt of the set {receipt.name}"))
    return receipt


@contextlib.contextmanager
def helped_to_the_key(key_file, key, name=None):
    """Adds to a `WrongKeyError` where the right key, or another receipt, may lie."""
    try:
        yield
    except WrongKeyError as error:
        if error.fingerprint is None:
            raise
        right = _key_file_of(error.fingerprint, pathlib.Path(key_file))
        hints = [
            f"{error.fingerprint} is in {right}: -k {right}"
            if right
            else f"`tfpe key rotate` keeps old keys as {key_file}.FINGERPRINT"
        ]
        hints += [
            f"{other} is the receipt of another set of this name, under the key given"
            for other in _receipts_of(key, pathlib.Path(key_file).parent, name)
        ]
        raise WrongKeyError(f"{error}; {'; '.join(hints)}") from None


def _key_file_of(fingerprint, key_file):
    """A file beside `key_file` that says it holds the key of this fingerprint."""
    from tfpe.keys.files import MOST_CHARACTERS, stated_fingerprint

    with contextlib.suppress(OSError):
        for path in sorted(key_file.parent.iterdir()):
            if not path.is_file() or path.stat().st_size > MOST_CHARACTERS:
                continue
            with contextlib.suppress(KeyFileError):  # of another kind
                if stated_fingerprint(path) == fingerprint:
                    return path
    return None


def _receipts_of(key, folder, name):
    from tfpe.storage.signed_json import read_json

    if not name or os.path.sep in name:
        return
    for path in sorted(folder.glob(f"{name}-*.receipt.json")):
        with contextlib.suppress(TfpeError):
            if read_json(path).get("key_fingerprint") == key.fingerprint:
                yield path
