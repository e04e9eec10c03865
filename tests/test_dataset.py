"""Encrypted data sets: what TFDS reads, and the way back."""

import hashlib

import numpy as np
import pytest
import tensorflow_datasets as tfds
from image_folders import CHINA, contents, crops, save
from key_arrays import BYTES
from PIL import Image

from tfpe import CIPHERS, Key, Preparation
from tfpe.dataset import decrypt_dataset, encrypt_dataset, reencrypt_dataset
from tfpe.dataset.tfds_sets import check_features
from tfpe.errors import (
    CipherOptionError,
    DatasetError,
    ManifestError,
    OutputError,
    WrongKeyError,
)
from tfpe.pixels.padding import pad_to_blocks

KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))
SLOW = pytest.mark.slow


def load(name, data_dir, split="train"):
    """All examples of a split, in the order of the files."""
    config = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
    found = tfds.load(name, data_dir=data_dir, split=split, read_config=config)
    return list(found.as_numpy_iterator())


def column(examples, name):
    return np.stack([example[name] for example in examples])


@pytest.mark.parametrize("name", BYTES)
def test_tfds_reads_what_was_encrypted_and_decryption_gives_it_back(
    name, npz, tmp_path
):
    summary = encrypt_dataset(npz, tmp_path / "cloud", KEY, name)
    assert (summary.name, summary.written, summary.skipped) == (f"tiny_{name}", 25, 0)
    examples = load(summary.name, tmp_path / "cloud")
    plain = np.load(npz)
    padded = pad_to_blocks(plain["x_train"], CIPHERS[name].block_size())
    expected = CIPHERS[name](KEY, padded.shape[1:])(padded)
    assert np.array_equal(column(examples, "image"), expected)
    assert np.array_equal(column(examples, "label"), plain["y_train"])
    decrypt_dataset(tmp_path / "cloud", tmp_path / "plain", KEY)
    for split in ("train", "test"):
        examples = load("tiny", tmp_path / "plain", split)
        assert np.array_equal(column(examples, "image"), plain[f"x_{split}"])
        labels = plain[f"y_{split}"].ravel()
        assert np.array_equal(column(examples, "label"), labels)


@pytest.mark.parametrize("dtype", [None, np.uint8, np.dtype("uint8")])
def test_images_of_sets_that_tfds_has_code_for_fit(dtype):
    """Such as cifar10: TFDS then keeps the class uint8, no dtype of that name."""
    image = tfds.features.Image(shape=(32, 32, 3), dtype=dtype)
    features = tfds.features.FeaturesDict({"image": image})
    check_features(features, "cifar10")
    with pytest.raises(DatasetError, match="uint16 with 1 or 3 channels"):
        check_features(features, "cifar10", depth=16)


def view(number):
    """A crop of a size of its own."""
    return CHINA[: 9 + number, number : 30 + 2 * number]


def test_a_set_of_tfds_comes_back_with_all_of_its_features(tmp_path, small_shards):
    """The plain set that decryption writes is an ordinary one: shards, ids, names."""
    features = tfds.features.FeaturesDict(
        {
            "id": tfds.features.Text(),
            "image": tfds.features.Image(shape=(None, None, 3), encoding_format="jpeg"),
            "label": tfds.features.ClassLabel(names=["sky", "water"]),
        }
    )
    source = tfds.dataset_builders.store_as_tfds_dataset(
        name="views",
        version="2.1.0",
        data_dir=tmp_path / "source",
        features=features,
        disable_shuffling=True,
        split_datasets={
            "train": [
                (n, {"id": f"v{n}", "image": view(n), "label": n % 2})
                for n in range(12)
            ]
        },
    )
    assert source.info.features["image"].shape == (None, None, 3)
    run = {"data_dir": tmp_path / "source", "per_image": True}
    with pytest.raises(DatasetError, match="size varies"):
        encrypt_dataset("tfds:views", tmp_path / "cloud", KEY, "le", **run)
    run |= {"any_size": True}
    encrypt_dataset("tfds:views", tmp_path / "cloud", KEY, "le", **run)
    decrypt_dataset(tmp_path / "cloud", tmp_path / "plain", KEY)
    before, after = (
        load("views", tmp_path / "source"),
        load("views", tmp_path / "plain"),
    )
    assert len(before) == 12
    for a, b in zip(before, after, strict=True):
        assert a.keys() == b.keys() and a["id"] == b["id"]
        assert np.array_equal(a["image"], b["image"]) and a["label"] == b["label"]
    info = tfds.builder("views:2.1.0", data_dir=tmp_path / "plain").info
    assert info.features["label"].names == ["sky", "water"]
    hidden = encrypt_dataset(
        *("tfds:views", tmp_path / "hidden", KEY, "le"),
        hide_labels=tmp_path / "labels.json",
        data_dir=tmp_path / "source",
        preparation=Preparation((9, 7), color="gray"),
    )
    decrypt_dataset(
        *(tmp_path / "hidden", tmp_path / "small", KEY), labels=tmp_path / "labels.json"
    )
    expected = [Preparation((9, 7), color="gray").apply(a["image"]) for a in before]
    assert np.array_equal(column(load("views", tmp_path / "small"), "image"), expected)
    assert "id" not in load(hidden.name, tmp_path / "hidden")[0]


