"""Files written aside and renamed: under its final name a file is always whole."""

import contextlib
import errno
import hashlib
import os
from pathlib import Path

from tfpe.errors import ImageFileError, OutputError

# O_BINARY: Windows would change line ends in the bytes of an image.
WRITE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
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
    digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]
    aside = path.with_name(f"{PREFIX}{digest}{SUFFIX}")
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(aside, WRITE_FLAGS, mode)
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


def remove_stale(folder):
    """Removes the temporary files that a killed run left in `folder` and below."""
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.startswith(PREFIX) and name.endswith(SUFFIX):
                with output_errors(Path(parent, name)):
                    Path(parent, name).unlink()
