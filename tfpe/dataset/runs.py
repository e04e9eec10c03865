"""`encrypt_dataset`, `decrypt_dataset` and `reencrypt_dataset`: whole data sets."""

import pathlib

from tfpe.ciphers import DEFAULT_CIPHER
from tfpe.dataset.encrypted import open_encrypted
from tfpe.dataset.examples import frame, put_image
from tfpe.dataset.known_names import expects_other_features
from tfpe.dataset.metadata import restore_features, write_metadata
from tfpe.dataset.plan import (
    Plan,
    carry_out,
    plan_encryption,
    plan_from,
    require_outside,
)
from tfpe.dataset.writer import ShardWriter, finish, work_folder
from tfpe.files.workers import worker_count
from tfpe.keys import check_key
from tfpe.manifests.set_manifest import find_set, make_header
from tfpe.pixels.png import encode_png
from tfpe.storage.atomic import PRIVATE, USUAL, output_errors, restrict


def encrypt_dataset(
    source,
    out,
    key,
    cipher=DEFAULT_CIPHER,
    *,
    name=None,
    per_image=False,
    hide_labels=None,
    drop=(),
    copies=1,
    augment=None,
    data_dir=None,
    preparation=None,
    any_size=False,
    skip_others=False,
    receipt=None,
    again=False,
    progress=None,
    workers=None,
    **options,
):
    """Encrypts a data set to one that TFDS reads without tfpe.

    Examples keep their order and their shards; only images change, and labels where
    asked. Memory is bounded whatever the size of a TFDS set or a folder. The same call
    resumes a killed run, and the files are those of an uninterrupted one.

    Args:
        source: "cifar10", "cifar100", "tfds:NAME", an .npz file, or a folder with one
            folder of images for each class (or train/ and test/ with such folders).
        out: the data_dir of the result: `tfds.load(name, data_dir=out)`.
        key: a `tfpe.Key`.
        cipher: a name in `tfpe.CIPHERS`.
        name: of the result; the default is like "cifar10_ele".
        per_image: encrypt each image under a sub-key of its own, of the key, of the
            name and contents of the set, and of the feature `image_number`.
        hide_labels: path of a file for the owner, outside of `out`: classes get opaque
            numbers, and this file maps them back. Texts, which may tell the class, are
            left out.
        drop: names of features to leave out.
        copies: views of each image of the split `train`: view 0 is the image, and each
            other one is a split, `train_view1` and so on, augmented before encryption;
            a network takes view e mod `copies` in epoch e. Other splits stay alone.
        augment: how those views differ: "crop" (out of zeros around the image, an
            eighth of its side), "flip" (half are mirrored), or both, the default; drawn
            from the key.
        data_dir: where TFDS keeps the source.
        preparation: a `tfpe.Preparation`: one size, gray or RGB; conversions of files
            with a loss.
        any_size: take images of several sizes; they are hard to batch.
        skip_others: pass over files of a folder that look like pictures of other kinds,
            such as DICOM, raw pictures and videos; without it they are an error.
        receipt: path of a file for the owner, which tells `tfpe.client_model` and
            `tfpe.predict` all of this, and holds no secret.
        again: encrypt what is encrypted already once more.
        progress: called with (done, total) examples.
        workers: number of threads; by default one for each core, 4 at most.
        **options: options of the cipher.

    Returns:
        A `Summary`.

    Raises:
        AlreadyEncryptedError: images of the source are encrypted already.
        DatasetError: the source is unknown, damaged, or no set of labelled images of
            one size; a `SourceFilesError` where files of a folder cannot be taken.
        CipherOptionError: an unknown cipher, or an option, `copies` or `augment` that
            does not fit.
        ManifestError: `out` holds this name, begun from other settings, or damaged.
        WrongKeyError: `out` holds this name, begun with another key.
        OutputError: `out` lies in the source, or cannot be written, as on a full disk.
            What is finished stays.

    Example:

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from tfpe import Key
    >>> temporary, key = tempfile.TemporaryDirectory(), Key.generate()
    >>> out = pathlib.Path(temporary.name)
    >>> images, labels = np.zeros((3, 8, 8, 3), np.uint8), np.arange(3)
    >>> np.savez(out / "tiny.npz", x_train=images, y_train=labels)
    >>> encrypt_dataset(out / "tiny.npz", out / "cloud", key, "le").name
    'tiny_le'
    >>> decrypt_dataset(out / "cloud", out / "again", key).written
    3
    >>> temporary.cleanup()
    """
    check_key(key)
    workers = worker_count(workers)
    plan = plan_from(
        *(source, out, key, cipher),
        name=name,
        per_image=per_image,
        hide_labels=hide_labels,
        drop=drop,
        copies=copies,
        augment=augment,
        data_dir=data_dir,
        preparation=preparation,
        any_size=any_size,
        skip_others=skip_others,
        again=again,
        **options,
    )
    return carry_out(plan, _run, progress, workers, receipt=receipt)


