"""Keys: 32 secret bytes, their files, and the label that each stream hangs on.

Nothing here needs NumPy, so that `tfpe keygen` starts at once; what is drawn from a
key (permutations, bits, numbers) is in `tfpe.derivation`.
"""

import datetime
import hashlib
import hmac
import json
import operator
import os
import secrets
import stat
import warnings

from tfpe.errors import KeyFileError, TfpeError, WrongKeyError

KEY_BYTES = 32
MIN_SALT_BYTES = 16
DERIVATION_VERSION = 1
SCRYPT = {"n": 2**17, "r": 8, "p": 1}
FILE_HEADER = "tfpe key file, version 1"
FILE_FIELDS = {
    "secret": {"created", "fingerprint", "secret"},
    "passphrase": {"created", "fingerprint", "salt", *SCRYPT},
}


class InsecureKeyFileWarning(UserWarning):
    """A key file can be read by other users of this machine."""


class Key:
    """A secret key of 32 bytes, from which every cipher derives its own material.

    Args:
        secret: the 32 bytes.

    Raises:
        TfpeError: `secret` is not `bytes` or not 32 long. The message tells its
            length only.

    Everything is derived by SHAKE-256 over the secret and a label that names the
    cipher, the image shape, the options and a version, so that no two of them share
    a stream. A key prints as its fingerprint and refuses to be pickled.

    Example:

    >>> key = Key(bytes(range(32)))
    >>> key
    Key(fingerprint='44108b0a6a58e718')
    >>> key == Key(bytes(range(32))), key == Key.generate()
    (True, False)
    """

    def __init__(self, secret):
        if not isinstance(secret, (bytes, bytearray)):
            raise TfpeError(
                "`secret` should be bytes; a passphrase goes to Key.from_passphrase. "
                f"Received: {type(secret).__name__}"
            )
        if len(secret) != KEY_BYTES:
            raise TfpeError(
                f"`secret` should be {KEY_BYTES} bytes long. "
                f"Received: {len(secret)} bytes"
            )
        self._secret = bytes(secret)
        self._scrypt = None

    @classmethod
    def generate(cls):
        """A new key from the operating system's random generator."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @classmethod
    def from_passphrase(cls, passphrase, salt=None):
        """The key that scrypt (RFC 7914) makes of a passphrase and a salt.

        Args:
            passphrase: a non-empty string, taken as UTF-8.
            salt: at least 16 bytes; the default draws 16 new ones. It is no secret,
                but without it the passphrase is worth nothing: `save` stores it.

        Example:

        >>> key = Key.from_passphrase("correct horse", salt=b"0123456789abcdef")
        >>> key.fingerprint
        'e478f9557cc5dbf2'
        """
        salt = secrets.token_bytes(MIN_SALT_BYTES) if salt is None else salt
        return cls._from_scrypt(passphrase, salt, SCRYPT)

    @classmethod
    def _from_scrypt(cls, passphrase, salt, cost):
        if not isinstance(passphrase, str) or not passphrase:
            received = "''" if passphrase == "" else type(passphrase).__name__
            raise TfpeError(
                f"`passphrase` should be a non-empty string. Received: {received}"
            )
        try:
            passphrase = passphrase.encode()
        except UnicodeEncodeError:
            # `from None`: the error it came from quotes the passphrase.
            raise TfpeError(
                "`passphrase` should be text. Received: a string with lone surrogates"
            ) from None
        if not isinstance(salt, (bytes, bytearray)) or len(salt) < MIN_SALT_BYTES:
            received = (
                f"{len(salt)} bytes"
                if isinstance(salt, (bytes, bytearray))
                else type(salt).__name__
            )
            raise TfpeError(
                f"`salt` should be bytes, at least {MIN_SALT_BYTES}. "
                f"Received: {received}"
            )
        # scrypt fills 128 * n * r bytes; OpenSSL wants a little more allowed.
        memory = 128 * cost["n"] * cost["r"] * cost["p"] + 2**22
        key = cls(
            hashlib.scrypt(
                passphrase,
                salt=bytes(salt),
                maxmem=memory,
                dklen=KEY_BYTES,
                **cost,
            )
        )
        key._scrypt = {"salt": bytes(salt).hex(), **cost}
        return key

    @property
    def fingerprint(self):
        """16 hexadecimal digits that name the key and are safe to publish."""
        return self._digest(_label("fingerprint"), 8).hex()

    @property
    def needs_passphrase(self):
        """Whether the key came from a passphrase, and its file holds only the salt."""
        return self._scrypt is not None

    def derive(self, *labels):
        """A sub-key for a purpose, named by strings and whole numbers.

        Raises:
            TfpeError: a label is something else.

        Example:

        >>> key = Key(bytes(32))
        >>> key.derive("client", 7) == key.derive("client", 7)
        True
        >>> key.derive("client", 7) == key.derive("client", 8)
        False
        """
        parts = [_checked_label(part) for part in labels]
        return Key(self._digest(_label("derive", parts), KEY_BYTES))

    def for_image(self, number):
        """The sub-key of image `number` of a set that has a key for every image.

        The same as `derive("image", number)`. Two sets whose images count from 0 each
        would share sub-keys: derive a key for the set first.

        Example:

        >>> Key(bytes(32)).for_image(1) == Key(bytes(32)).for_image(2)
        False
        """
        return self.derive("image", number)

    def material(self, cipher, image_shape, **options):
        """The streams of one cipher, image shape and options.

        Args:
            cipher: its name.
            image_shape: (height, width, channels).
            **options: all options of the cipher, as JSON has them.

        Returns:
            A `tfpe.derivation.Material`.

        Example:

        >>> material = Key(bytes(32)).material("shuffle", (32, 32, 3))
        >>> material.permutation("perm", 4).shape
        (4,)
        """
        from tfpe.derivation import Material

        label = _label("cipher", cipher, list(image_shape), options)
        return Material(lambda name, size: self._digest(label + _label(name), size))

    def tag(self, message):
        """A keyed checksum (HMAC-SHA-256) of `message`, bytes, as 64 hex digits.

        Example:

        >>> len(Key(bytes(32)).tag(b"manifest"))
        64
        """
        subkey = self._digest(_label("tag"), 32)
        return hmac.new(subkey, message, hashlib.sha256).hexdigest()

    def _digest(self, label, size):
        return hashlib.shake_256(self._secret + label).digest(size)

    def require(self, fingerprint, owner):
        """Raises `WrongKeyError` unless this key has `fingerprint`."""
        if fingerprint != self.fingerprint:
            raise WrongKeyError(
                f"`key` should be the one with fingerprint {fingerprint}, which "
                f"{owner} was made with. Received: a key with fingerprint "
                f"{self.fingerprint}"
            )

    def save(self, path):
        """Writes the key to a new file that only its owner can read (mode 0600).

        The file of a key made from a passphrase holds the salt and no secret.

        Args:
            path: of a file that does not exist yet.

        Raises:
            KeyFileError: something is there already, or it cannot be written.
        """
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
                file.write(self._file_text())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            # Half a key is worse than none; it is ours, made exclusively just now.
            os.unlink(path)
            raise KeyFileError(
                f"Cannot write key file {path}: {error.strerror}"
            ) from error

    def _file_text(self):
        # A function of its own: tools that print the local variables of a traceback
        # would find the secret in those of `save`.
        fields = {
            "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%MZ"),
            "fingerprint": self.fingerprint,
        }
        fields |= self._scrypt or {"secret": self._secret.hex()}
        lines = [FILE_HEADER, *(f"{name}: {value}" for name, value in fields.items())]
        return "\n".join(lines) + "\n"

    @classmethod
    def load(cls, path, passphrase=None):
        """Reads a key file.

        Args:
            path: the file that `save` wrote.
            passphrase: a string, or a function that returns it and is called only
                for a file that needs one.

        Raises:
            KeyFileError: missing, unreadable, damaged or of another version.
            WrongKeyError: the passphrase does not give the fingerprint in the file.

        Warns:
            InsecureKeyFileWarning: group or others can read the file.
        """
        try:
            return cls._load(os.fspath(path), passphrase)
        except TfpeError as error:
            # Without the frames below: their local variables hold the file's text,
            # and some tools print the local variables of a traceback.
            passphrase = None
            error.__context__ = None
            raise error.with_traceback(None) from error.__cause__

    @classmethod
    def _load(cls, path, passphrase):
        try:
            with open(path, encoding="ascii") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                text = file.read(4096)
        except UnicodeDecodeError:
            # `from None`: the error it came from quotes the bytes of the file.
            raise KeyFileError(f"Key file {path} is damaged: not ASCII text") from None
        except OSError as error:
            raise KeyFileError(f"Cannot read key file {path}: {error.strerror}") from (
                error
            )
        if mode & 0o077 and os.name == "posix":
            warnings.warn(
                f"Key file {path} has mode {mode:04o}: other users can read it. "
                f"Mend it with: chmod 600 {path}",
                InsecureKeyFileWarning,
                stacklevel=3,
            )
        key, fingerprint = cls._parse(text, path, passphrase)
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

    @classmethod
    def _parse(cls, text, path, passphrase):
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
                f"{sorted(FILE_FIELDS['secret'])} or "
                f"{sorted(FILE_FIELDS['passphrase'])}"
            )
        try:
            if kind == "secret":
                return cls(bytes.fromhex(fields["secret"])), fields["fingerprint"]
            salt = bytes.fromhex(fields["salt"])
            cost = {name: int(fields[name]) for name in SCRYPT}
            if cost != SCRYPT:
                raise TfpeError(f"scrypt cost should be {SCRYPT}. Received: {cost}")
        except ValueError as error:
            reason = error if isinstance(error, TfpeError) else "a value is malformed"
            raise KeyFileError(f"Key file {path} is damaged: {reason}") from None
        if callable(passphrase):
            passphrase = passphrase()
        if not passphrase:
            raise KeyFileError(
                f"Key file {path} needs a passphrase. "
                "Received: none; give Key.load(path, passphrase=...)"
            )
        return cls._from_scrypt(passphrase, salt, cost), fields["fingerprint"]

    def __eq__(self, other):
        if not isinstance(other, Key):
            return NotImplemented
        return hmac.compare_digest(self._secret, other._secret)

    def __hash__(self):
        return hash(self.fingerprint)

    def __repr__(self):
        if not hasattr(self, "_secret"):
            # In the traceback of an error that `__init__` raised.
            return "Key(incomplete)"
        return f"Key(fingerprint={self.fingerprint!r})"

    def __reduce_ex__(self, protocol):
        raise TypeError(
            "A Key should not be copied or pickled: it must stay with its owner. "
            "Send the path of its file and call Key.load there."
        )


def check_key(key):
    """Returns `key`, or raises a clear error where it is no `Key`."""
    if not isinstance(key, Key):
        raise TfpeError(
            "`key` should be a tfpe.Key, such as Key.generate() or Key.load(path). "
            f"Received: {type(key).__name__}"
        )
    return key


def _checked_label(part):
    """A string, or a whole number of any type as a Python integer."""
    if isinstance(part, str):
        try:
            part.encode()
        except UnicodeEncodeError:
            raise TfpeError(
                "Labels of sub-keys should be text that UTF-8 can say. "
                "Received: a lone surrogate"
            ) from None
        return part
    if isinstance(part, bool) or not hasattr(part, "__index__"):
        raise TfpeError(
            "Labels of sub-keys should be strings or whole numbers. "
            f"Received: {type(part).__name__}"
        )
    return operator.index(part)


def _label(*parts):
    """An unambiguous label: canonical JSON, which never ends inside another's."""
    text = json.dumps(
        ["tfpe", DERIVATION_VERSION, *parts], sort_keys=True, separators=(",", ":")
    )
    return text.encode()
