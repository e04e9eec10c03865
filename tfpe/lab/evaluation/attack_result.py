"""What an attack on files gave: pictures, a figure, a key."""

import dataclasses
import io
import os
import pathlib

import numpy as np

from tfpe.algebra.keyed import Keyed
from tfpe.errors import AttackError, ImageFileError, TfpeError
from tfpe.pixels.padding import crop
from tfpe.pixels.png import encode_png
from tfpe.storage.atomic import write_file

DRAWN = 6


@dataclasses.dataclass
class Result:
    """What an attack gave.

    Attributes:
        summary: a dict for JSON, without key material.
        transform: the recovered key, or None.
        found: the `Ciphertexts`, or None.
        recovered: `uint8 (N, H, W, C)`, or None.
        truth: a dict from name to plain image, as far as known.
    """

    summary: dict
    transform: Keyed | None
    found: object = None
    recovered: np.ndarray | None = None
    truth: dict = dataclasses.field(default_factory=dict)

    def pictures(self):
        """Relative path -> recovered image, cut to the size that it had."""
        rows = zip(self.found.names, self.recovered, self.found.sizes, strict=True)
        pictures = {}
        for name, image, (height, width) in rows:
            fits = height <= image.shape[0] and width <= image.shape[1]
            pictures[name] = crop(image, height, width) if fits else image
        return pictures

    def draw(self, path):
        """Draws plain (where known), encrypted and recovered pictures."""
        from tfpe.lab.figures import gallery

        if self.recovered is None:
            raise TfpeError("A figure needs CIPHERTEXTS. Received: none")
        names = self.found.names[:DRAWN]
        columns = {
            "encrypted": list(self.found.images[:DRAWN]),
            "recovered": list(self.recovered[:DRAWN]),
        }
        if all(name in self.truth for name in names):
            columns = {"plain": [self.truth[name] for name in names], **columns}
        gallery(columns, path)

    def save(self, path):
        """Writes the key to a new .npz file that only its owner can read.

        `Transform(perm, mask, bits, input_shape, output_shape)` is the key again, or
        `Substitution(tables, index, input_shape)`.
        """
        if self.transform is None:
            raise AttackError("This attack recovers pictures. Received: no key to save")
        key, data = self.transform, io.BytesIO()
        names = ("perm", "mask", "bits", "index", "input_shape", "output_shape")
        arrays = {name: getattr(key, name) for name in names if hasattr(key, name)}
        if hasattr(key, "tables"):
            arrays["tables"] = key.tables[1:]  # the first leaves values as they are
        np.savez_compressed(data, **arrays)
        check_key_file(path)
        write_file(path, data.getvalue(), mode=0o600)


def write_images(folder, images, force=False):
    """Writes PNG files; refuses, before the first, to replace any by another.

    Args:
        folder: where to; it is made.
        images: a dict from relative path to `uint8 (H, W, C)`.
        force: replace files.
    """
    from tfpe.files.jobs import inside

    files = {name: encode_png(image) for name, image in images.items()}
    # A run that a full disk stopped has left some of these files: they may be there.
    there = [
        name for name in files if _differs(pathlib.Path(folder, name), files[name])
    ]
    if there and not force:
        raise ImageFileError(
            f"Nothing is overwritten without --force. Received: {folder}, which holds "
            f"{there[0]}"
        )
    for name, data in files.items():
        write_file(inside(folder, name), data)
    return len(images)


def _differs(path, data):
    """Whether something else than `data` is at `path`."""
    try:
        return path.read_bytes() != data
    except FileNotFoundError:
        return False
    except OSError:
        return True


def check_key_file(path):
    """Refuses, also before the work, to write a recovered key over what is there."""
    if os.path.lexists(path):
        raise ImageFileError(
            f"A recovered key should go to a new file. Received: {path}"
        )