def test_class_folders_and_hidden_labels(tmp_path):
    images = {
        f"{'ant' if n % 3 else 'bee'}/{n}.png": im for n, im in enumerate(crops(9))
    }
    plain, file = save(tmp_path / "zoo", images), tmp_path / "labels.json"
    run = {"hide_labels": file, "per_image": True}
    name = encrypt_dataset(plain, tmp_path / "cloud", KEY, "pbe", **run).name
    assert file.stat().st_mode & 0o777 == 0o600
    texts = [d for p, d in contents(tmp_path / "cloud").items() if ".tfrecord" not in p]
    assert len(texts) == 3 and not [d for d in texts if b"bee" in d or b"ant" in d]
    info = tfds.builder(name, data_dir=tmp_path / "cloud").info
    assert info.features["label"].names == ["0", "1"]
    with pytest.raises(ManifestError, match="labels"):
        decrypt_dataset(tmp_path / "cloud", tmp_path / "plain", KEY)
    decrypt_dataset(tmp_path / "cloud", tmp_path / "plain", KEY, labels=file)
    again = load("zoo", tmp_path / "plain")
    # Not class after class: such an order would tell what the numbers hide.
    order = sorted(
        images, key=lambda p: hashlib.sha256((plain / p).read_bytes()).digest()
    )
    assert np.array_equal(column(again, "image"), [images[path] for path in order])
    labels = [int(path.startswith("bee")) for path in order]
    assert column(again, "label").tolist() == labels != sorted(labels)


@pytest.mark.parametrize("name", ["b\nc", " ", " b", "b\r", "b\udcff"])
def test_classes_that_tfds_cannot_name(name, tmp_path):
    images = crops(2)
    plain = save(tmp_path / "zoo", {f"a/{n}.png": im for n, im in enumerate(images)})
    (plain / name).mkdir()
    (plain / "a" / "1.png").rename(plain / name / "1.png")
    with pytest.raises(DatasetError, match="one line of text"):
        encrypt_dataset(plain, tmp_path / "cloud", KEY, "le")


def test_reencryption_does_not_write_among_what_it_reads(npz, tmp_path):
    encrypt_dataset(npz, tmp_path / "cloud", KEY, "ele")
    for read, out in (
        ("cloud", "cloud"),
        ("cloud/tiny_ele", "cloud/tiny_ele/1.0.0"),
    ):
        with pytest.raises(OutputError, match="outside"):
            reencrypt_dataset(tmp_path / read, tmp_path / out, KEY, OTHER, "pbe")


def test_a_set_that_tfds_would_misread_gets_a_name_of_its_own(tmp_path):
    # TFDS's own cifar10 has an `id`, which a .npz of that name has not.
    images, labels = crops(4), np.arange(4) % 2
    np.savez(tmp_path / "cifar10.npz", x_train=np.stack(images), y_train=labels)
    encrypt_dataset(tmp_path / "cifar10.npz", tmp_path / "cloud", KEY, "le")
    summary = decrypt_dataset(tmp_path / "cloud", tmp_path / "plain", KEY)
    assert summary.name == "cifar10_decrypted"
    again = load("cifar10_decrypted", tmp_path / "plain")
    assert np.array_equal(column(again, "image"), np.stack(images))


