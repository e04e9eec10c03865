"""Files written aside and renamed: under its final name a file is always whole."""

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from pathlib import Path

from tfpe.errors import ImageFileError, OutputError

# O_BINARY: Windows would change line ends in the bytes of an image.
WRITE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
PREFIX, SUFFIX = ".tfpe-", ".tmp"
# Permissions of new files, less the umask: as usual, and for their owner alone.
USUAL, PRIVATE = 0o666, 0o600
# What is wrong with one name only; anything else (full disk) would meet every file.
NAME_ERRORS = (
    errno.ENAMETOOLONG,
    errno.EILSEQ,
    errno.EISDIR,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.ENOTEMPTY,
)


def write_file(path, data, before_rename=None, mode=USUAL):
    """Writes `data` to a temporary name beside `path`, then renames it.

    Args:
        path: the final name; missing folders are made, a file there is replaced.
        data: bytes.
        before_rename: called without arguments when the bytes are on the disk.
        mode: permissions of a new file, less the umask, from the first byte on; new
            folders can be read by those who can read the file.

    Raises:
        ImageFileError: this name cannot be written (too long, a folder is there).
        OutputError: nothing can be written, as on a full disk. No temporary file is
            left and whatever was under `path` is still there.
    """
    with output_errors(Path(path)), write_aside(path, data, mode) as file:
        try:
            flush_all([file])
            if before_rename is not None:
                before_rename()
            os.replace(file.name, path)
        except BaseException:
            discard(file)
            raise


def write_aside(path, data, mode=USUAL):
    """Writes `data` to a temporary name beside `path`, and does not wait for the disk.

    Args:
        path, data, mode: as of `write_file`.

    Returns:
        The temporary file, open; its `name` is to be renamed once it is flushed.

    Raises:
        OSError: none is left.
    """
    folder, name = os.path.split(path)
    # A new name each time: two runs never write to one temporary file.
    aside = os.path.join(folder, f"{_prefix(name)}{secrets.token_hex(8)}{SUFFIX}")
    make_folders(folder or ".", mode)
    file = open(aside, "xb", opener=lambda p, _: os.open(p, WRITE_FLAGS, mode))
    try:
        file.write(data)
        file.flush()
    except BaseException:
        discard(file)
        raise
    return file


def flush_all(files):
    """Waits until open files are on the disk, and closes them."""
    if len(files) > 1 and hasattr(os, "posix_fadvise"):
        # The system begins to write all of them: they then share its own journal's
        # commit, where each would wait for one of its own.
        for file in files:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    for file in files:
        os.fsync(file.fileno())
        file.close()


def discard(file):
    """Closes and removes a file of `write_aside`, if it is still there."""
    with contextlib.suppress(OSError):
        file.close()
    with contextlib.suppress(OSError):
        Path(file.name).unlink(missing_ok=True)


def make_folders(folder, mode=USUAL):
    """Makes a folder and what is missing above it, readable as files of `mode` are.

    What exists keeps its permissions.
    """
    if os.path.isdir(folder):  # at once: this is asked for each of many files
        return
    folder = Path(folder)
    make_folders(folder.parent, mode)
    with contextlib.suppress(FileExistsError):
        # Who may read a folder also needs the right to enter it.
        return folder.mkdir(mode | (mode & 0o444) >> 2)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def make_output(folder, mode=USUAL):
    """`make_folders`, or an `OutputError`."""
    try:
        make_folders(folder, mode)
    except OSError as error:
        raise OutputError(f"Cannot make folder {folder}: {error.strerror}") from error


def can_be_written(path):
    """Whether a file could be put at `path`, as far as that is told beforehand."""
    path = Path(path)
    folder = path.absolute().parent
    while not folder.exists():
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK) and not path.is_dir()


def restrict(path, mode):
    """Takes from a file or folder what `mode` does not allow."""
    if path.is_dir():
        mode |= (mode & 0o444) >> 2
    path.chmod(stat.S_IMODE(path.stat().st_mode) & (mode | 0o7000))


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
    for file in path.parent.glob(f"{_prefix(path.name)}*{SUFFIX}"):
        with output_errors(file):
            file.unlink(missing_ok=True)


def _prefix(name):
    # A digest: the name itself may be as long as the system allows.
    return PREFIX + hashlib.sha256(os.fsencode(name)).hexdigest()[:16] + "-"


def _exists(*parts):
    return os.path.lexists(os.path.join(*parts))
