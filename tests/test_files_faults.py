"""Kills, full disks and damaged bytes: nothing lost, nothing silently wrong."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from tfpe import Key
from tfpe.errors import ManifestError, OutputError, TfpeError, WrongKeyError
from tfpe.files import commits, decrypt_folder, encrypt_folder

KEY = Key(bytes(range(32)))
PHOTO = load_sample_images().images[0]
SLOW = pytest.mark.slow
IMAGES = (".png", ".jpg")
JPEG = {"cipher": "etc", "block_size": 16, "jpeg": 90}
RUN = """
import sys
from tfpe import Key, files
from tfpe.manifests import folder_manifest
folder_manifest.draw_identity = lambda: "same"
key, call = Key(bytes(range(32))), eval(sys.argv[1])
print("ready", flush=True)
call()
"""


def save(folder, count, size=24):
    for number in range(count):
        path = folder / f"{number % 3}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        row = number % 300
        Image.fromarray(PHOTO[row : row + size, row : row + size]).save(path)
    return folder


def contents(folder):
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def start(folder, code):
    """A process that is about to call `code` in `folder`."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, code], cwd=folder, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"ready\n"
    return process


def kill_at_random(folder, code, result, kills):
    """Kills `code` at random moments; yields whole result, and whether it was at work.

    A moment is a number of images written and up to 3 ms more, so that a slow machine
    is hit at work as often as a fast one.
    """
    with start(folder, code) as process:
        assert process.wait() == 0
    whole = contents(folder / result)
    images = sum(path.endswith(IMAGES) for path in whole)
    random = np.random.default_rng(kills)
    for count in random.integers(0, images, kills, endpoint=True):
        shutil.rmtree(folder / result)
        with start(folder, code) as process:
            while process.poll() is None and written(folder / result) < count:
                time.sleep(0.001)
            time.sleep(random.uniform(0, 0.003))
            process.kill()
        at_work = 0 < written(folder / result) < images
        yield whole, process.returncode == -signal.SIGKILL and at_work


def written(folder):
    files = folder.rglob("[!.]*")
    return sum(1 for file in files if file.suffix in IMAGES)


