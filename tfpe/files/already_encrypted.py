"""Whether images were encrypted by tfpe already: nobody should do it twice unawares.

A manifest, or the journal of an interrupted run, lists what is ciphertext. No key is
needed to see it, and none is asked for.
"""

import contextlib
import json
import os
import pathlib

from tfpe.errors import AlreadyEncryptedError, ManifestError
from tfpe.files.paths import folders_above
from tfpe.manifests.folder_manifest import JOURNAL_NAME, KIND, MANIFEST_NAME
from tfpe.manifests.set_manifest import ENTRY
from tfpe.storage.signed_json import parse, read_bytes, read_json


def find_encrypted(source):
    """An image that is ciphertext, and the file that says so; None where none is.

    Args:
        source: a folder, of which all folders below count too, or one image. Manifests
            are looked for in it, below it and in folders above it (`folders_above`).

    Raises:
        ManifestError: a manifest cannot be read, or is damaged.
    """
    source = pathlib.Path(source).resolve()
    folders = list(folders_above(source))
    if source.is_dir():
        folders += [pathlib.Path(folder) for folder, _, _ in os.walk(source)]
    for folder in folders:
        for name in (MANIFEST_NAME, JOURNAL_NAME):
            if (folder / name).is_file():
                for path in _listed(folder / name):
                    image = folder / path
                    if image.is_relative_to(source) and image.is_file():
                        return image, folder / name
    return None


def require_plain(source):
    """Raises `AlreadyEncryptedError` where an image of `source` is ciphertext."""
    if (found := find_encrypted(source)) is not None:
        image, manifest = found
        refuse(source, f"{image}, which {manifest} lists as encrypted")


def require_plain_sets(source, files):
    """Raises `AlreadyEncryptedError` where one of these metadata.json is of ciphertext.

    Args:
        source: what the error calls the set.
        files: paths, which need not exist.
    """
    for file in files:
        try:
            entry = read_json(file).get(ENTRY)
        except ManifestError:
            continue  # of a set that tfpe did not write, or none
        kind = entry.get("kind") if isinstance(entry, dict) else None
        if kind == "encrypted":
            refuse(source, f"a data set that {file} calls encrypted")


def refuse(source, reason):
    """Raises `AlreadyEncryptedError`; `reason` says what tells of it."""
    raise AlreadyEncryptedError(
        f"{source} should hold plain images. Received: {reason}. Decrypt it first, or "
        "take dataset reencrypt for another key of a data set; again=True encrypts it "
        "once more, and its manifest is needed to come back"
    )


def _listed(manifest):
    """The paths in a manifest of image folders or a journal; of another file none."""
    data = read_bytes(manifest)
    if KIND.format.encode() not in data:
        return
    if manifest.name == MANIFEST_NAME:
        entries = parse(data, manifest).get("images", [])
    else:
        entries = []
        for line in data.splitlines():
            with contextlib.suppress(ValueError, RecursionError):  # a kill tears one
                entries.append(json.loads(line))
    for entry in entries:
        path = entry.get("path") if isinstance(entry, dict) else None
        if isinstance(path, str) and "\0" not in path:
            yield path
