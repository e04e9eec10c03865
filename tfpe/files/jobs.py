"""One image file encrypted or decrypted; what the threads of `tfpe.files` do."""

import hashlib
import os
import pathlib
import threading

import numpy as np

from tfpe.ciphers import find_cipher
from tfpe.ciphers.cache import TransformCache
from tfpe.errors import ImageFileError
from tfpe.files.coded_ciphertexts import decode, encode
from tfpe.files.finding import png_name, read_bytes
from tfpe.files.journal import is_unfinished
from tfpe.manifests.folder_manifest import image_keys, make_entry
from tfpe.pixels.codec import decode_image, read_image
from tfpe.pixels.png import encode_png
from tfpe.pixels.preparation import Preparation
from tfpe.storage.signed_json import canonical

DAMAGED = "The image is damaged or foreign: its pixels are not those that were written"
UNFINISHED = "an encryption was interrupted; run it again"


class ImageEncryption:
    """Encrypts one image at a time; called from several threads.

    Args:
        folder: the output folder.
        key: a `tfpe.Key`.
        cipher: a row of `tfpe.CIPHERS`.
        commits: the `Commits` of the run, which write what is encrypted.
        header: of the folder.
        known: path -> entry of images that need not be written again.
        sources: the files of the source, which are never replaced.
        force: whether to replace other files.
    """

    def __init__(self, folder, key, cipher, commits, header, known, sources, force):
        self.folder, self.key, self.cipher = folder, key, cipher
        self.commits, self.header = commits, header
        self.known, self.force = known, force
        self.preparation = Preparation.from_json(self.header.get("preparation"))
        self.sources = {identity(source) for source in sources} - {None}
        self.transforms = TransformCache(
            cipher, key, self.header["options"], image_keys(key, self.header)
        )
        self._inside_places = {}

    def __call__(self, job):
        """Returns the entry of an image, and whether it was written now."""
        path, source, numbers = job
        target = self._inside(path)
        if identity(target) in self.sources:
            raise ImageFileError(
                "The output would replace an image of the source: use another output "
                "folder"
            )
        data = read_bytes(source)
        known = self.known.get(path)
        mark = self._mark(path, data)
        if known is not None and known["source_tag"] == mark:
            if is_written(self.folder, known):
                return known, False
        elif known is not None and "number" in known:
            raise ImageFileError(
                "Another image of this name was encrypted under the same sub-key: run "
                "again with force=True, which draws a new one"
            )
        if os.path.lexists(target) and not self.force:
            raise ImageFileError(
                "The output exists already and was not made from this image; "
                "force=True replaces it"
            )
        image, lost, stored = read_image(data, self.preparation)
        (height, width, channels), dtype = image.shape, image.dtype
        number = known.get("number") if known else numbers.get(path)
        ciphertext = self.transforms.encrypt(image, number)
        del data, image  # photographs are large, and their files follow
        file, digest = encode(ciphertext, self.header.get("lossy"))
        fields = {
            "path": path,
            "height": height,
            "width": width,
            "channels": channels,
            "sha256": digest,
            "source_tag": mark,
        }
        if number is not None:
            fields["number"] = number
        if lost:
            fields["lost"] = lost
        if dtype == np.uint16:
            fields["depth"] = 16
        if stored:
            fields["stored"] = stored
        entry = make_entry(self.key, self.header, **fields)
        del ciphertext
        self.commits.add(target, file, entry)
        return entry, True

    def _inside(self, path):
        """`inside`, asked anew only where a folder is another than it was.

        It follows links, which takes longer than to encrypt a small image.
        """
        target = os.path.join(self.folder, path)
        parent = os.path.dirname(target)
        place = identity(parent)
        if place is None or place != self._inside_places.get(parent):
            inside(self.folder, path)
            self._inside_places[parent] = place
        return target

    def _mark(self, path, data):
        """A keyed tag of the source: tells the owner alone whether it was changed."""
        digest = hashlib.sha256(data).hexdigest()
        return self.key.tag(canonical(["tfpe source", path, digest]))


class ImageDecryption:
    """Decrypts one image at a time; called from several threads.

    `mode` is that of the files it writes, less the umask. `commits`, which write them,
    are set before the first image.
    """

    commits = None

    def __init__(self, folder, target_folder, key, header, names, force, mode):
        self.folder, self.target_folder = folder, target_folder
        self.names, self.force, self.mode = names, force, mode
        self.options, self.damaged = header["options"], DAMAGED
        if is_unfinished(folder):
            self.damaged = f"{DAMAGED}; {UNFINISHED}"
        self.cipher = find_cipher(header["cipher"])
        self.transforms = TransformCache(
            self.cipher, key, self.options, image_keys(key, header), invert=True
        )
        self._taken, self._taking = set(), threading.Lock()

    def __call__(self, entry):
        """Returns whether the image was written now."""
        path = entry["path"]
        image = self._decrypt(entry, *decode(path, self._read(entry)))
        if self.names is not None:
            if path not in self.names:
                raise ImageFileError("The file of names has no name for this image")
            path = self.names[path]
        target = inside(self.target_folder, png_name(path))
        if os.path.lexists(target) and not self.force:
            if self._holds(target, image):
                return False
            raise ImageFileError(
                "The output exists already, with other pixels; force=True replaces it"
            )
        self._take(target)
        file = encode_png(image)
        del image  # photographs are large
        self.commits.add(target, file, entry)
        return True

    def _take(self, target):
        """Refuses a second image of one name: the first may wait for the disk still."""
        with self._taking:
            if target in self._taken:
                raise ImageFileError("Another image of this run has this name already")
            self._taken.add(target)

    def file(self, entry):
        """The path of an image's ciphertext."""
        return pathlib.Path(self.folder, entry["path"])

    def _read(self, entry):
        file = self.file(entry)
        if not file.resolve().is_relative_to(pathlib.Path(self.folder).resolve()):
            raise ImageFileError("This file is a link that leads out of the folder")
        if not file.exists():
            raise ImageFileError("The manifest lists this file, and it is missing")
        if not file.is_file():
            raise ImageFileError("This is no regular file")
        return read_bytes(file)

    def _decrypt(self, entry, ciphertext, digest):
        if digest != entry["sha256"]:
            raise ImageFileError(self.damaged)
        shape = entry["height"], entry["width"], entry["channels"]
        return self.transforms.decrypt(ciphertext, shape, entry.get("number"))

    def _holds(self, target, image):
        try:
            found = decode_image(read_bytes(target), depth=16)
        except ImageFileError:
            return False
        return found.dtype == image.dtype and np.array_equal(found, image)


def inside(folder, path):
    """The file `path` in `folder`, unless a linked sub-folder leads out of it."""
    file = pathlib.Path(folder, path)
    if not file.parent.resolve().is_relative_to(pathlib.Path(folder).resolve()):
        raise ImageFileError(
            f"The output {file} should be in {folder}; a link leads out of it"
        )
    return file


def identity(file):
    """What two names of one file have in common; None where there is none."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def is_written(folder, entry):
    """Whether the file of an entry is there, as the entry says."""
    file = pathlib.Path(folder, entry["path"])
    try:
        _, digest = decode(file, read_bytes(file))
    except ImageFileError:
        return False
    return digest == entry["sha256"]
