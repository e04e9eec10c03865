"""The named errors of tfpe; every one is also a `ValueError`.

Messages say what was expected and what was received, and never hold key
material: a traceback may end in a log that other people read.
"""


class TfpeError(ValueError):
    """Base of all errors that tfpe raises by name."""

    # Otherwise AutoGraph replaces the error by one of its own, without this type.
    ag_pass_through = True


class ImageError(TfpeError):
    """An image has a dtype, rank, shape, channel count or value out of range."""


class CipherOptionError(TfpeError):
    """A cipher, one of its options or its explicit key material is not valid."""


class NoInverseError(TfpeError):
    """A cipher that loses something of its images is asked to give them back."""


class WeakParameterError(TfpeError):
    """Parameters of a chaotic map give a short or collapsed sequence."""


class KeyFileError(TfpeError):
    """A key file is missing, damaged, of another version or already there."""


class WeakPassphraseError(TfpeError):
    """A new passphrase is easily guessed."""


class WrongKeyError(TfpeError):
    """The key is not the one that made this ciphertext, layer or manifest.

    Attributes:
        fingerprint: of the key that is needed, or None.
    """

    fingerprint = None


class LockedLayerError(TfpeError):
    """A loaded or cloned layer was given images before it was given its key."""


class ManifestError(TfpeError):
    """A manifest is missing, damaged, changed or of another version."""


class ImageFileError(TfpeError):
    """An image file cannot be read, is damaged, foreign or already there."""


class AlreadyEncryptedError(TfpeError):
    """Images that would be encrypted are ciphertext of tfpe already."""


class OutputError(TfpeError):
    """Output cannot be written: full disk, no permission, another run at work there."""


class AttackError(TfpeError):
    """The evidence given to an attack does not determine what it looks for."""


class RecordError(TfpeError):
    """A record of measurements, or a table made from records, is not valid."""


class NetworkError(TfpeError):
    """A network, or one of its options, is not valid."""


class KeystreamError(TfpeError):
    """Bits are no bits, or too few or too uneven for a statistical test."""


class DatasetError(TfpeError):
    """A data set is unknown, damaged, changed, or holds what cannot be encrypted."""


class SourceFilesError(DatasetError):
    """Files of a data set cannot be taken; `problems` are (path, message) of all."""

    def __init__(self, folder, problems):
        self.problems = sorted(problems)
        path, message = self.problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{folder}/{path}: {message}{more}")


class ExportError(TfpeError):
    """A model that holds a key would be exported with it."""
