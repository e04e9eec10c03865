"""features.json, dataset_info.json, class names: what TFDS keeps beside the shards."""

import os
import pathlib

from tfpe.dataset.views import view_split
from tfpe.manifests.set_manifest import ENTRY, METADATA, sealed, tag_file
from tfpe.storage.atomic import output_errors


def restore_features(content, labels, drop=()):
    """The `tfds.features.FeaturesDict` of a features.json and class names.

    Args:
        content: features.json as a dict.
        labels: feature -> class names.
        drop: names of features to leave out.
    """
    import tensorflow_datasets as tfds

    features = tfds.features.FeatureConnector.from_json(content)
    for name, names in labels.items():
        features[name].names = list(names)
    return tfds.features.FeaturesDict(
        {name: feature for name, feature in features.items() if name not in drop}
    )


def write_metadata(folder, key, header, shards, features):
    """Writes all that `tfds.load` needs beside the shards, and the manifest.

    Args:
        folder: that of the shards.
        key: a `tfpe.Key`.
        header: of the manifest.
        shards: shard file -> {examples, bytes, tag}, in order.
        features: a `tfds.features.FeaturesDict`.
    """
    import tensorflow_datasets as tfds

    folder, about = pathlib.Path(folder), header["source"]["about"]
    identity = tfds.core.DatasetIdentity(
        name=header["name"],
        version=tfds.core.Version(header["source"]["version"]),
        data_dir=str(folder),
        module_name="",
    )
    supervised = about["supervised_keys"]
    whole = supervised and set(supervised) <= set(features)
    info = tfds.core.DatasetInfo(
        builder=identity,
        features=features,
        supervised_keys=tuple(supervised) if whole else None,
        description=_description(header),
        citation=about["citation"],
        metadata=tfds.core.MetadataDict(),
    )
    info.set_file_format("tfrecord")
    template = tfds.core.ShardedFileTemplate(
        data_dir=folder, dataset_name=header["name"], filetype_suffix="tfrecord"
    )
    splits = [
        tfds.core.SplitInfo(
            name=split,
            shard_lengths=list(lengths),
            num_bytes=sum(
                entry["bytes"]
                for name, entry in shards.items()
                if name.startswith(f"{header['name']}-{split}.")
            ),
            filename_template=template,
        )
        for split, lengths in header["source"]["splits"]
    ]
    info.set_splits(tfds.core.SplitDict(splits))
    with output_errors(folder):
        info.write_to_directory(folder)
        files = sorted(
            path.name
            for path in folder.iterdir()
            if path.name in ("features.json", "dataset_info.json")
            or path.name.endswith(".labels.txt")
        )
        tags = {name: tag_file(key, folder / name) for name in files}
        manifest = sealed(key, {**header, "shards": shards, "files": tags})
        info.metadata.update({ENTRY: manifest})
        info.metadata.save_metadata(folder)
        for name in (*files, METADATA):
            _flush(folder / name)


def _description(header):
    plain = header["source"]["about"]["description"]
    if header["kind"] == "decrypted":
        return plain or f"{header['name']}, decrypted by tfpe"
    return (
        f"{header['source']['name']}, encrypted by tfpe {header['tfpe']} with the "
        f"cipher {header['cipher']} under the key {header['key_fingerprint']}. "
        f"{_views(header)}{plain}"
    ).strip()


def _views(header):
    if header["copies"] == 1:
        return ""
    return (
        f"Of each training image there are {header['copies']} views: the image itself "
        f"in {view_split(0)}, and with random {' and '.join(header['augment'])} in "
        f"{view_split(1)} and so on. "
    )


def _flush(path):
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
