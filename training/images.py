"""Where images come from: TFDS sets, class folders, .npz files, embedded digits.

Every source becomes the same thing: `uint8` arrays in memory, three channels.
"""

import dataclasses
import functools
import pathlib
import zlib

import numpy as np

from tfpe.dataset.known_names import tfds_word
from tfpe.errors import DatasetError
from training.cifar_files import find_layout, read_cifar
from training.splits import stratified_split

DIGITS_SEED = 20220331  # of the colours and of the test split of `digits`
TEST_FRACTION = 0.2  # where a source has no test images of its own


@dataclasses.dataclass(frozen=True)
class ImageSet:
    """A labelled data set in memory.

    Attributes:
        name: as on the command line.
        x_train, x_test: `uint8 (N, H, W, 3)`.
        y_train, y_test: `int32 (N,)`.
        class_names: strings; their number is the number of classes.
        source: "embedded", "tfds", "npz", "raw" (files of CIFAR as they are downloaded)
            or "folder"; their images may differ in order.
        receipt: the sealed part of the manifest of images that were encrypted
            beforehand, a dict that names cipher and key; None for plain ones.
        views: arrays like `x_train`, the same images as their owner augmented them
            before encryption: views 1, 2 and so on of a set; `x_train` is view 0.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple
    source: str
    receipt: dict | None = None
    views: tuple = ()

    def __post_init__(self):
        for part in ("train", "test"):
            images, labels = getattr(self, f"x_{part}"), getattr(self, f"y_{part}")
            what = f"{part} images of {self.name}"
            if images.dtype != np.uint8 or images.ndim != 4:
                raise DatasetError(
                    f"The {what} should be uint8 of shape (N, H, W, C). Received: "
                    f"{images.dtype} of shape {images.shape}"
                )
            if not len(images) or len(images) != len(labels) or labels.ndim != 1:
                raise DatasetError(
                    f"The {what} should be at least one, with one label each. "
                    f"Received: {len(images)} images and labels {labels.shape}"
                )
            if images.shape[-1] != 3:
                raise DatasetError(
                    f"The {what} should have 1 or 3 channels. "
                    f"Received: {images.shape[-1]}"
                )
            if not 0 <= labels.min() <= labels.max() < len(self.class_names):
                raise DatasetError(
                    f"Labels of the {what} should be 0 to {len(self.class_names) - 1}. "
                    f"Received: labels from {labels.min()} to {labels.max()}"
                )
        taught = np.unique(self.y_train)
        if len(taught) < len(self.class_names):
            missing = sorted({*range(len(self.class_names))} - {*taught.tolist()})
            raise DatasetError(
                f"Every class of {self.name} should have training images, with labels "
                f"0 to {len(self.class_names) - 1}. Received: none of {missing[:10]}"
            )
        if {(v.shape, v.dtype) for v in (self.x_train, *self.views)} != {
            (self.x_train.shape, self.x_train.dtype)
        }:
            raise DatasetError(
                f"All views of {self.name} should be as {self.x_train.shape}. "
                f"Received: {[view.shape for view in self.views]}"
            )
        if self.x_train.shape[1:] != self.x_test.shape[1:]:
            raise DatasetError(
                f"Train and test images of {self.name} should be of one size. "
                f"Received: {self.x_train.shape[1:]} and {self.x_test.shape[1:]}"
            )

    @functools.cached_property
    def checksum(self):
        """CRC-32 of all images and labels, in hexadecimal; their order counts.

        It tells one set from another of the same name. Records may be published, and a
        longer digest of plain images would confirm guesses.
        """
        arrays = self.x_train, self.y_train, self.x_test, self.y_test, *self.views
        found = 0
        for array in arrays:
            found = zlib.crc32(np.ascontiguousarray(array).data, found)
        return f"{found:08x}"


def load(dataset, data_dir=None):
    """Loads a data set.

    Args:
        dataset: "digits" (embedded), "cifar10", "cifar100", "tfds:NAME", an .npz file
            with x_train, y_train, x_test, y_test, or a folder: the files of CIFAR,
            binary or Python version, one folder for each class, or train/ and test/
            that hold such folders.
        data_dir: of TFDS.

    Returns:
        An `ImageSet`. Gray images get three equal channels, so that every cipher
        applies. Without test images of its own, a seeded, stratified fifth is taken.

    Raises:
        DatasetError: unknown, missing, empty, mixed sizes, labels out of range.
        SourceFilesError: files of a folder cannot be taken, all of them.

    Example:

    >>> digits = load("digits")
    >>> digits.x_train.shape, digits.x_test.shape, digits.class_names[:3]
    ((1437, 32, 32, 3), (360, 32, 32, 3), ('0', '1', '2'))
    """
    if dataset == "digits":
        return _digits()
    if (name := tfds_word(dataset)) is not None:
        return _tfds(dataset, name, data_dir)
    if dataset.endswith(".npz"):
        return _npz(dataset)
    if pathlib.Path(dataset).is_dir():
        return _folder(dataset)
    raise DatasetError(
        "`dataset` should be digits, cifar10, cifar100, tfds:NAME, a file that ends in "
        f".npz or a folder that exists. Received: dataset={dataset!r}"
    )


def _digits():
    """scikit-learn's 1,797 handwritten digits, enlarged and coloured.

    Each image gets one dark and one light colour, seeded, in random roles: in gray the
    channel steps of the ciphers would do nothing.
    """
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    gray = (images.reshape(-1, 8, 8, 1) / 16).repeat(4, axis=1).repeat(4, axis=2)
    random = np.random.default_rng(DIGITS_SEED)
    dark = random.integers(0, 100, (len(gray), 1, 1, 3))
    light = random.integers(156, 256, (len(gray), 1, 1, 3))
    swap = random.random((len(gray), 1, 1, 1)) < 0.5
    back, front = np.where(swap, light, dark), np.where(swap, dark, light)
    x = np.rint(back + gray * (front - back)).astype(np.uint8)
    return _whole("digits", (x, labels), map(str, range(10)), "embedded")


def _tfds(name, set_name, data_dir):
    try:
        import tensorflow_datasets  # noqa: F401
    except ImportError as error:
        raise DatasetError(
            f"{name} needs TensorFlow Datasets, which cannot be imported ({error}). "
            "Without TensorFlow, use an .npz file"
        ) from None
    from tfpe.dataset.tfds_sets import prepare, read_split
    from tfpe.dataset.views import view_split
    from tfpe.receipts import public_receipt

    builder = prepare(set_name, data_dir)
    info = builder.info
    if not {"image", "label"} <= set(info.features):
        raise DatasetError(
            f"{name} should have the features 'image' and 'label'. "
            f"Received: {list(info.features)}"
        )
    if None in info.features["image"].shape:
        raise DatasetError(
            f"Images of {name} should be of one size. "
            f"Received: shape {info.features['image'].shape}"
        )
    parts = []
    for split in ["train"] + ["test"] * ("test" in info.splits):
        images, labels = read_split(builder, split)
        parts += [_three_channels(images), labels.astype(np.int32)]
    views = []
    while (split := view_split(len(views) + 1)) in info.splits:
        views.append(_three_channels(read_split(builder, split)[0]))
    receipt = public_receipt(builder.data_path)
    return _whole(name, parts, info.features["label"].names, "tfds", receipt, views)


def _npz(path):
    from tfpe.dataset.npz import read_npz

    parts = read_npz(path, ("train", "test"))
    if not {"train", "test"} <= set(parts):
        raise DatasetError(
            f"{path} should hold x_train, y_train, x_test and y_test. Received: "
            f"arrays of {sorted(parts)}"
        )
    arrays = []
    for images, labels in (parts["train"], parts["test"]):
        arrays += [_three_channels(images), labels.astype(np.int32)]
    classes = 1 + max(int(labels.max()) for labels in arrays[1::2])
    names = tuple(map(str, range(classes)))
    return ImageSet(pathlib.Path(path).stem, *arrays, names, "npz")


def _folder(path):
    if (layout := find_layout(path)) is not None:
        *arrays, class_names = read_cifar(path, layout)
        return ImageSet(layout.name, *arrays, class_names, "raw")
    from tfpe.dataset.class_folders import ClassFolders
    from tfpe.pixels.preparation import Preparation
    from tfpe.receipts import public_receipt

    root = pathlib.Path(path)
    found, parts = ClassFolders(root, Preparation(color="rgb"), keep=True), []
    if len(found.shapes) > 1:
        raise DatasetError(
            f"Images in {root} should be of one size. Received: {found.sizes()}"
        )
    for files, labels in found.parts.values():
        # By path, as records of before were made: splits and batches follow the order.
        order = sorted(range(len(files)), key=lambda k: files[k].as_posix())
        parts.append(np.stack([found.pixels(files[k]) for k in order]))
        parts.append(np.array(labels, np.int32)[order])
    name, receipt = root.resolve().name, public_receipt(root)
    return _whole(name, parts, found.classes, "folder", receipt)


def _three_channels(images):
    gray = images.shape[-1:] == (1,)
    return images.repeat(3, axis=-1) if gray else images


def _whole(name, parts, class_names, source, receipt=None, views=()):
    """The `ImageSet` of train and test arrays, or of one pair that is shared out."""
    if len(parts) == 2:
        x, y = parts[0], np.asarray(parts[1], np.int32)
        train, test = stratified_split(y, TEST_FRACTION, DIGITS_SEED)
        parts = x[train], y[train], x[test], y[test]
        views = [view[train] for view in views]
    return ImageSet(name, *parts, tuple(class_names), source, receipt, tuple(views))
