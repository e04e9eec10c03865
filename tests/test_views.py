"""Views: what the owner augments before encryption, and who takes which of them."""

import hashlib

import numpy as np
import pytest
import tensorflow_datasets as tfds
from image_folders import contents, crops, save
from test_dataset import column, load

from tfpe import CIPHERS, Key
from tfpe.cli import main as tfpe_main
from tfpe.dataset import decrypt_dataset, encrypt_dataset, reencrypt_dataset
from tfpe.dataset.views import Augmentation, view_split
from tfpe.errors import CipherOptionError, DatasetError, ManifestError
from tfpe.pixels.padding import pad_to_blocks
from tfpe.receipts import read_receipt
from training import images
from training.batches import Batches
from training.recipe import RecipeError
from training.recipes import find_recipe
from training.run import Run
from training.splits import Part, split

KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))


def is_view(view, plain, padding):
    """Whether some crop of the padded image, mirrored or not, is the view."""
    padded = np.pad(plain, ((padding, padding), (padding, padding), (0, 0)))
    height, width, _ = plain.shape
    return any(
        np.array_equal(view, padded[top : top + height, left : left + width][:, ::step])
        for top in range(2 * padding + 1)
        for left in range(2 * padding + 1)
        for step in (1, -1)
    )


def pixels(folder, name, view):
    return column(load(name, folder, view_split(view)), "image")


def test_views_are_crops_and_flips_of_the_training_images(npz, tmp_path, small_shards):
    summary = encrypt_dataset(npz, tmp_path / "cloud", KEY, "le", copies=3)
    assert summary.written == 3 * 20 + 5
    plain, cloud = np.load(npz), tmp_path / "cloud"
    info = tfds.builder(summary.name, data_dir=cloud).info
    assert set(info.splits) == {"train", "test", "train_view1", "train_view2"}
    cipher = CIPHERS["le"](KEY, (12, 12, 3))
    views = [cipher.inverse(pixels(cloud, summary.name, v)) for v in range(3)]
    views = [found[:, :10, :10] for found in views]
    assert np.array_equal(views[0], plain["x_train"])
    for found in views[1:]:
        assert all(map(is_view, found, plain["x_train"], [2] * 20))
    assert not np.array_equal(views[1], views[2])
    labels = column(load(summary.name, cloud, "train_view2"), "label")
    assert np.array_equal(labels, plain["y_train"])
    # One that flips alone keeps every image, or mirrors it; and what shards are, what
    # workers, is nothing to the draws.
    run = {"copies": 2, "augment": "flip", "workers": 1}
    encrypt_dataset(npz, tmp_path / "flips", KEY, "identity", **run)
    found = pixels(tmp_path / "flips", "tiny_identity", 1)
    mirrored = [not np.array_equal(*pair) for pair in zip(found, views[0], strict=True)]
    expected = [
        im[:, ::-1] if m else im for im, m in zip(views[0], mirrored, strict=True)
    ]
    assert np.array_equal(found, expected) and 2 < sum(mirrored) < 18
    decrypt_dataset(cloud, tmp_path / "plain", KEY)
    assert np.array_equal(pixels(tmp_path / "plain", "tiny", 0), plain["x_train"])
    assert set(tfds.builder("tiny", data_dir=tmp_path / "plain").info.splits) == {
        *("train", "test")
    }
    # A set under a new key is the one that the source would give.
    reencrypt_dataset(cloud, tmp_path / "next", KEY, OTHER)
    encrypt_dataset(npz, tmp_path / "direct", OTHER, "le", copies=3)
    next_, direct = contents(tmp_path / "next"), contents(tmp_path / "direct")
    shards = [path for path in direct if "tfrecord" in path]
    assert len(shards) == 3 * 5 + 2
    assert all(next_[path] == direct[path] for path in shards)


def test_batches_and_other_splits_are_nothing_to_the_draws():
    x = np.stack(crops(9))
    whole = {"train": [9], "test": [4], "train_view1": [9]}
    parts = {"train": [5, 4], "train_view1": [5, 4], "train_view2": [5, 4]}
    first = Augmentation(KEY, whole, 2, ["crop", "flip"])(x, 13)
    second = Augmentation(KEY, parts, 3, ["crop", "flip"])
    batches = [second(x[n : n + 3], 9 + n) for n in (0, 3, 6)]
    assert np.array_equal(np.concatenate(batches), first)
    assert not np.array_equal(second(x, 18), first)
    assert not np.array_equal(Augmentation(OTHER, whole, 2, ["crop"])(x, 13), first)


