"""Sources, split, augmentation and encryption of training data. Budget: 20 s."""

import dataclasses
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from tfpe import CIPHERS, Key
from tfpe.errors import DatasetError
from tfpe.files import encrypt_folder
from tfpe.pixels.augmentation import crop_and_flip
from tfpe.pixels.codec import decode_image
from tfpe.pixels.png import encode_png
from training.batches import Batches
from training.encryption import Encryption, encrypt_all
from training.images import ImageSet, load
from training.pipelines import tf_pipeline
from training.recipe import RecipeError
from training.recipes import find_recipe
from training.splits import Part, split

KEY = Key(bytes(range(32)))
RECIPE = find_recipe("tiny", batch_size=8, flip=True)


def make_part(count=40, size=8):
    images = np.random.default_rng(0).integers(0, 256, (count, size, size, 3), np.uint8)
    return Part(images, np.arange(count, dtype=np.int32) % 4, np.arange(count) + 100)


def write_classes(folder, sizes=((8, 8), (8, 8)), classes=("cat", "dog"), count=5):
    random = np.random.default_rng(1)
    for name, size in zip(classes, sizes, strict=True):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            pixels = random.integers(0, 256, (*size, 3), np.uint8)
            (folder / name / f"{number}.png").write_bytes(encode_png(pixels))
    return folder


def write_npz(path, **changes):
    part = make_part(20)
    arrays = {
        **{"x_train": part.images, "y_train": part.labels[:, None]},
        **{"x_test": part.images[:4], "y_test": part.labels[:4]},
    }
    np.savez(path, **(arrays | changes))
    return str(path)


def test_digits_are_real_coloured_and_always_the_same():
    digits, again = load("digits"), load("digits")
    assert digits.x_train.shape == (1437, 32, 32, 3) and len(digits.x_test) == 360
    assert np.array_equal(digits.x_train, again.x_train)
    assert np.unique(digits.y_test, return_counts=True)[1].min() >= 34
    channels = digits.x_train[:50].astype(int)
    assert (channels[..., 0] != channels[..., 1]).mean() > 0.9


def test_folders_and_what_tfpe_encrypt_writes(tmp_path):
    write_classes(tmp_path / "set" / "train")
    write_classes(tmp_path / "set" / "test", count=2)
    plain = load(str(tmp_path / "set"))
    assert plain.class_names == ("cat", "dog")
    assert plain.x_train.shape == (10, 8, 8, 3) and plain.x_test.shape[0] == 4
    paths = [f"{name}/{number}.png" for name in ("cat", "dog") for number in range(5)]
    files = [(tmp_path / "set" / "train" / path).read_bytes() for path in paths]
    assert np.array_equal(plain.x_train, [decode_image(data) for data in files])
    for part in ("train", "test"):
        folder = tmp_path / "set" / part
        encrypt_folder(folder, tmp_path / "out" / part, KEY, cipher="le")
    encrypted = load(str(tmp_path / "out"))
    cipher = CIPHERS["le"](KEY, (8, 8, 3))
    assert np.array_equal(encrypted.x_train, cipher(plain.x_train))
    assert np.array_equal(encrypted.y_test, plain.y_test)


def test_a_folder_without_test_images_is_split_by_class(tmp_path):
    images = load(str(write_classes(tmp_path / "set", count=10)))
    assert len(images.x_train) == 16
    assert np.bincount(images.y_test).tolist() == [2, 2]


def test_npz(tmp_path):
    images = load(write_npz(tmp_path / "mine.npz"))
    assert (images.name, images.source, len(images.class_names)) == ("mine", "npz", 4)
    assert images.y_train.shape == (20,)


