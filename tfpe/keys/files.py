"""Key files: text, for their owner alone (mode 0600), never overwritten.

What the text says is read in `tfpe.keys.opening`; how a passphrase seals a key that it
does not make is in `tfpe.keys.sealed`.
"""

import contextlib
import datetime
import os
import re
import stat
import warnings

from tfpe.errors import KeyFileError
from tfpe.storage.locks import folder_lock

FILE_HEADER = "tfpe key file, version 1"
SEALED_HEADER = "tfpe sealed key file, version 1"
MOST_CHARACTERS = 4096
LOCK_SECONDS = 60


class InsecureKeyFileWarning(UserWarning):
    """A key file can be read by other users of this machine."""


def save_key(key, path):
    """What `Key.save` does."""
    create_file(path, lambda: key_text(key))


def create_file(path, text):
    """Writes a new file that only its owner can read, whole or not at all.

    Args:
        path: of a file that does not exist yet.
        text: a function that gives what to write, ASCII. Tools that print the local
            variables of a traceback would find a string in those of this function.

    Raises:
        KeyFileError: something is there already, or it cannot be written.
        OutputError: another run holds the lock of the folder for a minute.
    """
    with key_lock(path):
        write_new(path, text)


@contextlib.contextmanager
def key_lock(path):
    """The lock under which one run at a time writes key files beside `path`.

    It is on their folder, which all users, links and working folders see alike. Nobody
    should be asked for a passphrase while it is held.
    """
    folder = os.path.dirname(os.path.abspath(path))
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(folder_lock(folder, LOCK_SECONDS))
        except OSError as error:
            raise KeyFileError(
                f"Cannot create key file {path}: {error.strerror}"
            ) from error
        yield


def write_new(path, text):
    """What `create_file` does, where the lock of the folder is held already."""
    path = os.fspath(path)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyFileError(
            f"A key file should be a new file; keys are never overwritten. "
            f"Received: {path}, which exists"
        ) from None
    except OSError as error:
        raise KeyFileError(
            f"Cannot create key file {path}: {error.strerror}"
        ) from error
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text())
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:
        # Half a key is worse than none; it is ours, made exclusively just now.
        os.unlink(path)
        if not isinstance(error, OSError):
            raise
        raise KeyFileError(f"Cannot write key file {path}: {error.strerror}") from error


def read_file(path):
    """The text of a key file.

    Raises:
        KeyFileError: missing, unreadable, or no ASCII text.

    Warns:
        InsecureKeyFileWarning: group or others can read the file.
    """
    text, mode = _read(path)
    if mode & 0o077 and os.name == "posix":
        warnings.warn(
            f"Key file {path} has mode {mode:04o}: other users can read it. "
            f"Mend it with: chmod 600 {path}",
            InsecureKeyFileWarning,
            stacklevel=4,
        )
    return text


def stated_fingerprint(path):
    """The fingerprint that a key file of any kind states, or None; opens nothing."""
    text, _ = _read(path)
    line = re.search(r'^ ?"?fingerprint"?: "?([0-9a-f]{16})"?,?$', text, re.MULTILINE)
    return line and line.group(1)


def asked(passphrase, path):
    """A passphrase, or what a function gives that asks for it; none raises."""
    passphrase = passphrase() if callable(passphrase) else passphrase
    if not passphrase:
        raise KeyFileError(
            f"Key file {path} needs a passphrase. "
            "Received: none; give Key.load(path, passphrase=...)"
        )
    return passphrase


def key_text(key):
    """What the file of a key holds, where nothing seals it."""
    fields = {
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%MZ"),
        "fingerprint": key.fingerprint,
    }
    fields |= key._scrypt or {"secret": key._secret.hex()}
    lines = [FILE_HEADER, *(f"{name}: {value}" for name, value in fields.items())]
    return "\n".join(lines) + "\n"


def _read(path):
    """The text of a key file, and its permissions."""
    try:
        with open(path, encoding="ascii") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            return file.read(MOST_CHARACTERS), mode
    except UnicodeDecodeError:
        # `from None`: the error it came from quotes the bytes of the file.
        raise KeyFileError(f"Key file {path} is damaged: not ASCII text") from None
    except OSError as error:
        raise KeyFileError(f"Cannot read key file {path}: {error.strerror}") from error
