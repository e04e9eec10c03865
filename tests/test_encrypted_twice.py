"""What tfpe has encrypted is noticed before it is encrypted once more."""

import pathlib
import shutil

import pytest
from image_folders import CHINA, contents, load, save

from tfpe import Key
from tfpe.cli import main
from tfpe.dataset import decrypt_dataset, encrypt_dataset
from tfpe.errors import AlreadyEncryptedError, ManifestError
from tfpe.files import decrypt_folder, encrypt_folder
from tfpe.files.already_encrypted import find_encrypted
from tfpe.files.paths import folders_above

KEY = Key(bytes(range(32)))
PLAIN = {f"{c}/{n}.png": CHINA[n : n + 8, :8] for c in ("cat", "dog") for n in range(2)}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """all/once, encrypted, in a working folder with its key."""
    monkeypatch.chdir(tmp_path)
    KEY.save("owner.key")
    encrypt_folder(save(tmp_path / "photos", PLAIN), "all/once", KEY, "le")
    return tmp_path


def test_wherever_the_manifest_lies(folder, capsys):
    (folder / "link").symlink_to("all/once")
    (folder / "elsewhere.png").symlink_to("all/once/cat/0.png")
    for source in (
        *("all/once", "all", "all/once/cat", "all/once/cat/0.png", "link", "link/dog"),
        *(".", "elsewhere.png"),
    ):
        command = ["encrypt", "-q", "-k", "owner.key", "--cipher", "pbe", source]
        assert main([*command, "-o", str(folder / "../twice")]) == 1
        told = capsys.readouterr().err
        assert "manifest.json lists as encrypted" in told and "--again" in told
    assert not (folder / "../twice").exists()


def test_plain_images_pass(folder):
    """Beside an encrypted folder, in one, decrypted ones, those of other manifests."""
    save(folder / "all/once/new", {"plain.png": CHINA[:8, :8]})
    decrypt_folder("all/once", "decrypted", KEY)
    (folder / "decrypted/manifest.json").write_text('{"name": "an app", "icons": []}')
    for source in ("photos", "all/once/new", "decrypted", "photos/cat/0.png"):
        assert not encrypt_folder(source, "out-" + source[:3], KEY, "pbe").failed


def test_an_interrupted_encryption_counts_and_a_damaged_manifest_is_named(folder):
    def stop(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encrypt_folder("photos", "half", KEY, "le", progress=stop)
    with pytest.raises(AlreadyEncryptedError, match="manifest.journal"):
        encrypt_folder("half", "twice", KEY)
    manifest = folder / "all/once/manifest.json"
    manifest.write_text(manifest.read_text()[:-9])
    with pytest.raises(ManifestError, match="damaged"):
        encrypt_folder("all/once", "twice", KEY)


def test_twice_where_it_is_asked_for_and_back(folder):
    command = ["encrypt", "-q", "-k", "owner.key", "--cipher", "pbe", "--again"]
    assert main([*command, "all/once", "-o", "twice"]) == 0
    decrypt_folder("twice", "again", KEY)
    assert contents(folder / "again") == {
        path: data
        for path, data in contents(folder / "all/once").items()
        if path != "manifest.json"
    }
    shutil.copy("all/once/manifest.json", "again")
    decrypt_folder("again", "plain", KEY)
    assert all((load(folder / "plain")[p] == PLAIN[p]).all() for p in PLAIN)


def test_data_sets(folder, npz, capsys):
    encrypt_dataset(npz, "cloud", KEY, "le")
    common = ["-q", "-k", "owner.key", "--cipher", "pbe", "-o", "twice"]
    for source in (
        ["tfds:tiny_le", "--data-dir", "cloud"],
        *(["cloud"], ["cloud/tiny_le"], ["cloud/tiny_le/1.0.0"], ["all/once"]),
    ):
        assert main(["dataset", "encrypt", *source, *common]) == 1
        told = capsys.readouterr().err
        assert "should hold plain images" in told and "--again" in told
    assert not (folder / "twice").exists()
    again = {"data_dir": "cloud", "again": True}
    encrypt_dataset("tfds:tiny_le", "twice", KEY, "pbe", **again)
    decrypt_dataset("cloud", "plain", KEY)
    encrypt_dataset("tfds:tiny", "new", KEY, "pbe", data_dir="plain")
    assert encrypt_dataset("all/once", "new", KEY, "pbe", again=True).written == 4


def test_manifests_are_looked_for_up_to_the_home_and_no_higher(folder, monkeypatch):
    """What lies above belongs to others, and its state is not ours to judge."""
    inner = folder / "home/all"
    shutil.copytree("all", inner)
    monkeypatch.setenv("HOME", str(folder / "home"))
    (folder / "manifest.json").write_text('{"format": "tfpe image folder", "imag')
    save(folder / "home/plain", {"1.png": CHINA[:8, :8]})
    assert find_encrypted(folder / "home/plain") is None
    assert find_encrypted(inner / "once/cat/0.png")[1] == inner / "once/manifest.json"
    assert list(folders_above(inner / "once"))[-1] == folder / "home"
    monkeypatch.setenv("HOME", "/nowhere")
    with pytest.raises(ManifestError, match="damaged"):
        find_encrypted(folder / "home/plain")
    assert pathlib.Path("/") not in folders_above("/a/b/c.png")