def test_checksums_tell_sets_of_one_name_apart(tmp_path):
    images = load(write_npz(tmp_path / "mine.npz"))
    assert images.checksum == load(write_npz(tmp_path / "mine.npz")).checksum
    for name in ("x_train", "y_train", "x_test", "y_test"):
        changed = dataclasses.replace(images, **{name: getattr(images, name)[::-1]})
        assert changed.checksum != images.checksum


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y_train": np.full(20, -1)}, "Labels"),
        ({"y_train": np.eye(20, 4, dtype=int)}, "one for each image"),
        ({"y_train": np.zeros(20)}, "whole numbers"),
        ({"y_train": np.arange(20) % 2}, "none of \\[2, 3\\]"),
        ({"y_train": np.zeros(19, int)}, "one for each image"),
        ({"x_test": np.zeros((4, 9, 8, 3), np.uint8)}, "one size"),
        ({"x_train": np.zeros((20, 8, 8, 3), np.float32)}, "uint8"),
        ({"x_train": np.zeros((20, 8, 8, 4), np.uint8)}, "one size"),
        ({"x_train": np.zeros((0, 8, 8, 3), np.uint8)}, "one or more"),
        ({"x_train": np.zeros((20, 0, 0, 3), np.uint8)}, "one or more"),
        ({"y_train": np.arange(20) % 4 + 2**32}, "below"),
        ({"x_train": np.uint8(0)}, "uint8"),
    ],
)
def test_npz_files_that_do_not_fit(tmp_path, change, message):
    with pytest.raises(DatasetError, match=message):
        load(write_npz(tmp_path / "bad.npz", **change))


def test_sources_that_do_not_fit(tmp_path):
    (tmp_path / "torn.npz").write_bytes(b"PK")
    write_classes(tmp_path / "mixed", sizes=((8, 8), (8, 9)))
    write_classes(tmp_path / "empty")
    (tmp_path / "empty" / "emu").mkdir()
    write_classes(tmp_path / "torn")
    (tmp_path / "torn" / "cat" / "0.png").write_bytes(b"no image")
    np.savez(tmp_path / "part.npz", x_train=np.zeros(1))
    for source, message in {
        "imagenet": "`dataset` should be",
        str(tmp_path / "absent.npz"): "Cannot read",
        str(tmp_path / "torn.npz"): "Cannot read",
        str(tmp_path / "part.npz"): "labels of every split",
        str(tmp_path / "mixed"): "one size",
        str(tmp_path / "empty"): "emu: It holds no images",
        str(tmp_path / "torn"): "cat/0.png: .*whole",
    }.items():
        with pytest.raises(DatasetError, match=message):
            load(source)


def test_split_is_stratified_seeded_and_whole():
    part = make_part(200)
    images = ImageSet("set", *part[:2], *part[:2], tuple("abcd"), "npz")
    train, validation, test = split(images, RECIPE, 0)
    assert np.bincount(validation.labels).tolist() == [5, 5, 5, 5]
    together = np.sort(np.concatenate([train.numbers, validation.numbers]))
    assert np.array_equal(together, np.arange(200))
    assert np.array_equal(test.numbers, np.arange(200, 400))
    assert np.array_equal(split(images, RECIPE, 0).train.numbers, train.numbers)
    assert not np.array_equal(split(images, RECIPE, 1).train.numbers, train.numbers)
    few = split(images, find_recipe("tiny", train_images=36), 0)
    assert (len(few.train.labels), len(few.validation.labels)) == (36, 4)
    with pytest.raises(DatasetError, match="train_images"):
        split(images, find_recipe("tiny", train_images=190), 0)


def test_batches_depend_on_seed_epoch_and_image_alone():
    part = make_part()
    batches, again = Batches(part, RECIPE, 3), Batches(part, RECIPE, 3)
    batches.epoch = again.epoch = 5
    list(batches)  # what was read before makes no difference
    for ours, theirs in zip(batches[2], again[2], strict=True):
        assert np.array_equal(ours, theirs)
    first = batches[0][0]
    batches.epoch = 6
    assert not np.array_equal(batches[0][0], first)
    labels = np.concatenate([labels for _, labels in batches])
    assert np.array_equal(np.sort(labels), np.sort(part.labels))  # each image once


