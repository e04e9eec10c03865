"""Plain pictures to predict, with their names and, where known, their classes."""

import dataclasses

from tfpe.dataset.known_names import tfds_word
from tfpe.errors import AlreadyEncryptedError, ImageFileError
from tfpe.pixels.preparation import Preparation


@dataclasses.dataclass(frozen=True)
class LabelledImages:
    """Pictures in memory.

    Attributes:
        images: `uint8 (B, H, W, C)`, or a list of `(H, W, C)` of any size, uint8 or
            uint16.
        names: a name for each.
        labels: a number or the name of a class for each, None for one without; or None
            where none is known.
    """

    images: object
    names: list
    labels: list | None


def load_images(source, data_dir=None, preparation=None, stored=None):
    """Reads plain pictures.

    Args:
        source: a folder of images (class folders, alone or in train/ and test/, give
            labels), an image file, an .npz file with x_test (and y_test), or "cifar10",
            "cifar100", "tfds:NAME": its test images, or all where it has none.
        data_dir: of TFDS.
        preparation: as in the receipt of the set, for files that it converts.
        stored: as in the receipt; files that are stored otherwise are refused.

    Returns:
        `LabelledImages`.

    Raises:
        AlreadyEncryptedError: tfpe has encrypted what is there.
        ImageFileError: missing or damaged.
        DatasetError: as the .npz file or data set is none of images.

    Example:

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "images.npz"
    >>> np.savez(path, x_test=np.zeros((2, 8, 8, 3), np.uint8), y_test=[3, 1])
    >>> found = load_images(path)
    >>> found.images.shape, found.names, found.labels
    ((2, 8, 8, 3), ['0', '1'], [3, 1])
    """
    source = str(source)
    if source.endswith(".npz"):
        from tfpe.dataset.npz import read_npz

        images, labels = read_npz(source, ("test",), with_labels=False)["test"]
        names = [str(number) for number in range(len(images))]
        return LabelledImages(
            images, names, None if labels is None else labels.tolist()
        )
    if (name := tfds_word(source)) is not None:
        return _of_data_set(name, data_dir)
    return _of_files(source, preparation, stored)


def _of_files(source, preparation, stored):
    from tfpe.files.already_encrypted import find_encrypted
    from tfpe.files.finding import image_files, read_images
    from tfpe.pixels.depth import without_window
    from tfpe.receipts import public_receipt
    from tfpe.receipts.sets import class_of

    if (found := find_encrypted(source)) is not None:
        _refuse(source, "{}, which {} lists as encrypted".format(*found))
    _require_plain(source, public_receipt(source))  # the folder of a data set
    names, images = [], []
    preparation = Preparation.from_json(preparation)
    for name, pixels, found_stored in read_images(image_files(source), preparation):
        if stored is not None and without_window(found_stored) != stored:
            raise ImageFileError(
                f"{name}: It should be stored as the images of the set are, or its "
                f"levels mean something else: {stored}. Received: {found_stored}"
            )
        names.append(name)
        images.append(pixels)
    labels = [class_of(name) for name in names]
    return LabelledImages(images, names, labels if any(labels) else None)


def _of_data_set(name, data_dir):
    from tfpe.dataset.tfds_sets import prepare, read_split
    from tfpe.receipts import public_receipt

    builder = prepare(name, data_dir)
    _require_plain(name, public_receipt(builder.data_path))
    split = "test" if "test" in builder.info.splits else "all"
    images, labels = read_split(builder, split)
    class_names = getattr(builder.info.features.get("label"), "names", None)
    if class_names is not None:
        labels = [class_names[label] for label in labels]
    names = [str(number) for number in range(len(images))]
    return LabelledImages(images, names, labels if class_names else None)


def _require_plain(source, public):
    if public is not None:
        _refuse(source, f"a set that is encrypted with {public['cipher']} already")


def _refuse(source, reason):
    raise AlreadyEncryptedError(
        f"{source} should hold plain images: they are encrypted here. "
        f"Received: {reason}"
    )
