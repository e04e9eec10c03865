"""Data sets of class folders and .npz files, whose shards are cut here."""

import dataclasses
import hashlib

import numpy as np

from tfpe.dataset.class_folders import ClassFolders
from tfpe.dataset.examples import make_example
from tfpe.dataset.npz import read_npz
from tfpe.dataset.source import Source, batch_size, tfds_name
from tfpe.pixels.byte_planes import dtype_of

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


def folder_source(root, preparation, any_size=True, others="refuse"):
    found = ClassFolders(root, preparation, others)
    image_shape = found.image_shape(root, any_size)

    def load(part):
        files, labels = part
        images = np.stack([found.pixels(file) for file in files])
        return images, [make_example(label) for label in labels]

    lengths = {split: len(labels) for split, (_, labels) in found.parts.items()}
    source = _own_source(
        *(root.resolve().name, image_shape, len(found.classes), found.classes, lengths),
        *(found.mark.digest, found.parts, load, found.depth),
    )
    lost = dict(sorted(found.lost.items()))
    return dataclasses.replace(
        source, preparation=preparation, lost=lost, stored=found.stored
    )


def _own_source(
    name, image_shape, classes, names, lengths, mark, arrays, load, depth=8
):
    """A source whose shards are cut here: as many as give each about 256 MB."""
    import tensorflow_datasets as tfds

    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(
                shape=image_shape, dtype=dtype_of(depth), encoding_format="png"
            ),
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
        depth=depth,
    )
