"""`pack_folder` and `unpack_folder`: folders of images as .tfpe containers, and back.

A container tells all of itself: there is no manifest. What an earlier run finished is
known by the nonce, which only this image under this key and path has.
"""

import os
import pathlib

import numpy as np

from tfpe.errors import ImageFileError, OutputError
from tfpe.files.already_encrypted import require_plain
from tfpe.files.finding import find_images, output_paths, read_bytes
from tfpe.files.jobs import identity, inside
from tfpe.files.paths import checked_path, require_apart
from tfpe.files.summary import Summary
from tfpe.files.workers import map_images, worker_count
from tfpe.hybrid.container import Container, require_genuine
from tfpe.hybrid.hybrid_cipher import Hybrid
from tfpe.pixels.codec import decode_image, encode_png, read_image
from tfpe.pixels.preparation import check_preparation
from tfpe.storage.atomic import PRIVATE, USUAL, make_output, remove_stale, write_file
from tfpe.storage.locks import folder_lock

SUFFIX = ".tfpe"
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
    known = {identity(file) for file in sources.images.values()} - {None}

    def pack(job):
        file, path = job
        target = inside(dst, path)
        if identity(target) in known:
            raise ImageFileError("The output would replace an image of the source")
        image, _, _ = read_image(read_bytes(file), preparation)
        if image.dtype != np.uint8:
            raise ImageFileError(
                "Containers hold images of 8 bits a channel. Received: 16; give a "
                "window to take them to 8"
            )
        if os.path.lexists(target) and not force:
            if _holds_container(target, hybrid, key, image, path):
                return False
            raise ImageFileError(EXISTS)
        write_file(target, hybrid(image, path))
        return True

    return _run(pack, jobs, dst, USUAL, progress, workers, sources, clashes)


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
        A `Summary`; damaged and foreign containers are listed as failed.

    Raises:
        ImageFileError: there is no container.
        WrongKeyError: another key packed the first of them; nothing was written.
        OutputError: `dst` cannot be written.

    See the example of `pack_folder`.
    """
    hybrid = Hybrid(key, **({} if table is None else _of_table(table)))
    workers = worker_count(workers)
    src = checked_path(src, "src", ImageFileError)
    dst = checked_path(dst, "dst", OutputError)
    require_apart(src, dst)
    jobs = _containers(src)
    _require_key(jobs, key)

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
    return _run(unpack, jobs, dst, mode, progress, workers)


def _run(function, jobs, dst, mode, progress, workers, sources=None, clashes=()):
    """The `Summary` of a run over path -> job, one run at a time in `dst`."""
    make_output(dst, mode)
    with folder_lock(dst):
        remove_stale(dst)
        results, failed = map_images(function, jobs, progress, workers)
    written = sum(results.values())
    failed = [*failed, *clashes, *(sources.refused if sources else ())]
    ignored = sources.ignored if sources else 0
    return Summary(written, len(results) - written, sorted(failed), ignored)


def _containers(src):
    """path -> (file, output path) of the containers in a folder, or of one."""
    if src.is_file():
        return {src.name: (src, pathlib.PurePath(src.name).stem + ".png")}
    jobs = {}
    for file in sorted(src.rglob(f"*{SUFFIX}")):
        path = file.relative_to(src)
        inside_it = file.resolve().is_relative_to(src.resolve())
        if inside_it and file.is_file() and not file.name.startswith("."):
            jobs[path.as_posix()] = file, path.with_suffix(".png").as_posix()
    if not jobs:
        raise ImageFileError(
            f"`src` should hold {SUFFIX} containers. Received: {src} without any"
        )
    return jobs


def _require_key(jobs, key):
    """Refuses a wrong key by the first container that can be read."""
    for path, (file, _) in jobs.items():
        try:
            container = Container.from_bytes(read_bytes(file), path)
        except ImageFileError:
            continue
        return key.require(container.fingerprint, path)


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
