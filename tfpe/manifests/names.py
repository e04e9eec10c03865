"""Hidden names: opaque file and folder names, and the mapping that the owner keeps."""

import json
import pathlib

from tfpe.errors import ManifestError, OutputError
from tfpe.manifests.folder_manifest import check_path
from tfpe.storage.atomic import remove_stale_of, write_file
from tfpe.storage.locks import lock_beside
from tfpe.storage.signed_json import Kind, read_json

KIND = Kind("tfpe names", 1, "a file of names", "tfpe name")
NAME_DIGITS = 16


def hide(key, path):
    """The opaque path of `path`, component by component.

    A folder gets one name wherever it stands, so that train/cat and test/cat stay one
    class; the name of a file depends on its whole path.

    Example:

    >>> from tfpe import Key
    >>> hide(Key(bytes(32)), "train/cat/1.png").split("/")[1] == (
    ...     hide(Key(bytes(32)), "test/cat/2.png").split("/")[1])
    True
    """
    *folders, _ = path.split("/")
    names = [_opaque(key, "folder", folder) for folder in folders]
    suffix = pathlib.PurePosixPath(path).suffix
    return "/".join([*names, _opaque(key, "file", path) + suffix])


def check_names(file, folder, key):
    """Raises what would keep a mapping file from being written, before anything is.

    Args:
        file: its path; nothing is written yet.
        folder: the output folder, which others may see.
        key: a `tfpe.Key`.

    Raises:
        OutputError: `file` lies in `folder`.
        ManifestError: something else is in `file`.
        WrongKeyError: it belongs to another key.
    """
    file, folder = pathlib.Path(file), pathlib.Path(folder)
    if file.resolve().is_relative_to(folder.resolve()):
        raise OutputError(
            "`hide_names` should be a file outside of the output folder, since it "
            f"tells the names. Received: {file}"
        )
    if file.exists():
        load_names(file, key)


def add_names(file, key, images):
    """Adds opaque path -> path to the mapping file, which has mode 0600.

    Runs that encrypt to several folders may share the file: what each of them adds
    stays, since the file is read and written under a lock.
    """
    file = pathlib.Path(file)
    with lock_beside(file):
        remove_stale_of(file)
        if file.exists():
            images = load_names(file, key) | images
        document = {
            **KIND.head,
            "key_fingerprint": key.fingerprint,
            "images": dict(sorted(images.items())),
        }
        text = json.dumps(document, indent=2) + "\n"
        write_file(file, text.encode(), mode=0o600)


def load_names(file, key):
    """Reads a mapping file: opaque path -> path, a dict.

    Raises:
        ManifestError: missing, damaged, changed or of another format.
        WrongKeyError: it belongs to another key.
    """
    document = read_json(file)
    KIND.check_head(document, key, file)
    images = document.get("images")
    if not isinstance(images, dict):
        raise ManifestError(f"{file} is damaged: it has no names of images")
    for opaque, path in images.items():
        if not isinstance(path, str) or hide(key, path) != opaque:
            raise ManifestError(f"{file} is damaged: the name of {opaque} was changed")
        check_path(path, file)
    return images


def _opaque(key, kind, name):
    return KIND.tag(key, kind, name)[:NAME_DIGITS]
