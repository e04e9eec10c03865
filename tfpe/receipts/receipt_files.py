"""Receipts on the disk, beside the key; that of one set never takes another's place."""

import json
import os
import pathlib

from tfpe.errors import ManifestError, OutputError
from tfpe.receipts.receipt import KIND
from tfpe.storage.atomic import can_be_written, remove_stale_of, write_file
from tfpe.storage.locks import lock_beside
from tfpe.storage.signed_json import read_json

SUFFIX = ".receipt.json"


def receipt_file(name, folder):
    """Where the receipt of the set `name` lies in the owner's folder."""
    return pathlib.Path(folder, name + SUFFIX)


def free_path(receipt, folder):
    """Where a receipt may be written: NAME.receipt.json, or NAME-2.receipt.json ...

    The first that is not there yet, or is of the same set, which is made again.

    Args:
        receipt: a `Receipt`.
        folder: the owner's.

    Returns:
        A path.
    """
    number = 1
    while True:
        name = receipt.name if number == 1 else f"{receipt.name}-{number}"
        path = receipt_file(name, folder)
        if not os.path.lexists(path) or _is_of_set(path, receipt):
            return path
        number += 1


def save_receipt(receipt, key, path):
    """Writes a receipt, whole or not at all; one of the same set is replaced.

    Args:
        receipt: a `Receipt`.
        key: the `tfpe.Key` of the set.
        path: of the file.

    Raises:
        OutputError: something else is there, or it cannot be written.
        WrongKeyError: the set has another key.
    """
    key.require(receipt.key_fingerprint, f"the set {receipt.name}")
    path = pathlib.Path(path)
    text = json.dumps(receipt.sealed(key), indent=1) + "\n"
    with lock_beside(path):
        if os.path.lexists(path) and not _is_of_set(path, receipt):
            raise OutputError(
                f"The receipt of {receipt.name} should go to a new file. Received: "
                f"{path}, which holds something else, or the receipt of another set"
            )
        remove_stale_of(path)
        write_file(path, text.encode())


def leave_receipt(folder, key, path=None, owner=None):
    """Writes the receipt of the encrypted set in `folder`; returns where.

    Args:
        folder: of the set.
        key: a `tfpe.Key`.
        path: of the file; None takes a free one in the folder `owner`.
        owner: the owner's folder.
    """
    from tfpe.receipts.sets import read_receipt

    receipt = read_receipt(folder, key)
    path = path or free_path(receipt, owner)
    save_receipt(receipt, key, path)
    return path


def check_place(path):
    """Raises `OutputError`, before the work, where no receipt could be left later."""
    path = pathlib.Path(path)
    if not can_be_written(path):
        raise OutputError(
            f"The receipt should go where a file can be written. Received: {path}"
        )
    if os.path.lexists(path) and not _is_receipt(path):
        raise OutputError(
            f"The receipt should go to a new file. Received: {path}, which holds "
            "something else"
        )


def _is_receipt(path):
    try:
        return read_json(path).get("format") == KIND.format
    except ManifestError:
        return False


def _is_of_set(path, receipt):
    try:
        return receipt.is_of_set(read_json(path))
    except ManifestError:
        return False
