"""The receipt of a set from what stands beside its ciphertexts.

Manifests of data sets and of folders are sealed with the key already: a receipt is what
a prediction needs of one. The cloud may copy the sealed part into a model; it cannot
change it unseen.
"""

import pathlib

from tfpe.errors import ManifestError
from tfpe.manifests import set_manifest
from tfpe.manifests.folder_manifest import KIND as FOLDER
from tfpe.manifests.folder_manifest import MANIFEST_NAME, check_header, read_manifest
from tfpe.manifests.names import hide
from tfpe.manifests.set_manifest import ENTRY, METADATA
from tfpe.pixels.depth import without_window
from tfpe.receipts.receipt import Receipt, open_receipt, shape_of_ciphertext
from tfpe.storage.signed_json import canonical, read_json

SPLITS = {"train", "test"}
ENTRIES = ("images", "images_tag")  # of a folder's manifest: one for each file


def read_receipt(source, key):
    """The `Receipt` of a set.

    Args:
        source: a receipt's file, the folder of an encrypted data set or of encrypted
            images, or a `Receipt`.
        key: the `tfpe.Key` of the set.

    Returns:
        A `Receipt`.

    Raises:
        ManifestError: nothing of that kind is there, or it was changed.
        WrongKeyError: another key encrypted the set.

    Example:

    >>> import pathlib, tempfile
    >>> from tfpe import Key
    >>> from tfpe.receipts import save_receipt
    >>> key = Key.generate()
    >>> receipt = Receipt("set", key.fingerprint, "le", {"block_size": 4})
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "set.receipt.json"
    >>> save_receipt(receipt, key, path)
    >>> read_receipt(path, key) == receipt
    True
    """
    if isinstance(source, Receipt):
        key.require(source.key_fingerprint, f"the set {source.name}")
        return source
    path = pathlib.Path(source)
    if not path.is_dir():
        return open_receipt(read_json(path), key, path)
    if (path / MANIFEST_NAME).exists():
        return _of_folder(path, key)
    return _of_data_set(path, key)


def has_manifest(folder):
    """Whether the manifest of a set stands in a folder, of a data set also below."""
    folder = pathlib.Path(folder)
    return (folder / MANIFEST_NAME).exists() or any(folder.rglob(METADATA))


def public_receipt(folder):
    """The sealed part of an encrypted set's manifest, a dict; None for other folders.

    It names cipher, options and the fingerprint of the key, which it does not need.
    """
    folder = pathlib.Path(folder)
    if (folder / MANIFEST_NAME).exists():
        document = read_json(folder / MANIFEST_NAME)
        document = {n: v for n, v in document.items() if n not in ENTRIES}
    elif (folder / METADATA).exists():
        document = read_json(folder / METADATA).get(ENTRY)
    else:
        return None
    encrypted = isinstance(document, dict) and "cipher" in document
    return document if encrypted else None


def open_public(document, key, where, name=None):
    """The `Receipt` of what `public_receipt` gave, or of a sealed receipt."""
    if document.get("format") == set_manifest.KIND.format:
        return _from_manifest(set_manifest.check_manifest(document, key, where), where)
    if document.get("format") == FOLDER.format:
        header = check_header(document, key, where)
        return _from_header(header, {}, key, name or str(where))
    return open_receipt(document, key, where)


def _kind_of(entries):
    """Depth and what else images do not tell, where all of a folder are alike."""
    kinds = [
        (entry.get("depth", 8), without_window(entry.get("stored", {})))
        for entry in entries.values()
    ]
    alike = kinds and all(kind == kinds[0] for kind in kinds)
    return kinds[0] if alike else (None, None)


def _of_data_set(path, key):
    folder = set_manifest.find_set(path)
    return _from_manifest(set_manifest.read_manifest(folder, key), folder)


def _from_manifest(manifest, where):
    if manifest["kind"] != "encrypted":
        raise ManifestError(f"{where} should be encrypted. Received: a decrypted set")
    source, dropped = manifest["source"], manifest["dropped"]
    shape = tuple(source["image_shape"])
    cipher, options = manifest["cipher"], manifest["options"]
    return Receipt(
        name=manifest["name"],
        key_fingerprint=manifest["key_fingerprint"],
        cipher=cipher,
        options=options,
        per_image=manifest["per_image"],
        hidden_labels=manifest["hidden_labels"],
        classes={f: n for f, n in source["labels"].items() if f not in dropped},
        image_shape=shape,
        cipher_shape=shape_of_ciphertext(shape, cipher, options),
        preparation=manifest.get("preparation") or None,
        source_tag=manifest["source_tag"],
        depth=manifest.get("depth", 8),
        stored=manifest.get("stored", {}),
        labels_tag=manifest.get("labels_tag"),
        **views_of(manifest),
    )


def views_of(manifest):
    """`copies` and `augment` of a set with views, as a dict; empty without."""
    if manifest.get("copies", 1) == 1:
        return {}
    return {"copies": manifest["copies"], "augment": list(manifest["augment"])}


def _of_folder(path, key):
    manifest = read_manifest(path, key)
    if manifest.problems:
        where, message = manifest.problems[0]
        raise ManifestError(f"The manifest in {path} was changed: {where}: {message}")
    path = path.resolve()
    mark = key.tag(canonical(["tfpe folder", str(path)]))
    return _from_header(manifest.header, manifest.entries, key, path.name, mark)


def _from_header(header, entries, key, name, mark=None):
    shapes = {(e["height"], e["width"], e["channels"]) for e in entries.values()}
    channels = {shape[2] for shape in shapes}
    shape = None
    if len(channels) == 1:
        shape = shapes.pop() if len(shapes) == 1 else (None, None, *channels)
    cipher, options = header["cipher"], header["options"]
    depth, stored = _kind_of(entries)
    splits = SPLITS
    if header["hidden_names"]:
        splits = {hide(key, f"{split}/-.png").partition("/")[0] for split in SPLITS}
    names = class_folders(entries, splits)
    return Receipt(
        name=name,
        key_fingerprint=header["key_fingerprint"],
        cipher=cipher,
        options=options,
        per_image=header["per_image"],
        hidden_labels=header["hidden_names"],
        classes={"label": names} if names else {},
        image_shape=shape,
        cipher_shape=shape and shape_of_ciphertext(shape, cipher, options),
        preparation=header.get("preparation") or None,
        source_tag=header.get("folder") or mark,
        depth=depth,
        stored=stored,
        lossy=header.get("lossy"),
    )


def class_of(path, splits=SPLITS):
    """The class of an image, its folder; None where it is in none.

    Args:
        path: of the image in its set.
        splits: names of folders above those of classes.

    Example:

    >>> class_of("cat/1.png"), class_of("train/cat/1.png"), class_of("1.png")
    ('cat', 'cat', None)
    """
    folders = path.split("/")[:-1]
    if folders and folders[0] in splits:
        folders = folders[1:]
    return folders[0] if folders else None


def class_folders(paths, splits=SPLITS):
    """The classes of images in class folders, sorted; [] where an image is in none."""
    classes = {class_of(path, splits) for path in paths}
    return [] if None in classes else sorted(classes)
