"""What stands beside the shards: the manifest in TFDS's metadata, and checkpoints.

A manifest names cipher, options, the fingerprint of the key and what the source was,
never the key. Its tags, over itself and over every file, are keyed: the owner sees any
change, and nobody can confirm a guess of an image with them.
"""

import hashlib
import json
import pathlib

import tfpe
from tfpe.errors import ManifestError
from tfpe.manifests.folder_manifest import MANIFEST_NAME
from tfpe.storage.atomic import write_file
from tfpe.storage.signed_json import Kind, canonical, read_json, same

# Version 1 had sub-keys of images from their number alone.
KIND = Kind("tfpe data set", 2, "a set with a manifest of tfpe", "tfpe data set")
METADATA, CHECKPOINT = "metadata.json", "checkpoint.json"
ENTRY = "tfpe"  # in metadata.json, which belongs to TFDS


def make_header(key, kind, name, source, settings):
    """The part of a manifest that is known before the first image is read.

    Args:
        key: a `tfpe.Key`.
        kind: "encrypted" or "decrypted".
        name: of the data set that is written.
        source: a `tfpe.dataset.source.Source`.
        settings: dict: cipher, options and so on.
    """
    hidden = settings.get("hidden_labels", False)
    return {
        **KIND.head,
        "tfpe": tfpe.__version__,
        "kind": kind,
        "key_fingerprint": key.fingerprint,
        "name": name,
        **settings,
        "source": {
            "name": source.name,
            "version": source.version,
            "folder": source.folder,
            "features": source.features,
            "labels": {} if hidden else source.labels,
            # Pairs, since a dict of JSON has no order to rely on.
            "splits": [[split, list(n)] for split, n in source.splits.items()],
            "image_shape": list(source.image_shape),
            "about": source.about,
        },
        "source_tag": KIND.tag(key, "source", source.mark().hex()),
    }


def image_keys(key, header):
    """The key whose `for_image` gives those of the images; None where they share one.

    It hangs on the name and the contents of the set, since images are numbered from 0
    in each; the same set under the same name gets the same keys again, on any machine.

    Args:
        key: a `tfpe.Key`.
        header: of the manifest.
    """
    if not header["per_image"]:
        return None
    # Views that differ have numbers that do not.
    views = header.get("augment", [])
    return key.derive("data set", header["name"], header["source_tag"], *views)


def require_settings(begun, wanted, where):
    """Raises `ManifestError` unless both headers make the same data set."""
    # What manifests before did not name.
    older = {"preparation": {}, "lost": {}, "copies": 1, "augment": []}
    for name in wanted:
        if name != "tfpe" and (older | begun).get(name) != wanted[name]:
            shown = not name.startswith("source")
            raise ManifestError(
                f"`{name}` should be "
                + (f"{begun.get(name)!r}, " if shown else "the same ")
                + f"with which {where} was begun. Received: "
                + (f"{wanted[name]!r}" if shown else "a changed one")
                + "; use another output folder"
            )


def file_tag(key, name, digest):
    """The keyed tag of a file, or of its beginning, from its SHA-256."""
    return KIND.tag(key, "file", name, digest.hexdigest())


def tag_file(key, path):
    """The keyed tag of a file on the disk."""
    try:
        with open(path, "rb") as file:
            return file_tag(key, path.name, hashlib.file_digest(file, "sha256"))
    except OSError as error:
        raise ManifestError(f"Cannot read {path}: {error.strerror}") from error


def sealed(key, document):
    """`document` with a keyed tag over all of it."""
    whole = KIND.sign(key, document, "document")
    # Sorted: the order of what protocol buffers give differs between processes.
    return json.loads(canonical(whole))


def find_set(path):
    """The folder of the one data set in `path`: itself, or the only one below it."""
    path = pathlib.Path(path)
    found = [path / METADATA] if (path / METADATA).exists() else []
    found = found or sorted(path.rglob(METADATA))
    if not found and (path / MANIFEST_NAME).exists():
        raise ManifestError(
            f"{path} should be the folder of an encrypted data set. Received: a folder "
            "of images, which tfpe.files.decrypt_folder (tfpe decrypt) decrypts"
        )
    if len(found) != 1:
        raise ManifestError(
            f"{path} should be the folder of one encrypted data set. Received: "
            f"{len(found)} data sets in it or below"
        )
    return found[0].parent


def read_manifest(folder, key):
    """The manifest of a data set.

    Raises:
        ManifestError: missing, of another format or version, or changed.
        WrongKeyError: `key` is not the one that made it.
    """
    path = pathlib.Path(folder, METADATA)
    document = read_json(path).get(ENTRY)
    return check_manifest(document, key, path)


def read_checkpoint(folder, key):
    """What a killed run left: a dict, or None."""
    path = pathlib.Path(folder, CHECKPOINT)
    if not path.exists():
        return None
    return check_manifest(read_json(path), key, path)


def write_checkpoint(folder, key, header, shards):
    """Writes what is finished, aside and renamed."""
    document = sealed(key, {**header, "shards": shards})
    write_file(pathlib.Path(folder, CHECKPOINT), json.dumps(document).encode())


def check_files(folder, key, manifest):
    """Raises `ManifestError` where a file of a data set is missing or changed."""
    for name, tag in manifest["files"].items():
        if not same(tag, tag_file(key, pathlib.Path(folder, name))):
            raise ManifestError(f"{folder}/{name} was damaged or changed")


def check_manifest(document, key, path):
    """The manifest in `document`, or an error that says what is wrong with it."""
    return KIND.open(document, key, path, "document")
