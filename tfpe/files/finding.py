"""What is in a folder: its image files, and files that should have been images."""

import dataclasses
import os
import pathlib
import posixpath

from tfpe.errors import ImageFileError
from tfpe.files.others import head_of, looks_like
from tfpe.pixels.codec import read_image
from tfpe.pixels.dicom import is_dicom
from tfpe.pixels.preparation import check_preparation

SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".webp"),
    *(".bmp", ".dib", ".tif", ".tiff", ".gif"),
)
# DICOM is known by its first bytes too, whatever its name.
DICOM, DICOM_SUFFIXES = "DICOM", (".dcm", ".dicom", ".ima")
OTHER = "This looks like {}, which is not read"
HINTS = {
    "a medical volume": " (save its slices: docs/medical.md)",
    DICOM: " without the mark that such files begin with",
}
STAYS = " and stays unencrypted: convert it, or leave it out with skip_others=True"


@dataclasses.dataclass(frozen=True)
class Sources:
    """The files of a folder.

    Attributes:
        images: relative path (with "/") -> file, a dict sorted by path.
        refused: (relative path, message) of images that cannot be taken.
        ignored: number of other files, those with a name that begins with "." too.
    """

    images: dict
    refused: list
    ignored: int


def find_images(source, suffixes=SUFFIXES, others="refuse"):
    """The image files in a folder and all folders in it, or the one file `source`.

    Args:
        source: a folder or a file.
        suffixes: those taken; other images are refused one by one.
        others: what is done with files that look like pictures of other kinds:
            "refuse" them; "advise", for those who encrypt: refuse them, and say that
            they stay unencrypted; or "skip" them, which counts them as ignored.

    Symbolic links to images inside the folder are followed; other links, and what is no
    regular file, are refused one by one.

    Raises:
        ImageFileError: `source` or a folder in it is missing or cannot be read.
    """
    source = pathlib.Path(source)
    if source.is_file():
        return Sources({source.name: source}, [], 0)
    root = source.resolve()
    images, refused, ignored = {}, [], 0
    for parent, folders, names in os.walk(source, onerror=_unreadable):
        parent = pathlib.Path(parent)
        place = "" if parent == source else f"{parent.relative_to(source).as_posix()}/"
        for folder in folders:
            if (parent / folder).is_symlink():
                refused.append((place + folder, "Links to folders are not followed"))
        for name in names:
            file = parent / name
            path = place + name
            hidden, known = name.startswith("."), file.suffix.lower() in SUFFIXES
            kind = None if hidden or known else looks_like(file)
            dicom = kind == DICOM and suffixes is SUFFIXES and is_dicom(head_of(file))
            if hidden or not (known or dicom):
                if kind is None or others == "skip":
                    ignored += 1
                else:
                    kind += HINTS.get(kind, "")
                    hint = STAYS if others == "advise" else ""
                    refused.append((path, OTHER.format(kind) + hint))
            elif problem := _problem(file, root, None if dicom else suffixes):
                refused.append((path, problem))
            else:
                images[path] = file
    return Sources(dict(sorted(images.items())), sorted(refused), ignored)


def png_name(path):
    """What the PNG of a source is called: `path` with the suffix of images replaced.

    Other endings stay: DICOM files have none, or names of numbers and points.

    Example:

    >>> [png_name(path) for path in ("a/b.JPG", "ct.dcm", "1.2.840.4711")]
    ['a/b.png', 'ct.png', '1.2.840.4711.png']
    """
    root, suffix = posixpath.splitext(path)
    return f"{root if suffix.lower() in SUFFIXES + DICOM_SUFFIXES else path}.png"


def output_paths(paths, suffix=".png"):
    """Output path -> source path, and (path, message) where two sources share one."""
    targets, clashes = {}, []
    for source in paths:
        target = png_name(source).removesuffix(".png") + suffix
        if target in targets:
            message = f"It would become {target}, as {targets[target]} does: rename one"
            clashes.append((source, message))
        else:
            targets[target] = source
    return targets, clashes


def image_files(source):
    """path -> file of the images of a folder, or of the one file `source`.

    Raises:
        ImageFileError: missing, without images, or one of them cannot be taken.
    """
    if not pathlib.Path(source).exists():
        raise ImageFileError(f"Images should exist. Received: {source}")
    found = find_images(source)
    if found.refused or not found.images:
        name, problem = (found.refused or [("", "It holds no images")])[0]
        raise ImageFileError(f"{source}/{name}: {problem}")
    return found.images


def read_images(files, preparation=None):
    """The images of `image_files`, one after the other.

    Args:
        files: path -> file.
        preparation: a `Preparation`, or None.

    Returns:
        An iterator of path, `uint8` or `uint16 (H, W, C)`, and what the pixels do not
        tell of the file, a dict.

    Raises:
        ImageFileError: one cannot be read; the message names it.
    """
    for path, file in files.items():
        try:
            pixels, _, stored = read_image(
                read_bytes(file), check_preparation(preparation)
            )
        except ImageFileError as error:
            raise ImageFileError(f"{file}: {error}") from error
        yield path, pixels, stored


def read_bytes(file):
    """The bytes of a file, or `ImageFileError`."""
    try:
        with open(file, "rb") as opened:
            return opened.read()
    except OSError as error:
        raise ImageFileError(f"Cannot read {file}: {error.strerror}") from error


def _problem(file, root, suffixes):
    if os.path.islink(file):
        try:
            real = file.resolve(strict=True)
        except (OSError, RuntimeError):  # to nothing, or in a circle
            return "This link leads nowhere"
        if not real.is_relative_to(root):
            return "Links that lead out of the folder are not followed"
    if not os.path.isfile(file):
        return "This is no regular file"
    if suffixes is not None and file.suffix.lower() not in suffixes:
        return f"Images should be one of {suffixes}. Received: {file.suffix}"
    return None


def _unreadable(error):
    raise ImageFileError(f"Cannot read folder {error.filename}: {error.strerror}")
