"""Files written aside and renamed: under its final name a file is always whole."""

import contextlib
import errno
import hashlib
import os
import secrets
from pathlib import Path

from tfpe.errors import ImageFileError, OutputError

# O_BINARY: Windows would change line ends in the bytes of an image.
WRITE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
PREFIX, SUFFIX = ".tfpe-", ".tmp"
# What is wrong with one name only; anything else (full disk) would meet every file.
NAME_ERRORS = (
    errno.ENAMETOOLONG,
    errno.EILSEQ,
    errno.EISDIR,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.ENOTEMPTY,
)


def write_file(path, data, before_rename=None, mode=0o666):
    """Writes `data` to a temporary name beside `path`, then renames it.

    Args:
        path: the final name; missing folders are made, a file there is replaced.
        data: bytes.
        before_rename: called without arguments when the bytes are on the disk.
        mode: permissions of a new file, less the umask.

    Raises:
        ImageFileError: this name cannot be written (too long, a folder is there).
        OutputError: nothing can be written, as on a full disk. No temporary file is
            left and whatever was under `path` is still there.
    """
    path = Path(path)
    # A new name each time: two runs never write to one temporary file.
    aside = path.with_name(f"{_prefix(path)}{secrets.token_hex(8)}{SUFFIX}")
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(aside, WRITE_FLAGS, mode)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if before_rename is not None:
                before_rename()
            os.replace(aside, path)
        except BaseException:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def output_errors(path):
    """Gives the `OSError`s of writing to `path` their names."""
    try:
        yield
    except OSError as error:
        if error.errno in NAME_ERRORS:
            raise ImageFileError(f"Cannot write {path}: {error.strerror}") from error
        raise OutputError(
            f"Cannot write {path}: {error.strerror}. What is finished stays; free "
            "space or mend permissions and run the same command again"
        ) from error


def remove_stale(folder, other_runs=None):
    """Removes the temporary files that a killed run left in `folder` and below.

    Args:
        folder: where no other run is at work: the caller holds its lock.
        other_runs: name of a file; a folder below that holds one is left alone, since
            another run may be at work there.
    """
    for parent, folders, names in os.walk(folder):
        if other_runs is not None:
            folders[:] = [f for f in folders if not _exists(parent, f, other_runs)]
        for name in names:
            if name.startswith(PREFIX) and name.endswith(SUFFIX):
                with output_errors(Path(parent, name)):
                    Path(parent, name).unlink(missing_ok=True)


def remove_stale_of(path):
    """Removes the temporary files that killed writers of `path` left beside it."""
    path = Path(path)
    for file in path.parent.glob(f"{_prefix(path)}*{SUFFIX}"):
        with output_errors(file):
            file.unlink(missing_ok=True)


def _prefix(path):
    # A digest: the name itself may be as long as the system allows.
    return PREFIX + hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16] + "-"


def _exists(*parts):
    return os.path.lexists(os.path.join(*parts))
