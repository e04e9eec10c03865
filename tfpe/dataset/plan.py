"""What a run over a data set will do, and what it did."""

import dataclasses
import pathlib
from collections.abc import Callable

from tfpe.ciphers import DEFAULT_CIPHER, find_cipher
from tfpe.dataset.known_names import require_new_name
from tfpe.dataset.labels import labels_tag, save_labels
from tfpe.dataset.metadata import restore_features
from tfpe.dataset.record_bytes import RecordEncryption
from tfpe.dataset.source import Source, tfds_name
from tfpe.dataset.sources import open_source
from tfpe.dataset.tfds_sets import check_features
from tfpe.dataset.views import check_views, with_views
from tfpe.errors import DatasetError, OutputError
from tfpe.keys import Key
from tfpe.manifests.set_manifest import (
    CHECKPOINT,
    check_files,
    make_header,
    read_manifest,
    require_settings,
)
from tfpe.receipts import check_place, leave_receipt


@dataclasses.dataclass(frozen=True)
class Summary:
    """What a run did.

    Attributes:
        name: for `tfds.load(name, data_dir=...)`.
        folder: where the shards are.
        written: number of examples written.
        skipped: number of examples that an earlier run had written.
        lost: what the preparation took from images for good -> number of images.
    """

    name: str
    folder: str
    written: int
    skipped: int
    lost: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a run will do.

    Attributes:
        source: a `tfpe.dataset.source.Source`.
        key: a `tfpe.Key`.
        header: of the manifest.
        features: `tfds.features.FeaturesDict` of the result.
        encode: (raw batch, number of its first image) -> (bytes, examples).
        final: folder of the result.
    """

    source: Source
    key: Key
    header: dict
    features: object
    encode: Callable
    final: pathlib.Path

    def summary(self, written):
        """The `Summary` of a run that wrote so many examples."""
        skipped = self.source.total - written
        lost = self.header.get("lost", {})
        return Summary(self.header["name"], str(self.final), written, skipped, lost)

    def finished(self):
        """The `Summary` where the result is there, whole and of this plan, or None."""
        if not self.final.exists():
            return None
        manifest = read_manifest(self.final, self.key)
        require_settings(manifest, self.header, self.final)
        shards = {name: entry["tag"] for name, entry in manifest["shards"].items()}
        everything = manifest | {"files": manifest["files"] | shards}
        check_files(self.final, self.key, everything)
        (self.final / CHECKPOINT).unlink(missing_ok=True)
        return self.summary(written=0)


def plan_from(
    source,
    out,
    key,
    cipher=DEFAULT_CIPHER,
    *,
    data_dir=None,
    preparation=None,
    any_size=False,
    skip_others=False,
    again=False,
    **writing,
):
    """The `Plan` of `encrypt_dataset`, from what a user names.

    Args:
        source, out, key, cipher: as in `encrypt_dataset`, and the others too.
        **writing: those of `plan_encryption`.
    """
    if pathlib.Path(source).is_dir():
        require_outside(out, source)
    others = "skip" if skip_others else "advise"
    found = open_source(source, data_dir, preparation, any_size, others, not again)
    return plan_encryption(found, out, key, cipher, **writing)


def carry_out(plan, run, *arguments, receipt=None):
    """The `Summary` of a plan: of what is there, or of `run(plan, *arguments)`.

    Args:
        plan: a `Plan`.
        run: writes the result.
        *arguments: of `run`.
        receipt: path of a file for the owner, or None.
    """
    if receipt is not None:
        check_place(receipt)
    done = plan.finished() or run(plan, *arguments)
    if receipt is not None:
        leave_receipt(plan.final, plan.key, receipt)
    return done


def require_outside(out, folder):
    """Raises `OutputError` where the output would lie among what is read."""
    if pathlib.Path(out).resolve().is_relative_to(pathlib.Path(folder).resolve()):
        raise OutputError(
            f"`out` should be outside of {folder}, which is read. Received: out={out}"
        )


def plan_encryption(
    source,
    out,
    key,
    cipher,
    *,
    name=None,
    per_image=False,
    hide_labels=None,
    drop=(),
    copies=None,
    augment=None,
    **options,
):
    """The `Plan` of `encrypt_dataset`, all of its arguments checked."""
    copies, augment = check_views(copies, augment)
    source = with_views(source, copies)
    row = find_cipher(cipher)
    options = row.check(source.image_shape[-1], **options)
    row.require_bytes("A data set of images", **options)
    name = (
        tfds_name(f"{source.folder.rpartition('/')[0]}_{cipher}") if not name else name
    )
    if name != tfds_name(name):
        raise DatasetError(
            "`name` should be lower case letters, digits and underscores. "
            f"Received: name={name!r}"
        )
    require_new_name(name)
    plain = restore_features(source.features, source.labels)
    if hide_labels is not None:
        texts = [f for f in plain if f != "image" and f not in source.labels]
        drop = sorted({*drop, *texts})
    drop = sorted(drop)
    check_features(plain, source.name, drop, source.depth)
    settings = {
        "cipher": cipher,
        "options": options,
        "per_image": bool(per_image),
        "hidden_labels": hide_labels is not None,
        "dropped": drop,
        "copies": copies,
        "augment": augment,
        "preparation": source.preparation.to_json(),
        "lost": source.lost,
    } | _depth_settings(source)
    header = make_header(key, "encrypted", name, source, settings)
    labels = {f: names for f, names in source.labels.items() if f not in drop}
    if hide_labels is not None:
        header["labels_tag"] = labels_tag(key, labels, header["source_tag"])
    encryption = RecordEncryption(source, key, header)
    if hide_labels is not None:
        save_labels(hide_labels, out, key, labels)
    final = pathlib.Path(out, name, source.version)
    return Plan(source, key, header, encryption.features(plain), encryption, final)


def _depth_settings(source):
    settings = {"depth": source.depth} if source.depth != 8 else {}
    return settings | ({"stored": source.stored} if source.stored else {})
