"""The benchmark of whole data sets: what it measures, and the table made of it."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from tfpe.errors import CipherOptionError, TfpeError
from tfpe.lab.bench import datasets
from tfpe.lab.bench.datasets import main, run_dataset_bench
from tfpe.lab.records import read_record
from tfpe.lab.tables.rendering import render_table


def test_runs_are_measured_and_recorded(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.savez("tiny.npz", x_train=np.zeros((9, 8, 8, 3), np.uint8), y_train=range(9))
    run = ["--source", "tiny.npz", "--cipher", "identity", "--repeats", "1"]
    run += ["--own-keys", "ele", "--no-beam", "--record", "bench.json"]
    assert main(run) == 0
    one, two = read_record("bench.json")["results"]["runs"]
    assert (one["cipher"], two["cipher"], two["per_image"]) == ("identity", "ele", True)
    for run in (one, two):
        assert run["images"] == 9 and 0 < run["seconds"] < 600
        assert 1e8 < run["peak_bytes"] < 4e9  # TensorFlow alone takes some 500 MB
    assert "| `ele`, a key for each image | local |" in capsys.readouterr().out


def test_what_goes_wrong_is_told(tmp_path, monkeypatch, capsys):
    with pytest.raises(CipherOptionError):
        run_dataset_bench(ciphers=["rot13"])
    monkeypatch.setattr(datasets, "LOCAL", "raise SystemExit('no such set')")
    with pytest.raises(TfpeError, match="no such set"):
        run_dataset_bench(source="x.npz", repeats=1)
    assert main(["--source", "x.npz"]) == 1
    assert "no such set" in capsys.readouterr().err


def test_beam_has_to_write_the_same_files(tmp_path):
    for name, data in {"local": b"abc", "result": b"abd"}.items():
        (tmp_path / name / "set/1.0.0").mkdir(parents=True)
        (tmp_path / name / "set/1.0.0/shard").write_bytes(data)
    with pytest.raises(TfpeError, match="Beam"):
        datasets._require_same(tmp_path / "local", tmp_path)
    (tmp_path / "result/set/1.0.0/shard").write_bytes(b"abc")
    datasets._require_same(tmp_path / "local", tmp_path)


def test_the_plain_loop_reads_a_tfds_set_and_writes_each_example(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (9, 8, 8, 3), np.uint8)
    features = {
        "image": tfds.features.Image(shape=(8, 8, 3)),
        "label": tfds.features.ClassLabel(num_classes=9),
    }
    examples = {"image": images, "label": np.arange(9)}
    tfds.dataset_builders.store_as_tfds_dataset(
        name="tiny",
        version="1.0.0",
        data_dir=tmp_path,
        split_datasets={"train": tf.data.Dataset.from_tensor_slices(examples)},
        features=tfds.features.FeaturesDict(features),
    )
    found = datasets._run(tmp_path, datasets.LOOP_CODE, ["tiny", str(tmp_path), "", ""])
    assert found["images"] == 9
    written = tf.data.TFRecordDataset(str(tmp_path / "result/train.tfrecord"))
    examples = [tf.train.Example.FromString(e) for e in written.as_numpy_iterator()]
    features = [example.features.feature for example in examples]
    pixels = [tf.io.decode_png(f["image"].bytes_list.value[0]) for f in features]
    labels = [f["label"].int64_list.value[0] for f in features]
    np.testing.assert_array_equal(pixels, images[labels])
    assert sorted(labels) == list(range(9))


def test_a_file_of_images_that_is_not_there_is_told_before_the_work():
    with pytest.raises(TfpeError, match=r"nothing\.npz"):
        run_dataset_bench(npz="nothing.npz")


def test_the_table_holds_medians_and_shares_of_the_loop_of_the_same_round():
    row = {"per_image": False, "workers": None, "images": 100}
    runs = []
    # The machine is half as fast in the second round, for all alike.
    for slow in (1, 2, 1.5):
        seconds = {
            ("a plain loop", "none", None): 1.0,
            ("local", "le", None): 2.0,
            ("beam", "le", 2): 4.0 if slow < 2 else 1.0,
        }
        for (engine, cipher, workers), second in seconds.items():
            own = {"engine": engine, "cipher": cipher, "workers": workers}
            runs.append(row | own | {"seconds": slow * second, "peak_bytes": 9e8})
    where = {"cpu": "Abacus", "cores": 2, "date": "2026-01-01T", "tfpe": "0"}
    record = {"kind": "dataset", "settings": {"source": "cifar10"}}
    record |= {"results": {"runs": runs}, "environment": where}
    lines = render_table("dataset", [record]).splitlines()
    assert lines[2:5] == [
        "| – | a plain loop | 67 | 1 | 900 |",
        "| `le` | local | 33 | 0.50 (0.50 to 0.50) | 900 |",
        "| `le` | Beam, 2 worker(s) | 25 | 0.25 (0.25 to 1.00) | 900 |",
    ]
    assert "median of 3 round(s). The plain loop reads with TFDS" in lines[6]
    assert render_table("dataset", []) == "*Not measured yet.*"
