"""Data sets of class folders and .npz files, whose shards are cut here."""

import hashlib

import numpy as np

from tfpe.dataset.npz import read_npz
from tfpe.dataset.records import make_example
from tfpe.dataset.source import Source, batch_size, tfds_name
from tfpe.errors import DatasetError, ImageFileError
from tfpe.files.sources import find_images, read_bytes

SHARD_BYTES = 2**28  # of pixels, where the source has no shards of its own


def npz_source(path):
    arrays = read_npz(path)
    [image_shape] = {images.shape[1:] for images, _ in arrays.values()}
    classes = 1 + max(int(labels.max()) for _, labels in arrays.values())

    def load(part):
        images, labels = part
        return images, [make_example(int(label)) for label in labels]

    def mark():
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").digest()

    lengths = {split: len(labels) for split, (_, labels) in arrays.items()}
    return _own_source(
        path.stem, image_shape, classes, None, lengths, mark, arrays, load
    )


def folder_source(root):
    splits = {"train": root}
    if {"train", "test"} <= {entry.name for entry in root.iterdir() if entry.is_dir()}:
        splits = {"train": root / "train", "test": root / "test"}
    arrays, shapes, mark, names = {}, set(), hashlib.sha256(), None
    for split, folder in splits.items():
        found = find_images(folder)
        files = list(found.images.items())
        outside = [path for path, _ in files if "/" not in path]
        problems = found.refused + [(path, "It is in no class") for path in outside]
        if problems or not files:
            path, problem = problems[0] if problems else (".", "It holds no images")
            raise DatasetError(f"{folder}/{path}: {problem}")
        classes = sorted({path.partition("/")[0] for path, _ in files})
        for name in classes:
            if not _can_be_named(name):
                raise DatasetError(
                    "Classes should have names of one line of text, without blanks at "
                    f"the ends: TFDS keeps them so. Received: {folder}/{name!r}"
                )
        if names not in (None, classes):
            raise DatasetError(
                f"train and test of {root} should hold the same classes. "
                f"Received: {names} and {classes}"
            )
        names = classes
        digests = {}
        for path, file in files:
            data = read_bytes(file)
            digests[path] = hashlib.sha256(data).digest()
            shapes.add(_pixels(path, data).shape)
        # Class after class, their order would tell what `hide_labels` hides.
        files.sort(key=lambda pair: (digests[pair[0]], pair[0]))
        for path, _ in files:
            mark.update(f"{split}/{path}\n".encode() + digests[path])
        labels = [classes.index(path.partition("/")[0]) for path, _ in files]
        arrays[split] = [file for _, file in files], labels
    if len({shape[2] for shape in shapes}) > 1:
        raise DatasetError(f"Images in {root} should be all gray or all RGB")
    image_shape = shapes.pop() if len(shapes) == 1 else (None, None, shapes.pop()[2])

    def load(part):
        files, labels = part
        images = np.stack([_pixels(file, read_bytes(file)) for file in files])
        return images, [make_example(label) for label in labels]

    lengths = {split: len(labels) for split, (_, labels) in arrays.items()}
    name = root.resolve().name
    return _own_source(
        name, image_shape, len(names), names, lengths, mark.digest, arrays, load
    )


def _own_source(name, image_shape, classes, names, lengths, mark, arrays, load):
    """A source whose shards are cut here: as many as give each about 256 MB."""
    import tensorflow_datasets as tfds

    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=image_shape, encoding_format="png"),
            "label": tfds.features.ClassLabel(names=names or map(str, range(classes))),
        }
    )
    pixels = 2**19 if None in image_shape else int(np.prod(image_shape))
    most = max(1, SHARD_BYTES // pixels)
    splits = {
        split: [min(most, count - start) for start in range(0, count, most)]
        for split, count in lengths.items()
    }

    def read(split, shard, skip):
        start, size = shard * most, batch_size(image_shape)
        end = start + splits[split][shard]
        for first in range(start + skip, end, size):
            part = slice(first, min(first + size, end))
            yield tuple(column[part] for column in arrays[split])

    name = tfds_name(name)
    return Source(
        name=name,
        version="1.0.0",
        folder=f"{name}/1.0.0",
        features=features.to_json(),
        labels={"label": list(features["label"].names)},
        splits=splits,
        image_shape=tuple(image_shape),
        about={
            "description": "",
            "citation": "",
            "supervised_keys": ["image", "label"],
        },
        mark=mark,
        read=read,
        decode=load,
    )


def _can_be_named(name):
    text = name.encode(errors="ignore").decode() == name
    return text and name.splitlines() == [name] == [name.strip()]


def _pixels(path, data):
    from tfpe.files import images

    try:
        return images.decode_image(data)
    except ImageFileError as error:
        raise DatasetError(f"{path}: {error}") from error
