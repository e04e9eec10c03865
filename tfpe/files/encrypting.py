"""`encrypt_folder`: the run over all images of a folder.

An interrupted run is resumed by the same call; nothing is overwritten without `force`;
one bad image is reported and the others are still processed.
"""

import pathlib

from tfpe.ciphers import DEFAULT_CIPHER, find_cipher
from tfpe.errors import ImageFileError, ManifestError, OutputError
from tfpe.files.already_encrypted import require_plain
from tfpe.files.coded_ciphertexts import check_jpeg, suffix_of
from tfpe.files.commits import Commits
from tfpe.files.finding import find_images, output_paths
from tfpe.files.jobs import ImageEncryption, is_written
from tfpe.files.journal import Journal, lock_folder
from tfpe.files.paths import checked_path, require_apart
from tfpe.files.summary import Summary, count_losses
from tfpe.files.workers import map_images, worker_count
from tfpe.keys import check_key
from tfpe.manifests.folder_manifest import (
    JOURNAL_NAME,
    MANIFEST_NAME,
    make_header,
    read_manifest,
    require_settings,
    write_manifest,
)
from tfpe.manifests.names import add_names, check_names, hide
from tfpe.pixels.preparation import check_preparation
from tfpe.receipts import check_place, leave_receipt
from tfpe.storage.atomic import make_output, remove_stale


def encrypt_folder(
    src,
    dst,
    key,
    cipher=DEFAULT_CIPHER,
    *,
    force=False,
    hide_names=None,
    per_image=False,
    preparation=None,
    jpeg=None,
    skip_others=False,
    receipt=None,
    again=False,
    progress=None,
    workers=None,
    **options,
):
    """Encrypts all images of a folder to PNG or JPEG files and a manifest.json.

    The output holds pixels only: no EXIF, GPS, thumbnail, colour profile or time of the
    source. Sub-folders are kept, so that `keras.utils.image_dataset_from_directory`
    reads it. The same call resumes an interrupted run and adds new images.

    Args:
        src: a folder, or one image file: PNG, JPEG, WebP, BMP, TIFF, GIF or
            DICOM, any size, gray and colour.
        dst: the output folder; photos/cat.jpg becomes cat.png in it.
        key: a `tfpe.Key`.
        cipher: a name in `tfpe.CIPHERS`.
        force: replace existing files; without it they are never overwritten.
        hide_names: path of a file for the owner, outside of `dst`: file and folder
            names become opaque in `dst`, and this file maps them back.
        per_image: encrypt each image under a sub-key of its own. It comes from the key,
            a number drawn for `dst`, and the number of the image; the manifest holds
            the numbers. If an older manifest is put back, the next run uses its numbers
            again: keep manifest.json with the images.
        preparation: a `tfpe.Preparation`: one size, gray or RGB, conversions with a
            loss, gray of 16 bits. Decryption gives back the prepared images.
        jpeg: quality, 1 to 100, of JPEG files, which are written in the place of PNG
            files, smaller and with a loss: decryption gives images back as far as JPEG
            kept them. For ciphers that leave squares of 8 pixels whole, as etc with
            block_size=16 does; the manifest says "lossy".
        skip_others: pass over files that look like pictures of other kinds, such as
            medical volumes and videos; without it they are listed as failed.
        receipt: path of a file for the owner, which tells `tfpe.client_model` and
            `tfpe.predict` all of this, and holds no secret.
        again: encrypt again what is encrypted already.
        progress: called with (done, total), whole numbers, after each image.
        workers: number of threads; by default one for each core, 4 at most, and
            one for all small files.
        **options: options of the cipher.

    Returns:
        A `Summary`. Images that failed are listed there and do not raise.

    Raises:
        AlreadyEncryptedError: an image of the source is encrypted already.
        CipherOptionError: an unknown cipher, an option that does not fit, or a cipher
            of whose images JPEG leaves nothing.
        ImageFileError: the source cannot be read or holds no image.
        ManifestError: `dst` was begun with other settings, or its manifest is damaged.
        WrongKeyError: `dst` was begun with another key.
        OutputError: `dst` cannot be written, as on a full disk.

    Example:

    >>> import pathlib, tempfile
    >>> from PIL import Image
    >>> from tfpe import Key
    >>> temporary, key = tempfile.TemporaryDirectory(), Key.generate()
    >>> folder = pathlib.Path(temporary.name)
    >>> (folder / "plain").mkdir()
    >>> Image.new("RGB", (30, 20), "red").save(folder / "plain" / "a.png")
    >>> encrypt_folder(folder / "plain", folder / "secret", key, cipher="le")
    Summary(written=1, skipped=0, failed=[], ignored=0, gone=[], lost={})
    >>> from tfpe.files import decrypt_folder
    >>> decrypt_folder(folder / "secret", folder / "again", key).written
    1
    >>> temporary.cleanup()
    """
    check_key(key)
    worker_count(workers)  # before anything is done
    row = find_cipher(cipher)
    options = row.check(**options)
    row.require_bytes("A folder of PNG files", **options)
    preparation = check_preparation(preparation)
    lossy = check_jpeg(jpeg, row, options, preparation)
    src = checked_path(src, "src", ImageFileError)
    dst = checked_path(dst, "dst", OutputError)
    require_apart(src, dst)
    if not again:
        require_plain(src)
    sources = find_images(src, others="skip" if skip_others else "advise")
    targets, clashes = output_paths(sources.images, suffix_of({"lossy": lossy}))
    if not (targets or sources.refused):
        raise ImageFileError(f"`src` should hold images. Received: {src} without any")
    hidden = {target: target for target in targets}
    if hide_names is not None:
        hide_names = checked_path(hide_names, "hide_names", OutputError)
        check_names(hide_names, dst, key)
        hidden = {target: hide(key, target) for target in targets}
    header = make_header(
        *(key, cipher, options, bool(per_image), hide_names is not None),
        *(preparation.to_json(), lossy),
    )
    if receipt is not None:
        check_place(receipt)
    make_output(dst)
    # What stands in the folder is read under the lock: no other run changes it now.
    with lock_folder(dst) as lock:
        finished = _finished(dst, key, header)
        header = finished.header if finished else header
        entries = dict(finished.entries) if finished else {}
        with Journal(lock, key, header) as journal:
            _require_same_header(journal, finished, dst)
            remove_stale(dst, other_runs=JOURNAL_NAME)
            if hide_names is not None:
                add_names(hide_names, key, {v: k for k, v in hidden.items()})
            new = sorted(p for p in hidden.values() if force or p not in entries)
            numbers = _numbers(new, entries, journal.entries) if per_image else {}
            known = ({} if force else entries) | journal.entries
            files = sources.images.values()
            jobs = {
                source: (hidden[target], sources.images[source], numbers)
                for target, source in targets.items()
            }
            with Commits(journal) as commits:
                run = ImageEncryption(
                    *(dst, key, row, commits, journal.header),
                    *(known, files, bool(force)),
                )
                results, failed = map_images(
                    run, jobs, progress, workers, lambda job: job[1]
                )
            for source, (path, _, _) in jobs.items():
                if path in commits.failed and results.pop(source, None):
                    failed.append((source, commits.failed[path]))
            entries |= {e["path"]: e for e, _ in results.values()}
            entries |= {
                # Written by the interrupted run, and the source is gone meanwhile.
                path: entry
                for path, entry in journal.entries.items()
                if entries.get(path) != entry and is_written(dst, entry)
            }
            if entries:
                write_manifest(dst, key, journal.header, entries)
            journal.clear()
    if receipt is not None and entries:
        leave_receipt(dst, key, receipt)
    written = sum(new for _, new in results.values())
    failed = sorted([*failed, *clashes, *sources.refused])
    # Images of one file are added to a folder: that says nothing of the others.
    gone = sorted(set(entries) - set(hidden.values())) if src.is_dir() else []
    return Summary(
        *(written, len(results) - written, failed, sources.ignored, gone),
        count_losses(entry for entry, _ in results.values()),
    )


