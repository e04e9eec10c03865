"""Locks on files and folders: one run at a time writes there.

The system takes a lock back from a process that ends, however it ends. Windows has no
such locks: there nothing is locked.
"""

import contextlib
import hashlib
import math
import os
import pathlib
import time

from tfpe.errors import OutputError
from tfpe.storage.atomic import PREFIX, output_errors

PAUSE = 0.005  # seconds between two tries


class FileLock:
    """A lock that one process or thread holds at a time, for a `with` block.

    The file is made where it is missing, and removed at the end where it is empty.

    Args:
        path: the file to lock; its folder is made where it is missing.
        wait: whether to wait for another holder instead of raising.

    Raises:
        OutputError: another run holds the lock, or the file cannot be made.
    """

    def __init__(self, path, wait=False):
        self.path, self._wait = pathlib.Path(path), wait
        self.handle = None

    def __enter__(self):
        with output_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            while not self._take():
                # The holder before removed the file at its end: what was locked is
                # no longer the file that others find here.
                pass
        return self

    def __exit__(self, *error):
        if os.fstat(self.handle).st_size == 0:
            # What is empty tells nothing, so that it may as well stay.
            with contextlib.suppress(OSError):
                self.path.unlink()
        os.close(self.handle)
        self.handle = None

    def _take(self):
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self.handle = os.open(self.path, flags, 0o666)
        try:
            _lock(self.handle, self.path.parent, math.inf if self._wait else 0)
            held, found = os.fstat(self.handle), os.stat(self.path)
            if (held.st_dev, held.st_ino) == (found.st_dev, found.st_ino):
                return True
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(self.handle)
            raise
        os.close(self.handle)
        return False


def lock_beside(path):
    """The lock of a file that is replaced when it is written: a file beside it."""
    path = pathlib.Path(path)
    side = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]
    return FileLock(path.with_name(f"{PREFIX}{side}.lock"), wait=True)


@contextlib.contextmanager
def folder_lock(folder, seconds=0):
    """Locks a folder itself for a `with` block: no file is made, so none is left.

    Whoever can read the folder can take the lock, by any path that leads to it.

    Args:
        folder: its path; it exists.
        seconds: how long to wait for another holder before raising.

    Raises:
        OutputError: another run holds the lock.
        OSError: the folder cannot be opened or locked.
    """
    if os.name != "posix":
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        _lock(handle, folder, seconds)
        try:
            yield
        finally:
            _unlock(handle)
    finally:
        os.close(handle)


def _lock(handle, folder, seconds):
    with contextlib.suppress(ImportError):  # no fcntl on Windows
        import fcntl

        end = time.monotonic() + seconds
        while True:
            try:
                return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise OutputError(
                        f"Another run is writing to {folder}: wait until it ends"
                    ) from None
            time.sleep(PAUSE)


def _unlock(handle):
    """Gives the lock back also where a forked process still holds the handle."""
    import fcntl

    fcntl.flock(handle, fcntl.LOCK_UN)
