"""Evidence from files: encrypted folders, known pairs, other pictures.

Everything here is read as an attacker reads it: without the key. The manifest of an
encrypted folder names cipher, options and sizes in the open.
"""

import dataclasses
import pathlib

import numpy as np

from tfpe.errors import AttackError, ImageFileError, ManifestError
from tfpe.files.finding import (
    find_images,
    image_files,
    png_name,
    read_bytes,
    read_images,
)
from tfpe.manifests.folder_manifest import MANIFEST_NAME, check_path
from tfpe.pixels.codec import prepare_image
from tfpe.pixels.padding import pad_to_blocks
from tfpe.pixels.preparation import Preparation, check_preparation
from tfpe.storage.signed_json import read_json

# What a manifest says of the key: images of one shape that agree in these have one.
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
        per_image: whether a manifest says that each has a key of its own.
        preparation: a `Preparation`, of the plain images as the manifest says.
    """

    images: np.ndarray
    names: list
    sizes: list
    cipher: str | None
    options: dict
    other: int
    settings: dict | None = None
    per_image: bool = False
    preparation: Preparation = Preparation()


def read_ciphertexts(path, size=None, any_key=False):
    """The images of an encrypted folder, or one encrypted image.

    Args:
        path: a folder, with or without manifest.json, or an image.
        size: (height, width) of the ciphertexts to take; the default is the one size
            that they have.
        any_key: take images that have a key each, too.

    Raises:
        ImageFileError: missing, damaged, no images, or several sizes and no `size`.
        AttackError: each image has a key of its own, or 16 bits.
    """
    images = _read(path, Preparation(depth=16))
    if deep := [name for name, image in images.items() if image.dtype != np.uint8]:
        raise AttackError(
            "Attacks are on images of 8 bits. Received: ciphertexts of 16 bits, as in "
            f"{path}/{deep[0]}"
        )
    header, entries = _manifest(path)
    per_image = bool(header.get("per_image"))
    if per_image and not any_key:
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
        per_image,
        Preparation.from_json(header.get("preparation")),
    )


def read_plain(path, shape, block_size=1, preparation=None):
    """Plain images as they were encrypted: prepared and padded to whole blocks.

    Args:
        path: a folder or an image.
        shape: of the ciphertexts; images that do not come to it are left out.
        block_size: of the cipher.
        preparation: a `Preparation`, of the images before they were encrypted.

    Returns:
        A dict from path, with the suffix .png that its ciphertext has, to
        `uint8 (H, W, C)`, and the number of images left out.
    """
    plain, images = {}, _read(path, preparation)
    for name, image in images.items():
        image = pad_to_blocks(image, block_size)
        if image.shape == tuple(shape):
            plain[png_name(name)] = image
    return plain, len(images) - len(plain)


def read_truth(path, names, shape, block_size=1, preparation=None):
    """The plain images of ciphertexts, for scores: what is missing is no error.

    Args:
        path: a folder or an image.
        names: of the ciphertexts.
        shape, block_size, preparation: as in `read_plain`.

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
        file = png_name(name)
        if file not in files and file not in refused:
            missing[name] = "without a plain image of that name"
            continue
        try:
            image, *_ = prepare_image(
                read_bytes(files[file]), check_preparation(preparation)
            )
            image = pad_to_blocks(image, block_size)
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
    names = [name for name in ciphertexts.names if png_name(name) in plain]
    if not names:
        raise AttackError(
            "Plain images should have the names, and give the sizes, of encrypted "
            f"ones. Received: {len(plain)} plain, {len(ciphertexts.names)} encrypted "
            f"of shape {ciphertexts.images.shape[1:]}, and no pair"
        )
    place = {name: k for k, name in enumerate(ciphertexts.names)}
    return (
        names,
        np.stack([plain[png_name(name)] for name in names]),
        ciphertexts.images[[place[name] for name in names]],
    )


def _read(path, preparation):
    images = read_images(image_files(path), preparation)
    return {name: pixels for name, pixels, _ in images}


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
