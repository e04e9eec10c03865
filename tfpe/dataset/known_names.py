"""Names of data sets: those said without "tfds:", and those that TFDS has code for."""

import functools
import tempfile

from tfpe.errors import OutputError

KNOWN_NAMES = ("cifar10", "cifar100")


def tfds_word(source):
    """The name of the TFDS set that a user's word for a source stands for, or None.

    Example:

    >>> tfds_word("cifar10"), tfds_word("tfds:svhn_cropped"), tfds_word("photos")
    ('cifar10', 'svhn_cropped', None)
    """
    source = str(source)
    if source in KNOWN_NAMES or source.startswith("tfds:"):
        return source.removeprefix("tfds:")
    return None


@functools.cache
def _registered():
    import tensorflow_datasets as tfds

    return frozenset(tfds.list_builders(with_community_datasets=False))


def expects_other_features(name, features):
    """Whether TFDS has code of its own for `name`, which cannot read these features."""
    import tensorflow_datasets as tfds

    if name not in _registered():
        return False
    with tempfile.TemporaryDirectory() as empty:
        known = tfds.builder(name, data_dir=empty).info.features
    same = set(known) == set(features)
    return not same or known["image"].shape != features["image"].shape


def require_new_name(name):
    """Raises `OutputError` where `name` is one that TFDS knows."""
    if name in _registered():
        raise OutputError(
            "`name` should not be one that TFDS knows, or tfds.load would take its own "
            f"code for it. Received: name={name!r}"
        )
