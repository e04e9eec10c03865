"""Encryption as a Beam pipeline: the local files again, no key in the pipeline."""

import base64
import bz2
import re

import numpy as np
import pytest
from image_folders import contents, save
from processes import run_script
from sklearn.datasets import load_sample_images

from tfpe import Key
from tfpe.dataset import encrypt_dataset, own_sources, source, sources
from tfpe.dataset.plan import plan_encryption
from tfpe.errors import OutputError

beam = pytest.importorskip("apache_beam", reason="the extra `beam` is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # Beam's own, a dozen kinds

SECRET = bytes(range(101, 133))
PHOTO = load_sample_images().images[0]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Key(SECRET).save("owner.key")
    images = np.stack([PHOTO[n : n + 10, n : n + 10] for n in range(400)])
    np.savez("tiny.npz", x_train=images, y_train=np.arange(len(images)) % 3)
    return tmp_path


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    "settings", [{"copies": 2}, {"per_image": True, "hide_labels": "l.json"}]
)
def test_any_number_of_workers_writes_the_files_of_the_local_path(
    workers, settings, folder, monkeypatch
):
    import tfpe.dataset.beam

    monkeypatch.setattr(own_sources, "SHARD_BYTES", 150 * 300)
    monkeypatch.setattr(source, "BATCH_BYTES", 16 * 300)
    encrypt_dataset("tiny.npz", "local", Key(SECRET), "le", **settings)
    options = beam.options.pipeline_options.PipelineOptions(
        runner="FnApiRunner",
        direct_num_workers=workers,
        direct_running_mode="multi_threading",
    )
    run = {"pipeline_options": options, **settings}
    summary = tfpe.dataset.beam.encrypt_dataset(
        "tiny.npz", "beam", "owner.key", "le", **run
    )
    images = len(np.load("tiny.npz")["x_train"])
    assert summary.written == images * settings.get("copies", 1)
    assert contents(folder / "beam") == contents(folder / "local")


@pytest.mark.slow
def test_dask_writes_the_same_files_though_a_worker_is_killed(folder):
    pytest.importorskip("distributed", reason="apache-beam[dask] is not installed")
    images = np.stack([PHOTO[n : n + 200, n : n + 200] for n in range(200)])
    np.savez("large.npz", x_train=images, y_train=np.arange(len(images)) % 3)
    encrypt_dataset("large.npz", "local", Key(SECRET), "ele")
    said = run_script("dask_workers.py", "large.npz", "dask", "owner.key", "ele")
    assert said.splitlines()[-1] == f"written {len(images)}, killed True"
    assert contents(folder / "dask") == contents(folder / "local")


def test_a_folder_is_no_place_for_what_is_made_of_it(folder):
    import tfpe.dataset.beam

    save(folder / "photos", {f"{name}/1.png": PHOTO[:8, :8] for name in "ab"})
    with pytest.raises(OutputError, match="outside of photos"):
        tfpe.dataset.beam.encrypt_dataset("photos", "photos/cloud", "owner.key", "le")


def test_the_serialised_pipeline_holds_no_key(folder):
    import tfpe.dataset.beam

    opened = sources.open_source("tiny.npz")
    plan = plan_encryption(opened, "beam", Key(SECRET), "le", per_image=True)
    job = tfpe.dataset.beam.Job(
        "tiny.npz", None, str(folder / "owner.key"), plan.header, str(folder)
    )
    pipeline = beam.Pipeline()
    blocks = list(tfpe.dataset.beam.blocks(opened))
    pipeline | beam.Create(blocks) | tfpe.dataset.beam.Encrypt(job)
    data = pipeline.to_runner_api().SerializeToString()
    # Functions travel in it as base64 of bz2, where nothing could be found.
    packed = [base64.b64decode(found) for found in re.findall(rb"Qlpo[\w+/=]+", data)]
    data += b"".join(bz2.decompress(function) for function in packed)
    assert packed and b"owner.key" in data
    order = Key(SECRET).material("le", (12, 12, 3), block_size=4)
    for secret in (SECRET, SECRET.hex().encode(), order.bytes("order", 24).tobytes()):
        assert secret not in data
