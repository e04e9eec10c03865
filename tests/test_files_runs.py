"""Runs one after another and at once: resumed folders, locks, shared files."""

import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time

import pytest
from image_folders import CHINA, contents, load
from image_folders import save as save_images

import tfpe.files.encrypting
import tfpe.files.workers
from tfpe import Key
from tfpe.errors import ImageFileError, ManifestError, OutputError
from tfpe.files import decrypt_folder, encrypt_folder
from tfpe.files.commits import Commits
from tfpe.files.jobs import ImageDecryption, ImageEncryption
from tfpe.files.journal import lock_folder
from tfpe.files.workers import SMALL_BYTES, map_images
from tfpe.storage.atomic import write_file
from tfpe.storage.locks import FileLock

KEY = Key(bytes(range(32)))


def save(folder, count):
    images = {f"{n % 3}/{n}.png": CHINA[n : n + 9, n : n + 9] for n in range(count)}
    return save_images(folder, images)


def crash_after(monkeypatch, images):
    """Lets a run of the file tool die when that many images are written."""
    add, left = Commits.add, [images]

    def add_and_die(commits, *arguments):
        add(commits, *arguments)
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(Commits, "add", add_and_die)


def test_resumed_runs_keep_the_identity_of_the_folder(tmp_path, monkeypatch):
    plain, secret = save(tmp_path / "plain", 6), tmp_path / "secret"

    def identity(name):
        lines = (secret / name).read_text()
        return re.search('"folder": "([0-9a-f]{32})"', lines)[1]

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        crash_after(patch, 2)
        encrypt_folder(plain, secret, KEY, per_image=True)
    begun = identity("manifest.journal")
    encrypt_folder(plain, secret, KEY, per_image=True)
    assert identity("manifest.json") == begun
    # The same folder, begun with this identity and never interrupted:
    with monkeypatch.context() as patch:
        patch.setattr("tfpe.manifests.folder_manifest.draw_identity", lambda: begun)
        encrypt_folder(plain, tmp_path / "whole", KEY, per_image=True)
    assert contents(secret) == contents(tmp_path / "whole")
    save(plain, 7)
    assert encrypt_folder(plain, secret, KEY, per_image=True).written == 1
    assert identity("manifest.json") == begun
    assert decrypt_folder(secret, tmp_path / "again", KEY).failed == []


def test_a_journal_of_another_folder_is_refused(tmp_path, monkeypatch):
    plain = save(tmp_path / "plain", 3)
    encrypt_folder(plain, tmp_path / "one", KEY, per_image=True)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        crash_after(patch, 1)
        encrypt_folder(plain, tmp_path / "two", KEY, per_image=True)
    shutil.copy(tmp_path / "two/manifest.journal", tmp_path / "one")
    before = contents(tmp_path / "one")
    with pytest.raises(ManifestError, match="another folder"):
        encrypt_folder(plain, tmp_path / "one", KEY, per_image=True)
    assert contents(tmp_path / "one") == before


def test_an_interrupted_force_is_told_by_decrypt(tmp_path, monkeypatch):
    plain, secret = save(tmp_path / "plain", 3), tmp_path / "secret"
    encrypt_folder(plain, secret, KEY, per_image=True)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        crash_after(patch, 1)
        encrypt_folder(plain, secret, KEY, per_image=True, force=True)
    failed = decrypt_folder(secret, tmp_path / "again", KEY).failed
    assert failed and all("interrupted; run it again" in text for _, text in failed)
    encrypt_folder(plain, secret, KEY, per_image=True, force=True)
    assert decrypt_folder(secret, tmp_path / "again", KEY).failed == []


def between(monkeypatch, run):
    """Lets `run`, of another process, happen before a run takes its lock."""
    make = tfpe.files.encrypting.make_output

    def run_and_make(folder):
        monkeypatch.undo()
        run()
        make(folder)

    monkeypatch.setattr("tfpe.files.encrypting.make_output", run_and_make)


def test_a_run_that_ends_just_before_loses_nothing(tmp_path, monkeypatch):
    one, two = save(tmp_path / "one", 3), save(tmp_path / "two", 7)
    secret = tmp_path / "secret"
    between(monkeypatch, lambda: encrypt_folder(one, secret, KEY, per_image=True))
    assert encrypt_folder(two, secret, KEY, per_image=True).written == 4
    entries = json.loads((secret / "manifest.json").read_text())["images"]
    assert sorted(entry["number"] for entry in entries) == list(range(7))
    assert decrypt_folder(secret, tmp_path / "again", KEY).written == 7


def test_runs_that_share_a_file_of_names_lose_none(tmp_path, monkeypatch):
    one, two = save(tmp_path / "one", 1), save(tmp_path / "two", 4)
    names = tmp_path / "names.json"
    between(
        monkeypatch,
        lambda: encrypt_folder(one, tmp_path / "first", KEY, hide_names=names),
    )
    encrypt_folder(two, tmp_path / "second", KEY, hide_names=names)
    for folder, count in (("first", 1), ("second", 4)):
        again = tmp_path / "again" / folder
        assert decrypt_folder(tmp_path / folder, again, KEY, names=names).failed == []
        assert len(load(again)) == count
    assert not list(tmp_path.glob(".tfpe-*"))


