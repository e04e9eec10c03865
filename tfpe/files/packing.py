"""`pack_folder` and `unpack_folder`: folders of images as .tfpe containers, and back.

A container tells all of itself: there is no manifest. What an earlier run finished is
known by the nonce, which only this image under this key and path has.
"""

import errno
import os
import pathlib

import numpy as np

from tfpe.errors import ImageFileError, OutputError
from tfpe.files.already_encrypted import require_plain
from tfpe.files.finding import find_images, output_paths, read_bytes, read_images
from tfpe.files.jobs import identity, inside
from tfpe.files.paths import checked_path, require_apart
from tfpe.files.summary import Summary
from tfpe.files.workers import map_images, worker_count
from tfpe.hybrid.code_table import CodeTable
from tfpe.hybrid.container import Container, require_genuine
from tfpe.hybrid.hybrid_cipher import Hybrid
from tfpe.pixels.codec import decode_image, read_image
from tfpe.pixels.png import encode_png
from tfpe.pixels.preparation import check_preparation
from tfpe.storage.atomic import PRIVATE, USUAL, make_output, remove_stale, write_file
from tfpe.storage.locks import folder_lock

SUFFIX = ".tfpe"
SIXTEEN_BITS = (
    "Containers hold images of 8 bits a channel. Received: 16; give a window to take "
    "them to 8"
)
EXISTS = "The output exists already, with another content; force=True replaces it"


def pack_folder(
    src,
    dst,
    key,
    *,
    force=False,
    preparation=None,
    skip_others=False,
    again=False,
    progress=None,
    workers=None,
    **options,
):
    """Packs all images of a folder to .tfpe containers, without a loss.

    The same call resumes an interrupted run, to the same bytes, and adds new images.

    Args:
        src: a folder, or one image file.
        dst: the output folder; photos/cat.jpg becomes cat.tfpe in it.
        key: a `tfpe.Key`.
        force: replace existing files; without it they are never overwritten.
        preparation, skip_others, again, progress, workers: as of `encrypt_folder`.
        **options: of `tfpe.hybrid.Hybrid`.

    Returns:
        A `Summary`. Images that failed are listed there and do not raise.

    Raises:
        AlreadyEncryptedError: an image of the source is encrypted already.
        CipherOptionError: an option does not fit.
        ImageFileError: the source cannot be read or holds no image.
        OutputError: `dst` cannot be written, or another run is at work there.

    Example:

    >>> import pathlib, tempfile
    >>> from PIL import Image
    >>> from tfpe import Key
    >>> temporary, key = tempfile.TemporaryDirectory(), Key.generate()
    >>> folder = pathlib.Path(temporary.name)
    >>> (folder / "plain").mkdir()
    >>> Image.new("RGB", (30, 20), "red").save(folder / "plain" / "a.png")
    >>> pack_folder(folder / "plain", folder / "packed", key).written
    1
    >>> unpack_folder(folder / "packed", folder / "again", key).written
    1
    >>> temporary.cleanup()
    """
    hybrid, preparation = Hybrid(key, **options), check_preparation(preparation)
    workers = worker_count(workers)
    src = checked_path(src, "src", ImageFileError)
    dst = checked_path(dst, "dst", OutputError)
    require_apart(src, dst)
    if not again:
        require_plain(src)
    sources = find_images(src, others="skip" if skip_others else "advise")
    targets, clashes = output_paths(sources.images, SUFFIX)
    jobs = {path: (sources.images[path], target) for target, path in targets.items()}
    if not (jobs or sources.refused):
        raise ImageFileError(f"`src` should hold images. Received: {src} without any")
    plain = {identity(file) for file in sources.images.values()} - {None}

    def pack(job):
        file, path = job
        target = inside(dst, path)
        if identity(target) in plain:
            raise ImageFileError("The output would replace an image of the source")
        image, _, _ = read_image(read_bytes(file), preparation)
        if image.dtype != np.uint8:
            raise ImageFileError(SIXTEEN_BITS)
        if os.path.lexists(target) and not force:
            if _holds_container(target, hybrid, key, image, path):
                return False
            raise ImageFileError(EXISTS)
        write_file(target, hybrid(image, path))
        return True

    known = [*clashes, *sources.refused]
    return _run(pack, jobs, dst, USUAL, progress, workers, sources.ignored, known)


def public_table(path, src, preparation=None, skip_others=False, **options):
    """The public table in a file, made from the images of a folder if it is not there.

    Args:
        path: of the file.
        src, preparation, skip_others: as of `pack_folder`.
        **options: of `tfpe.hybrid.Hybrid`; symbols and neighbours matter.

    Returns:
        A `tfpe.hybrid.CodeTable`: `table=` of `pack_folder` and `unpack_folder`.

    Raises:
        ImageFileError: the file holds something else, or an image cannot be read.

    Example:

    >>> import pathlib, tempfile
    >>> from PIL import Image
    >>> temporary = tempfile.TemporaryDirectory()
    >>> folder = pathlib.Path(temporary.name)
    >>> (folder / "plain").mkdir()
    >>> Image.new("RGB", (30, 20), "red").save(folder / "plain" / "a.png")
    >>> made = public_table(folder / "all.table", folder / "plain")
    >>> public_table(folder / "all.table", folder / "plain").digest == made.digest
    True
    >>> temporary.cleanup()
    """
    if os.path.lexists(path):
        return CodeTable.load(path)
    src = checked_path(src, "src", ImageFileError)
    files = find_images(src, others="skip" if skip_others else "advise").images
    names = "symbols", "neighbours"
    chosen = {name: options[name] for name in names if name in options}
    images = read_images(files, check_preparation(preparation))
    table = CodeTable.public(_bytes_only(images), **chosen)
    table.save(path)
    return table


