"""What a key file says: a secret, or the salt of a key that a passphrase makes."""

import os

from tfpe.errors import KeyFileError, TfpeError, WrongKeyError
from tfpe.keys.files import FILE_HEADER, SEALED_HEADER, asked, read_file
from tfpe.keys.passphrases import SCRYPT

FILE_FIELDS = {
    "secret": {"created", "fingerprint", "secret"},
    "passphrase": {"created", "fingerprint", "salt", *SCRYPT},
}


def load_key(key_type, path, passphrase=None):
    """What `Key.load` does; `key_type` is `Key`, which is above this file."""
    path = os.fspath(path)
    try:
        return _load(key_type, path, read_file(path), passphrase)
    except TfpeError as error:
        # Without the frames below: their local variables hold the file's text, and
        # some tools print the local variables of a traceback.
        passphrase = None
        error.__context__ = None
        raise error.with_traceback(None) from error.__cause__


def _load(key_type, path, text, passphrase):
    if text.startswith(SEALED_HEADER + "\n"):
        from tfpe.keys.sealed import open_sealed

        secret, fingerprint = open_sealed(path, text, passphrase)
        key = key_type(secret)
        key.require(fingerprint, path)
        return key
    key, fingerprint = _parse(key_type, path, text, passphrase)
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


def _parse(key_type, path, text, passphrase):
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
            return key_type(bytes.fromhex(fields["secret"])), fields["fingerprint"]
        salt = bytes.fromhex(fields["salt"])
        cost = {name: int(fields[name]) for name in SCRYPT}
        if cost != SCRYPT:
            raise TfpeError(f"scrypt cost should be {SCRYPT}. Received: {cost}")
    except ValueError as error:
        reason = error if isinstance(error, TfpeError) else "a value is malformed"
        raise KeyFileError(f"Key file {path} is damaged: {reason}") from None
    key = key_type._from_scrypt(asked(passphrase, path), salt, cost)
    return key, fields["fingerprint"]