def test_a_lock_that_its_holder_removes_is_taken_anew(tmp_path):
    """Two threads that wait for a lock file which each holder deletes at its end."""
    inside, most = [], []

    def work(_):
        for _ in range(50):
            with FileLock(tmp_path / "lock", wait=True):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert len(most) == 200 and max(most) == 1
    assert contents(tmp_path) == {}


def test_two_decryptions_to_one_folder(tmp_path, monkeypatch):
    plain, again = save(tmp_path / "plain", 3), tmp_path / "again"
    encrypt_folder(plain, tmp_path / "secret", KEY)
    (again / "sub").mkdir(parents=True)
    stale = [again / ".tfpe-1.tmp", again / "sub/.tfpe-2.tmp"]
    for file in stale:
        file.write_text("half an image")
    with lock_folder(again), lock_folder(again / "sub") as other:
        os.write(other.handle, b"at work")
        with pytest.raises(OutputError, match="Another run"):
            decrypt_folder(tmp_path / "secret", again, KEY)
        assert all(file.exists() for file in stale)
    assert decrypt_folder(tmp_path / "secret", again, KEY).written == 3
    assert [file.exists() for file in stale] == [False, True]
    assert not (again / "manifest.journal").exists()


def test_writers_of_one_file_never_mix(tmp_path):
    """A second writer of the same name, at the worst moment."""
    path = tmp_path / "a.png"
    write_file(path, b"A" * 1000, before_rename=lambda: write_file(path, b"B" * 10))
    assert contents(tmp_path) == {"a.png": b"A" * 1000}


def peak_bytes(*arguments):
    """Peak resident memory of a run of the command line."""
    process = subprocess.Popen([sys.executable, "-m", "tfpe", *arguments])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss * 1024


def test_small_files_share_a_thread_and_large_ones_have_several(tmp_path, monkeypatch):
    jobs = {f"{number:02d}": tmp_path / f"{number:02d}" for number in range(60)}
    small = {name for name in jobs if name < "20" or name >= "40"}
    for name, file in jobs.items():
        file.write_bytes(bytes(1 if name in small else SMALL_BYTES + 1))
    jobs["05"].unlink()
    two_at_work = threading.Barrier(2, timeout=60)

    def work(file):
        if not file.exists():
            raise ImageFileError("it is gone")
        if file.name not in small:
            two_at_work.wait()
        return threading.get_ident()

    told = []

    def tell(*counts):
        told.append(counts)

    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    results, failed = map_images(work, jobs, tell, file_of=lambda file: file)
    assert failed == [("05", "it is gone")]
    assert list(results) == [name for name in jobs if name != "05"]
    assert told == [(number, 60) for number in range(61)]
    assert len({results[name] for name in small - {"05"}}) == 1
    assert len({results[name] for name in set(jobs) - small}) == 2
    # Who says how many threads has them.
    results, _ = map_images(
        thread_after_a_while, jobs, workers=2, file_of=lambda file: file
    )
    assert len(set(results.values())) == 2


@pytest.mark.parametrize(("workers", "threads"), [(None, 1), (2, 2)])
def test_folders_of_small_images_have_one_thread(
    workers, threads, tmp_path, monkeypatch
):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    seen = set()

    def watched(call):
        def one(self, job):
            seen.add(threading.get_ident())
            time.sleep(0.005)
            return call(self, job)

        return one

    for kind in (ImageEncryption, ImageDecryption):
        monkeypatch.setattr(kind, "__call__", watched(kind.__call__))
    save(tmp_path / "plain", 40)
    encrypt_folder(
        tmp_path / "plain", tmp_path / "secret", KEY, cipher="le", workers=workers
    )
    assert len(seen) == threads
    seen.clear()
    decrypt_folder(tmp_path / "secret", tmp_path / "again", KEY, workers=workers)
    assert len(seen) == threads


def thread_after_a_while(job):
    time.sleep(0.005)
    return threading.get_ident()


def test_small_files_that_take_long_have_several_threads(tmp_path, monkeypatch):
    """Such as masks: large pictures that are compressed to little."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    (tmp_path / "a").write_bytes(b"")
    jobs = dict.fromkeys(range(200))

    def threads(seconds):
        monkeypatch.setattr(tfpe.files.workers, "SMALL_SECONDS", seconds)
        work, file = thread_after_a_while, lambda job: tmp_path / "a"
        results, _ = map_images(work, jobs, file_of=file)
        return len({results[job] for job in range(150, 200)})

    assert threads(1) == 1 and threads(0) == 2


def test_what_stops_a_run_is_raised_from_among_small_files(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"")

    def work(name):
        if name == "7":
            raise OutputError("the disk is full")
        return name

    jobs = {str(number): str(number) for number in range(20)}
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with pytest.raises(OutputError, match="full"):
        map_images(work, jobs, file_of=lambda name: tmp_path / "a")


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss in other units")
def test_memory_does_not_grow_with_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    KEY.save("owner.key")
    peaks = []
    for count in (100, 400):
        images = {f"{n}.png": CHINA[n % 200 :][:160, :160] for n in range(count)}
        save_images(tmp_path / f"photos{count}", images)
        command = ["encrypt", "-q", "-k", "owner.key", "--cipher", "le"]
        folders = [f"photos{count}", "-o", f"encrypted{count}"]
        peaks.append(peak_bytes(*command, *folders))
    # The pictures that are more come to 23 MB.
    assert peaks[1] - peaks[0] < 10 * 2**20
