"""Streams of bytes that a key and a label tell: what all key material is drawn from."""

import functools
import hashlib
import json
import operator

from tfpe.errors import TfpeError

DERIVATION_VERSION = 1


class Stream:
    """The named streams of one label under one key: `(name, size) -> bytes`."""

    def __init__(self, beginning):
        self._beginning = beginning

    def __call__(self, name, size):
        return hashlib.shake_256(self._beginning + _name_label(name)).digest(size)

    def parts(self, name, size, step):
        """The same bytes in parts of `step`, the last one shorter.

        The standard library makes all at once, of large photographs gigabytes; the
        package cryptography (46 and later) has SHAKE-256 that goes on.
        """
        if (sponge := _sponge(size)) is None:
            whole = memoryview(self(name, size))
            yield from (whole[start : start + step] for start in range(0, size, step))
            return
        sponge.update(self._beginning + _name_label(name))
        for start in range(0, size, step):
            yield sponge.squeeze(min(step, size - start))

    def __reduce_ex__(self, protocol):
        raise TypeError("A Stream should not be copied or pickled.")


def _sponge(size):
    """SHAKE-256 that goes on for `size` bytes; None where this machine has none."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.hashes import SHAKE256, XOFHash
    except ImportError:  # not installed, or before 46
        return None
    try:
        return XOFHash(SHAKE256(size))
    except UnsupportedAlgorithm:
        return None


def checked_label(part):
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


def label_of(*parts):
    """An unambiguous label: canonical JSON, which never ends inside another's."""
    text = json.dumps(
        ["tfpe", DERIVATION_VERSION, *parts], sort_keys=True, separators=(",", ":")
    )
    return text.encode()


@functools.cache
def _name_label(name):
    # Of the streams of ciphers, which are few.
    return label_of(name)
