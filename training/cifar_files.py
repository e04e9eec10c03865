"""CIFAR-10 and CIFAR-100 as they are downloaded: the binary and the Python version."""

import dataclasses
import io
import pathlib
import pickle

import numpy as np

from tfpe.errors import DatasetError

PIXELS = 3 * 32 * 32  # the red plane of an image, then the green and the blue one


@dataclasses.dataclass(frozen=True)
class Layout:
    """The files of one version.

    Attributes:
        name: of the data set.
        train: files of training images.
        test: file of test images.
        class_names: file of names, which may be missing.
        labels: for the binary version, the bytes before an image, of which the last is
            the label; for the Python version, where labels and their names are.
    """

    name: str
    train: tuple
    test: str
    class_names: str
    labels: int | tuple

    @property
    def classes(self):
        return int(self.name.removeprefix("cifar"))


BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
BINARY_BATCHES = tuple(f"{name}.bin" for name in BATCHES)
PICKLED_10 = b"labels", b"label_names"
PICKLED_100 = b"fine_labels", b"fine_label_names"
LAYOUTS = (
    Layout("cifar10", BINARY_BATCHES, "test_batch.bin", "batches.meta.txt", 1),
    Layout("cifar100", ("train.bin",), "test.bin", "fine_label_names.txt", 2),
    Layout("cifar10", BATCHES, "test_batch", "batches.meta", PICKLED_10),
    Layout("cifar100", ("train",), "test", "meta", PICKLED_100),
)


def find_layout(folder):
    """The `Layout` of a folder, or None where it holds no files of CIFAR."""
    folder = pathlib.Path(folder)
    found = [one for one in LAYOUTS if (folder / one.train[0]).is_file()]
    return found[0] if found else None


def read_cifar(folder, layout):
    """Images and labels of a folder.

    Args:
        folder: where the files are, such as `cifar-10-batches-bin`.
        layout: as `find_layout` tells.

    Returns:
        `(x_train, y_train, x_test, y_test, class_names)`: `uint8 (N, 32, 32, 3)` and
        `int32 (N,)`; the names are numbers where their file is missing.

    Raises:
        DatasetError: a file is missing or damaged.

    Source: A. Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html
    """
    folder = pathlib.Path(folder)
    arrays = []
    for names in (layout.train, (layout.test,)):
        parts = [_batch(folder / name, layout) for name in names]
        planes, labels = (np.concatenate(part) for part in zip(*parts, strict=True))
        images = planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        arrays += [np.ascontiguousarray(images), labels.astype(np.int32)]
    return *arrays, _class_names(folder / layout.class_names, layout)


def _batch(path, layout):
    """The values `(N, 3072)` and labels `(N,)` of one file."""
    if isinstance(layout.labels, int):
        record = layout.labels + PIXELS
        data = np.frombuffer(_read(path), np.uint8)
        if not data.size or data.size % record:
            _refuse(path, f"images of {record} bytes each", f"{data.size} bytes")
        data = data.reshape(-1, record)
        values, labels = data[:, layout.labels :], data[:, layout.labels - 1]
    else:
        content = _unpickled(path)
        values, labels = content.get(b"data"), content.get(layout.labels[0], ())
        labels = np.asarray(labels)
        shape = getattr(values, "shape", None), getattr(values, "dtype", None)
        if shape != ((len(labels), PIXELS), np.uint8) or labels.dtype.kind not in "iu":
            _refuse(path, f"uint8 images of {PIXELS} values, a label each", shape)
    if not 0 <= labels.min() <= labels.max() < layout.classes:
        _refuse(path, f"labels below {layout.classes}", f"up to {labels.max()}")
    return values, labels


def _class_names(path, layout):
    numbers = tuple(map(str, range(layout.classes)))
    if not path.exists():
        return numbers
    if isinstance(layout.labels, int):
        names = _read(path).decode(errors="replace").split()
    else:
        names = _unpickled(path).get(layout.labels[1], ())
        names = [name.decode(errors="replace") for name in names]
    if len(names) != layout.classes:
        _refuse(path, f"{layout.classes} names", f"{len(names)}")
    return tuple(names)


def _read(path):
    try:
        return path.read_bytes()
    except OSError as error:
        raise DatasetError(f"Cannot read {path}: {error.strerror}") from None


def _unpickled(path):
    """A dict of arrays and lists; a file that asks for anything else is not opened."""
    try:
        content = _Arrays(io.BytesIO(_read(path)), encoding="bytes").load()
    except DatasetError:
        raise
    except Exception as error:  # a damaged pickle raises errors of many kinds
        raise DatasetError(f"Cannot read {path}: it is no file of CIFAR") from error
    if not isinstance(content, dict):
        _refuse(path, "a dict", type(content).__name__)
    return content


class _Arrays(pickle.Unpickler):
    """Reads arrays of NumPy and nothing that could run code."""

    def find_class(self, module, name):
        # As NumPy itself names what makes an array; it has moved since those files.
        allowed = {
            "_reconstruct": np.empty(0).__reduce__()[0],
            "ndarray": np.ndarray,
            "dtype": np.dtype,
        }
        if module.partition(".")[0] == "numpy" and name in allowed:
            return allowed[name]
        raise pickle.UnpicklingError(f"{module}.{name} is no part of CIFAR")


def _refuse(path, expected, received):
    raise DatasetError(f"{path} should hold {expected}. Received: {received}")
