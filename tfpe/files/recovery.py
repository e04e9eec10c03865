"""Decryption without manifest.json, from what the owner remembers."""

import pathlib
import warnings

from tfpe.ciphers import find_cipher
from tfpe.errors import ImageError, ImageFileError, ManifestError
from tfpe.files.finding import find_images
from tfpe.files.jobs import ImageDecryption
from tfpe.manifests.folder_manifest import MANIFEST_NAME, SUFFIXES
from tfpe.pixels.padding import padded_size
from tfpe.pixels.preparation import Preparation
from tfpe.receipts.settings import settle

UNCHECKED = (
    f"Without {MANIFEST_NAME} nothing tells whether key, cipher and options are those "
    "of the images, or whether images were changed: look at what came out. Images that "
    f"had a sub-key of their own each do not come back without {MANIFEST_NAME}, the "
    "only place that names their sub-keys"
)


def require_fit(header, cipher, options, size, where):
    """Raises `ManifestError` where arguments for a lost manifest meet another one."""
    if size is not None:
        raise ManifestError(
            f"`size` is for folders without {MANIFEST_NAME}. Received: size={size} for "
            f"{where}, whose manifest tells the size of each image"
        )
    where = f"{MANIFEST_NAME} in {where}"
    given = ({} if cipher is None else {"cipher": cipher}) | options
    known = header["options"] | {"cipher": header["cipher"]}
    for name, value in given.items():
        if name not in known or known[name] != value:
            raise ManifestError(
                f"`{name}` should be {known.get(name)!r}, as {where} "
                f"says, or not be given. Received: {name}={value!r}"
            )


def from_receipt(receipt, key, cipher, options):
    """The `Receipt` that is named, and the name and options of its cipher.

    Raises:
        CipherOptionError: `cipher` or one of `options` contradicts it.
        WrongKeyError: it is of another key.
    """
    found = settle(key, cipher, receipt, None, options)
    return found.receipt, found.cipher.name, found.options


def size_from(receipt, size):
    """The size of images whose manifest is lost, as far as their receipt tells it."""
    if receipt.per_image:
        raise ManifestError(
            f"{MANIFEST_NAME} should be there: the images of {receipt.name} have a "
            "sub-key each, which only it names. Received: none"
        )
    sides = (receipt.image_shape or (None, None))[:2]
    if size is None and None not in sides:
        return sides
    return size


def lost_header(cipher, options):
    """What stands for the header of a manifest that is lost."""
    row = find_cipher(cipher)
    options = row.check(**options)
    row.require_bytes("A folder of PNG files", **options)
    warnings.warn(UNCHECKED, UserWarning, stacklevel=3)
    return {"cipher": cipher, "options": options, "per_image": False}


def list_images(src):
    """path -> entry of what looks encrypted in `src`, and (path, message) of the rest.

    `src` is a folder or one file; the third value is the folder.
    """
    src = pathlib.Path(src)
    if src.is_file() and src.suffix.lower() not in SUFFIXES:
        raise ImageFileError(
            f"Encrypted images should end in one of {SUFFIXES}. Received: {src}"
        )
    found = find_images(src, SUFFIXES)
    folder = src.parent if src.is_file() else src
    return {path: {"path": path} for path in found.images}, found.refused, folder


class Recovery(ImageDecryption):
    """Decrypts images of which only the ciphertext is left.

    Args:
        size: (height, width) of the images before encryption, or None: they come out
            with the rows and columns that fill the last blocks.
        *arguments: of `ImageDecryption`.
    """

    def __init__(self, size, *arguments):
        super().__init__(*arguments)
        self.size = Preparation(size).size

    def _decrypt(self, entry, ciphertext, digest):
        try:
            shape = self.cipher.plain_shape(ciphertext.shape, **self.options)
        except ImageError as error:
            raise ImageFileError(str(error)) from error
        size, block_size = (
            self.size or shape[:2],
            self.cipher.block_size(**self.options),
        )
        padded = tuple(padded_size(side, block_size) for side in size)
        if padded != tuple(shape[:2]):
            raise ImageFileError(
                f"The ciphertext of an image of {size[0]}x{size[1]} should be of "
                f"{padded[0]}x{padded[1]} with blocks of {block_size}: another size, "
                f"cipher or block_size encrypted this one. Received: one of "
                f"{shape[0]}x{shape[1]}"
            )
        return self.transforms.decrypt(ciphertext, (*size, shape[2]))