def test_training_reads_an_encrypted_set(npz, tmp_path):
    training = pytest.importorskip("training.images")
    encrypt_dataset(npz, tmp_path / "cloud", KEY, "le")
    found = training.load("tfds:tiny_le", tmp_path / "cloud")
    assert found.x_train.shape == (20, 12, 12, 3) and found.class_names == tuple("012")


def test_reencryption_gives_what_encryption_with_the_new_key_gives(npz, tmp_path):
    encrypt_dataset(npz, tmp_path / "old", KEY, "ele")
    encrypt_dataset(npz, tmp_path / "direct", OTHER, "le")
    reencrypt_dataset(tmp_path / "old", tmp_path / "new", KEY, OTHER, "le")
    new, direct = contents(tmp_path / "new"), contents(tmp_path / "direct")
    shards = [path for path in direct if "tfrecord" in path]
    assert len(shards) == 2
    assert [new[path] for path in shards] == [direct[path] for path in shards]
    with pytest.raises(WrongKeyError):
        decrypt_dataset(tmp_path / "new", tmp_path / "plain", KEY)


def test_images_of_two_sets_share_no_sub_key(tmp_path, monkeypatch):
    """The first image of all sets is the same, and its ciphertext never."""
    monkeypatch.chdir(tmp_path)
    blank = np.zeros((2, 8, 8, 3), np.uint8)
    np.savez("one.npz", x_train=blank, y_train=[0, 1])
    np.savez("two.npz", x_train=blank, y_train=[0, 0])
    run = {"key": KEY, "cipher": "keystream", "per_image": True}
    encrypt_dataset("one.npz", "a", **run)
    encrypt_dataset("one.npz", "b", **run)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    encrypt_dataset("one.npz", "c", name="other", **run)
    encrypt_dataset("two.npz", "d", name="one_keystream", **run)
    reencrypt_dataset("a", "e", KEY, OTHER)
    folders = {"a": "one_keystream", "c": "other", "d": "one_keystream"}
    sets = [load(name, folder) for folder, name in folders.items()]
    sets.append(load("one_keystream", "e"))
    images = [example["image"] for examples in sets for example in examples]
    assert len({image.tobytes() for image in images}) == len(images) == 8
    for folder, key in (("a", KEY), ("c", KEY), ("d", KEY), ("e", OTHER)):
        decrypt_dataset(folder, f"plain-{folder}", key)
        [name] = [path.name for path in (tmp_path / f"plain-{folder}").iterdir()]
        assert not column(load(name, f"plain-{folder}"), "image").any()


def test_the_manifest_tells_the_cipher_and_nothing_secret(npz, tmp_path):
    encrypt_dataset(npz, tmp_path / "cloud", KEY, "le", block_size=2)
    manifest = tfds.builder("tiny_le", data_dir=tmp_path / "cloud").info.metadata[
        "tfpe"
    ]
    assert (manifest["cipher"], manifest["options"]["block_size"]) == ("le", 2)
    assert manifest["key_fingerprint"] == KEY.fingerprint
    for data in contents(tmp_path / "cloud").values():
        assert bytes(range(32)) not in data and bytes(range(32)).hex().encode() not in (
            data
        )


