"""Data sets of folders as people have them: sizes, kinds, files that are no images."""

import json

import numpy as np
import pytest
import tensorflow_datasets as tfds
from image_folders import CHINA, FLOWER, save
from PIL import Image

from tfpe import CIPHERS, Key, Preparation
from tfpe.cli import main
from tfpe.dataset import decrypt_dataset, encrypt_dataset, reencrypt_dataset
from tfpe.errors import DatasetError, ManifestError, SourceFilesError
from tfpe.manifests.set_manifest import read_manifest

KEY, NEW_KEY = Key(bytes(range(32))), Key(bytes(32))
PHOTOS = {
    "bee/1.png": CHINA[:20, :30],
    "bee/2.png": CHINA[9:39, 5:35],
    "ant/3.png": FLOWER[:30, :20],
    "ant/gray.png": FLOWER[:44, :31, 1],
}


def images_of(name, data_dir, split="train"):
    ds = tfds.load(name, data_dir=data_dir, split=split)
    return [example["image"] for example in ds.as_numpy_iterator()]


@pytest.fixture
def zoo(tmp_path):
    return save(tmp_path / "zoo", PHOTOS)


def test_several_sizes_are_counted_and_refused(zoo, tmp_path):
    (zoo / "ant/gray.png").unlink()
    save(zoo, {"bee/4.png": CHINA[:20, :30]})
    with pytest.raises(DatasetError, match="`size` makes them .* 3 sizes .*20x30 .2"):
        encrypt_dataset(zoo, tmp_path / "cloud", KEY)
    assert not (tmp_path / "cloud").exists()
    done = encrypt_dataset(zoo, tmp_path / "cloud", KEY, any_size=True)
    assert done.written == 4
    name = decrypt_dataset(tmp_path / "cloud", tmp_path / "again", KEY).name
    shapes = {image.shape for image in images_of(name, tmp_path / "again")}
    assert shapes == {(20, 30, 3), (30, 30, 3), (30, 20, 3)}


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("color", ["gray", "rgb"])
def test_one_size_in_and_out(fit, color, zoo, tmp_path):
    preparation = Preparation((12, 14), fit, color)
    cloud, again = tmp_path / "cloud", tmp_path / "again"
    done = encrypt_dataset(zoo, cloud, KEY, "pbe", preparation=preparation)
    assert done.lost == {"colors": 3, "size": 4} if color == "gray" else {"size": 4}
    manifest = read_manifest(cloud / "zoo_pbe/1.0.0", KEY)
    assert Preparation.from_json(manifest["preparation"]) == preparation
    assert manifest["lost"] == done.lost
    assert decrypt_dataset(cloud, again, KEY).written == 4
    plain, secret = images_of("zoo", again), images_of("zoo_pbe", cloud)
    expected = {
        preparation.apply(pixels.reshape(*pixels.shape[:2], -1)).tobytes()
        for pixels in PHOTOS.values()
    }
    assert {image.tobytes() for image in plain} == expected
    transform = CIPHERS["pbe"](KEY, preparation.shape((1, 1, 3)))
    assert np.array_equal(transform(np.stack(plain)), np.stack(secret))
    # The same call is done before; another preparation is another set.
    assert encrypt_dataset(zoo, cloud, KEY, "pbe", preparation=preparation).written == 0
    with pytest.raises(ManifestError, match="preparation"):
        other = Preparation((12, 14), fit if fit == "pad" else "pad", color, True)
        encrypt_dataset(zoo, cloud, KEY, "pbe", preparation=other)
    # Anew under another key, it is still told how the images were prepared.
    reencrypt_dataset(cloud, tmp_path / "next", KEY, NEW_KEY)
    anew = read_manifest(tmp_path / "next/zoo_pbe/1.0.0", NEW_KEY)
    assert (anew["preparation"], anew["lost"]) == (preparation.to_json(), done.lost)


def test_arrays_are_prepared_too(npz, tmp_path):
    preparation = Preparation((4, 6), "pad", "gray")
    cloud, again = tmp_path / "cloud", tmp_path / "again"
    done = encrypt_dataset(npz, cloud, KEY, "etc", preparation=preparation)
    assert done.lost == {"size": 25, "colors": 25}
    decrypt_dataset(cloud, again, KEY)
    pixels = np.load(npz)["x_test"]
    expected = [preparation.apply(image) for image in pixels]
    assert np.array_equal(images_of("tiny", again, "test"), expected)
    with pytest.raises(DatasetError, match="files in folders"):
        convert = Preparation(convert=True)
        encrypt_dataset(npz, tmp_path / "other", KEY, preparation=convert)


def test_all_bad_files_are_told_at_once(zoo, tmp_path, capsys):
    KEY.save(tmp_path / "owner.key")
    Image.fromarray(CHINA[:9, :9]).convert("CMYK").save(zoo / "ant/print.tif")
    Image.fromarray(CHINA[:9, :9]).save(zoo / "lonely.png")
    (zoo / "bee/cut.jpg").write_bytes(b"\xff\xd8\xff")
    (zoo / "bee/scan.mha").write_bytes(b"")
    (zoo / "README.txt").write_text("a zoo")
    (zoo / "emu").mkdir()
    bad = ["ant/print.tif", "bee/cut.jpg", "bee/scan.mha", "emu", "lonely.png"]
    with pytest.raises(SourceFilesError, match="and 4 more") as caught:
        encrypt_dataset(zoo, tmp_path / "cloud", KEY)
    assert [path for path, _ in caught.value.problems] == bad
    run = ["dataset", "encrypt", str(zoo), "--cipher", "le", "--rgb", "-q"]
    run += ["-k", str(tmp_path / "owner.key"), "-o", str(tmp_path / "cloud")]
    assert main(run) == 1
    told = capsys.readouterr().err
    assert all(f"tfpe: {path}: " in told for path in bad) and "5 files of" in told
    assert "--convert takes them" in told and "=True" not in told and "`" not in told
    assert not (tmp_path / "cloud").exists()
    for path in ("lonely.png", "bee/cut.jpg"):
        (zoo / path).unlink()
    run += ["--size", "8x12", "--convert", "--skip-others", "--json"]
    assert main(run) == 0
    out, told = capsys.readouterr()
    assert json.loads(out)["lost"] == {"cmyk": 1, "size": 5}
    assert "Lost for good" in told
    shapes = {image.shape for image in images_of("zoo_le", tmp_path / "cloud")}
    assert shapes == {(8, 12, 3)}