def _finished(folder, key, header):
    """The manifest of an output folder that holds one; None where it is new."""
    if not pathlib.Path(folder, MANIFEST_NAME).exists():
        return None
    manifest = read_manifest(folder, key)
    require_settings(manifest.header, header, folder)
    if manifest.problems:
        path, message = manifest.problems[0]
        raise ManifestError(f"The manifest in {folder} was changed: {path}: {message}")
    return manifest


def _require_same_header(journal, finished, folder):
    """An interrupted run goes on only beside the manifest that it began with."""
    if finished and journal.header != finished.header:
        raise ManifestError(
            f"{journal.path} should belong to the {MANIFEST_NAME} in {folder}. "
            "Received: that of another folder; use another output folder"
        )


def _numbers(new, finished, journal):
    """Numbers for new images, never one that stands in the manifest or the journal.

    They follow the sorted order, so that a resumed run gives those that it would have
    given without the interruption.
    """
    first = 1 + max((entry["number"] for entry in finished.values()), default=-1)
    numbers = {path: first + place for place, path in enumerate(new)}
    if any(numbers.get(path) != entry["number"] for path, entry in journal.items()):
        # The source was changed meanwhile: what is written keeps its numbers.
        used = [e["number"] for e in (*finished.values(), *journal.values())]
        missing = [path for path in new if path not in journal]
        numbers = {path: 1 + max(used) + place for place, path in enumerate(missing)}
    return numbers
