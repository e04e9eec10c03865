"""Hidden labels: opaque numbers for classes, and the mapping that the owner keeps."""

import json
import pathlib

from tfpe.errors import ManifestError, OutputError
from tfpe.storage.atomic import remove_stale_of, write_file
from tfpe.storage.signed_json import Kind, canonical, read_json, same

KIND = Kind("tfpe labels", 1, "a file of labels", "tfpe labels")


def hidden_numbers(key, labels):
    """Feature -> opaque number of each class, drawn from the key.

    Example:

    >>> from tfpe import Key
    >>> numbers = hidden_numbers(Key(bytes(32)), {"label": ["cat", "dog", "eel"]})
    >>> sorted(numbers["label"])
    [0, 1, 2]
    """
    return {
        feature: key.material(
            "hidden labels", (len(names),), feature=feature, names=list(names)
        )
        .permutation("order", len(names))
        .tolist()
        for feature, names in labels.items()
    }


def save_labels(file, folder, key, labels):
    """Writes the mapping file, with mode 0600, outside of the folder that others see.

    Raises:
        OutputError: `file` lies in `folder`, or something else is there.
    """
    file = pathlib.Path(file)
    if file.resolve().is_relative_to(pathlib.Path(folder).resolve()):
        raise OutputError(
            "`hide_labels` should be a file outside of the output folder, since it "
            f"tells the classes. Received: {file}"
        )
    document = {
        **KIND.head,
        "key_fingerprint": key.fingerprint,
        "labels": labels,
        "numbers": hidden_numbers(key, labels),
    }
    text = json.dumps(KIND.sign(key, document), indent=1) + "\n"
    if file.exists() and file.read_bytes() != text.encode():
        raise OutputError(
            f"`hide_labels` should be a new file. Received: {file}, which exists and "
            "holds something else"
        )
    remove_stale_of(file)
    write_file(file, text.encode(), mode=0o600)


def load_labels(file, key):
    """Reads a mapping file: feature -> class names, feature -> opaque numbers.

    Raises:
        ManifestError: missing, damaged, changed or of another format.
        WrongKeyError: it belongs to another key.
    """
    document = KIND.open(read_json(file), key, file)
    return document["labels"], document["numbers"]


def labels_tag(key, labels, source_tag):
    """A keyed mark of the classes of one set, which its manifest and receipt hold.

    Args:
        key: a `tfpe.Key`.
        labels: feature -> names of its classes.
        source_tag: of the set, so that sets of the same classes have different marks.
    """
    return key.tag(canonical(["tfpe hidden labels", labels, source_tag]))


def require_labels_of(labels, key, document, file, name):
    """Raises `ManifestError` where a mapping file hid the labels of another set.

    Args:
        labels: feature -> class names, as `load_labels` gives.
        key: a `tfpe.Key`.
        document: a dict with `source_tag` and `labels_tag` of the set; sets of an early
            tfpe have none.
        file, name: of the mapping and of the set, for the error.
    """
    expected = document.get("labels_tag")
    if expected is not None and not same(
        labels_tag(key, labels, document["source_tag"]), expected
    ):
        raise ManifestError(
            f"`labels` should be the file that hid the labels of {name}. Received: "
            f"{file}, which is of a set with other classes, or made anew since"
        )
