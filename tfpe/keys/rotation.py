"""Rotation: a new key takes the place of an old one, which is kept beside it."""

import contextlib
import os

from tfpe.errors import KeyFileError
from tfpe.keys import check_key
from tfpe.keys.files import key_lock, key_text, stated_fingerprint, write_new


def rotate_key(path, old, new, passphrase=None):
    """Puts the key `new` in the place of `old`, which is kept as PATH.FINGERPRINT.

    At every moment each of the keys that were announced is in a file. Of several
    rotations at once each takes the place of the key that the one before has written,
    or is refused; one that was stopped goes on with the next.

    Args:
        path: of the key file; a link stays one, and what it names is rotated.
        old: the `tfpe.Key` in it.
        new: the `tfpe.Key` to put there.
        passphrase: seals the new file; a sealed file stays sealed.

    Returns:
        The path under which the old key is kept.

    Raises:
        KeyFileError: the file does not hold `old` (another run rotated it meanwhile),
            or is sealed and there is no passphrase, or something cannot be written.
            Nothing was changed.
        WeakPassphraseError: the passphrase is easily guessed.
        OutputError: another run holds the lock of the folder for a minute.

    Example:

    >>> import pathlib, tempfile
    >>> from tfpe import Key
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> old, new = Key.generate(), Key.generate()
    >>> old.save(folder / "owner.key")
    >>> kept = rotate_key(folder / "owner.key", old, new)
    >>> Key.load(folder / "owner.key") == new, Key.load(kept) == old
    (True, True)
    """
    check_key(old), check_key(new)
    path = os.fspath(path)
    path = os.path.realpath(path) if os.path.islink(path) else path
    kept = f"{path}.{old.fingerprint}"
    aside = f"{kept}.next"
    if old == new:
        raise KeyFileError("`new` should be another key than `old`. Received: the same")
    text = _text(path, new, passphrase)
    with key_lock(path):
        found = stated_fingerprint(path)
        if found != old.fingerprint:
            raise KeyFileError(
                f"{path} should hold the key {old.fingerprint} that is rotated. "
                f"Received: a file with {found or 'no key'}; another run may have "
                "rotated it meanwhile. Nothing was changed: give the command again"
            )
        # A rotation that was stopped has left these two; its new key was never used.
        if os.path.lexists(kept) and os.path.samefile(path, kept):
            os.unlink(kept)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(aside)
        if os.path.lexists(kept):
            raise KeyFileError(
                f"{kept} should not exist yet: the old key is kept there"
            )
        write_new(aside, text)
        try:
            # At every moment the old key is under one of its two names.
            os.link(path, kept)
            os.replace(aside, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(aside)  # a key that was never announced
            raise KeyFileError(f"Cannot rotate {path}: {error.strerror}") from error
    return kept


def _text(path, key, passphrase):
    """A function that gives what to write; what takes long is done before."""
    from tfpe.keys.sealed import is_sealed, sealed_text

    if passphrase is not None:
        text = sealed_text(key, passphrase)
        return lambda: text
    if is_sealed(path):
        raise KeyFileError(
            f"`passphrase` should be given for {path}, which is sealed. Received: none"
        )
    return lambda: key_text(key)
