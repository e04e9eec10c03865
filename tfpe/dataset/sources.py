"""Where a data set comes from: what the command line names."""

import pathlib

from tfpe.dataset.known_names import KNOWN_NAMES, tfds_word
from tfpe.dataset.own_sources import folder_source, npz_source
from tfpe.dataset.prepared import prepared_source
from tfpe.dataset.tfds_sets import tfds_source
from tfpe.errors import DatasetError
from tfpe.files.already_encrypted import require_plain, require_plain_sets
from tfpe.manifests.set_manifest import METADATA
from tfpe.pixels.preparation import check_preparation


def open_source(
    source,
    data_dir=None,
    preparation=None,
    any_size=True,
    others="refuse",
    plain=False,
):
    """The `Source` that the command line names.

    Args:
        source: "cifar10", "cifar100", "tfds:NAME", an .npz file with x_train, y_train
            and so on, or a folder with one folder of images for each class, or with
            train/ and test/ that hold such folders.
        data_dir: of TFDS.
        preparation: a `tfpe.Preparation`, of every image.
        any_size: whether images may be of several sizes.
        others: as in `tfpe.files.finding.find_images`, for folders.
        plain: whether to refuse what tfpe has encrypted.

    Raises:
        AlreadyEncryptedError: it is encrypted, where `plain` is asked for.
        DatasetError: unknown, missing, empty, or not a set of images with labels.
    """
    source, preparation = str(source), check_preparation(preparation)
    if pathlib.Path(source).is_dir() and source not in KNOWN_NAMES:
        if plain:
            require_plain(source)
            require_plain_sets(source, pathlib.Path(source).rglob(METADATA))
        return folder_source(pathlib.Path(source), preparation, any_size, others)
    if (name := tfds_word(source)) is not None:
        found = tfds_source(name, data_dir, plain)
    elif source.endswith(".npz"):
        found = npz_source(pathlib.Path(source))
    else:
        raise DatasetError(
            "`source` should be cifar10, cifar100, tfds:NAME, a file that ends in .npz "
            f"or a folder that exists. Received: source={source!r}"
        )
    return prepared_source(found, preparation, any_size)