def unpack_folder(
    src,
    dst,
    key,
    *,
    table=None,
    force=False,
    readable=False,
    progress=None,
    workers=None,
):
    """Unpacks .tfpe containers to PNG files at the same relative paths.

    Args:
        src: a folder of containers, or one of them.
        dst: the output folder.
        key: the `tfpe.Key` that packed them.
        table: the public `tfpe.hybrid.CodeTable`, where there was one.
        force, readable, progress, workers: as of `decrypt_folder`.

    Returns:
        A `Summary`; damaged containers, and other files, are listed as failed.

    Raises:
        ImageFileError: there is no container, or none that can be read.
        WrongKeyError: another key packed the first of them; nothing was written.
        OutputError: `dst` cannot be written.

    See the example of `pack_folder`.
    """
    hybrid = Hybrid(key, **({} if table is None else _of_table(table)))
    workers = worker_count(workers)
    dst = checked_path(dst, "dst", OutputError)
    require_apart(checked_path(src, "src", ImageFileError), dst)
    jobs, foreign = find_containers(src)
    _require_key(src, jobs, key)

    def unpack(job):
        file, path = job
        image = hybrid.inverse(read_bytes(file), "The container")
        target = inside(dst, path)
        if os.path.lexists(target) and not force:
            if _holds_image(target, image):
                return False
            raise ImageFileError(EXISTS)
        write_file(target, encode_png(image), mode=PRIVATE if not readable else USUAL)
        return True

    mode = USUAL if readable else PRIVATE
    return _run(unpack, jobs, dst, mode, progress, workers, known=foreign)


def _run(function, jobs, dst, mode, progress, workers, ignored=0, known=()):
    """The `Summary` of a run over path -> job, one run at a time in `dst`.

    Args:
        ignored: number of files that are no images.
        known: (path, message) of what failed before.
    """
    make_output(dst, mode)
    with folder_lock(dst):
        remove_stale(dst)
        results, failed = map_images(function, jobs, progress, workers)
    written = sum(results.values())
    return Summary(written, len(results) - written, sorted([*failed, *known]), ignored)


def find_containers(src):
    """The containers in a folder, or of one file, and what else there is.

    Returns:
        path -> (file, output path), and (path, message) of other files; those with a
        name that begins with "." are no one's concern.

    Raises:
        ImageFileError: there is no container.
    """
    src = checked_path(src, "src", ImageFileError)
    if not src.exists():
        raise ImageFileError(f"Cannot read {src}: {os.strerror(errno.ENOENT)}")
    if src.is_file():
        return {src.name: (src, pathlib.PurePath(src.name).stem + ".png")}, []
    jobs, foreign, root = {}, [], src.resolve()
    for file in sorted(src.rglob("*")):
        path = file.relative_to(src)
        if file.is_dir() or any(part.startswith(".") for part in path.parts):
            continue
        if file.suffix.lower() != SUFFIX:
            foreign.append((path.as_posix(), f"This file is foreign: no {SUFFIX} file"))
        elif not (file.is_file() and file.resolve().is_relative_to(root)):
            foreign.append((path.as_posix(), "This leads to no file of the folder"))
        else:
            jobs[path.as_posix()] = file, path.with_suffix(".png").as_posix()
    if not jobs:
        others = f"{len(foreign)} other file{'s' * (len(foreign) > 1)}"
        there = f" but {others}" if foreign else ""
        raise ImageFileError(
            f"`src` should hold {SUFFIX} containers. Received: {src} without any{there}"
        )
    return jobs, foreign


def _require_key(src, jobs, key):
    """Refuses a wrong key by the first container that can be read; there is one."""
    problems = []
    for path, (file, _) in jobs.items():
        try:
            container = Container.from_bytes(read_bytes(file), path)
        except ImageFileError as error:
            problems.append(error)
            continue
        return key.require(container.fingerprint, path)
    raise ImageFileError(
        f"`src` should hold containers that can be read. Received: {src} with none; "
        f"the first: {problems[0]}"
    )


def _bytes_only(images):
    """The pixels of images of 8 bits; others fail when they are packed."""
    return (pixels for _, pixels, _ in images if pixels.dtype == np.uint8)


def _of_table(table):
    return {"table": table, "symbols": table.symbols}


def _holds_container(file, hybrid, key, image, path):
    """Whether a file is what this image is packed to."""
    try:
        data = read_bytes(file)
        found = Container.from_bytes(data)
        if found.fingerprint != key.fingerprint or found.options != hybrid.options:
            return False
        require_genuine(data, found, key)
        if found.options["nonce"] and hybrid.table is None:
            return found.nonce == hybrid.nonce(image, path)
        return data == hybrid(image, path)
    except ImageFileError:
        return False


def _holds_image(file, image):
    try:
        return np.array_equal(decode_image(read_bytes(file)), image)
    except ImageFileError:
        return False
