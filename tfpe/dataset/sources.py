"""Where a data set comes from: TFDS, class folders, .npz files.

Each source lists its splits as lengths of shards and reads one shard at a time, from
any example on, in the order of its files.
"""

import dataclasses
import hashlib
import pathlib
from collections.abc import Callable

import numpy as np

from tfpe.dataset.records import decode_image, make_example, read_records, take_image
from tfpe.errors import DatasetError, ImageFileError
from tfpe.files.sources import find_images, read_bytes

KNOWN_NAMES = ("cifar10", "cifar100")
SHARD_BYTES = 2**28  # of pixels, where the source has no shards of its own
BATCH_BYTES, BATCH_IMAGES = 2**20, 256
READ_BYTES = 2**20
MOST_CLASSES = 100_000  # in an .npz file; TFDS keeps a name of each
NPZ_SPLITS = ("train", "test", "validation")


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
        decode: raw batch -> (images, examples): `uint8 (B, H, W, C)`, and the B
            serialised `tf.train.Example` without image. Called in several threads.
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

    @property
    def total(self):
        """Number of examples."""
        return sum(sum(lengths) for lengths in self.splits.values())


def open_source(source, data_dir=None):
    """The `Source` that the command line names.

    Args:
        source: "cifar10", "cifar100", "tfds:NAME", an .npz file with x_train, y_train
            and so on, or a folder with one folder of images for each class, or with
            train/ and test/ that hold such folders.
        data_dir: of TFDS.

    Raises:
        DatasetError: unknown, missing, empty, or not a set of images with labels.
    """
    source = str(source)
    if source in KNOWN_NAMES or source.startswith("tfds:"):
        return _tfds_source(source.removeprefix("tfds:"), data_dir)
    if source.endswith(".npz"):
        return _npz_source(pathlib.Path(source))
    if pathlib.Path(source).is_dir():
        return _folder_source(pathlib.Path(source))
    raise DatasetError(
        "`source` should be cifar10, cifar100, tfds:NAME, a file that ends in .npz or "
        f"a folder that exists. Received: source={source!r}"
    )


