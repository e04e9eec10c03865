"""Pictures to evaluate a cipher on: those that are scored, and those that are evidence.

An attacker's evidence and the pictures that show what he got are apart wherever there
are enough pictures.
"""

import dataclasses
import math
import pathlib
import warnings

import numpy as np
from PIL import Image

from tfpe.dataset.known_names import tfds_word
from tfpe.dataset.npz import read_npz
from tfpe.errors import DatasetError, ImageError
from tfpe.files.finding import image_files, read_images
from tfpe.pixels.preparation import Preparation

PHOTOGRAPHS = "photographs"
SCORED = 100
DEFAULT_SIZE = (96, 96)
SMALLEST_SIDE = 11  # of SSIM
LARGEST = 2**24  # pixels of a picture: the memory of attacks grows with them


@dataclasses.dataclass(frozen=True)
class Pictures:
    """Pictures of one shape.

    Attributes:
        name: short, for records and file names.
        scored: `uint8 (S, H, W, C)`, on which metrics and attacks are scored.
        evidence: `uint8 (N, H, W, C)`, what the attacker knows or sees encrypted; the
            scored ones themselves where there is only one picture.
        apart: whether no scored picture is evidence.
        large: one picture of its own size, for attacks on large blocks.
        note: how they were cut, in words.
        shown: whether they may stand in a record: those that came with a package.
        split: of a data set; None of others.
    """

    name: str
    scored: np.ndarray
    evidence: np.ndarray
    apart: bool
    large: np.ndarray
    note: str
    shown: bool = False
    split: str | None = None

    @property
    def drawn_from(self):
        """The name, of a data set with its split."""
        return self.name if self.split is None else f"{self.name}, {self.split}"

    @property
    def shape(self):
        """(height, width, channels)."""
        return self.scored.shape[1:]

    @property
    def count(self):
        """How many different pictures there are."""
        return len(self.evidence) + len(self.scored) * self.apart

    def cropped(self, block_size):
        """The same, cut to whole blocks; `large` is left as it is."""
        if any(size % block_size for size in self.shape[:2]):
            rows, columns = (size - size % block_size for size in self.shape[:2])
            if min(rows, columns) < SMALLEST_SIDE:
                raise ImageError(
                    f"Pictures should hold whole blocks of {block_size} x {block_size} "
                    f"pixels. Received: shape {self.shape}"
                )
            return dataclasses.replace(
                self,
                scored=self.scored[:, :rows, :columns],
                evidence=self.evidence[:, :rows, :columns],
                note=f"{self.note}, cut to whole blocks",
            )
        return self


def load_pictures(
    source,
    *,
    count=2000,
    scored=SCORED,
    size=None,
    seed=0,
    data_dir=None,
    split=None,
    preparation=None,
):
    """Pictures of a folder, an image, an .npz file, a TFDS data set, or photographs.

    Args:
        source: a folder of images (and folders), one image file, an .npz file with
            x_test or x_train, "cifar10", "cifar100" or "tfds:NAME", or "photographs":
            those that scikit-learn and scikit-image bring along. Of these, the
            astronaut, the cat and the coffee are scored, whole and made small;
            evidence are pieces of others (china, flower, rocket), as they are.
        count: take at most as many, drawn by `seed`.
        scored: at most as many of them are scored, and at most a quarter.
        size: (height, width) to make them of: the middle, of the right proportions, is
            scaled. Default: as they are, or 96 x 96 where they differ in size and for
            "photographs".
        seed: of the draw.
        data_dir: of TFDS.
        split: of a data set; default "test", or the first.
        preparation: a `tfpe.Preparation` of what is read, whose `window` takes gray of
            more than 8 bits to 8; None for none.

    Returns:
        A `Pictures`.

    Raises:
        DatasetError, ImageFileError: missing, damaged or empty.
        ImageError: pictures below 11 x 11 pixels, or a `size` of more than 16 million.

    Example:

    >>> pictures = load_pictures("photographs")
    >>> pictures.scored.shape, pictures.evidence.shape, pictures.apart
    ((3, 96, 96, 3), (72, 96, 96, 3), True)
    """
    source = str(source)
    if size is not None and math.prod(size) > LARGEST:
        raise ImageError(
            f"`size` should be at most {LARGEST:,} pixels. Received: size={size}"
        )
    rng = np.random.default_rng(seed)
    if source == PHOTOGRAPHS:
        if preparation not in (None, Preparation()):
            raise DatasetError(
                "A window is for files of more than 8 bits. Received: one of "
                "photographs"
            )
        pictures = _photographs(count, size or DEFAULT_SIZE, rng)
    else:
        path, word = pathlib.Path(source), tfds_word(source)
        if word is None and path.exists() and path.suffix != ".npz":
            if split is not None:
                raise DatasetError(
                    f"`split` should be of a data set. Received: {split!r} of {source}"
                )
            images = _image_files(path, count, rng, preparation)
        else:
            images, split = _data_set(source, count, rng, data_dir, split, preparation)
        name = path.resolve().stem if path.exists() else word or source
        pictures = _divided(name, images, size, scored)
        pictures = dataclasses.replace(pictures, split=split)
        if preparation is not None and preparation.window is not None:
            note = f"{pictures.note}, through the window {preparation.window}"
            pictures = dataclasses.replace(pictures, note=note)
    if min(pictures.shape[:2]) < SMALLEST_SIDE:
        raise ImageError(
            f"Pictures should be at least {SMALLEST_SIDE} x {SMALLEST_SIDE} pixels. "
            f"Received: shape {pictures.shape}"
        )
    return pictures


