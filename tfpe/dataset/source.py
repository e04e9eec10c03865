"""A data set to read: its splits as lengths of shards, and one shard at a time.

Shards are read from any example on, in the order of their files.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from tfpe.pixels.preparation import Preparation

BATCH_BYTES, BATCH_IMAGES = 2**20, 256


@dataclasses.dataclass(frozen=True)
class Source:
    """A data set that can be read shard by shard.

    Attributes:
        name, version: as TFDS has them.
        folder: where TFDS would keep it, relative to its data_dir.
        features: features.json of TFDS, without class names.
        labels: feature -> class names, for features that are class labels.
        splits: split -> lengths of its shards.
        image_shape: (height, width, channels); height and width None where they vary.
        about: description, citation and supervised keys, for dataset_info.json.
        mark: `() -> bytes` that change when the source does; reads all of it.
        read: `(split, shard, skip) -> ` iterator of raw batches, each at most
            `batch_size(image_shape)` examples.
        preparation: the `Preparation` that made the images what they are.
        lost: what it took from them for good -> number of images.
        decode: raw batch -> (images, examples): `(B, H, W, C)` of `depth`, and the B
            serialised `tf.train.Example` without image. Called in several threads.
        depth: bits of a value, 8 or 16; 16 with one channel.
        stored: what its images do not tell, as `tfpe.pixels.depth.to_depth` says it.
    """

    name: str
    version: str
    folder: str
    features: dict
    labels: dict
    splits: dict
    image_shape: tuple
    about: dict
    mark: Callable
    read: Callable
    decode: Callable
    preparation: Preparation = Preparation()
    lost: dict = dataclasses.field(default_factory=dict)
    depth: int = 8
    stored: dict = dataclasses.field(default_factory=dict)

    @property
    def total(self):
        """Number of examples."""
        return sum(sum(lengths) for lengths in self.splits.values())


def batch_size(image_shape):
    """How many images of this shape are worked on at once."""
    if None in image_shape:
        return 1
    return int(np.clip(BATCH_BYTES // np.prod(image_shape), 1, BATCH_IMAGES))


def tfds_name(text):
    """`text` as a name that TFDS takes: lower case, digits and underscores."""
    letters = "".join(c if c.isascii() and c.isalnum() else "_" for c in text.lower())
    words = [word for word in letters.split("_") if word]
    if not words or not words[0][0].isalpha():
        words.insert(0, "images")
    return "_".join(words)


def numbered_shards(splits):
    """(split, shard, number of its first example) of each shard, in order."""
    start = 0
    for split, lengths in splits.items():
        for shard, length in enumerate(lengths):
            yield split, shard, start
            start += length
