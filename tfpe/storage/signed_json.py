"""JSON under a keyed tag: with the key any change shows, without it none can be made.

Manifests, receipts, journals and the files of hidden labels and names are such JSON.
"""

import dataclasses
import hmac
import json
import pathlib

from tfpe.errors import ManifestError

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of document.

    Attributes:
        format, version: what its fields of these names hold.
        noun: what errors call it.
        label: stands before all that is tagged, so that no tag fits another kind.
    """

    format: str
    version: int
    noun: str
    label: str

    @property
    def head(self):
        """The first fields of a document of this kind."""
        return {"format": self.format, "version": self.version}

    def tag(self, key, *parts):
        """The keyed tag of some values of JSON."""
        return key.tag(canonical([self.label, *parts]))

    def check_head(self, document, key, where):
        """Raises unless a document is of this kind, and of this key.

        Args:
            document: what was read; anything.
            key: a `tfpe.Key`.
            where: names the document in errors.

        Raises:
            ManifestError: of another format or version.
            WrongKeyError: `key` is not the one that made it.
        """
        received = document if isinstance(document, dict) else {}
        if any(received.get(name) != value for name, value in self.head.items()):
            raise ManifestError(
                f"{where} should be {self.noun} (format {self.format!r}, version "
                f"{self.version}). Received: another format or version, or none"
            )
        key.require(received.get("key_fingerprint"), where)

    def sign(self, key, document, *parts):
        """A document with its tag over `parts` and itself."""
        return {**document, "tag": self.tag(key, *parts, document)}

    def open(self, document, key, where, *parts, tag="tag", apart=()):
        """What was signed, or an error that says what is wrong with it.

        Args:
            document: what was read; anything.
            key: a `tfpe.Key`.
            where: names the document in errors.
            *parts: as given to `sign`.
            tag: the field of the tag.
            apart: names of fields that the tag does not cover.

        Raises:
            ManifestError: of another format or version, or changed.
            WrongKeyError: `key` is not the one that made it.
        """
        self.check_head(document, key, where)
        signed = {n: v for n, v in document.items() if n not in (tag, *apart)}
        if not same(document.get(tag), self.tag(key, *parts, signed)):
            name = tag.replace("_", " ")
            raise ManifestError(
                f"{where} was damaged or changed: its {name} does not fit"
            )
        return signed


def canonical(value):
    """`value` as bytes of JSON, the same for equal values."""
    return _CANONICAL.encode(value).encode()


def same(tag, expected):
    """Whether two tags are equal, in constant time."""
    return isinstance(tag, str) and hmac.compare_digest(
        tag.encode(errors="replace"), expected.encode()
    )


def read_bytes(path, missing="no such file"):
    """The bytes of a file, or a `ManifestError`; `missing` says more where none is."""
    try:
        return pathlib.Path(path).read_bytes()
    except FileNotFoundError:
        raise ManifestError(f"Cannot read {path}: {missing}") from None
    except OSError as error:
        raise ManifestError(f"Cannot read {path}: {error.strerror}") from error


def parse(data, path):
    """The dict in the JSON text of the file `path`, or `ManifestError`."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise ManifestError(f"{path} is damaged: it should be JSON") from None
    if not isinstance(document, dict):
        raise ManifestError(f"{path} is damaged: it should be a JSON object")
    return document


def read_json(path):
    """The dict in a JSON file, or `ManifestError`."""
    return parse(read_bytes(path), path)
