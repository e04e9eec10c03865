"""Sets of TensorFlow Datasets: prepared, checked, read in memory or shard by shard."""

import contextlib
import hashlib
import pathlib
import sys

import numpy as np

from tfpe.dataset.downloads import no_vain_downloads
from tfpe.dataset.examples import decode_image, read_records, take_image
from tfpe.dataset.source import Source, batch_size
from tfpe.errors import DatasetError
from tfpe.files.already_encrypted import require_plain_sets
from tfpe.manifests.set_manifest import METADATA

READ_BYTES = 2**20


def check_features(features, name, drop=(), depth=8):
    """Raises `DatasetError` unless all but the image is harmless beside it.

    Args:
        features: a `tfds.features.FeaturesDict`.
        name: of the data set.
        drop: names of features that will be left out.
        depth: bits of a value, 8 or 16.
    """
    import tensorflow_datasets as tfds

    unknown = sorted(set(drop) - (set(features) - {"image"}))
    if unknown:
        raise DatasetError(
            f"`drop` should name features of {name} other than the image, among "
            f"{list(features)}. Received: {unknown}"
        )
    image = features["image"] if "image" in features else None
    # np_dtype is a class or a dtype, and only a dtype is equal to its name.
    dtype = np.dtype(f"uint{depth}")
    fits = isinstance(image, tfds.features.Image) and image.np_dtype == dtype
    if not fits or image.shape[-1] not in (1, 3):
        raise DatasetError(
            f"{name} should have a feature 'image', {dtype} with 1 or 3 channels. "
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


def prepare(name, data_dir):
    """The builder of a TFDS data set in `data_dir`, downloaded where need be."""
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name, data_dir=data_dir)
        # TFDS tells of a download on stdout, where a command's data go.
        with no_vain_downloads(builder), contextlib.redirect_stdout(sys.stderr):
            builder.download_and_prepare()
    except Exception as error:  # network, checksums, names: a dozen kinds
        raise DatasetError(
            f"TFDS cannot prepare {name!r} in {data_dir or 'its usual folder'}: "
            f"{str(error).strip().partition(chr(10))[0]}"
        ) from error
    return builder


def read_split(builder, split):
    """All images of a split in memory, as TFDS reads them.

    Args:
        builder: as `prepare` gives.
        split: its name, or "all".

    Returns:
        Images `(N, H, W, C)`, or a list of them where their sizes vary, and the numbers
        of their classes; None without labels.

    Raises:
        DatasetError: the set has no feature 'image'.
    """
    info = builder.info
    if "image" not in info.features:
        raise DatasetError(
            f"{builder.name} should have a feature 'image'. "
            f"Received: {list(info.features)}"
        )
    varied = None in info.features["image"].shape
    # In one batch where they fit: the order of the stored files, always the same.
    size = None if varied else info.splits[split].num_examples
    found = builder.as_dataset(split=split, batch_size=size).as_numpy_iterator()
    if not varied:
        [element] = found
        return element["image"], element.get("label")
    elements = [(example["image"], example.get("label")) for example in found]
    images, labels = zip(*elements, strict=True)
    return list(images), np.array(labels) if "label" in info.features else None


def tfds_source(name, data_dir=None, plain=False):
    """The `Source` of a TFDS set; `plain` refuses what tfpe has encrypted."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    builder = prepare(name, data_dir)
    if plain:
        require_plain_sets(name, [pathlib.Path(builder.data_dir, METADATA)])
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


def class_names(features):
    """Feature -> class names, for the class labels among `features`."""
    import tensorflow_datasets as tfds

    return {
        name: list(feature.names)
        for name, feature in features.items()
        if isinstance(feature, tfds.features.ClassLabel)
    }
