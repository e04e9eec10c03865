"""Plain images that come back are for their owner alone, unless asked."""

import os
import pathlib
import stat

import numpy as np
import pytest
from image_folders import CHINA, save

from tfpe import Key
from tfpe.cli import main
from tfpe.files import encrypt_folder

KEY = Key(bytes(range(32)))
PLAIN = {"cats/a.png": CHINA[:16, :16], "cats/old/b.png": CHINA[16:32, :16]}
pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    KEY.save("owner.key")
    return tmp_path


@pytest.fixture
def umask():
    """Sets the umask for one test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def modes(folder):
    """The permissions of all files in a folder, and of all folders with it."""
    found = {}
    for path in [folder, *folder.rglob("*")]:
        found.setdefault(path.is_dir(), set()).add(mode(path))
    return found[False], found[True]


def decrypt(kind, *arguments):
    command = ["decrypt"] if kind == "folder" else ["dataset", "decrypt"]
    assert main([*command, "-q", "-k", "owner.key", "secret", *arguments]) == 0


def encrypt(kind):
    """secret/, which others may see."""
    if kind == "folder":
        encrypt_folder(save(pathlib.Path("photos"), PLAIN), "secret", KEY, "le")
    else:
        arrays = {"x_train": np.stack([CHINA[:8, :8]] * 5), "y_train": np.arange(5)}
        np.savez("tiny.npz", **arrays)
        command = ["dataset", "encrypt", "-q", "-k", "owner.key", "tiny.npz"]
        assert main([*command, "--cipher", "le", "-o", "secret"]) == 0


@pytest.mark.parametrize("kind", ["folder", "set"])
def test_files_take_the_stricter_of_the_umask_and_0600(kind, folder, umask):
    encrypt(kind)
    assert modes(folder / "secret") == ({0o644}, {0o755})
    for mask in (0o000, 0o022, 0o077, 0o137):
        umask(mask)
        decrypt(kind, "-o", f"new/{mask}")
        private = {0o600 & ~mask}, {0o700 & ~mask}
        assert modes(folder / "new" / str(mask)) == private
    assert mode("new") == 0o700
    umask(0o022)
    decrypt(kind, "--readable", "-o", "shared")
    assert modes(folder / "shared") == ({0o644}, {0o755})


def test_what_exists_keeps_its_mode_unless_it_is_replaced(folder, umask):
    encrypt("folder")
    decrypt("folder", "--readable", "-o", "plain")
    decrypt("folder", "-o", "plain")
    assert modes(folder / "plain") == ({0o644}, {0o755})
    decrypt("folder", "--force", "-o", "plain")
    assert modes(folder / "plain") == ({0o600}, {0o755})


def test_half_written_files_are_private_too(folder, umask, monkeypatch):
    umask(0)
    encrypt("folder")
    original, seen = os.replace, []

    def look(aside, final):
        seen.append(mode(aside))
        return original(aside, final)

    monkeypatch.setattr(os, "replace", look)
    decrypt("folder", "-o", "plain")
    assert seen == [0o600, 0o600]


def test_half_a_data_set_is_private_too(folder, umask, small_shards, monkeypatch):
    """Also one that was begun to be readable, and interrupted."""
    umask(0)
    encrypt("set")
    seen = []

    def interrupt(aside, final):
        if str(aside).endswith(".partial"):
            seen.append(modes(folder / "plain"))
            raise KeyboardInterrupt
        return original(aside, final)

    original = os.replace
    command = ["dataset", "decrypt", "-q", "-k", "owner.key", "secret", "-o", "plain"]
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", interrupt)
        assert main([*command, "--readable"]) == 130
        assert main(command) == 130
    assert seen[0][1] == {0o777}
    assert mode("plain/tiny/1.0.0.incomplete") == 0o700
    decrypt("set", "-o", "plain")
    files, _ = modes(folder / "plain/tiny/1.0.0")
    assert files == {0o600} and mode("plain/tiny/1.0.0") == 0o700
