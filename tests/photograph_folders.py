"""Class folders of photographs as people have them: any size, mode and format.

`python tests/photograph_folders.py FOLDER [COUNT]` writes one.
"""

import pathlib
import sys

import numpy as np
from PIL import Image
from skimage import data
from sklearn.datasets import load_sample_images

ORIENTATION = 0x0112


def photographs():
    """Class -> photograph, `uint8 (H, W, 3)`."""
    china, flower = load_sample_images().images
    return {
        "astronaut": data.astronaut(),
        "cat": data.cat(),
        "china": china,
        "coffee": data.coffee(),
        "flower": flower,
        "rocket": data.rocket(),
    }


def _exif(rng):
    tags = Image.Exif()
    tags[ORIENTATION] = int(rng.integers(2, 9))
    return tags


def _translucent(image):
    image = image.copy()
    image.putalpha(image.convert("L"))
    return image


def _frames(image):
    return {"save_all": True, "append_images": [image.rotate(90), image.rotate(180)]}


# kind -> (suffix, image and rng -> image to save, image and rng -> options of `save`).
KINDS = {
    "jpeg": (".jpg", lambda i, r: i, lambda i, r: {"quality": 90}),
    "turned": (".JPEG", lambda i, r: i, lambda i, r: {"exif": _exif(r)}),
    "png": (".png", lambda i, r: i, lambda i, r: {}),
    "webp": (".webp", lambda i, r: i, lambda i, r: {"lossless": True}),
    "tiff": (".tif", lambda i, r: i, lambda i, r: {"compression": "tiff_lzw"}),
    "bmp": (".bmp", lambda i, r: i, lambda i, r: {}),
    "gray": (".png", lambda i, r: i.convert("L"), lambda i, r: {}),
    "gray-jpeg": (".jpg", lambda i, r: i.convert("L"), lambda i, r: {}),
    "bits": (".png", lambda i, r: i.convert("1"), lambda i, r: {}),
    "palette": (".png", lambda i, r: i.quantize(64), lambda i, r: {}),
    "still": (".gif", lambda i, r: i.quantize(64), lambda i, r: {}),
    "opaque": (".png", lambda i, r: i.convert("RGBA"), lambda i, r: {}),
    # What loses something: taken when asked for.
    "transparent": (".png", lambda i, r: _translucent(i), lambda i, r: {}),
    "cmyk": (".jpg", lambda i, r: i.convert("CMYK"), lambda i, r: {}),
    "moving": (".gif", lambda i, r: i.quantize(64), lambda i, r: _frames(i)),
    "pages": (".tiff", lambda i, r: i, lambda i, r: _frames(i)),
}
LOSSES = {
    "transparent": "transparency",
    "cmyk": "cmyk",
    "moving": "frames",
    "pages": "frames",
}


def save_photographs(folder, count, seed=14, sides=(40, 200)):
    """Writes `count` crops; returns relative path -> kind.

    Kinds and classes come in turn, so that each has nearly as many.
    """
    rng, kinds = np.random.default_rng(seed), list(KINDS)
    sources, written = photographs(), {}
    for number in range(count):
        name = list(sources)[number // len(kinds) % len(sources)]
        kind, photo = kinds[number % len(kinds)], sources[name]
        height, width = (int(side) for side in rng.integers(*sides, 2))
        top = rng.integers(0, photo.shape[0] - height + 1)
        left = rng.integers(0, photo.shape[1] - width + 1)
        crop = Image.fromarray(photo[top : top + height, left : left + width])
        suffix, convert, options = KINDS[kind]
        path = pathlib.Path(name, f"{number:04d}-{kind}{suffix}")
        (folder / path.parent).mkdir(parents=True, exist_ok=True)
        convert(crop, rng).save(folder / path, **options(crop, rng))
        written[path.as_posix()] = kind
    return written


if __name__ == "__main__":
    total = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    print(len(save_photographs(pathlib.Path(sys.argv[1]), total)), "written")
