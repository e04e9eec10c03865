"""Views: training images that the owner augments, since nobody can on ciphertext.

View 0 is the split `train`, its images as they are; view v is one more split,
`train_viewV`, with the same examples in the same order. Other splits stay alone. Each
image of a view has a number of its own in the set, and so a sub-key of its own where
images have them: two views under one sub-key would show what they share.
"""

import dataclasses
import functools

import numpy as np

from tfpe.checks import one_of, whole_number
from tfpe.errors import CipherOptionError, DatasetError
from tfpe.pixels.augmentation import AUGMENTATIONS, crop_and_flip, crop_padding

TRAIN = "train"  # the split that has views


def view_split(view):
    """The split that holds a view of the training images.

    Example:

    >>> view_split(0), view_split(3)
    ('train', 'train_view3')
    """
    return f"{TRAIN}_view{view}" if view else TRAIN


def check_views(copies=None, augment=None):
    """`copies` and `augment` of `encrypt_dataset`, checked and with their defaults.

    Returns:
        A whole number and a list, as the manifest has them.

    Raises:
        CipherOptionError: they do not fit.

    Example:

    >>> check_views(), check_views(4), check_views(2, "flip")
    ((1, []), (4, ['crop', 'flip']), (2, ['flip']))
    """
    copies = 1 if copies is None else whole_number(copies, "copies")
    if augment is None:
        augment = AUGMENTATIONS if copies > 1 else ()
    words = augment.split(",") if isinstance(augment, str) else list(augment)
    for word in words:
        one_of(word, AUGMENTATIONS, "augment")
    if bool(words) != (copies > 1):
        raise CipherOptionError(
            "`augment` should name how the views differ where `copies` is 2 or more, "
            f"and nothing where it is 1. Received: copies={copies}, augment={augment!r}"
        )
    return copies, [word for word in AUGMENTATIONS if word in words]


def with_views(source, copies):
    """The `Source` with the splits of all views, each as view 0 is still.

    Args:
        source: a `tfpe.dataset.source.Source`.
        copies: number of views of each training image.

    Raises:
        DatasetError: it has no split `train`, or has one that a view would be.
    """
    if copies == 1:
        return source
    if TRAIN not in source.splits:
        raise DatasetError(
            f"{source.name} should have a split {TRAIN!r}, whose images get the views "
            f"that `copies` asks for. Received: splits {list(source.splits)}"
        )
    views = [view_split(view) for view in range(1, copies)]
    if taken := [split for split in views if split in source.splits]:
        raise DatasetError(
            f"{source.name} should have no splits of the names of views. "
            f"Received: {taken}"
        )
    lengths = source.splits[TRAIN]

    def read(split, shard, skip):
        return source.read(TRAIN if split in views else split, shard, skip)

    splits = source.splits | dict.fromkeys(views, lengths)
    return dataclasses.replace(source, splits=splits, read=read)


def without_views(splits, copies):
    """The splits of a set less those that views have added."""
    views = {view_split(view) for view in range(1, copies)}
    return {split: lengths for split, lengths in splits.items() if split not in views}


class Augmentation:
    """Makes of images the views that they are numbered as; a function of the key.

    Args:
        key: a `tfpe.Key`, from which every draw comes.
        splits: split -> lengths of its shards, of a source with views.
        copies, augment: as `check_views` gives.

    A draw hangs on the key, the shape, the view and the place of the image in the
    split: on no other image, worker or run.
    """

    def __init__(self, key, splits, copies, augment):
        self._material = functools.partial(key.material, "augmentation")
        self._augment = augment
        views = {view_split(view): view for view in range(1, copies)}
        self._parts, start = [], 0
        for split, lengths in splits.items():
            self._parts.append((start, views.get(split, 0)))
            start += sum(lengths)

    def __call__(self, images, first):
        """`(B, H, W, C)` of one split, from number `first` of the set on, as views."""
        start, view = max(part for part in self._parts if part[0] <= first)
        if not view:
            return images
        places = [f"{view} {first - start + n} " for n in range(len(images))]
        material = self._material(images.shape[1:])
        padding = crop_padding(images.shape[1:]) if "crop" in self._augment else (0, 0)
        offsets = [
            [int(material.integers(f"{place}{side}", 1, 2 * size + 1)[0])]
            for place in places
            for side, size in zip(("top", "left"), padding, strict=True)
        ]
        flips = np.zeros(len(images), bool)
        if "flip" in self._augment:
            flips = np.array([material.bits(f"{place}flip", 1)[0] for place in places])
        return crop_and_flip(images, np.reshape(offsets, (-1, 2)), flips, padding)
