"""Key files that only a passphrase opens: a random key, sealed by AES-256-GCM.

The sealing key is scrypt's (RFC 7914) of the passphrase; `cryptography` (extra `keys`)
does the sealing. Unlike a key made of a passphrase, a sealed one stays the same when
its passphrase is changed, and is as random as any other.
"""

import base64
import hashlib
import json
import os
import secrets
import warnings

from tfpe.atomic import write_file
from tfpe.errors import KeyFileError, OutputError, WrongKeyError
from tfpe.keys import KEY_BYTES, SCRYPT, InsecureKeyFileWarning, Key

FILE_HEADER = "tfpe sealed key file, version 1"
SALT_BYTES, NONCE_BYTES = 16, 12
FIELDS = {"fingerprint", "salt", "nonce", "sealed"}


def is_sealed(path):
    """Whether the file at `path` begins as a sealed key file does."""
    try:
        with open(path, "rb") as file:
            return file.read(len(FILE_HEADER)) == FILE_HEADER.encode()
    except OSError:
        return False


def save_sealed(key, path, passphrase):
    """Writes `key` to a new file, mode 0600, that `passphrase` opens.

    Raises:
        KeyFileError: something is there already, it cannot be written, the passphrase
            is empty, or `cryptography` is not installed.
    """
    path = os.fspath(path)
    if not isinstance(passphrase, str) or not passphrase:
        raise KeyFileError("`passphrase` should be a non-empty string")
    salt, nonce = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
    text = _sealed_text(key, passphrase, salt, nonce)
    if os.path.lexists(path):
        raise KeyFileError(
            "A key file should be a new file; keys are never overwritten. "
            f"Received: {path}, which exists"
        )
    try:
        write_file(path, text.encode(), mode=0o600)
    except OutputError as error:
        raise KeyFileError(f"Cannot create key file {path}") from error


def load_sealed(path, passphrase):
    """Reads a file that `save_sealed` wrote.

    Raises:
        KeyFileError: missing, damaged or changed, or `cryptography` is not installed.
        WrongKeyError: the passphrase does not open it.
    """
    path = os.fspath(path)
    try:
        with open(path, encoding="ascii") as file:
            mode = os.fstat(file.fileno()).st_mode & 0o777
            text = file.read(4096)
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"Cannot read key file {path}") from error
    if mode & 0o077 and os.name == "posix":
        warnings.warn(
            f"Key file {path} has mode {mode:04o}: other users can read it. "
            f"Mend it with: chmod 600 {path}",
            InsecureKeyFileWarning,
            stacklevel=2,
        )
    header, _, body = text.partition("\n")
    try:
        fields = json.loads(body)
        if header != FILE_HEADER or set(fields) != FIELDS:
            raise ValueError
        salt, nonce, sealed = (
            base64.b64decode(fields[name], validate=True)
            for name in ("salt", "nonce", "sealed")
        )
    except (ValueError, TypeError):
        raise KeyFileError(f"Key file {path} is damaged or of another version") from (
            None
        )
    passphrase = passphrase() if callable(passphrase) else passphrase
    if not passphrase:
        raise KeyFileError(f"Key file {path} needs a passphrase. Received: none")
    cipher, invalid = _aes(passphrase, salt)
    try:
        secret = cipher.decrypt(nonce, sealed, _bound(fields["fingerprint"]))
    except (invalid, ValueError):
        raise WrongKeyError(
            f"The passphrase should open key file {path}. Received: one that does not, "
            "or the file was damaged"
        ) from None
    key = Key(secret)
    key.require(fields["fingerprint"], path)
    return key


def _sealed_text(key, passphrase, salt, nonce):
    cipher, _ = _aes(passphrase, salt)
    sealed = cipher.encrypt(nonce, key._secret, _bound(key.fingerprint))
    fields = {"fingerprint": key.fingerprint} | {
        name: base64.b64encode(value).decode()
        for name, value in (("salt", salt), ("nonce", nonce), ("sealed", sealed))
    }
    return f"{FILE_HEADER}\n{json.dumps(fields, indent=1)}\n"


def _aes(passphrase, salt):
    try:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise KeyFileError(
            "Sealed key files need the package `cryptography`: pip install 'tfpe[keys]'"
        ) from None
    memory = 128 * SCRYPT["n"] * SCRYPT["r"] * SCRYPT["p"] + 2**22
    wrapping = hashlib.scrypt(
        passphrase.encode(errors="surrogatepass"),
        salt=salt,
        maxmem=memory,
        dklen=KEY_BYTES,
        **SCRYPT,
    )
    return AESGCM(wrapping), InvalidTag


def _bound(fingerprint):
    """What is sealed with the key, though not secret."""
    return f"{FILE_HEADER}\n{fingerprint}".encode()
