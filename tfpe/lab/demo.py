"""`tfpe demo`: every cipher on two real photographs, encrypted, decrypted, attacked."""

import json
import pathlib
import time
import warnings

import numpy as np
from PIL import Image

from tfpe.ciphers import byte_ciphers
from tfpe.errors import TfpeError
from tfpe.files import decrypt_folder, encrypt_folder
from tfpe.keys import Key
from tfpe.lab.demo_attacks import attack_photograph
from tfpe.lab.figures import gallery
from tfpe.storage.atomic import write_file


def run_demo(folder, progress=None):
    """Writes plain and encrypted photographs, two figures and a record to a folder.

    Args:
        folder: where to: plain/, one folder for each cipher, demo.key, gallery.png,
            attacks.png and demo.json. An earlier demo there is done again with its key.
        progress: called with (done, total), whole numbers, after each cipher.

    Returns:
        The record, a dict: one row for each cipher, and one for each attacked.

    Raises:
        TfpeError: a decrypted photograph is not equal to the plain one, or a file
            cannot be written or read.
    """
    folder = pathlib.Path(folder)
    plain = folder / "plain"
    photographs = _write_photographs(plain)
    key = _demo_key(folder / "demo.key")
    names = byte_ciphers()  # which its PNG files hold
    rows, columns = [], {"plain": photographs}
    for done, name in enumerate(names, 1):
        start = time.perf_counter()
        _must_succeed(encrypt_folder(plain, folder / name, key, name, force=True), name)
        middle = time.perf_counter()
        again = folder / "decrypted" / name
        _must_succeed(decrypt_folder(folder / name, again, key, force=True), name)
        end = time.perf_counter()
        encrypted = [_read(path) for path in sorted((folder / name).glob("*.png"))]
        decrypted = sorted(again.glob("*.png"))
        for path, photograph in zip(decrypted, photographs, strict=True):
            if not np.array_equal(_read(path), photograph):
                raise TfpeError(f"{name}: {path} is not the plain photograph again")
        columns[name] = encrypted
        rows.append(
            {
                "cipher": name,
                "decrypted_equal": True,
                "correlation_with_plain": _mean_correlation(photographs, encrypted),
                "neighbour_correlation": float(np.mean([*map(_neighbours, encrypted)])),
                "encrypt_seconds": round(middle - start, 3),
                "decrypt_seconds": round(end - middle, 3),
            }
        )
        if progress:
            progress(done, len(names))
    gallery(columns, folder / "gallery.png")
    record = {
        "photographs": [list(photograph.shape) for photograph in photographs],
        "key_fingerprint": key.fingerprint,
        "ciphers": rows,
        "attacks": attack_photograph(photographs[-1], key, folder / "attacks.png"),
    }
    write_file(folder / "demo.json", (json.dumps(record, indent=2) + "\n").encode())
    return record


def print_demo(record):
    """Prints a record of `run_demo` as a table."""
    from tfpe.lab.table import Table, number
    from tfpe.lab.terminal import print_table

    columns = {
        "cipher": lambda row: row["cipher"],
        "decrypted": lambda row: "equal",
        "correlation\nwith plain": lambda r: number(r["correlation_with_plain"]),
        "correlation of\nneighbours": lambda r: number(r["neighbour_correlation"]),
        "encrypt\nseconds": lambda row: number(row["encrypt_seconds"], "{:.2f}"),
        "decrypt\nseconds": lambda row: number(row["decrypt_seconds"], "{:.2f}"),
    }
    title = "Two photographs, every cipher"
    print_table(Table.of(title, record["ciphers"], columns))


def _write_photographs(folder):
    from sklearn.datasets import load_sample_images

    with warnings.catch_warnings():
        # scikit-learn reads its files through a mode of Pillow that is on its way out.
        warnings.simplefilter("ignore", DeprecationWarning)
        sample = load_sample_images()
    folder.mkdir(parents=True, exist_ok=True)
    photographs = []
    for name, image in zip(sample.filenames, sample.images, strict=True):
        path = folder / pathlib.Path(name).with_suffix(".png").name
        if not path.exists():
            Image.fromarray(image).save(path)
        photographs.append((path, image))
    return [image for _, image in sorted(photographs, key=lambda pair: pair[0])]


def _demo_key(path):
    if path.exists():
        return Key.load(path)
    key = Key.generate()
    key.save(path)
    return key


def _must_succeed(summary, name):
    if summary.failed:
        path, message = summary.failed[0]
        raise TfpeError(f"{name}: {path}: {message}")


def _read(path):
    with Image.open(path) as image:
        return np.asarray(image)


def _mean_correlation(plain, encrypted):
    """Mean absolute correlation of the gray plain and encrypted photographs."""
    values = []
    for one, other in zip(plain, encrypted, strict=True):
        height, width = one.shape[:2]
        grays = one.mean(axis=2), other[:height, :width].mean(axis=2)
        values.append(abs(np.corrcoef(*(gray.ravel() for gray in grays))[0, 1]))
    return float(np.mean(values))


def _neighbours(image):
    """Correlation of horizontally adjacent values."""
    return np.corrcoef(image[:, :-1].ravel(), image[:, 1:].ravel())[0, 1]
