"""Several runs that write key files at once: nothing is lost or announced falsely."""

import concurrent.futures
import json
import os
import signal
import subprocess
import sys

import pytest
from processes import run_script

from tfpe import Key
from tfpe.errors import KeyFileError, OutputError
from tfpe.keys.rotation import rotate_key
from tfpe.keys.sealed import is_sealed, save_sealed
from tfpe.storage.locks import folder_lock

pytest.importorskip("fcntl", reason="this system has no locks on folders")
OLD = Key(bytes(range(32)))


@pytest.fixture
def path(tmp_path):
    OLD.save(tmp_path / "owner.key")
    return tmp_path / "owner.key"


def kept(key):
    return f"owner.key.{key.fingerprint}"


def keys_in(folder):
    return {file.name: Key.load(file) for file in folder.iterdir()}


@pytest.mark.parametrize("kind", ["free", "meet", "mixed", "kill"])
@pytest.mark.parametrize(
    "trials", [3, pytest.param(200, marks=pytest.mark.slow)], ids=["few", "campaign"]
)
def test_eight_commands_at_once(kind, trials, tmp_path):
    total = json.loads(run_script("key_races.py", tmp_path, trials, 8, kind))
    print(kind, trials, total)
    assert total["written"] >= trials
    for wrong in set(total) - {"written", "refused", "seconds"}:
        assert total[wrong] == 0, total


@pytest.mark.parametrize("step", ["fsync", "link", "replace"])
def test_a_second_rotation_waits_and_is_refused(step, path, monkeypatch):
    """It starts at each step of the first, and has loaded the same old key."""
    original, started, new = getattr(os, step), [], Key.generate()

    def then_the_second(*arguments, **options):
        if not started:
            started.append(pool.submit(rotate_key, path, OLD, Key.generate()))
            with pytest.raises(concurrent.futures.TimeoutError):
                started[0].result(0.05)
        return original(*arguments, **options)

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(os, step, then_the_second)
        rotate_key(path, OLD, new)
        with pytest.raises(KeyFileError, match=f"{new.fingerprint}; another run"):
            started[0].result()
    assert keys_in(path.parent) == {"owner.key": new, kept(OLD): OLD}


@pytest.mark.parametrize("write", ["save", "sealed", "rotate"])
def test_every_writer_takes_the_lock(write, path, monkeypatch):
    monkeypatch.setattr("tfpe.keys.files.LOCK_SECONDS", 0)
    new, file = Key.generate(), path.with_name("new.key")
    if write == "sealed":
        pytest.importorskip("cryptography", reason="the extra `keys` is not installed")
    writers = {
        "save": lambda: new.save(file),
        "sealed": lambda: save_sealed(new, file, "correct horse battery"),
        "rotate": lambda: rotate_key(path, OLD, new),
    }
    with folder_lock(path.parent), pytest.raises(OutputError, match="Another run"):
        writers[write]()
    assert keys_in(path.parent) == {"owner.key": OLD}
    writers[write]()
    assert len(list(path.parent.iterdir())) == 2


def test_one_lock_by_whatever_path(path, tmp_path_factory, monkeypatch):
    """A link to the key, a link to its folder, and another working folder."""
    monkeypatch.setattr("tfpe.keys.files.LOCK_SECONDS", 0)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "link.key").symlink_to(path)
    (elsewhere / "link").symlink_to(path.parent)
    monkeypatch.chdir(path.parent)
    for name in (elsewhere / "link.key", elsewhere / "link/owner.key", "owner.key"):
        with folder_lock(path.parent), pytest.raises(OutputError, match="Another run"):
            rotate_key(name, OLD, Key.generate())


def test_a_killed_holder_does_not_block(path):
    code = (
        "import os, signal, sys\n"
        "from tfpe.storage.locks import folder_lock\n"
        "with folder_lock(sys.argv[1]): os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, path.parent])
    assert done.returncode == -signal.SIGKILL
    rotate_key(path, OLD, new := Key.generate())
    assert keys_in(path.parent) == {"owner.key": new, kept(OLD): OLD}


def test_a_forked_child_does_not_keep_the_lock(path):
    """It inherits the handle, and outlives the holder."""
    code = (
        "import os, sys, time\n"
        "from tfpe.storage.locks import folder_lock\n"
        "with folder_lock(sys.argv[1]):\n"
        "    child = os.fork()\n"
        "    if not child: time.sleep(60)\n"
        "with folder_lock(sys.argv[1]): os.kill(child, 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, path.parent]).returncode == 0


def test_rotations_that_do_not_fit(path):
    other = Key.generate()
    for old, new, message in (
        (other, Key.generate(), f"{other.fingerprint}.*Received.*{OLD.fingerprint}"),
        (OLD, OLD, "another key"),
    ):
        with pytest.raises(KeyFileError, match=message):
            rotate_key(path, old, new)
    with pytest.raises(KeyFileError, match="Cannot read"):
        rotate_key(path.with_name("missing.key"), OLD, other)
    assert keys_in(path.parent) == {"owner.key": OLD}


@pytest.mark.parametrize("step", ["link", "replace"])
def test_a_rotation_that_fails_leaves_no_new_key(step, path, monkeypatch):
    def fail(*names):
        raise PermissionError(1, "not here")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(KeyFileError, match="not here"):
        rotate_key(path, OLD, Key.generate())
    monkeypatch.undo()
    assert set(keys_in(path.parent).values()) == {OLD}
    rotate_key(path, OLD, new := Key.generate())
    assert keys_in(path.parent) == {"owner.key": new, kept(OLD): OLD}


def test_a_sealed_file_stays_sealed(path):
    pytest.importorskip("cryptography", reason="the extra `keys` is not installed")
    sealed, new, phrase = (
        path.with_name("s.key"),
        Key.generate(),
        "correct horse battery",
    )
    save_sealed(OLD, sealed, phrase)
    with pytest.raises(KeyFileError, match="passphrase.*sealed"):
        rotate_key(sealed, OLD, new)
    rotate_key(sealed, OLD, new, phrase)
    assert is_sealed(sealed) and Key.load(sealed, phrase) == new