def decrypt_dataset(
    path, out, key, *, labels=None, readable=False, progress=None, workers=None
):
    """Decrypts what `encrypt_dataset` wrote: same examples, order, labels and pixels.

    Of the views that `copies` made it gives back view 0, which is the source.

    Args:
        path: folder of the encrypted set, or its data_dir where it is the only one.
        out: the data_dir of the result, which has the name and version of the source
            (such as "cifar10_decrypted" where TFDS knows the name, and features of it
            were dropped).
        key: the `tfpe.Key` that encrypted it.
        labels: the file that `hide_labels` wrote.
        readable: give new files and folders the usual permissions (the umask); without
            it their owner alone can read them (0600 and 0700, less the umask).
        progress: called with (done, total) examples.
        workers: number of threads; by default one for each core, 4 at most.

    Returns:
        A `Summary`.

    Raises:
        ManifestError: the manifest is missing, or it or a file was changed.
        DatasetError: a shard is damaged.
        WrongKeyError: another key encrypted the set.
        OutputError: `out` lies among the encrypted sets, or cannot be written, as on a
            full disk.

    See the example of `encrypt_dataset`.
    """
    check_key(key)
    workers = worker_count(workers)
    source, manifest = open_encrypted(path, key, labels)
    folder = find_set(path)
    named = folder.parent.name == manifest["name"]
    # Whoever gets the encrypted sets of this data_dir would get the plain one too.
    require_outside(out, folder.parents[1] if named else folder)
    settings = {"dropped": manifest["dropped"]}
    features = restore_features(source.features, source.labels, manifest["dropped"])
    name, final = source.name, pathlib.Path(out, source.folder)
    if expects_other_features(name, features):
        name = f"{name}_decrypted"
        final = pathlib.Path(out, name, source.version)
    header = make_header(key, "decrypted", name, source, settings)

    def encode(batch, first):
        images, examples = source.decode(batch)
        files = [encode_png(image) for image in images]
        pairs = zip(examples, files, strict=True)
        return frame([put_image(*pair, {}) for pair in pairs]), len(files)

    plan = Plan(source, key, header, features, encode, final)
    return carry_out(plan, _run, progress, workers, USUAL if readable else PRIVATE)


def reencrypt_dataset(
    path,
    out,
    key,
    new_key,
    cipher=None,
    *,
    name=None,
    per_image=None,
    labels=None,
    hide_labels=None,
    copies=None,
    augment=None,
    receipt=None,
    progress=None,
    workers=None,
    **options,
):
    """Encrypts an encrypted data set anew; plain images are held in memory only.

    The result is what `encrypt_dataset` would make of the source with the new key. With
    `per_image` the sub-keys differ from those, since they depend on what was encrypted.

    Args:
        path: folder of the encrypted set.
        out: the data_dir of the result.
        key: the `tfpe.Key` that encrypted it.
        new_key: another `tfpe.Key`.
        cipher, per_image, copies, augment, **options: settings of the result; by
            default as they were.
        name, hide_labels, receipt: as in `encrypt_dataset`.
        labels: the file that `hide_labels` wrote for the set.
        progress: called with (done, total) examples.
        workers: number of threads; by default one for each core, 4 at most.

    Returns:
        A `Summary`.

    Raises:
        TfpeError: as `decrypt_dataset` and `encrypt_dataset`.

    See the example of `encrypt_dataset`; the key of the result comes fourth here.
    """
    check_key(key), check_key(new_key)
    workers = worker_count(workers)
    require_outside(out, path)
    source, manifest = open_encrypted(path, key, labels)
    if cipher is None or cipher == manifest["cipher"]:
        cipher, options = manifest["cipher"], manifest["options"] | options
    if copies is None:
        copies = manifest.get("copies", 1)
    if augment is None and copies > 1:
        augment = manifest.get("augment") or None
    per_image = manifest["per_image"] if per_image is None else per_image
    plan = plan_encryption(
        *(source, out, new_key, cipher),
        name=name,
        per_image=per_image,
        hide_labels=hide_labels,
        drop=manifest["dropped"],
        copies=copies,
        augment=augment,
        **options,
    )
    return carry_out(plan, _run, progress, workers, receipt=receipt)


def _run(plan, progress, workers, mode=USUAL):
    with work_folder(plan.final, mode) as work:
        writer = ShardWriter(
            work,
            plan.key,
            plan.header,
            plan.source,
            plan.encode,
            progress,
            mode,
            workers,
        )
        shards = writer.run()
        write_metadata(work, plan.key, writer.header, shards, plan.features)
        with output_errors(work):
            for file in work.iterdir():
                restrict(file, mode)
        finish(work, plan.final)
    return plan.summary(writer.written)