@pytest.mark.parametrize(
    "kills, arguments",
    [
        pytest.param(5, {"per_image": True, "hide_names": "names.json"}, id="sample"),
        pytest.param(5, JPEG, id="sample-jpeg"),
        pytest.param(30, {}, marks=SLOW, id="all"),
        pytest.param(30, JPEG, marks=SLOW, id="all-jpeg"),
        pytest.param(
            *(30, {"per_image": True, "hide_names": "names.json"}),
            marks=SLOW,
            id="all-numbers-and-names",
        ),
    ],
)
def test_killed_encryption_resumes_to_the_same_bytes(
    tmp_path, kills, arguments, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tfpe.manifests.folder_manifest.draw_identity", lambda: "same")
    save(tmp_path / "plain", 120)
    code = f"lambda: files.encrypt_folder('plain', 'secret', key, **{arguments})"
    hits = []
    for whole, at_work in kill_at_random(tmp_path, code, "secret", kills):
        hits.append(at_work)
        for path, data in contents(tmp_path / "secret").items():
            if path.endswith(IMAGES):  # whole under its name from the first moment
                assert data == whole[path]
        assert encrypt_folder("plain", "secret", KEY, **arguments).failed == []
        assert contents(tmp_path / "secret") == whole
        assert not list(tmp_path.glob(".tfpe-*"))
    assert sum(hits) >= kills // 2
    decrypt_folder("secret", "again", KEY)
    assert written(tmp_path / "again") == 120


@pytest.mark.parametrize("kills", [3, pytest.param(30, marks=SLOW)])
def test_killed_decryption_resumes_to_the_same_bytes(tmp_path, kills):
    code = "lambda: files.decrypt_folder('secret', 'again', key)"
    encrypt_folder(save(tmp_path / "plain", 120), tmp_path / "secret", KEY)
    hits = []
    for whole, at_work in kill_at_random(tmp_path, code, "again", kills):
        hits.append(at_work)
        decrypt_folder(tmp_path / "secret", tmp_path / "again", KEY)
        assert contents(tmp_path / "again") == whole
    assert sum(hits) >= kills // 2


def interrupted(tmp_path, monkeypatch, after, most=1, **arguments):
    """A run that a full disk ends, at the flush `after` others; what it leaves.

    By one worker: the images that two finish together share a flush.
    """
    flushes, flush = [0], os.fsync

    def full(handle):
        flushes[0] += 1
        if flushes[0] > after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        patch.setattr(commits, "MOST_IMAGES", most)
        with pytest.raises(OutputError, match="No space left"):
            encrypt_folder(
                tmp_path / "plain", tmp_path / "secret", KEY, workers=1, **arguments
            )
    return contents(tmp_path / "secret")


@pytest.mark.parametrize(
    "after, most",
    [*((n, 1) for n in range(14)), *((n, 64) for n in (1, 4, 7, 8)), (5, 4), (7, 4)],
)
def test_full_disk_at_every_flush(tmp_path, monkeypatch, after, most):
    """6 images: a flush for the journal's header, one for each, one for the entries of
    so many at once, one at the end."""
    monkeypatch.setattr("tfpe.manifests.folder_manifest.draw_identity", lambda: "same")
    save(tmp_path / "plain", 6)
    encrypt_folder(tmp_path / "plain", tmp_path / "whole", KEY, per_image=True)
    left = interrupted(tmp_path, monkeypatch, after, most, per_image=True)
    assert not [path for path in left if ".tfpe-" in path]
    assert "manifest.json" not in left
    summary = encrypt_folder(
        tmp_path / "plain", tmp_path / "secret", KEY, per_image=True
    )
    images = sum(path.endswith(".png") for path in left)
    assert (summary.written, summary.skipped, summary.failed) == (
        6 - images,
        images,
        [],
    )
    assert contents(tmp_path / "secret") == contents(tmp_path / "whole")


@pytest.mark.parametrize("after, most", [(0, 64), (5, 64), (3, 1), (5, 4)])
def test_full_disk_while_decrypting(tmp_path, monkeypatch, after, most):
    encrypt_folder(save(tmp_path / "plain", 6), tmp_path / "secret", KEY)
    decrypt_folder(tmp_path / "secret", tmp_path / "whole", KEY)
    whole, flushes, flush = contents(tmp_path / "whole"), [0], os.fsync

    def full(handle):
        flushes[0] += 1
        if flushes[0] > after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        patch.setattr(commits, "MOST_IMAGES", most)
        with pytest.raises(OutputError, match="No space left"):
            decrypt_folder(tmp_path / "secret", tmp_path / "again", KEY, workers=1)
    left = contents(tmp_path / "again")
    assert len(left) <= after and left.items() <= whole.items()
    summary = decrypt_folder(tmp_path / "secret", tmp_path / "again", KEY)
    assert (summary.written, summary.skipped) == (6 - len(left), len(left))
    assert contents(tmp_path / "again") == whole


def test_a_name_that_cannot_be_had_fails_alone(tmp_path):
    encrypt_folder(save(tmp_path / "plain", 3), tmp_path / "secret", KEY)
    (tmp_path / "again/1/1.png/folder").mkdir(parents=True)
    summary = decrypt_folder(tmp_path / "secret", tmp_path / "again", KEY, force=True)
    assert summary.written == 2 and [path for path, _ in summary.failed] == ["1/1.png"]
    assert sorted(contents(tmp_path / "again")) == ["0/0.png", "2/2.png"]


def test_two_images_of_one_name_never_replace_each_other(tmp_path):
    """Without a manifest a folder may hold ciphertexts of one name and two kinds."""
    encrypt_folder(save(tmp_path / "plain", 1), tmp_path / "secret", KEY, **JPEG)
    encrypt_folder(save(tmp_path / "other", 1, 32), tmp_path / "more", KEY, "etc")
    (tmp_path / "secret/manifest.json").unlink()
    shutil.copy(tmp_path / "more/0/0.png", tmp_path / "secret/0/0.png")
    with pytest.warns(UserWarning, match="manifest"):
        summary = decrypt_folder(
            *(tmp_path / "secret", tmp_path / "again", KEY), cipher="etc"
        )
    assert summary.written == 1 and len(summary.failed) == 1


def test_a_limit_that_the_system_sets(tmp_path):
    """No simulation: the kernel refuses to let a file grow beyond 20 kB."""
    save(tmp_path / "plain", 4)
    save(tmp_path / "plain/large", 2, size=200)
    code = (
        "lambda: __import__('resource').setrlimit("
        "__import__('resource').RLIMIT_FSIZE, (20_000, 20_000))"
        " or files.encrypt_folder('plain', 'secret', key)"
    )
    process = subprocess.run(
        [sys.executable, "-c", RUN, code], cwd=tmp_path, capture_output=True, text=True
    )
    assert process.returncode == 1 and "OutputError: Cannot write" in process.stderr
    left = contents(tmp_path / "secret")
    assert "manifest.journal" in left and "manifest.json" not in left
    assert not [path for path in left if ".tfpe-" in path]
    encrypt_folder(tmp_path / "plain", tmp_path / "secret", KEY)
    encrypt_folder(tmp_path / "plain", tmp_path / "whole", KEY)
    assert contents(tmp_path / "secret") == contents(tmp_path / "whole")


@pytest.mark.parametrize(
    "change", [{"cipher": "le"}, {"channel_shuffle": False}, {"key": Key(bytes(32))}]
)
def test_interrupted_run_of_other_settings(tmp_path, monkeypatch, change):
    save(tmp_path / "plain", 6)
    left = interrupted(tmp_path, monkeypatch, 5)
    arguments = {"key": KEY, "force": True} | change
    with pytest.raises(WrongKeyError if "key" in change else ManifestError):
        encrypt_folder(tmp_path / "plain", tmp_path / "secret", **arguments)
    assert contents(tmp_path / "secret") == left
    with pytest.raises(ManifestError, match="interrupted"):
        decrypt_folder(tmp_path / "secret", tmp_path / "again", KEY)


def test_numbers_stay_unique_when_the_source_changes_meanwhile(tmp_path, monkeypatch):
    save(tmp_path / "plain", 6)
    interrupted(tmp_path, monkeypatch, 8, per_image=True)
    journalled = (tmp_path / "secret/manifest.journal").read_text().count('"number"')
    assert 0 < journalled < 6
    Image.fromarray(PHOTO[:9, :9]).save(tmp_path / "plain/0/00.png")
    (tmp_path / "plain/0/3.png").unlink()
    encrypt_folder(tmp_path / "plain", tmp_path / "secret", KEY, per_image=True)
    entries = json.loads((tmp_path / "secret/manifest.json").read_text())["images"]
    numbers = [entry["number"] for entry in entries]
    assert len(set(numbers)) == len(numbers) >= 6
    assert decrypt_folder(tmp_path / "secret", tmp_path / "again", KEY).failed == []


@pytest.mark.parametrize(
    "changes", [20, pytest.param(100, marks=SLOW)], ids=["sample", "all"]
)
@pytest.mark.parametrize("target", ["manifest.json", "1/1.png", "names.json"])
def test_random_changes_are_told_or_harmless(tmp_path, target, changes):
    plain, secret = save(tmp_path / "plain", 3), tmp_path / "secret"
    names = tmp_path / "names.json"
    hidden = {"hide_names": names} if target == "names.json" else {}
    encrypt_folder(plain, secret, KEY, **hidden)
    decrypt_folder(secret, tmp_path / "whole", KEY, names=names if hidden else None)
    whole = contents(tmp_path / "whole")
    file = names if hidden else secret / target
    original = file.read_bytes()
    random = np.random.default_rng(changes)
    told = 0
    for _ in range(changes):
        changed = bytearray(original)
        changed[random.integers(len(changed))] ^= random.integers(1, 256)
        file.write_bytes(changed)
        shutil.rmtree(tmp_path / "again", ignore_errors=True)
        problem = True
        try:
            summary = decrypt_folder(
                secret, tmp_path / "again", KEY, names=names if hidden else None
            )
            problem = bool(summary.failed)
        except TfpeError as error:
            assert str(error)
        result = contents(tmp_path / "again") if (tmp_path / "again").exists() else {}
        assert result.items() <= whole.items()  # never a wrong image or name
        assert problem or result == whole
        told += problem
    assert told > changes // 2


def test_images_that_wait_are_not_lost_where_memory_runs_out(tmp_path, monkeypatch):
    """All of them, and not the one alone whose thread waited for the disk."""
    save(tmp_path / "plain", 5)

    def run_out(files):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(commits, "MOST_IMAGES", 2)
        patch.setattr(commits, "flush_all", run_out)
        with pytest.raises(OutputError, match="more memory than there is"):
            encrypt_folder(tmp_path / "plain", tmp_path / "secret", KEY, workers=1)
    assert not list((tmp_path / "secret").rglob("*.png"))
    assert encrypt_folder(tmp_path / "plain", tmp_path / "secret", KEY).written == 5
    decrypt_folder(tmp_path / "secret", tmp_path / "again", KEY)
    for file in (tmp_path / "plain").rglob("*.png"):
        again = tmp_path / "again" / file.relative_to(tmp_path / "plain")
        assert np.array_equal(Image.open(again), Image.open(file))
