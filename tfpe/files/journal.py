"""The journal: entries of a run at work, from which an interrupted run resumes."""

import contextlib
import json
import os
import pathlib
import threading

from tfpe.errors import ManifestError
from tfpe.manifests.folder_manifest import (
    JOURNAL_NAME,
    KIND,
    check_header,
    check_path,
    header_tag,
    is_genuine,
    require_settings,
)
from tfpe.storage.atomic import output_errors
from tfpe.storage.locks import FileLock
from tfpe.storage.signed_json import parse, read_bytes


def lock_folder(folder):
    """The lock under which one run at a time writes to `folder`, for a `with` block.

    It is the file of the journal, which is there while a run is at work anyway.
    """
    return FileLock(pathlib.Path(folder, JOURNAL_NAME))


def is_unfinished(folder):
    """Whether an encryption to `folder` is at work or was interrupted."""
    try:
        return pathlib.Path(folder, JOURNAL_NAME).stat().st_size > 0
    except OSError:
        return False


class Journal:
    """The entries of a run that is not finished, one JSON line each, on the disk.

    An entry is written before its image gets its final name, so that every image under
    a final name has one, at whatever moment the run is killed.

    Args:
        lock: the `FileLock` of the output folder, from `lock_folder`, which is held.
        key: a `tfpe.Key`.
        header: the header of the folder; that of an interrupted run goes before it.

    Raises:
        ManifestError: an earlier run had other settings.
        WrongKeyError: an earlier run had another key.
    """

    def __init__(self, lock, key, header):
        self.path, self._handle = lock.path, lock.handle
        self._append_lock = threading.Lock()
        self.header, self.entries = self._resume(key, header)
        self._empty = not self.entries

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._empty:
            self.clear()

    def append(self, *entries):
        """Writes entries; they are safe from a kill when this returns."""
        lines = b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)
        with self._append_lock, output_errors(self.path):
            written = 0
            while written < len(lines):
                written += os.write(self._handle, lines[written:])
            os.fsync(self._handle)
            self._empty = False

    def clear(self):
        """Empties the file, once all of it stands in manifest.json."""
        with output_errors(self.path):
            os.ftruncate(self._handle, 0)

    def _resume(self, key, header):
        header_line, *lines = _whole_lines(self.path)
        end = len(header_line)
        if header_line:
            document = parse(header_line, self.path)
            begun = check_header(document, key, self.path)
            require_settings(begun, header, self.path)
            header = begun
        entries = {}
        for line in lines:
            # A kill tears the last line; what follows a torn line is not trusted.
            with contextlib.suppress(ValueError, RecursionError):
                entry = json.loads(line)
                if is_genuine(key, header, entry):
                    check_path(entry["path"], self.path)
                    entries[entry["path"]] = entry
                    end += len(line)
                    continue
            break
        with output_errors(self.path):
            os.ftruncate(self._handle, end)
        if not header_line:
            self.append(header | header_tag(key, header))
        return header, entries


def _whole_lines(path):
    """The whole lines of a journal; b"" for a first line that a kill tore."""
    *lines, torn = read_bytes(path).split(b"\n")
    beginning = json.dumps({"format": KIND.format}).removesuffix("}").encode()
    if not lines and torn[: len(beginning)] != beginning[: len(torn)]:
        raise ManifestError(
            f"{path} should be a journal of tfpe. Received: another file"
        )
    return [line + b"\n" for line in lines] or [b""]
