"""Encrypted data sets: kills, interruptions, full disks, damage."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from image_folders import contents, crops

from tfpe import Key, dataset
from tfpe.dataset import decrypt_dataset, encrypt_dataset, examples
from tfpe.errors import (
    DatasetError,
    ManifestError,
    OutputError,
    TfpeError,
    WrongKeyError,
)

KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))
SLOW = pytest.mark.slow


def test_a_full_disk_keeps_what_is_finished(npz, tmp_path, small_shards):
    """No simulation: the kernel refuses to let a file grow beyond 2 kB."""
    encrypt_dataset(npz, tmp_path / "whole", KEY, "le")
    code = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, "
        "(2000, 2000)); import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    )
    done = run_encryption(tmp_path, code)
    _, error = done.communicate()
    assert done.returncode == 1 and b"OutputError: Cannot write" in error
    assert not (tmp_path / "cloud/tiny_le/1.0.0").exists()
    encrypt_dataset(npz, tmp_path / "cloud", KEY, "le")
    assert contents(tmp_path / "cloud") == contents(tmp_path / "whole")


RUN = """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
from tfpe import Key, dataset
from tfpe.dataset import encrypt_dataset, examples, own_sources, source, writer
own_sources.SHARD_BYTES, source.BATCH_BYTES, writer.CHECKPOINT_BYTES = 1200, 600, 1
import tensorflow_datasets
examples.frame([b""])
{0}
print("ready", flush=True)
encrypt_dataset("tiny.npz", "cloud", Key(bytes(range(32))), "le", {1})
"""


def run_encryption(folder, code="", arguments=""):
    process = subprocess.Popen(
        [sys.executable, "-c", RUN.format(code, arguments)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert process.stdout.readline() == b"ready\n"
    return process


@pytest.mark.parametrize(
    "kills, arguments",
    [
        pytest.param(2, {"per_image": True, "hide_labels": "labels.json"}, id="sample"),
        pytest.param(30, {}, marks=SLOW, id="all"),
    ],
)
def test_killed_encryption_resumes_to_the_same_bytes(
    kills, arguments, tmp_path, small_shards, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    np.savez("tiny.npz", x_train=crops(120), y_train=np.arange(120) % 5)
    call = ["tiny.npz", "cloud", KEY, "le"]
    encrypt_dataset(*call, **arguments)
    whole = contents(tmp_path / "cloud")
    random, hits = np.random.default_rng(kills), 0
    for count in random.integers(0, 30, kills):
        shutil.rmtree("cloud")
        text = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        with run_encryption(tmp_path, arguments=text) as process:
            work = pathlib.Path("cloud/tiny_le/1.0.0.incomplete")
            while process.poll() is None and len(list(work.glob("*-of-00030"))) < count:
                time.sleep(0.001)
            time.sleep(random.uniform(0, 0.01))
            process.kill()
        hits += process.returncode == -signal.SIGKILL and work.exists()
        for path, data in contents(tmp_path / "cloud").items():
            if path.endswith("-of-00030"):  # whole under its name, always
                assert data == whole[path.replace(".incomplete", "")]
        encrypt_dataset(*call, **arguments)
        assert contents(tmp_path / "cloud") == whole
    assert hits >= kills / 2
    labels = arguments.get("hide_labels")
    assert decrypt_dataset("cloud", "plain", KEY, labels=labels).written == 120


@pytest.mark.parametrize("damaged", [False, True], ids=["longer", "damaged"])
@pytest.mark.parametrize("after", [0, 1, 2, 7, 12])
def test_interrupted_runs_of_other_settings_and_damaged_beginnings(
    after, damaged, npz, tmp_path, small_shards, monkeypatch
):
    """An error at batch `after`; damage to what is unfinished does no harm."""
    how = {"per_image": True, "workers": 1}
    encrypt_dataset(npz, tmp_path / "whole", KEY, "le", **how)
    batches, frame = [], dataset.record_bytes.frame

    def failing(records):
        batches.append(records)
        if len(batches) > after:
            raise OutputError("no space")
        return frame(records)

    with monkeypatch.context() as patch:
        patch.setattr(dataset.record_bytes, "frame", failing)
        with pytest.raises(OutputError, match="no space"):
            encrypt_dataset(npz, tmp_path / "cloud", KEY, "le", **how)
    if list(tmp_path.rglob("checkpoint.json")):
        with pytest.raises(WrongKeyError):
            encrypt_dataset(npz, tmp_path / "cloud", OTHER, "le", **how)
        with pytest.raises(ManifestError, match="block_size"):
            encrypt_dataset(npz, tmp_path / "cloud", KEY, "le", block_size=2, **how)
    for partial in (tmp_path / "cloud").rglob("*.partial"):
        there = partial.read_bytes()
        partial.write_bytes((there[:-3] + b"xyz" if damaged else there) + b" and more")
    done = encrypt_dataset(npz, tmp_path / "cloud", KEY, "le", **how)
    if not damaged:  # nothing is done again
        assert done.skipped == 2 * after
    assert contents(tmp_path / "cloud") == contents(tmp_path / "whole")


@pytest.mark.parametrize(
    "changes", [12, pytest.param(100, marks=SLOW)], ids=["sample", "all"]
)
@pytest.mark.parametrize("target", ["metadata.json", "tfrecord", "features", "labels"])
def test_random_changes_are_told_or_harmless(target, changes, npz, tmp_path):
    labels = tmp_path / "labels.json"
    encrypt_dataset(npz, tmp_path / "cloud", KEY, "le", hide_labels=labels)
    decrypt_dataset(tmp_path / "cloud", tmp_path / "plain", KEY, labels=labels)
    whole = contents(tmp_path / "plain")
    files = [*(tmp_path / "cloud").rglob("*"), labels]
    file = next(f for f in files if target in f.name and f.is_file())
    original, random, told = file.read_bytes(), np.random.default_rng(changes), 0
    for _ in range(changes):
        changed = bytearray(original)
        changed[random.integers(len(changed))] ^= random.integers(1, 256)
        file.write_bytes(changed)
        shutil.rmtree(tmp_path / "plain", ignore_errors=True)
        try:
            decrypt_dataset(tmp_path / "cloud", tmp_path / "plain", KEY, labels=labels)
            assert contents(tmp_path / "plain") == whole
        except TfpeError as error:
            assert str(error)
            told += 1
            assert not list((tmp_path / "plain").rglob("dataset_info.json"))
    assert told > changes // 2


@pytest.mark.parametrize("change", ["images", "shards", "splits"])
def test_what_is_changed_in_its_format_is_told(change, npz, tmp_path, small_shards):
    """By those who know TFRecord files: its own checksums are right."""
    encrypt_dataset(npz, tmp_path / "cloud", KEY, "le")
    shards = sorted((tmp_path / "cloud").rglob("*tfrecord*"))
    first = next(shard for shard in shards if "train" in shard.name)
    if change == "images":
        [records] = examples.read_records(first, 0, 4)
        first.write_bytes(examples.frame(records[::-1]))
    else:
        part = {"shards": "train", "splits": "test"}[change]
        other = [shard for shard in shards if part in shard.name and shard != first][0]
        first.write_bytes(other.read_bytes())
    with pytest.raises(DatasetError, match=f"{first.name} was damaged or changed"):
        decrypt_dataset(tmp_path / "cloud", tmp_path / "plain", KEY)
    assert not list((tmp_path / "plain").rglob("dataset_info.json"))


def test_a_damaged_record_of_the_source_is_told(npz, tmp_path, small_shards):
    decrypt_dataset(  # an ordinary set of TFDS, in 5 shards and 2
        encrypt_dataset(npz, tmp_path / "cloud", KEY, "le").folder, tmp_path / "s", KEY
    )
    shard = sorted((tmp_path / "s").rglob("*train.tfrecord*"))[3]
    data = bytearray(shard.read_bytes())
    data[300] ^= 1
    shard.write_bytes(data)
    with pytest.raises(DatasetError, match="00003-of-00005"):
        encrypt_dataset("tfds:tiny", tmp_path / "out", KEY, data_dir=tmp_path / "s")
    assert len(list((tmp_path / "out").rglob("*train.tfrecord*-of-00005"))) == 3
