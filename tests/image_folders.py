"""Folders of small images for tests, and what is in them afterwards."""

import json

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images

CHINA, FLOWER = load_sample_images().images


def save(folder, images):
    for path, pixels in images.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / path)
    return folder


def load(folder):
    """path -> pixels of all PNG files in `folder`."""
    return {
        file.relative_to(folder).as_posix(): np.array(Image.open(file))
        for file in sorted(folder.rglob("*.png"))
    }


def contents(folder):
    """path -> bytes of all files in `folder`, hidden ones too."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def save_small(folder):
    """Three small images, quick to encrypt."""
    crops = {f"{name}.png": FLOWER[k : k + 9, :9] for k, name in enumerate("abc")}
    return save(folder, crops)


def assert_same(images, expected):
    assert list(images) == sorted(expected)
    for path, pixels in images.items():
        np.testing.assert_array_equal(pixels, expected[path], err_msg=path)


def document(folder):
    return json.loads((folder / "manifest.json").read_text())


def crops(count, size=10):
    """Crops of a photograph, none on a multiple of the block size."""
    return np.stack([CHINA[n : n + size, 2 * n : 2 * n + size] for n in range(count)])