WRONG = {
    "other key": ({"key": OTHER}, WrongKeyError),
    "other cipher, same name": ({"cipher": "pbe", "name": "tiny_le"}, ManifestError),
    "other options": ({"block_size": 2}, ManifestError),
    "keys for each image": ({"per_image": True}, ManifestError),
    "unknown cipher": ({"cipher": "rot13"}, CipherOptionError),
    "unknown option": ({"rounds": 3}, CipherOptionError),
    "unknown source": ({"source": "nothing.at.all"}, DatasetError),
    "missing file": ({"source": "missing.npz"}, DatasetError),
    "unknown set": ({"source": "tfds:no_such_set_1234"}, DatasetError),
    "name of TFDS": ({"name": "cifar10"}, OutputError),
    "bad name": ({"name": "Tiny LE"}, DatasetError),
    "unknown feature": ({"drop": ["colour"]}, DatasetError),
    "folder in itself": ({"source": "zoo", "out": "zoo/cloud"}, OutputError),
    "labels in the open": ({"hide_labels": "cloud/labels.json"}, OutputError),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_use(name, npz, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    encrypt_dataset("tiny.npz", "cloud", KEY, "le")
    before = contents(tmp_path / "cloud")
    save(tmp_path / "zoo", {"a/1.png": CHINA[:9, :9]})
    change, error = WRONG[name]
    arguments = {"source": "tiny.npz", "out": "cloud", "key": KEY, "cipher": "le"}
    with pytest.raises(error):
        encrypt_dataset(**(arguments | change))
    assert contents(tmp_path / "cloud") == before
    again = encrypt_dataset(**arguments)
    assert (again.written, again.skipped) == (0, 25)


@pytest.mark.parametrize("out", ["cloud", "cloud/plain", "cloud/tiny_le/1.0.0/plain"])
def test_plain_images_do_not_get_among_encrypted_ones(out, npz, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    encrypt_dataset("tiny.npz", "cloud", KEY, "le")
    before = contents(tmp_path / "cloud")
    for path in ("cloud", "cloud/tiny_le/1.0.0"):
        with pytest.raises(OutputError, match="outside"):
            decrypt_dataset(path, out, KEY)
    assert contents(tmp_path / "cloud") == before


def test_a_source_that_changed_meanwhile_is_refused(npz, tmp_path):
    encrypt_dataset(npz, tmp_path / "cloud", KEY, "le")
    np.savez(npz, x_train=crops(3), y_train=np.arange(3))
    with pytest.raises(ManifestError, match="source"):
        encrypt_dataset(npz, tmp_path / "cloud", KEY, "le")


@pytest.mark.parametrize(
    "arrays",
    [
        {"x_train": crops(3).astype(np.float32), "y_train": np.arange(3)},
        {"x_train": crops(3), "y_train": np.arange(2)},
        {"x_train": crops(3), "y_train": np.arange(3) - 1},
        {"x_train": crops(3), "y_train": np.array([0, 1, 2**62])},
        {"x_train": crops(3)},
        {"images": crops(3)},
    ],
    ids=[
        "floats",
        "few labels",
        "negative labels",
        "huge labels",
        "no labels",
        "other names",
    ],
)
def test_arrays_that_do_not_fit(arrays, tmp_path):
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(DatasetError):
        encrypt_dataset(tmp_path / "bad.npz", tmp_path / "cloud", KEY)
    assert not (tmp_path / "cloud").exists()


@SLOW
def test_cifar10(cifar_directory, tmp_path):
    """Real data: every test image, and the train images before them."""
    name = encrypt_dataset("cifar10", tmp_path, KEY, data_dir=cifar_directory).name
    plain, secret = (
        load("cifar10", cifar_directory, "test"),
        load(name, tmp_path, "test"),
    )
    ids = [example["id"] for example in plain]
    assert ids == [example["id"] for example in secret]
    images = CIPHERS["ele"](KEY, (32, 32, 3))(column(plain, "image"))
    assert np.array_equal(column(secret, "image"), images)


def test_images_of_several_kinds_are_refused(tmp_path):
    save(tmp_path / "mixed", {"a/1.png": CHINA[:9, :9], "b/2.png": CHINA[:9, :9, 0]})
    with pytest.raises(DatasetError, match="`color` .* 1 gray and 1 RGB"):
        encrypt_dataset(tmp_path / "mixed", tmp_path / "cloud", KEY)
    Image.fromarray(CHINA[:9, :9]).save(tmp_path / "mixed/lonely.png")
    with pytest.raises(DatasetError, match="lonely.png"):
        encrypt_dataset(tmp_path / "mixed", tmp_path / "cloud", KEY)
