"""Evidence from files: encrypted folders, known pairs, chosen images and their answers.

Everything here is read as an attacker reads it: without the key. The manifest of an
encrypted folder names cipher, options and sizes in the open.
"""

import dataclasses
import math
import pathlib

import numpy as np

from tfpe.errors import AttackError, ImageFileError, ManifestError
from tfpe.files.finding import find_images, png_name, read_bytes
from tfpe.files.folder_manifest import MANIFEST_NAME, check_path, read_json
from tfpe.pixels.codec import decode_image, encode_png
from tfpe.pixels.padding import pad_to_blocks

# What of a manifest makes one transform for images of one shape.
SETTINGS = ("cipher", "options", "key_fingerprint")


@dataclasses.dataclass(frozen=True)
class Ciphertexts:
    """Encrypted images of one shape.

    Attributes:
        images: `uint8 (N, H, W, C)`.
        names: their relative paths.
        sizes: (height, width) of each plain image, as far as a manifest says.
        cipher, options: as the manifest says; None and {} without one.
        other: number of images of other shapes, left out.
        settings: cipher, options and key fingerprint as the manifest says; None
            without one.
    """

    images: np.ndarray
    names: list
    sizes: list
    cipher: str | None
    options: dict
    other: int
    settings: dict | None = None


def read_ciphertexts(path, size=None):
    """The images of an encrypted folder, or one encrypted image.

    Args:
        path: a folder, with or without manifest.json, or an image.
        size: (height, width) of the ciphertexts to take; the default is the one size
            that they have.

    Raises:
        ImageFileError: missing, damaged, no images, or several sizes and no `size`.
        AttackError: each image has a key of its own.
    """
    images = _read(path)
    header, entries = _manifest(path)
    if header.get("per_image"):
        raise AttackError(
            f"{path} should be encrypted under one key. Received: a folder in which "
            "each image has a key of its own (--per-image)"
        )
    shapes = sorted({image.shape for image in images.values()})
    if size is not None:
        shapes = [shape for shape in shapes if shape[:2] == tuple(size)]
    if len(shapes) != 1:
        found = sorted({image.shape for image in images.values()})
        raise ImageFileError(
            f"Images in {path} should be of one shape, or one should be chosen with "
            f"--size: every shape has a key of its own. Received: {found}"
        )
    names = [name for name, image in images.items() if image.shape == shapes[0]]
    return Ciphertexts(
        np.stack([images[name] for name in names]),
        names,
        [entries.get(name, shapes[0][:2]) for name in names],
        header.get("cipher"),
        header.get("options") or {},
        len(images) - len(names),
        {name: header.get(name) for name in SETTINGS} if header else None,
    )


def read_plain(path, shape, block_size=1):
    """Plain images as they were encrypted: decoded and padded to whole blocks.

    Args:
        path: a folder or an image.
        shape: of the ciphertexts; images that do not come to it are left out.
        block_size: of the cipher.

    Returns:
        A dict from path, with the suffix .png that its ciphertext has, to
        `uint8 (H, W, C)`, and the number of images left out.
    """
    plain, images = {}, _read(path)
    for name, image in images.items():
        image = pad_to_blocks(image, block_size)
        if image.shape == tuple(shape):
            plain[png_name(name)] = image
    return plain, len(images) - len(plain)


def read_truth(path, names, shape, block_size=1):
    """The plain images of ciphertexts, for scores: what is missing is no error.

    Args:
        path: a folder or an image.
        names: of the ciphertexts.
        shape, block_size: as in `read_plain`.

    Returns:
        A dict from name to `uint8 (H, W, C)`, and one from each other name to why it
        is not there.
    """
    if not pathlib.Path(path).exists():
        raise ImageFileError(f"Images should exist. Received: {path}")
    found = find_images(path)
    files = {png_name(name): file for name, file in found.images.items()}
    refused = {png_name(name) for name, _ in found.refused}
    truth, missing = {}, {}
    for name in names:
        if name not in files and name not in refused:
            missing[name] = "without a plain image of that name"
            continue
        try:
            image = pad_to_blocks(decode_image(read_bytes(files[name])), block_size)
        except (ImageFileError, KeyError):
            missing[name] = "with a plain image that cannot be decoded"
            continue
        if image.shape == tuple(shape):
            truth[name] = image
        else:
            missing[name] = "with a plain image of another size"
    return truth, missing


def pairs_of(plain, ciphertexts):
    """Known pairs by their names: `(names, plain images, ciphertexts)`.

    Raises:
        AttackError: none fit.
    """
    names = [name for name in ciphertexts.names if name in plain]
    if not names:
        raise AttackError(
            "Plain images should have the names, and give the sizes, of encrypted "
            f"ones. Received: {len(plain)} plain, {len(ciphertexts.names)} encrypted "
            f"of shape {ciphertexts.images.shape[1:]}, and no pair"
        )
    place = {name: k for k, name in enumerate(ciphertexts.names)}
    return (
        names,
        np.stack([plain[name] for name in names]),
        ciphertexts.images[[place[name] for name in names]],
    )


