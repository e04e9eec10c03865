"""Images and labels in an .npz file: what every command reads of one."""

import pathlib
import zipfile

import numpy as np

from tfpe.errors import DatasetError

MOST_CLASSES = 100_000  # TFDS keeps a name of each
SPLITS = ("train", "test", "validation")


def read_npz(path, splits=SPLITS, with_labels=True):
    """The splits in an .npz file: arrays x_train and y_train, x_test and y_test ...

    Args:
        path: of the file.
        splits: which to read, where they are there.
        with_labels: whether every split needs labels.

    Returns:
        split -> (images, labels): `uint8 (N, H, W, C)` of one size, and whole numbers
        from 0 up, `(N,)`, or None where there are none.

    Raises:
        DatasetError: no such file, or other arrays.

    Example:

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "images.npz"
    >>> np.savez(path, x_test=np.zeros((2, 8, 8), np.uint8), y_test=[[3], [1]])
    >>> images, labels = read_npz(path)["test"]
    >>> images.shape, labels.tolist()
    ((2, 8, 8, 1), [3, 1])
    """
    arrays = {}
    if pathlib.Path(path).is_file() and not zipfile.is_zipfile(path):
        # NumPy would take it for a pickle, and name a way to load it unsafely.
        raise DatasetError(f"Cannot read {path}: it should be an .npz file")
    try:
        with np.load(path, allow_pickle=False) as file:
            for split in splits:
                if f"x_{split}" in file:
                    labelled = with_labels or f"y_{split}" in file
                    labels = file[f"y_{split}"] if labelled else None
                    arrays[split] = file[f"x_{split}"], labels
    except KeyError as error:
        raise DatasetError(
            f"{path} should hold labels of every split: {error}"
        ) from None
    except Exception as error:  # zip, pickle and format errors of several kinds
        raise DatasetError(f"Cannot read {path}: {error}") from error
    if not arrays:
        names = ", ".join(f"x_{split}" for split in splits)
        raise DatasetError(f"{path} should hold {names}. Received: no such array")
    arrays = {split: _checked(path, split, *part) for split, part in arrays.items()}
    shapes = {images.shape[1:] for images, _ in arrays.values()}
    if len(shapes) > 1:
        raise DatasetError(
            f"Images in {path} should be of one size. Received: {sorted(shapes)}"
        )
    return arrays


def _checked(path, split, images, labels):
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.dtype != np.uint8 or not images.size:
        raise DatasetError(
            f"Images in {path} should be uint8 of shape (N, H, W, C), one or more. "
            f"Received: {images.dtype} {images.shape}"
        )
    if labels is None:
        return images, None
    if not np.issubdtype(labels.dtype, np.integer):
        raise DatasetError(
            f"Labels in {path} should be whole numbers. Received: {labels.dtype}"
        )
    if labels.size != len(images) or labels.min() < 0:
        raise DatasetError(
            f"Labels in {path} should be one for each image, from 0 up. Received: "
            f"{labels.shape} for {len(images)} images of {split}"
        )
    if labels.max() >= MOST_CLASSES:
        raise DatasetError(
            f"Labels in {path} should be below {MOST_CLASSES}. Received: {labels.max()}"
        )
    return images, labels.reshape(-1)
