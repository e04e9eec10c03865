"""An encrypted data set as a source: its images come out decrypted, in memory."""

import contextlib
import hashlib

import numpy as np

from tfpe.ciphers import find_cipher
from tfpe.ciphers.cache import TransformCache
from tfpe.dataset.examples import put_labels, read_numbers, read_records, take_image
from tfpe.dataset.labels import load_labels, require_labels_of
from tfpe.dataset.source import Source, batch_size
from tfpe.dataset.views import without_views
from tfpe.dataset.writer import shard_name
from tfpe.errors import DatasetError, ImageFileError, ManifestError
from tfpe.manifests.set_manifest import (
    check_files,
    file_tag,
    find_set,
    image_keys,
    read_manifest,
)
from tfpe.pixels.codec import decode_image
from tfpe.pixels.preparation import Preparation
from tfpe.storage.signed_json import same

# Features that encryption adds, and decryption takes away again.
NUMBER, HEIGHT, WIDTH = "image_number", "image_height", "image_width"


def open_encrypted(path, key, labels=None):
    """The `Source` whose images `encrypt_dataset` encrypted into the folder `path`.

    Args:
        path: folder with the shards, or a folder with only this data set below it.
        key: the `tfpe.Key` that encrypted it.
        labels: the file that `hide_labels` wrote, where labels are hidden.

    Returns:
        The source, and its manifest.

    Raises:
        ManifestError: no manifest, or it or a file is damaged or changed.
        WrongKeyError: another key encrypted the set.
    """
    folder = find_set(path)
    manifest = read_manifest(folder, key)
    if manifest["kind"] != "encrypted":
        raise ManifestError(f"{folder} should be encrypted. Received: a decrypted set")
    names, shown = manifest["source"]["labels"], {}
    if manifest["hidden_labels"] != (labels is not None):
        raise ManifestError(
            "`labels` should be the file that `hide_labels` wrote, for data sets with "
            f"hidden labels only. Received: labels={labels!r} for {folder}, whose "
            f"labels are {'hidden' if manifest['hidden_labels'] else 'not hidden'}"
        )
    if labels is not None:
        names, numbers = load_labels(labels, key)
        require_labels_of(names, key, manifest, labels, manifest["name"])
        shown = {name: np.argsort(order).tolist() for name, order in numbers.items()}
    check_files(folder, key, manifest)
    return _Reader(folder, key, manifest, names, shown).source(), manifest


class _Reader:
    def __init__(self, folder, key, manifest, names, shown):
        self.folder, self.key, self.manifest = folder, key, manifest
        self.names, self.shown = names, shown
        self.plain = manifest["source"]
        # View 0 is the set itself; the others hold nothing that it does not.
        splits = dict(self.plain["splits"])
        self.splits = without_views(splits, manifest.get("copies", 1))
        self.cipher = find_cipher(manifest["cipher"])
        self.options = manifest["options"]
        self.transforms = TransformCache(
            self.cipher, key, self.options, image_keys(key, manifest), invert=True
        )

    def source(self):
        plain = self.plain
        return Source(
            name=plain["name"],
            version=plain["version"],
            folder=plain["folder"],
            features=plain["features"],
            labels=self.names,
            splits=self.splits,
            image_shape=tuple(plain["image_shape"]),
            about=plain["about"],
            mark=lambda: repr(sorted(self.manifest["shards"].items())).encode(),
            read=self.read,
            decode=self.decode,
            preparation=Preparation.from_json(self.manifest.get("preparation")),
            lost=self.manifest.get("lost", {}),
            depth=self.manifest.get("depth", 8),
            stored=self.manifest.get("stored", {}),
        )

    def read(self, split, shard, skip):
        count = len(self.splits[split])
        name = shard_name(self.manifest["name"], split, shard, count)
        path, entry = self.folder / name, self.manifest["shards"][name]
        self._check(path, entry)
        size = batch_size(tuple(self.plain["image_shape"]))
        return read_records(path, skip, size)

    def decode(self, records):
        added = (NUMBER, HEIGHT, WIDTH)
        pairs = [take_image(record) for record in records]
        numbers = [read_numbers(example, added) for _, example in pairs]
        with _named(self.folder):
            ciphertexts = [decode_image(data, depth=16) for data, _ in pairs]
        if self.manifest["per_image"] or None in self.plain["image_shape"]:
            with_numbers = zip(ciphertexts, numbers, strict=True)
            images = np.stack([self._decrypt(*pair) for pair in with_numbers])
        else:
            images = self._decrypt(np.stack(ciphertexts), {})
        examples = [put_labels(example, self.shown, added) for _, example in pairs]
        return images, examples

    def _decrypt(self, ciphertext, numbers):
        height, width, channels = self.plain["image_shape"]
        shape = numbers.get(HEIGHT, height), numbers.get(WIDTH, width), channels
        return self.transforms.decrypt(ciphertext, shape, numbers.get(NUMBER))

    def _check(self, path, entry):
        with _named(path), open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256")
        if not same(entry["tag"], file_tag(self.key, path.name, digest)):
            raise DatasetError(f"{path} was damaged or changed: its tag does not fit")


@contextlib.contextmanager
def _named(where):
    try:
        yield
    except FileNotFoundError:
        raise DatasetError(f"{where} is missing") from None
    except OSError as error:
        raise DatasetError(f"Cannot read {where}: {error.strerror}") from error
    except ImageFileError as error:
        raise DatasetError(f"{where}: {error}") from error