@pytest.mark.parametrize("per_image", [False, True])
def test_any_workers_and_interruptions_give_the_same_bytes(
    per_image, npz, tmp_path, small_shards
):
    run = {"copies": 2, "per_image": per_image}
    encrypt_dataset(npz, tmp_path / "whole", KEY, "le", **run, workers=3)

    def stop(done, total):
        if done >= 29:  # within a shard of view 1
            raise KeyboardInterrupt

    for workers in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            encrypt_dataset(
                *(npz, tmp_path / f"w{workers}", KEY, "le"), **run, progress=stop
            )
        with pytest.raises(ManifestError, match="`copies` should be 2.* Received: 3"):
            encrypt_dataset(
                *(npz, tmp_path / f"w{workers}", KEY, "le"), **run | {"copies": 3}
            )
        with pytest.raises(ManifestError, match="`augment` should be .*'crop'"):
            encrypt_dataset(
                *(npz, tmp_path / f"w{workers}", KEY, "le"), **run, augment="flip"
            )
        encrypt_dataset(
            *(npz, tmp_path / f"w{workers}", KEY, "le"), **run, workers=workers
        )
        assert contents(tmp_path / f"w{workers}") == contents(tmp_path / "whole")


def test_each_view_of_an_image_has_a_sub_key_of_its_own(tmp_path):
    """White images, mirrored or not, are equal: their ciphertexts must not be."""
    x = np.full((6, 8, 8, 3), 255, np.uint8)
    np.savez(tmp_path / "white.npz", x_train=x, y_train=np.arange(6) % 2)
    run = {"copies": 3, "augment": ["flip"], "per_image": True}
    encrypt_dataset(tmp_path / "white.npz", tmp_path / "cloud", KEY, "pbe", **run)
    found = np.concatenate(
        [pixels(tmp_path / "cloud", "white_pbe", v) for v in range(3)]
    )
    assert len(np.unique(found, axis=0)) == 18
    run["augment"] = "crop"
    encrypt_dataset(tmp_path / "white.npz", tmp_path / "crops", KEY, "pbe", **run)
    other = np.concatenate(
        [pixels(tmp_path / "crops", "white_pbe", v) for v in range(3)]
    )
    # The same numbers, other pixels: never under the same sub-keys.
    same = found[:, 1:-1, 1:-1] == other[:, 1:-1, 1:-1]
    assert not same.all(axis=(1, 2, 3)).any()


def test_folders_of_classes_of_any_size_from_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    KEY.save("owner.key")
    pictures = {f"{'ab'[n % 2]}/{n}.png": im for n, im in enumerate(crops(7))}
    pictures["a/wide.png"] = crops(1)[0][:7]
    save(tmp_path / "photos", pictures)
    words = "dataset encrypt photos --any-size --hide-labels l.json -q -k owner.key"
    words += " --cipher shuffle --copies 2 --augment crop --out cloud"
    assert tfpe_main(words.split()) == 0
    receipt = read_receipt("photos_shuffle.receipt.json", KEY)
    assert (receipt.copies, receipt.augment) == (2, ["crop"])
    views = (load("photos_shuffle", "cloud", view_split(v)) for v in (0, 1))
    for first, second in zip(*views, strict=True):
        cipher = CIPHERS["shuffle"](KEY, first["image"].shape)
        plain, view = (cipher.inverse(example["image"]) for example in (first, second))
        assert is_view(view, plain, 2) and first["label"] == second["label"]


@pytest.mark.parametrize(
    "arguments, text",
    [
        ({"copies": 0}, "`copies` should be a whole number from 1 up"),
        ({"copies": 2, "augment": "rotate"}, "`augment` should be one of"),
        ({"copies": 2, "augment": ()}, "where `copies` is 2 or more"),
        ({"augment": "crop"}, "nothing where it is 1"),
    ],
)
def test_what_cannot_be_made_is_named(arguments, text, npz, tmp_path):
    with pytest.raises(CipherOptionError, match=text):
        encrypt_dataset(npz, tmp_path / "cloud", KEY, "le", **arguments)
    assert not (tmp_path / "cloud").exists()


