"""Images written aside until a flush puts many of them on the disk at once.

An image gets its final name only after its bytes are on the disk, and its entry where a
journal is kept, so that every image under a final name is whole and has its entry, at
whatever moment the run, or the machine, stops. To wait for the disk takes longer than
to work on a small image: so many wait together.
"""

import os
import threading

from tfpe.errors import ImageFileError, OutputError
from tfpe.storage.atomic import USUAL, discard, flush_all, output_errors, write_aside

MOST_IMAGES = 64
MOST_BYTES = 2**23


class Commits:
    """The images of a run that wait for the disk; called from several threads.

    Args:
        journal: the `Journal` of the run; None where none is kept, as in decryption.
        mode: permissions of new files, less the umask.

    Used in a `with` block, whose end commits what still waits.

    Attributes:
        failed: path -> message, of images that could not get their final names.
    """

    def __init__(self, journal=None, mode=USUAL):
        self.failed = {}
        self._journal, self._mode = journal, mode
        self._lock = threading.Lock()
        self._waiting, self._bytes = [], 0
        # One at a time: files that wait are open, and the system allows so many.
        self._committing = threading.Lock()

    def __enter__(self):
        return self

    def __exit__(self, kind, *error):
        try:
            self._commit()
        except Exception:
            # What ended the run is told, and not that this could not be mended.
            if kind is None:
                raise

    def add(self, target, data, entry):
        """Writes an image aside; it gets its name `target` with the others.

        Raises:
            ImageFileError: it cannot be written under this name.
            OutputError: nothing can be written, as on a full disk.
        """
        with output_errors(target):
            file = write_aside(target, data, self._mode)
        with self._lock:
            self._waiting.append((file, target, entry))
            self._bytes += len(data)
            full = len(self._waiting) >= MOST_IMAGES or self._bytes >= MOST_BYTES
        if full:
            self._commit()

    def _take(self):
        with self._lock:
            batch, self._waiting, self._bytes = self._waiting, [], 0
        return batch

    def _commit(self):
        with self._committing:
            batch = self._take()
            if batch:
                self._put(batch)

    def _put(self, batch):
        aside = {file.name: file for file, _, _ in batch}
        try:
            with output_errors(batch[0][1]):
                flush_all(aside.values())
            if self._journal is not None:
                self._journal.append(*(entry for _, _, entry in batch))
            for file, target, entry in batch:
                try:
                    with output_errors(target):
                        os.replace(file.name, target)
                except ImageFileError as error:
                    self.failed[entry["path"]] = str(error)
                else:
                    del aside[file.name]
        except MemoryError:
            # Not of one image: others wait too, whose work was reported as done.
            raise OutputError(
                "Images that wait for the disk need more memory than there is"
            ) from None
        finally:
            for file in aside.values():
                discard(file)