def middle(image, size):
    """The middle part of an image, of the proportions of `size`, scaled to it.

    Example:

    >>> middle(np.zeros((40, 60, 1), np.uint8), (20, 20)).shape
    (20, 20, 1)
    """
    height, width = image.shape[:2]
    if (height, width) == tuple(size):
        return image
    scale = min(height / size[0], width / size[1])
    rows, columns = size[0] * scale, size[1] * scale
    left, top = (width - columns) / 2, (height - rows) / 2
    box = (left, top, left + columns, top + rows)
    gray = image.shape[2] == 1
    picture = Image.fromarray(image[..., 0] if gray else image)
    scaled = picture.resize((size[1], size[0]), Image.Resampling.BOX, box)
    return np.asarray(scaled).reshape(*size, image.shape[2])


def sample_photographs():
    """name -> `uint8 (H, W, 3)`: photographs inside scikit-learn and scikit-image."""
    from skimage import data
    from sklearn.datasets import load_sample_images

    with warnings.catch_warnings():
        # scikit-learn reads its files through a mode of Pillow that is on its way out.
        warnings.simplefilter("ignore", DeprecationWarning)
        china, flower = load_sample_images().images
    return {
        "astronaut": data.astronaut(),
        "cat": data.chelsea(),
        "coffee": data.coffee(),
        "china": china,
        "flower": flower,
        "rocket": data.rocket(),
    }


def _photographs(count, size, rng):
    whole = sample_photographs()
    scored = [middle(whole[name], size) for name in ("astronaut", "cat", "coffee")]
    pieces = [p for n in ("china", "flower", "rocket") for p in _pieces(whole[n], size)]
    pieces = [pieces[k] for k in rng.permutation(len(pieces))[: max(count - 3, 1)]]
    return Pictures(
        PHOTOGRAPHS,
        np.stack(scored),
        np.stack(pieces),
        True,
        whole["flower"],
        "scored: astronaut, cat and coffee, their middle made small; evidence: pieces "
        "of china, flower and rocket at their own scale; large: flower",
        shown=True,
    )


def _pieces(image, size):
    rows, columns = (n // s for n, s in zip(image.shape, size, strict=False))
    return [
        image[r * size[0] : (r + 1) * size[0], c * size[1] : (c + 1) * size[1]]
        for r in range(rows)
        for c in range(columns)
    ]


def _divided(name, images, size, scored):
    note = "as they are"
    if size is None and len({image.shape[:2] for image in images}) > 1:
        size = DEFAULT_SIZE
    large = max(images, key=lambda image: image.size)
    if size is not None:
        images = [middle(image, size) for image in images]
        note = "their middle, scaled"
    if len({image.shape[2] for image in images}) > 1:
        images = [np.repeat(i, 3, 2) if i.shape[2] == 1 else i for i in images]
    images = np.stack(images)
    scored = min(scored, max(1, len(images) // 4))
    if len(images) == 1:
        return Pictures(name, images, images, False, large, note)
    return Pictures(name, images[:scored], images[scored:], True, large, note)


def _image_files(path, count, rng, preparation):
    files = list(image_files(path).items())
    chosen = dict(files[k] for k in rng.permutation(len(files))[:count])
    return [pixels for _, pixels, _ in read_images(chosen, preparation)]


def _data_set(source, count, rng, data_dir, split, preparation):
    """Pictures of a data set, in the order drawn, and their split.

    Others are not decoded.
    """
    if source.endswith(".npz") and preparation in (None, Preparation()):
        # What every machine can read: data sets need TFDS.
        arrays = read_npz(source, with_labels=False)
        split = _split_of(arrays, split)
        images = arrays[split][0]
        return list(images[rng.permutation(len(images))[:count]]), split
    from tfpe.dataset.sources import open_source

    found = open_source(source, data_dir, preparation)
    split = _split_of(found.splits, split)
    chosen = rng.permutation(sum(found.splits[split]))[:count]
    place = {number: k for k, number in enumerate(chosen.tolist())}
    images, number = [None] * len(chosen), 0
    for shard in range(len(found.splits[split])):
        for batch in found.read(split, shard, 0):
            size = len(batch[0]) if isinstance(batch, tuple) else len(batch)
            wanted = [k for k in range(size) if number + k in place]
            if wanted:
                decoded, _ = found.decode(batch)
                for k in wanted:
                    images[place[number + k]] = decoded[k]
            number += size
    return images, split


def _split_of(splits, split):
    """The split that is asked for, or that of a test, or the first."""
    split = split or ("test" if "test" in splits else next(iter(splits)))
    if split not in splits:
        raise DatasetError(
            f"`split` should be one of {list(splits)}. Received: {split!r}"
        )
    return split
