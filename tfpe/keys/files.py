"""Key files: text, for their owner alone (mode 0600), never overwritten.

A file holds the secret of a key, or the salt of one that a passphrase makes; how a
passphrase seals any other key is in `tfpe.keys.sealed`.
"""

import contextlib
import datetime
import os
import re
import stat
import warnings

from tfpe.errors import KeyFileError, TfpeError, WrongKeyError
from tfpe.keys import SCRYPT, Key
from tfpe.storage.locks import folder_lock

FILE_HEADER = "tfpe key file, version 1"
SEALED_HEADER = "tfpe sealed key file, version 1"
FILE_FIELDS = {
    "secret": {"created", "fingerprint", "secret"},
    "passphrase": {"created", "fingerprint", "salt", *SCRYPT},
}
MOST_CHARACTERS = 4096
LOCK_SECONDS = 60


class InsecureKeyFileWarning(UserWarning):
    """A key file can be read by other users of this machine."""


def save_key(key, path):
    """What `Key.save` does."""
    create_file(path, lambda: key_text(key))


def load_key(path, passphrase=None):
    """What `Key.load` does."""
    path = os.fspath(path)
    try:
        return _load(path, read_file(path), passphrase)
    except TfpeError as error:
        # Without the frames below: their local variables hold the file's text, and
        # some tools print the local variables of a traceback.
        passphrase = None
        error.__context__ = None
        raise error.with_traceback(None) from error.__cause__


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


def _load(path, text, passphrase):
    if text.startswith(SEALED_HEADER + "\n"):
        from tfpe.keys.sealed import open_sealed

        return open_sealed(path, text, passphrase)
    key, fingerprint = _parse(text, path, passphrase)
    if key.fingerprint != fingerprint:
        if key.needs_passphrase:
            raise WrongKeyError(
                f"The passphrase should give the key with fingerprint "
                f"{fingerprint} of {path}. Received: one that gives another key"
            )
        raise KeyFileError(
            f"Key file {path} is damaged: its fingerprint is not that of its secret"
        )
    return key


def _parse(text, path, passphrase):
    header, *lines = text.removesuffix("\n").split("\n")
    if header != FILE_HEADER:
        raise KeyFileError(
            f"Key file {path} should start with the line {FILE_HEADER!r}. "
            "Received: another first line"
        )
    fields = dict(line.split(": ", 1) for line in lines if ": " in line)
    kind = "secret" if "secret" in fields else "passphrase"
    whole = text.endswith("\n") and len(lines) == len(fields)
    if not whole or set(fields) != FILE_FIELDS[kind]:
        raise KeyFileError(
            f"Key file {path} is damaged or cut short: it should hold the lines "
            f"{sorted(FILE_FIELDS['secret'])} or {sorted(FILE_FIELDS['passphrase'])}"
        )
    try:
        if kind == "secret":
            return Key(bytes.fromhex(fields["secret"])), fields["fingerprint"]
        salt = bytes.fromhex(fields["salt"])
        cost = {name: int(fields[name]) for name in SCRYPT}
        if cost != SCRYPT:
            raise TfpeError(f"scrypt cost should be {SCRYPT}. Received: {cost}")
    except ValueError as error:
        reason = error if isinstance(error, TfpeError) else "a value is malformed"
        raise KeyFileError(f"Key file {path} is damaged: {reason}") from None
    return Key._from_scrypt(asked(passphrase, path), salt, cost), fields["fingerprint"]