def test_sets_without_a_training_split_have_no_views(tmp_path):
    np.savez(tmp_path / "t.npz", x_test=np.zeros((2, 8, 8), np.uint8), y_test=[0, 1])
    with pytest.raises(DatasetError, match="should have a split 'train'"):
        encrypt_dataset(tmp_path / "t.npz", tmp_path / "cloud", KEY, "le", copies=2)


def make_part():
    x = np.random.default_rng(0).integers(0, 256, (23, 8, 8, 3), dtype=np.uint8)
    return Part(x, np.arange(23) % 2, np.arange(23))


def test_fresh_draws_of_training_are_those_of_before():
    """The digest was taken before the crops went to the library."""
    batches = Batches(make_part(), find_recipe("tiny", batch_size=5, flip=True), seed=3)
    digest = hashlib.sha256()
    for batches.epoch in range(3):
        for step in range(len(batches)):
            found, labels = batches[step]
            digest.update(found.tobytes())
            digest.update(np.asarray(labels, np.int64).tobytes())
    assert digest.hexdigest().startswith("8ac4ba2009829a08f655cf6fc09351b5")


def epoch_of(batches, epoch):
    """The images of an epoch in the order of their numbers, one batch of all."""
    batches.epoch = epoch
    return batches[0][0][np.argsort(batches._draw(epoch)[0])]


@pytest.mark.parametrize("order", ["augment_then_encrypt", "encrypt_then_augment"])
def test_a_recipe_of_fixed_views_repeats_them(order):
    part = make_part()
    recipe = find_recipe("tiny", batch_size=23, flip=True, views=3, order=order)
    batches = Batches(part, recipe, 0)
    epochs = [epoch_of(batches, epoch) for epoch in range(5)]
    assert np.array_equal(epochs[0], part.images)
    assert np.array_equal(epochs[3], epochs[0]) and np.array_equal(epochs[4], epochs[1])
    assert len({found.tobytes() for found in epochs}) == 3
    assert not np.array_equal(batches._draw(0)[0], batches._draw(3)[0])  # shuffled anew


def test_training_takes_the_views_of_a_set(npz, tmp_path):
    encrypt_dataset(npz, tmp_path / "cloud", KEY, "le", copies=3)
    found = images.load("tfds:tiny_le", tmp_path / "cloud")
    recipe = find_recipe("tiny", batch_size=15, validation_fraction=0.25, flip=True)
    run = Run(found, recipe, "plain", 0, None, tmp_path / "out", tmp_path / "runs")
    settings = run.settings
    assert settings["views"] == 3 and settings["encrypted_beforehand"]
    assert (settings["crop_padding"], settings["flip"]) == (0, False)
    part = split(found, recipe, 0).train
    batches = Batches(part, run._network_recipe, 0)
    name, cloud = "tiny_le", tmp_path / "cloud"
    for epoch in range(4):
        expected = pixels(cloud, name, epoch % 3)[part.numbers]
        assert np.array_equal(epoch_of(batches, epoch), expected)
    late = find_recipe("tiny", order="encrypt_then_augment", flip=True)
    late = Run(found, late, "plain", 0, None, tmp_path / "out", tmp_path / "runs")
    assert late.settings["flip"] and late.settings["crop_padding"] == 2
    with pytest.raises(RecipeError, match="`views` should be 0"):
        fixed = find_recipe("tiny", views=2)
        Run(found, fixed, "plain", 0, None, tmp_path / "out", tmp_path / "runs")


def test_padding_to_blocks_comes_after_the_crop(npz, tmp_path):
    """Edges are repeated as for every image; no zeros of the crop are put beside."""
    encrypt_dataset(npz, tmp_path / "cloud", KEY, "le", copies=2)
    cipher = CIPHERS["le"](KEY, (12, 12, 3))
    found = cipher.inverse(pixels(tmp_path / "cloud", "tiny_le", 1))
    assert np.array_equal(found, pad_to_blocks(found[:, :10, :10], 4))