def test_the_next_batch_is_prepared_on_another_thread(monkeypatch):
    part, threads, found = make_part(), [], {}

    def seen(*arguments):
        threads.append(threading.current_thread())
        return crop_and_flip(*arguments)

    monkeypatch.setattr("training.batches.crop_and_flip", seen)
    batches = Batches(part, RECIPE, 3)
    for batches.epoch in range(2):
        for step in range(len(batches)):
            found[batches.epoch, step] = batches[step]
    here = [thread is threading.current_thread() for thread in threads]
    # The first of an epoch here; nothing is prepared twice.
    assert here == ([True] + [False] * (len(batches) - 1)) * 2
    for (epoch, step), batch in found.items():
        alone = Batches(part, RECIPE, 3)
        alone.epoch = epoch
        for one, other in zip(batch, alone[step], strict=True):
            assert np.array_equal(one, other)


def test_crops_and_flips_are_those_of_a_loop():
    images = make_part(6).images
    random = np.random.default_rng(2)
    offsets, flips = random.integers(0, 5, (6, 2)), random.random(6) < 0.5
    found = crop_and_flip(images, offsets, flips, 2)
    for image, (top, left), flip, crop in zip(
        images, offsets, flips, found, strict=True
    ):
        padded = np.pad(image, ((2, 2), (2, 2), (0, 0)))[top : top + 8, left : left + 8]
        assert np.array_equal(crop, padded[:, ::-1] if flip else padded)


def test_order_of_augmentation_and_encryption():
    part = make_part()
    encryption = Encryption(KEY, "shuffle")
    cipher = CIPHERS["shuffle"](KEY, (8, 8, 3))
    plain = Batches(part, RECIPE, 0)[0][0]
    owner = Batches(part, RECIPE, 0, encryption)[0][0]
    assert np.array_equal(owner, cipher(plain))
    late = find_recipe("tiny", batch_size=8, flip=True, order="encrypt_then_augment")
    cloud = Batches(part, late, 0, encryption)[0][0]
    encrypted = Batches(part._replace(images=cipher(part.images)), late, 0)[0][0]
    assert np.array_equal(cloud, encrypted) and not np.array_equal(cloud, owner)


@pytest.mark.parametrize("cipher", ["pbe", "le", "logistic"])
def test_an_image_keeps_its_key_in_every_view(cipher):
    part = make_part(16)
    encryption = Encryption(KEY, cipher, per_image=True)
    for epoch in (0, 1):
        plain, secret = Batches(part, RECIPE, 0), Batches(part, RECIPE, 0, encryption)
        plain.epoch = secret.epoch = epoch
        order = plain._draw(epoch)[0]
        for step in range(2):
            numbers = part.numbers[order[8 * step : 8 * step + 8]]
            for image, found, number in zip(
                plain[step][0], secret[step][0], numbers, strict=True
            ):
                key = KEY.for_image(int(number))
                assert np.array_equal(CIPHERS[cipher](key, (8, 8, 3))(image), found)


def test_images_are_padded_to_blocks():
    encryption = Encryption(KEY, "etc")
    part = make_part(3, size=9)
    found = encrypt_all(encryption, part.images, part.numbers, batch_size=2)
    assert found.shape[1:] == encryption.output_shape((9, 9, 3))
    assert found.shape[1] % CIPHERS["etc"].block_size() == 0
    assert encrypt_all(None, part.images, part.numbers) is part.images


def test_tf_data_gives_the_same_batches():
    part = make_part()
    for encryption in (None, Encryption(KEY, "ele")):
        plain, encrypted = (
            Batches(part, RECIPE, 0),
            Batches(part, RECIPE, 0, encryption),
        )
        dataset = tf_pipeline(plain, encryption)
        for epoch in (0, 1):
            plain.epoch = encrypted.epoch = epoch
            pairs = zip(dataset.as_numpy_iterator(), encrypted, strict=True)
            for theirs, ours in pairs:
                assert all(map(np.array_equal, theirs, ours))


