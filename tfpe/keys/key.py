"""Keys: 32 secret bytes, from which everything is derived.

Nothing here needs NumPy, so that `tfpe keygen` starts at once; what is drawn from a
key (permutations, bits, numbers) is in `tfpe.keys.derivation`, its files in
`tfpe.keys.files`.
"""

import hashlib
import hmac
import secrets

from tfpe.errors import TfpeError, WrongKeyError
from tfpe.keys.labelled_streams import Stream, checked_label, label_of
from tfpe.keys.passphrases import SCRYPT, check_strength

KEY_BYTES = 32
MIN_SALT_BYTES = 16
TAG_LABEL = label_of("tag")


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
    def from_passphrase(cls, passphrase, salt=None, *, allow_weak=False):
        """The key that scrypt (RFC 7914) makes of a passphrase and a salt.

        Args:
            passphrase: a string, taken as UTF-8: 12 characters or more, see
                `tfpe.keys.passphrases`.
            salt: at least 16 bytes; the default draws 16 new ones. It is no secret,
                but without it the passphrase is worth nothing: `save` stores it.
            allow_weak: take any passphrase that is not empty, to make again a key that
                exists; `load` does so by itself.

        Raises:
            WeakPassphraseError: the passphrase is easily guessed.
            TfpeError: it is no string or empty, or the salt is too short.

        Example:

        >>> key = Key.from_passphrase("correct horse", salt=b"0123456789abcdef")
        >>> key.fingerprint
        'e478f9557cc5dbf2'
        """
        salt = secrets.token_bytes(MIN_SALT_BYTES) if salt is None else salt
        return cls._from_scrypt(passphrase, salt, SCRYPT, allow_weak)

    @classmethod
    def _from_scrypt(cls, passphrase, salt, cost, allow_weak=True):
        if not isinstance(passphrase, str) or not passphrase:
            received = "''" if passphrase == "" else type(passphrase).__name__
            raise TfpeError(
                f"`passphrase` should be a non-empty string. Received: {received}"
            )
        try:
            encoded = passphrase.encode()
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
        if not allow_weak:
            check_strength(passphrase)
        # scrypt fills 128 * n * r bytes; OpenSSL wants a little more allowed.
        memory = 128 * cost["n"] * cost["r"] * cost["p"] + 2**22
        key = cls(
            hashlib.scrypt(
                encoded,
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
        return self._digest(label_of("fingerprint"), 8).hex()

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
        parts = [checked_label(part) for part in labels]
        return Key(self._digest(label_of("derive", parts), KEY_BYTES))

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
            A `tfpe.keys.derivation.Material`.

        Example:

        >>> material = Key(bytes(32)).material("shuffle", (32, 32, 3))
        >>> material.permutation("perm", 4).shape
        (4,)
        """
        from tfpe.keys.derivation import Material

        return Material(
            self._stream(label_of("cipher", cipher, list(image_shape), options))
        )

    def _stream(self, label):
        return Stream(self._secret + label)

    def tag(self, message):
        """A keyed checksum (HMAC-SHA-256) of `message`, bytes, as 64 hex digits.

        Example:

        >>> len(Key(bytes(32)).tag(b"manifest"))
        64
        """
        subkey = self._digest(TAG_LABEL, 32)
        return hmac.digest(subkey, message, "sha256").hex()

    def _digest(self, label, size):
        return hashlib.shake_256(self._secret + label).digest(size)

    def require(self, fingerprint, owner):
        """Raises `WrongKeyError` unless this key has `fingerprint`."""
        if fingerprint != self.fingerprint:
            error = WrongKeyError(
                f"`key` should be the one with fingerprint {fingerprint}, which "
                f"{owner} was made with. Received: a key with fingerprint "
                f"{self.fingerprint}"
            )
            error.fingerprint = fingerprint
            raise error

    def save(self, path):
        """Writes the key to a new file that only its owner can read (mode 0600).

        The file of a key made from a passphrase holds the salt and no secret.

        Args:
            path: of a file that does not exist yet.

        Raises:
            KeyFileError: something is there already, or it cannot be written.
        """
        from tfpe.keys.files import save_key

        save_key(self, path)

    @classmethod
    def load(cls, path, passphrase=None):
        """Reads a key file.

        Args:
            path: the file that `save` or `tfpe keygen` wrote, sealed ones too.
            passphrase: a string, or a function that returns it and is called only
                for a file that needs one.

        Raises:
            KeyFileError: missing, unreadable, damaged or of another version.
            WrongKeyError: the passphrase does not fit the file.

        Warns:
            InsecureKeyFileWarning: group or others can read the file.
        """
        from tfpe.keys.opening import load_key

        return load_key(cls, path, passphrase)

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


class Keys:
    """Several keys in the place of one, for a batch of images with a key each.

    Args:
        keys: a sequence of `Key`.

    Ciphers that take them draw what they need of all keys at once, and give one map for
    the batch.
    """

    def __init__(self, keys):
        self._keys = [check_key(key) for key in keys]

    def material(self, cipher, image_shape, **options):
        """The streams of all keys, as `Key.material` of each.

        Returns:
            A `tfpe.keys.derivation.Materials`.
        """
        from tfpe.keys.derivation import Materials

        label = label_of("cipher", cipher, list(image_shape), options)
        return Materials([key._stream(label) for key in self._keys])

    def __reduce_ex__(self, protocol):
        raise TypeError("Keys should not be copied or pickled.")


def check_keys(key):
    """As `check_key`, for what takes `Keys` too."""
    return key if isinstance(key, Keys) else check_key(key)
