"""The receipt inside a .keras file: one more member of the archive.

Keras reads the members that it knows and leaves the others alone. The receipt is sealed
with the owner's key; the names of classes beside it are the trainer's word.
"""

import json
import os
import pathlib
import zipfile

from tfpe.errors import ManifestError
from tfpe.receipts.sets import open_public
from tfpe.storage.signed_json import parse

MEMBER = "receipt.json"
MOST_BYTES = 2**26


def attach_receipt(path, document, name, classes):
    """Adds a receipt to a .keras file, which nobody else reads yet.

    Args:
        path: of the file; under its final name only a whole one should appear.
        document: a sealed receipt, or what `public_receipt` gave.
        name: of the set.
        classes: names of the model's outputs, in their order.
    """
    member = {"name": name, "classes": list(classes), "receipt": document}
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MEMBER, json.dumps(member))
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def carried(path):
    """What `attach_receipt` added to a model's file, a dict; None where nothing was."""
    if not pathlib.Path(path).is_file() or not zipfile.is_zipfile(path):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            if MEMBER not in archive.namelist():
                return None
            if archive.getinfo(MEMBER).file_size > MOST_BYTES:
                raise ManifestError(
                    f"The receipt in {path} is damaged: it is too large"
                )
            member = parse(archive.read(MEMBER), f"The receipt in {path}")
    except (OSError, zipfile.BadZipFile) as error:
        raise ManifestError(f"Cannot read the receipt in {path}: {error}") from error
    whole = isinstance(member.get("receipt"), dict)
    names = member.get("classes")
    if not whole or not isinstance(names, list):
        raise ManifestError(f"The receipt in {path} is damaged")
    return member


def model_receipt(path, key):
    """The `Receipt` that a model carries; None where it carries none.

    Args:
        path: of a .keras file.
        key: the `tfpe.Key` of the training images.

    Raises:
        ManifestError: it was changed.
        WrongKeyError: the model was trained under another key.
    """
    import dataclasses

    member = carried(path)
    if member is None:
        return None
    where = f"the model {path}"
    receipt = open_public(member["receipt"], key, where, str(member.get("name")))
    names = [str(name) for name in member["classes"]]
    if receipt.class_names or not names:
        return receipt
    return dataclasses.replace(receipt, classes={"label": names})
