"""Locks on files: one run at a time writes to a folder or to a file of names."""

import contextlib
import os
import pathlib

from tfpe.atomic import output_errors
from tfpe.errors import OutputError


class FileLock:
    """A lock that one process or thread holds at a time, for a `with` block.

    The file is made where it is missing, and removed at the end where it is empty.
    Windows has no such lock: there the file alone is made.

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
            self._lock()
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

    def _lock(self):
        with contextlib.suppress(ImportError):  # no fcntl on Windows
            import fcntl

            try:
                how = fcntl.LOCK_EX | (0 if self._wait else fcntl.LOCK_NB)
                fcntl.flock(self.handle, how)
            except BlockingIOError:
                raise OutputError(
                    f"Another run is writing to {self.path.parent}: wait until it ends"
                ) from None
