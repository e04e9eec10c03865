"""`decrypt_folder`: back from what `encrypt_folder` wrote, image by image."""

import os
import pathlib

from tfpe.errors import ImageFileError, ManifestError, OutputError
from tfpe.files import recovery
from tfpe.files.coded_ciphertexts import suffix_of
from tfpe.files.commits import Commits
from tfpe.files.finding import find_images
from tfpe.files.jobs import UNFINISHED, ImageDecryption
from tfpe.files.journal import is_unfinished, lock_folder
from tfpe.files.paths import checked_path, folders_above, require_apart
from tfpe.files.summary import Summary
from tfpe.files.workers import map_images, worker_count
from tfpe.keys import check_key
from tfpe.manifests.folder_manifest import JOURNAL_NAME, MANIFEST_NAME, read_manifest
from tfpe.manifests.names import load_names
from tfpe.manifests.set_manifest import METADATA
from tfpe.storage.atomic import PRIVATE, USUAL, make_output, remove_stale


def decrypt_folder(
    src,
    dst,
    key,
    *,
    force=False,
    names=None,
    readable=False,
    progress=None,
    workers=None,
    cipher=None,
    size=None,
    receipt=None,
    **options,
):
    """Decrypts what `encrypt_folder` wrote, to PNG files at the same relative paths.

    Images whose ciphertexts are JPEG files come back as far as JPEG kept them.

    Args:
        src: the encrypted folder, or one image in it.
        dst: the output folder.
        key: the `tfpe.Key` that encrypted it.
        force: replace existing files; without it they are never overwritten, and those
            that hold the decrypted image already are skipped.
        names: the file that `hide_names` wrote, to restore names.
        readable: give new files and folders the usual permissions (the umask); without
            it their owner alone can read them (0600 and 0700, less the umask). What
            exists keeps its permissions, unless it is replaced.
        progress: called with (done, total), whole numbers, after each image.
        workers: number of threads; by default one for each core, 4 at most, and
            one for all small files.
        cipher, **options: those that encrypted, only where manifest.json is lost.
        size: (height, width) of the images, where manifest.json is lost; without it
            those that were padded to whole blocks stay padded.
        receipt: of the set, as for `tfpe.predict`: tells the cipher, its options and,
            where all images have one, the size, and is checked against manifest.json.

    Returns:
        A `Summary`; damaged, missing and foreign images are listed as failed.

    Raises:
        CipherOptionError: `cipher` or an option contradicts `receipt`.
        ManifestError: the manifest is missing (and no `cipher` given), damaged or of
            another version, says otherwise than `cipher`, `options` or `size`, or
            `names` or `receipt` does not fit.
        WrongKeyError: another key encrypted the folder; nothing was written.
        OutputError: `dst` cannot be written, as on a full disk.

    See the example of `encrypt_folder`.
    """
    check_key(key)
    worker_count(workers)  # before anything is done
    src = checked_path(src, "src", ImageFileError)
    dst = checked_path(dst, "dst", OutputError)
    if receipt is not None:
        receipt, cipher, options = recovery.from_receipt(receipt, key, cipher, options)
    folder, only = _manifest_folder(src, lost=cipher is not None)
    require_apart(folder, dst)
    if names is not None:
        names = checked_path(names, "names", ManifestError)
    restored = None if names is None else load_names(names, key)
    how = restored, bool(force), USUAL if readable else PRIVATE
    if cipher is not None and not pathlib.Path(folder, MANIFEST_NAME).exists():
        if receipt is not None:
            size = recovery.size_from(receipt, size)
        header = recovery.lost_header(cipher, options)
        wanted, failed, folder = recovery.list_images(src)
        run = recovery.Recovery(size, folder, dst, key, header, *how)
        return _decrypt(run, wanted, failed, progress, workers)
    _refuse_data_set(folder)
    manifest = read_manifest(folder, key)
    recovery.require_fit(manifest.header, cipher, options, size, folder)
    if names is not None and not manifest.header["hidden_names"]:
        raise ManifestError(
            f"`names` is for folders encrypted with `hide_names`. Received: {folder}, "
            "whose names are not hidden"
        )
    wanted = {
        path: entry
        for path, entry in sorted(manifest.entries.items())
        if only in (None, path)
    }
    failed = [p for p in manifest.problems if only in (None, p[0], MANIFEST_NAME)]
    reported = {path for path, _ in failed} | set(wanted)
    found = find_images(src, (suffix_of(manifest.header),)) if only is None else None
    here = [*found.images, *(path for path, _ in found.refused)] if found else [only]
    for path in here:
        if path not in reported:
            hint = f"; {UNFINISHED}" if is_unfinished(folder) else ""
            message = "This file is foreign: the manifest does not list it"
            failed.append((path, message + hint))
    run = ImageDecryption(folder, dst, key, manifest.header, *how)
    return _decrypt(run, wanted, failed, progress, workers)


def _decrypt(run, wanted, failed, progress, workers):
    """The `Summary` of a run over path -> entry; `failed` are known before."""
    dst = run.target_folder
    make_output(dst, run.mode)
    with lock_folder(dst):
        remove_stale(dst, other_runs=JOURNAL_NAME)
        with Commits(mode=run.mode) as run.commits:
            results, unread = map_images(run, wanted, progress, workers, run.file)
    for path, message in run.commits.failed.items():
        del results[path]
        unread.append((path, message))
    written = sum(results.values())
    failed = sorted([*failed, *unread])
    return Summary(written, len(results) - written, failed)


def _refuse_data_set(folder):
    """Raises `ManifestError` where a data set lies in the place of a folder."""
    folder = pathlib.Path(folder)
    if (folder / MANIFEST_NAME).exists() or not folder.is_dir():
        return
    if any(folder.rglob(METADATA)):
        raise ManifestError(
            f"`src` should be a folder of encrypted images. Received: {folder}, a data "
            "set, which tfpe.dataset.decrypt_dataset (tfpe dataset decrypt) decrypts"
        )


def _manifest_folder(src, lost=False):
    """The folder with the manifest, and the path in it where `src` is one image.

    `lost` says that there need not be one.
    """
    src = pathlib.Path(src)
    if not src.is_file():
        return src, None
    image = pathlib.Path(os.path.abspath(src))
    for parent in folders_above(image):
        if (parent / MANIFEST_NAME).exists():
            return parent, image.relative_to(parent).as_posix()
    if lost:
        return src.parent, src.name
    raise ManifestError(
        f"Cannot find {MANIFEST_NAME} beside {src} or above it; where it is lost, give "
        "`cipher`"
    )
