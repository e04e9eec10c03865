"""Key files that only a passphrase opens: a random key, sealed by AES-256-GCM.

The sealing key is scrypt's (RFC 7914) of the passphrase; `cryptography` (extra `keys`)
does the sealing. Unlike a key made of a passphrase, a sealed one stays the same when
its passphrase is changed, and is as random as any other. `Key.load` opens both.
"""

import base64
import hashlib
import json
import secrets

from tfpe.errors import KeyFileError, WrongKeyError
from tfpe.keys.files import SEALED_HEADER, asked, create_file
from tfpe.keys.passphrases import SCRYPT, check_strength

SALT_BYTES, NONCE_BYTES, SEALING_BYTES = 16, 12, 32
FIELDS = {"fingerprint", "salt", "nonce", "sealed"}


def is_sealed(path):
    """Whether the file at `path` begins as a sealed key file does."""
    try:
        with open(path, "rb") as file:
            return file.read(len(SEALED_HEADER)) == SEALED_HEADER.encode()
    except OSError:
        return False


def save_sealed(key, path, passphrase, *, allow_weak=False):
    """Writes `key` to a new file, mode 0600, that `passphrase` opens.

    Args:
        key: a `tfpe.Key`.
        path: of a file that does not exist yet.
        passphrase: a string: 12 characters or more, see `tfpe.keys.passphrases`.
        allow_weak: take any passphrase that is not empty, such as an old one.

    Raises:
        KeyFileError: something is there already, it cannot be written, the passphrase
            is empty, or `cryptography` is not installed.
        WeakPassphraseError: the passphrase is easily guessed.
    """
    text = sealed_text(key, passphrase, allow_weak)
    create_file(path, lambda: text)


def open_sealed(path, text, passphrase):
    """The secret in a sealed file, and the fingerprint of its key.

    Args:
        path: of the file.
        text: what it holds.
        passphrase: a string, or a function that returns it.

    Raises:
        KeyFileError: damaged or changed, or `cryptography` is not installed.
        WrongKeyError: the passphrase does not open it.
    """
    header, _, body = text.partition("\n")
    try:
        fields = json.loads(body)
        if header != SEALED_HEADER or set(fields) != FIELDS:
            raise ValueError
        salt, nonce, sealed = (
            base64.b64decode(fields[name], validate=True)
            for name in ("salt", "nonce", "sealed")
        )
    except (ValueError, TypeError, RecursionError):
        raise KeyFileError(f"Key file {path} is damaged or of another version") from (
            None
        )
    cipher, invalid = _aes(asked(passphrase, path), salt)
    try:
        secret = cipher.decrypt(nonce, sealed, _bound(fields["fingerprint"]))
    except (invalid, ValueError):
        raise WrongKeyError(
            f"The passphrase should open key file {path}. Received: one that does not, "
            "or the file was damaged"
        ) from None
    return secret, fields["fingerprint"]


def sealed_text(key, passphrase, allow_weak=False):
    """What the file of a key holds that `passphrase` seals; raises as `save_sealed`."""
    if not isinstance(passphrase, str) or not passphrase:
        received = "''" if passphrase == "" else type(passphrase).__name__
        raise KeyFileError(
            f"`passphrase` should be a non-empty string. Received: {received}"
        )
    if not allow_weak:
        check_strength(passphrase)
    salt, nonce = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
    cipher, _ = _aes(passphrase, salt)
    sealed = cipher.encrypt(nonce, key._secret, _bound(key.fingerprint))
    fields = {"fingerprint": key.fingerprint} | {
        name: base64.b64encode(value).decode()
        for name, value in (("salt", salt), ("nonce", nonce), ("sealed", sealed))
    }
    return f"{SEALED_HEADER}\n{json.dumps(fields, indent=1)}\n"


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
        dklen=SEALING_BYTES,
        **SCRYPT,
    )
    return AESGCM(wrapping), InvalidTag


def _bound(fingerprint):
    """What is sealed with the key, though not secret."""
    return f"{SEALED_HEADER}\n{fingerprint}".encode()
