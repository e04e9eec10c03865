"""Photographs of all sizes, modes and formats through the commands, and back."""

import collections
import json

import numpy as np
import pytest
from image_folders import document, load
from photograph_folders import LOSSES, save_photographs
from PIL import Image

from tfpe import Key, Preparation
from tfpe.cli import main
from tfpe.pixels.codec import prepare_image

COUNT = 96  # each of 16 kinds in each of 6 classes


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("real")
    Key(bytes(range(32))).save(root / "owner.key")
    return root


@pytest.fixture(scope="module")
def kinds(folder):
    return save_photographs(folder / "photos", COUNT)


def run(folder, monkeypatch, *arguments):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TFPE_KEY_FILE", "owner.key")
    return main([*arguments])


def target(path):
    return path.rpartition(".")[0] + ".png"


def prepared(folder, kinds, preparation):
    """Output path -> pixels, as a PNG of them is read again."""
    return {
        target(path): np.squeeze(
            prepare_image((folder / "photos" / path).read_bytes(), preparation)[0]
        )
        for path in kinds
    }


@pytest.mark.parametrize("per_image", [[], ["--per-image"]])
def test_as_they_are(folder, kinds, monkeypatch, capsys, per_image):
    out = f"as-they-are{len(per_image)}"
    encrypt = ["encrypt", "--cipher", "pbe", "photos", "-o", out, *per_image]
    assert run(folder, monkeypatch, *encrypt) == 1
    lossy = [path for path, kind in kinds.items() if kind in LOSSES]
    told = capsys.readouterr().err
    assert f"{COUNT - len(lossy)} encrypted, 0 done before, {len(lossy)} failed" in told
    assert run(folder, monkeypatch, "decrypt", out, "-o", f"{out}-back") == 0
    lossless = {path: kind for path, kind in kinds.items() if kind not in LOSSES}
    expected = prepared(folder, lossless, Preparation())
    found = load(folder / f"{out}-back")
    assert sorted(found) == sorted(expected)
    for path, pixels in found.items():
        np.testing.assert_array_equal(pixels, expected[path], err_msg=path)
    assert sum(pixels.ndim == 2 for pixels in found.values()) == COUNT // 16 * 3


def test_prepared(folder, kinds, monkeypatch, capsys):
    ask = ["--size", "32x32", "--rgb", "--convert"]
    encrypt = ["encrypt", "--cipher", "ele", "photos", "-o", "prepared", *ask]
    assert run(folder, monkeypatch, *encrypt) == 0
    losses = collections.Counter(LOSSES[k] for k in kinds.values() if k in LOSSES)
    told = capsys.readouterr().err
    assert f"{COUNT} encrypted" in told
    assert all(f"{word} of {count} image" in told for word, count in losses.items())
    for entry in document(folder / "prepared")["images"]:
        kind = entry["path"].partition("-")[2].removesuffix(".png")
        assert set(entry.get("lost", [])) - {"size"} == {LOSSES.get(kind)} - {None}
    assert run(folder, monkeypatch, "decrypt", "prepared", "-o", "prepared-back") == 0
    preparation = Preparation((32, 32), color="rgb", convert=True)
    expected = prepared(folder, kinds, preparation)
    found = load(folder / "prepared-back")
    assert sorted(found) == sorted(expected)
    for path, pixels in found.items():
        np.testing.assert_array_equal(pixels, expected[path], err_msg=path)


def test_as_a_data_set(folder, kinds, monkeypatch, capsys):
    import tensorflow_datasets as tfds

    encrypt = ["dataset", "encrypt", "photos", "--cipher", "le", "-o", "cloud", "--rgb"]
    assert run(folder, monkeypatch, *encrypt) == 1
    lossy = sum(kind in LOSSES for kind in kinds.values())
    assert f"{lossy} files of the source" in capsys.readouterr().err
    assert run(folder, monkeypatch, *encrypt, "--convert") == 1
    assert "--size" in capsys.readouterr().err and not (folder / "cloud").exists()
    ask = ["--convert", "--size", "24x40", "--fit", "pad"]
    assert run(folder, monkeypatch, *encrypt, *ask) == 0
    secret = tfds.load("photos_le", data_dir=folder / "cloud", split="train")
    assert len(secret) == COUNT
    assert {batch["image"].shape for batch in secret.batch(COUNT)} == {
        (COUNT, 24, 40, 3)
    }
    assert run(folder, monkeypatch, "dataset", "decrypt", "cloud", "-o", "back") == 0
    plain = tfds.load("photos", data_dir=folder / "back", split="train")
    preparation = Preparation((24, 40), "pad", "rgb", convert=True)
    expected = prepared(folder, kinds, preparation).values()
    found = [example["image"] for example in plain.as_numpy_iterator()]
    assert {image.tobytes() for image in found} == {im.tobytes() for im in expected}


def test_the_photographs_are_what_their_kinds_say(folder, kinds):
    for path, kind in kinds.items():
        with Image.open(folder / "photos" / path) as image:
            assert getattr(image, "n_frames", 1) == (
                3 if kind in ("moving", "pages") else 1
            )
            assert (image.mode == "CMYK") == (kind == "cmyk")


def test_new_photographs_are_prepared_alike(folder, kinds, monkeypatch, capsys):
    import keras

    from tfpe import predict

    ask = ["--size", "24x16", "--fit", "stretch", "--rgb", "--convert"]
    encrypt = ["encrypt", "--cipher", "le", "photos", "-o", "classes", *ask]
    assert run(folder, monkeypatch, *encrypt) == 0
    keras.utils.set_random_seed(3)
    layers = [keras.Input((24, 16, 3)), keras.layers.Flatten()]
    model = keras.Sequential([*layers, keras.layers.Dense(6, activation="softmax")])
    model.save(folder / "model.keras")
    capsys.readouterr()
    asked = ["predict", "model.keras", "photos", "--set", "classes", "--json"]
    assert run(folder, monkeypatch, *asked) == 0
    told = json.loads(capsys.readouterr().out)["images"]
    assert [row["image"] for row in told] == sorted(kinds)
    preparation = Preparation((24, 16), "stretch", "rgb", convert=True)
    images = [
        prepare_image((folder / "photos" / path).read_bytes(), preparation)[0]
        for path in sorted(kinds)
    ]
    key = Key.load(folder / "owner.key")
    expected = predict(model, np.stack(images), key, cipher="le")
    found = [list(row["probabilities"].values()) for row in told]
    np.testing.assert_allclose(found, expected, atol=1e-5)
