"""Pictures in class folders: all that is wrong with them told at once."""

import collections
import hashlib
import pathlib

from tfpe.errors import DatasetError, ImageFileError, SourceFilesError
from tfpe.files.finding import find_images, read_bytes
from tfpe.pixels.codec import read_image
from tfpe.pixels.depth import without_window

SHOWN_SIZES = 10


class ClassFolders:
    """The files of a folder with one folder of images for each class.

    Args:
        root: the folder, or one with train/ and test/ that hold such folders.
        preparation: a `Preparation`.
        others: as in `tfpe.files.finding.find_images`.
        keep: whether the pixels stay in memory, for those who need them all.

    Attributes:
        classes: their names, in order.
        parts: split -> (files, labels).
        shapes: (height, width, channels) of a prepared image -> number of images.
        lost: what the preparation took -> number of images.
        depth: bits of a value, 8 or 16.
        stored: what the images do not tell of the files, a dict.
        mark: SHA-256 of names and contents.

    Raises:
        SourceFilesError: files that cannot be taken, all of them.
        DatasetError: classes that cannot be named, or that differ between the splits.
    """

    def __init__(self, root, preparation, others="refuse", keep=False):
        self.preparation, self.mark = preparation, hashlib.sha256()
        self._kept = {} if keep else None
        self.shapes, self.lost = collections.Counter(), collections.Counter()
        self.classes, self.parts, self._problems = None, {}, []
        self._kinds = []
        for split, folder in split_folders(root).items():
            self._read(root, split, folder, others)
        if self._problems:
            raise SourceFilesError(root, self._problems)
        self.depth, self.stored = self._kind(root)

    def pixels(self, file):
        """The prepared pixels of one of the files."""
        if self._kept is not None:
            return self._kept[file]
        try:
            return read_image(read_bytes(file), self.preparation)[0]
        except ImageFileError as error:
            raise DatasetError(f"{file}: {error}") from error

    def image_shape(self, where, any_size):
        """That of all images; height and width None where `any_size` lets them vary."""
        channels = collections.Counter()
        for shape, count in self.shapes.items():
            channels[shape[2]] += count
        if len(channels) > 1:
            raise DatasetError(
                f"Images in {where} should be all gray or all RGB: `color` makes them "
                f"so. Received: {channels[1]} gray and {channels[3]} RGB"
            )
        if len(self.shapes) == 1:
            return next(iter(self.shapes))
        if not any_size:
            raise DatasetError(
                f"Images in {where} should be of one size, or no network can take them "
                "in batches: `size` makes them so, any_size=True keeps them. Received: "
                f"{self.sizes()}"
            )
        return None, None, next(iter(channels))

    def sizes(self):
        """The sizes that occur, and of how many images, in words."""
        sizes = self.shapes.most_common()
        shown = [
            f"{height}x{width} ({count})"
            for (height, width, _), count in sizes[:SHOWN_SIZES]
        ]
        rest = sum(count for _, count in sizes[SHOWN_SIZES:])
        more = f" and {len(sizes) - len(shown)} more ({rest})" if rest else ""
        return f"{len(sizes)} sizes (of so many images): {', '.join(shown)}{more}"

    def _kind(self, where):
        depths = {depth for depth, _ in self._kinds}
        if len(depths) > 1:
            raise DatasetError(
                f"Images in {where} should have all 8 bits or all 16: a window takes "
                "them to 8. Received: both"
            )
        if len(self._kinds) > 1:
            raise DatasetError(
                f"Images in {where} should be stored alike, since levels mean the same "
                "in one set: all signed or none, all with bright high levels or none; "
                "a window makes them so. Received: several kinds"
            )
        return self._kinds[0]

    def _read(self, root, split, folder, others):
        found = find_images(folder, others=others)
        prefix = folder.relative_to(root)
        files = list(found.images.items())
        problems = found.refused + [
            (path, "It is in no class") for path, _ in files if "/" not in path
        ]
        if others != "skip":
            problems += _without_images(folder, {*found.images, *dict(problems)})
        if not files and not problems:
            problems = [(".", "It holds no images")]
        classes = sorted({path.partition("/")[0] for path, _ in files if "/" in path})
        for name in classes:
            if not _can_be_named(name):
                raise DatasetError(
                    "Classes should have names of one line of text, without blanks at "
                    f"the ends: TFDS keeps them so. Received: {folder}/{name!r}"
                )
        if self.classes not in (None, classes) and not problems:
            raise DatasetError(
                f"train and test of {root} should hold the same classes. "
                f"Received: {self.classes} and {classes}"
            )
        self.classes, digests = classes, {}
        for path, file in files:
            try:
                data = read_bytes(file)
                pixels, lost, stored = read_image(data, self.preparation)
            except ImageFileError as error:
                problems.append((path, str(error)))
                continue
            digests[path] = hashlib.sha256(data).digest()
            if self._kept is not None:
                self._kept[file] = pixels
            self.shapes[pixels.shape] += 1
            self.lost.update(lost)
            kind = 8 * pixels.dtype.itemsize, without_window(stored)
            if kind not in self._kinds:
                self._kinds.append(kind)
        where = pathlib.PurePosixPath(prefix.as_posix())
        self._problems += [((where / path).as_posix(), text) for path, text in problems]
        if problems:
            return
        # Class after class, their order would tell what `hide_labels` hides.
        files.sort(key=lambda pair: (digests[pair[0]], pair[0]))
        for path, _ in files:
            self.mark.update(f"{split}/{path}\n".encode() + digests[path])
        labels = [classes.index(path.partition("/")[0]) for path, _ in files]
        self.parts[split] = [file for _, file in files], labels


def _without_images(folder, paths):
    """(name, message) of each class that none of the paths is in."""
    told = {path.partition("/")[0] for path in paths}
    return [
        (entry.name, "It holds no images")
        for entry in folder.iterdir()
        if entry.is_dir() and not entry.name.startswith(".") and entry.name not in told
    ]


def split_folders(root):
    """The folders of class folders: train/ and test/ of `root`, or it alone as train.

    Args:
        root: a `pathlib.Path`.

    Returns:
        split -> folder, a dict.
    """
    splits = {split: root / split for split in ("train", "test")}
    return splits if all(f.is_dir() for f in splits.values()) else {"train": root}


def _can_be_named(name):
    text = name.encode(errors="ignore").decode() == name
    return text and name.splitlines() == [name] == [name.strip()]