def test_strong_augmentation():
    layers = pytest.importorskip("keras_cv.layers", reason="keras-cv is not installed")
    assert layers.RandAugment
    part = make_part()
    one_hot = np.eye(4, dtype=np.float32)[part.labels]
    for strong in ("randaugment", "cutmix", "mixup", "gridmask"):
        plain = Batches(part, RECIPE, 0, labels=one_hot)
        pipeline = tf_pipeline(plain, Encryption(KEY, "le"), strong)
        images, labels = next(iter(pipeline.as_numpy_iterator()))
        assert images.dtype == np.uint8 and images.shape == (8, 8, 8, 3)
        assert np.allclose(labels.sum(axis=1), 1)


def test_shards_share_out_every_batch():
    part = make_part()
    whole = Batches(part, RECIPE, 0)
    halves = [Batches(part, RECIPE, 0, shard=(n, 2)) for n in range(2)]
    for step in range(len(whole)):
        images = whole[step][0]
        for n, half in enumerate(halves):
            assert np.array_equal(half[step][0], images[n::2])


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 0},
        {"milestones": (0.75, 0.5)},
        {"milestones": (0.5, 1.5)},
        {"learning_rate": 0},
        {"learning_rate": float("nan")},
        {"validation_fraction": 1},
        {"shakedrop": 1},
        {"alpha": -1},
        {"order": "never"},
        {"strategy": "cloud"},
        {"strong": "cutmix"},
        {"encrypt_in": "model", "order": "encrypt_then_augment"},
        {"encrypt_in": "tf.data", "order": "encrypt_then_augment"},
    ],
)
def test_recipes_that_do_not_fit(change):
    with pytest.raises(RecipeError, match="Received"):
        find_recipe("tiny", **change)
    with pytest.raises(RecipeError, match="recipe"):
        find_recipe("huge")


def test_cifar_through_tfds(cifar_directory):
    images = load("cifar10", cifar_directory)
    assert images.x_train.shape == (50000, 32, 32, 3)
    assert np.bincount(images.y_train).tolist() == [5000] * 10
    assert len(images.x_test) == 10000 and "ship" in images.class_names


def test_a_tfds_set_of_any_name(tmp_path):
    tf = pytest.importorskip("tensorflow")
    tfds = pytest.importorskip("tensorflow_datasets")
    gray = make_part(30).images[..., :1]

    features = {
        "image": tfds.features.Image(shape=(8, 8, 1)),
        "label": tfds.features.ClassLabel(names=["no", "yes"]),
    }
    examples = {"image": gray, "label": np.arange(30) % 2}
    tfds.dataset_builders.store_as_tfds_dataset(
        name="tiny_gray",
        version="1.0.0",
        data_dir=tmp_path,
        split_datasets={"train": tf.data.Dataset.from_tensor_slices(examples)},
        features=tfds.features.FeaturesDict(features),
    )
    images = load("tfds:tiny_gray", tmp_path)
    assert images.class_names == ("no", "yes") and images.source == "tfds"
    assert images.x_train.shape == (24, 8, 8, 3) and len(images.x_test) == 6
    found = np.concatenate([images.x_train, images.x_test])
    assert (found[..., 0] == found[..., 2]).all()
    assert sorted(map(bytes, found[..., 0])) == sorted(map(bytes, gray[..., 0]))


def test_an_unknown_tfds_set():
    with pytest.raises(DatasetError, match="TFDS cannot prepare"):
        load("tfds:no_such_set")


def test_no_encryption_is_pickled_or_printed():
    encryption = Encryption(KEY, "le")
    with pytest.raises(TypeError, match="pickled"):
        SimpleNamespace(e=encryption).e.__reduce_ex__(2)
    assert bytes(range(32)).hex() not in repr(encryption)
