"""The files of CIFAR as they are downloaded, made here byte by byte. Budget: 5 s."""

import pickle
import struct

import numpy as np
import pytest

from tfpe.errors import DatasetError
from training.images import load

RNG = np.random.default_rng(0)
TRAIN = RNG.integers(0, 256, (200, 32, 32, 3), np.uint8)
TEST = RNG.integers(0, 256, (20, 32, 32, 3), np.uint8)


def labels(count, classes):
    return np.arange(count) % classes


def planes(images):
    """As the files hold pixels: all red values of an image, then green, then blue."""
    return np.concatenate(
        [images[..., c].reshape(len(images), -1) for c in range(3)], 1
    )


def binary(images, numbers, coarse=False):
    first = [np.full((len(images), 1), 7)] if coarse else []
    columns = [*first, numbers[:, None], planes(images)]
    return np.concatenate(columns, 1).astype(np.uint8).tobytes()


def short(text):
    """A string as Python 2 pickles it, in which these files were made."""
    return b"U" + bytes([len(text)]) + text


def pickled(images, numbers, key):
    """What Python 2 and its NumPy wrote: strings of bytes, and old names of modules."""
    data = planes(images).tobytes()
    number = b"".join(b"K" + bytes([n]) for n in numbers.tolist())
    shape = b"".join(b"M" + struct.pack("<H", n) for n in (len(images), 3072))
    dtype = b"cnumpy\ndtype\n(" + short(b"u1") + b"K\x00K\x01tR"
    dtype += b"(K\x03" + short(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00t"
    array += short(b"b") + b"tR(K\x01(" + shape + b"t" + dtype + b"\x89"
    array += b"T" + struct.pack("<i", len(data)) + data + b"tb"
    items = short(b"data") + array + short(key) + b"](" + number + b"e"
    return b"\x80\x02}(" + items + b"u."


def write(folder, version, classes=10):
    """One of the four folders; what is in it, as `load` should give it."""
    y_train, y_test = labels(200, classes), labels(20, classes)
    coarse = classes == 100
    names = [f"class-{number}" for number in range(classes)]
    if version == "binary":
        parts = ["train"] if coarse else [f"data_batch_{n}" for n in range(1, 6)]
        size = 200 // len(parts)
        for number, name in enumerate(parts):
            part = slice(number * size, number * size + size)
            data = binary(TRAIN[part], y_train[part], coarse)
            (folder / f"{name}.bin").write_bytes(data)
        test = "test.bin" if coarse else "test_batch.bin"
        (folder / test).write_bytes(binary(TEST, y_test, coarse))
        meta = "fine_label_names.txt" if coarse else "batches.meta.txt"
        (folder / meta).write_text("\n".join([*names, "", ""]))
    else:
        parts = ["train"] if coarse else [f"data_batch_{n}" for n in range(1, 6)]
        size, key = 200 // len(parts), b"fine_labels" if coarse else b"labels"
        for number, name in enumerate(parts):
            part = slice(number * size, number * size + size)
            (folder / name).write_bytes(pickled(TRAIN[part], y_train[part], key))
        test = "test" if coarse else "test_batch"
        (folder / test).write_bytes(pickled(TEST, y_test, key))
        meta, key = (
            ("meta", b"fine_label_names")
            if coarse
            else (
                "batches.meta",
                b"label_names",
            )
        )
        listed = b"".join(short(name.encode()) for name in names)
        data = b"\x80\x02}(" + short(key) + b"](" + listed + b"eu."
        (folder / meta).write_bytes(data)
    return y_train, y_test, names


@pytest.mark.parametrize("classes", [10, 100])
@pytest.mark.parametrize("version", ["binary", "python"])
def test_every_version(version, classes, tmp_path):
    y_train, y_test, names = write(tmp_path, version, classes)
    found = load(str(tmp_path))
    assert (found.name, found.source) == (f"cifar{classes}", "raw")
    for one, other in (
        (found.x_train, TRAIN),
        (found.x_test, TEST),
        (found.y_train, y_train),
        (found.y_test, y_test),
    ):
        assert np.array_equal(one, other)
    assert list(found.class_names) == names
    for meta in ("batches.meta.txt", "batches.meta", "meta", "fine_label_names.txt"):
        (tmp_path / meta).unlink(missing_ok=True)
    assert load(str(tmp_path)).class_names[:2] == ("0", "1")


class Code:
    def __reduce__(self):
        return (print, ("run",))


DAMAGE = {
    "data_batch_3.bin": {"should hold images of 3073 bytes": lambda d: d[:-1]},
    "test_batch.bin": {"labels below 10": lambda d: b"\x0b" + d[1:], "images of": None},
    "batches.meta.txt": {"10 names": lambda d: b"one two"},
    "data_batch_2": {
        "no file of CIFAR": lambda d: d[:100],
        "a label each": lambda d: d.replace(b"labels", b"nobels"),
        "a dict": lambda d: pickle.dumps([1], 2),
    },
    "test_batch": {"no file of CIFAR.*": lambda d: pickle.dumps(Code(), 2)},
    "batches.meta": {"10 names": lambda d: pickle.dumps({}, 2)},
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_and_missing_files_are_named(name, tmp_path, capsys):
    write(tmp_path, "binary" if name.endswith((".bin", ".txt")) else "python")
    path = tmp_path / name
    whole = path.read_bytes()
    for message, damage in DAMAGE[name].items():
        path.write_bytes(b"" if damage is None else damage(whole))
        with pytest.raises(DatasetError, match=f"{name}.*{message}"):
            load(str(tmp_path))
    assert capsys.readouterr().out == ""  # no code of a pickle ran
    if "meta" not in name:
        path.unlink()
        with pytest.raises(DatasetError, match=f"Cannot read .*{name}"):
            load(str(tmp_path))