class Recorder:
    """An oracle that writes down what it is asked, and answers what it was told.

    Args:
        answers: a dict from the bytes of an image to its ciphertext.

    Attributes:
        asked: the images asked for, in order.
    """

    def __init__(self, answers=None):
        self._answers = answers or {}
        self.asked = []

    def __call__(self, images):
        self.asked += list(images)
        found = [self._answers.get(image.tobytes()) for image in images]
        if any(answer is None for answer in found):
            raise _Unanswered
        return np.stack(found)


class _Unanswered(Exception):
    """Something was asked that has no answer yet."""


def chosen_queries(attack, image_shape, **options):
    """What an attack with chosen plaintexts asks for: queries, then one to verify.

    Args:
        attack: a row of `ATTACKS` with chosen plaintexts.
        image_shape: (height, width, channels).
        **options: of the attack.

    Returns:
        `uint8 (Q + 1, H, W, C)`.

    Example:

    >>> from tfpe.attacks import ATTACKS
    >>> chosen_queries(ATTACKS["chosen_plaintext"], (32, 32, 3)).shape
    (4, 32, 32, 3)
    """
    recorder = Recorder()
    try:
        attack(recorder, image_shape, **options)
    except _Unanswered:
        # No attack here looks at an answer before it has asked for all of them.
        pass
    random = np.random.default_rng(0).integers(0, 256, (1, *image_shape), np.uint8)
    return np.concatenate([np.stack(recorder.asked), random])


def query_names(count):
    """Names of the files of `count` queries."""
    return [f"query-{number:02}.png" for number in range(count)]


def write_queries(folder, images):
    """Writes chosen images to a folder that is new or empty.

    Raises:
        ImageFileError: something is in the folder.
    """
    folder = pathlib.Path(folder)
    if folder.exists() and any(folder.iterdir()):
        raise ImageFileError(
            f"Queries should go to a new or empty folder. Received: {folder}"
        )
    files = zip(query_names(len(images)), images, strict=True)
    return write_images(folder, dict(files))


def write_images(folder, images, force=False):
    """Writes PNG files; refuses, before the first, to replace any by another.

    Args:
        folder: where to; it is made.
        images: a dict from relative path to `uint8 (H, W, C)`.
        force: replace files.
    """
    from tfpe.files.jobs import inside
    from tfpe.storage.atomic import write_file

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


def answers_of(queries, ciphertexts):
    """An oracle of the answers to queries: a `Recorder`.

    Args:
        queries: `uint8 (Q, H, W, C)`, of `chosen_queries`.
        ciphertexts: the `Ciphertexts` of the folder that the owner encrypted.

    Raises:
        AttackError: answers are missing, or of another size.
    """
    place = {name: k for k, name in enumerate(ciphertexts.names)}
    missing = [name for name in query_names(len(queries)) if name not in place]
    if missing:
        raise AttackError(
            f"The answers should hold the ciphertext of each query. Received: none of "
            f"{missing[0]}, for {len(queries)} queries"
        )
    asked, told = queries.shape[1:], ciphertexts.images.shape[1:]
    # One plane in the place of three is etc_gray: of another shape, but as large.
    if math.prod(asked) != math.prod(told) or (asked[2] == told[2] and asked != told):
        raise AttackError(
            f"The answers should be of the size asked for, {asked}. Received: {told}"
        )
    pairs = zip(queries, query_names(len(queries)), strict=True)
    return Recorder({q.tobytes(): ciphertexts.images[place[n]] for q, n in pairs})


def _read(path):
    if not pathlib.Path(path).exists():
        raise ImageFileError(f"Images should exist. Received: {path}")
    found = find_images(path)
    if found.refused or not found.images:
        name, problem = (found.refused or [("", "It holds no images")])[0]
        raise ImageFileError(f"{path}/{name}: {problem}")
    return {name: _image(file) for name, file in found.images.items()}


def _image(file):
    try:
        return decode_image(read_bytes(file))
    except ImageFileError as error:
        raise ImageFileError(f"{file}: {error}") from error


def _manifest(path):
    """The header of a manifest, and path -> (height, width); empty without one."""
    file = pathlib.Path(path, MANIFEST_NAME)
    if not file.exists():
        return {}, {}
    header = read_json(file)
    options, listed = header.get("options") or {}, header.get("images") or []
    if not isinstance(options, dict) or not isinstance(listed, list):
        raise ManifestError(
            f"Manifest {file} is damaged: `options` should be an object and `images` "
            "a list"
        )
    entries = {}
    for entry in listed:
        if isinstance(entry, dict) and isinstance(entry.get("path"), str):
            check_path(entry["path"], file)
            height, width = entry.get("height"), entry.get("width")
            if isinstance(height, int) and isinstance(width, int):
                entries[entry["path"]] = (height, width)
    return header, entries