def batch_size(image_shape):
    """How many images of this shape are worked on at once."""
    if None in image_shape:
        return 1
    return int(np.clip(BATCH_BYTES // np.prod(image_shape), 1, BATCH_IMAGES))


def check_features(features, name, drop=()):
    """Raises `DatasetError` unless all but the image is harmless beside it.

    Args:
        features: a `tfds.features.FeaturesDict`.
        name: of the data set.
        drop: names of features that will be left out.
    """
    import tensorflow_datasets as tfds

    unknown = sorted(set(drop) - (set(features) - {"image"}))
    if unknown:
        raise DatasetError(
            f"`drop` should name features of {name} other than the image, among "
            f"{list(features)}. Received: {unknown}"
        )
    image = features["image"] if "image" in features else None
    fits = isinstance(image, tfds.features.Image) and image.np_dtype == np.uint8
    if not fits or image.shape[-1] not in (1, 3):
        raise DatasetError(
            f"{name} should have a feature 'image', uint8 with 1 or 3 channels. "
            f"Received: {features}"
        )
    for other, feature in features.items():
        plain = type(feature) in (
            tfds.features.ClassLabel,
            tfds.features.Text,
            tfds.features.Scalar,
        )
        if other not in ("image", *drop) and not plain:
            raise DatasetError(
                f"Features of {name} besides the image should be labels, texts or "
                f"numbers: others may show the image. Received: {other!r}, a "
                f"{type(feature).__name__}; `drop` it"
            )


def _tfds_source(name, data_dir):
    import tensorflow as tf
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name, data_dir=data_dir)
        builder.download_and_prepare()
    except Exception as error:  # network, checksums, names: a dozen kinds
        raise DatasetError(
            f"TFDS cannot prepare {name!r} (data_dir={data_dir}): "
            f"{str(error).strip().partition(chr(10))[0]}"
        ) from error
    info = builder.info
    if info.file_format.value != "tfrecord":
        raise DatasetError(
            f"{name} should be stored as tfrecord. Received: {info.file_format.value}"
        )
    if not isinstance(info.features, tfds.features.FeaturesDict):
        raise DatasetError(f"{name} should have named features")
    check_features(info.features, name, drop=set(info.features) - {"image"})
    image_shape = tuple(info.features["image"].shape)
    files = {split: list(found.filepaths) for split, found in info.splits.items()}

    def mark():
        digest = hashlib.sha256(info.full_name.encode())
        for file in (str(f) for part in files.values() for f in part):
            with tf.io.gfile.GFile(file, "rb") as stream:
                while data := stream.read(READ_BYTES):
                    digest.update(data)
        return digest.digest()

    def read(split, shard, skip):
        file, size = files[split][shard], batch_size(image_shape)
        return read_records(file, skip, size)

    def decode(records):
        pairs = [take_image(record) for record in records]
        images = [decode_image(image, image_shape) for image, _ in pairs]
        return np.stack(images), [example for _, example in pairs]

    lengths = {split: list(found.shard_lengths) for split, found in info.splits.items()}
    return Source(
        name=builder.name,
        version=str(info.version),
        folder=info.full_name,
        features=info.features.to_json(),
        labels=class_names(info.features),
        splits={split: shards for split, shards in lengths.items() if sum(shards)},
        image_shape=image_shape,
        about={
            "description": info.description or "",
            "citation": info.citation or "",
            "supervised_keys": info.supervised_keys and list(info.supervised_keys),
        },
        mark=mark,
        read=read,
        decode=decode,
    )


def _npz_source(path):
    arrays, classes = {}, 1
    try:
        with np.load(path, allow_pickle=False) as file:
            for split in NPZ_SPLITS:
                if f"x_{split}" in file:
                    arrays[split] = file[f"x_{split}"], file[f"y_{split}"]
    except KeyError as error:
        raise DatasetError(
            f"{path} should hold labels of every split: {error}"
        ) from None
    except Exception as error:  # zip, pickle and format errors of several kinds
        raise DatasetError(f"Cannot read {path}: {error}") from error
    if not arrays:
        raise DatasetError(f"{path} should hold x_train and y_train. Received: neither")
    for split, (images, labels) in arrays.items():
        if images.ndim == 3:
            images = images[..., None]
        fits = images.ndim == 4 and images.dtype == np.uint8 and len(images)
        if not fits or not np.issubdtype(labels.dtype, np.integer):
            raise DatasetError(
                f"Images in {path} should be uint8 of shape (N, H, W, C), their labels "
                f"whole numbers. Received: {images.dtype} {images.shape} and "
                f"{labels.dtype}"
            )
        if labels.size != len(images) or labels.min() < 0:
            raise DatasetError(
                f"Labels in {path} should be one for each image, from 0 up. Received: "
                f"{labels.shape} for {len(images)} images of {split}"
            )
        if labels.max() >= MOST_CLASSES:
            raise DatasetError(
                f"Labels in {path} should be below {MOST_CLASSES}. "
                f"Received: {labels.max()}"
            )
        arrays[split] = images, labels.reshape(-1)
        classes = max(classes, 1 + int(labels.max()))
    shapes = {images.shape[1:] for images, _ in arrays.values()}
    if len(shapes) > 1:
        raise DatasetError(
            f"Images in {path} should be of one size. Received: {sorted(shapes)}"
        )
    [image_shape] = shapes

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


def _folder_source(root):
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
        if names not in (None, classes):
            raise DatasetError(
                f"train and test of {root} should hold the same classes. "
                f"Received: {names} and {classes}"
            )
        names = classes
        for path, file in files:
            data = read_bytes(file)
            mark.update(f"{split}/{path}\n".encode() + hashlib.sha256(data).digest())
            shapes.add(_pixels(path, data).shape)
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


def tfds_name(text):
    """`text` as a name that TFDS takes: lower case, digits and underscores."""
    letters = "".join(c if c.isascii() and c.isalnum() else "_" for c in text.lower())
    words = [word for word in letters.split("_") if word]
    if not words or not words[0][0].isalpha():
        words.insert(0, "images")
    return "_".join(words)


def class_names(features):
    """Feature -> class names, for the class labels among `features`."""
    import tensorflow_datasets as tfds

    return {
        name: list(feature.names)
        for name, feature in features.items()
        if isinstance(feature, tfds.features.ClassLabel)
    }


def numbered_shards(splits):
    """(split, shard, number of its first example) of each shard, in order."""
    start = 0
    for split, lengths in splits.items():
        for shard, length in enumerate(lengths):
            yield split, shard, start
            start += length


def _pixels(path, data):
    from tfpe.files import images

    try:
        return images.decode_image(data)
    except ImageFileError as error:
        raise DatasetError(f"{path}: {error}") from error
