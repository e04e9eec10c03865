"""The benchmark of whole data sets: what it measures, and the table made of it."""

import numpy as np
import pytest

from tfpe.errors import CipherOptionError, TfpeError
from tfpe.lab.bench import datasets
from tfpe.lab.bench.datasets import main, run_dataset_bench
from tfpe.lab.records import read_record
from tfpe.lab.tables.rendering import render_table


def test_runs_are_measured_and_recorded(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.savez("tiny.npz", x_train=np.zeros((9, 8, 8, 3), np.uint8), y_train=range(9))
    run = ["--source", "tiny.npz", "--cipher", "identity", "--repeats", "1"]
    assert main([*run, "--no-beam", "--record", "bench.json"]) == 0
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


def test_the_table_holds_medians_and_shares():
    row = {"engine": "local", "per_image": False, "workers": None, "images": 100}
    runs = [
        {**row, "cipher": "identity", "seconds": seconds, "peak_bytes": 7e8}
        for seconds in (1.0, 2.0, 1.0)
    ]
    runs.append({**row, "cipher": "le", "seconds": 2.0, "peak_bytes": 8e8})
    beam = {"engine": "beam", "workers": 2, "cipher": "le", "seconds": 4.0}
    runs.append({**row, **beam, "peak_bytes": 9e8})
    where = {"cpu": "Abacus", "cores": 2, "date": "2026-01-01T", "tfpe": "0"}
    record = {"kind": "dataset", "settings": {"source": "cifar10"}}
    record |= {"results": {"runs": runs}, "environment": where}
    lines = render_table("dataset", [record]).splitlines()
    assert lines[2:5] == [
        "| `identity` | local | 100 | 1.00 | 700 |",
        "| `le` | local | 50 | 0.50 | 800 |",
        "| `le` | Beam, 2 worker(s) | 25 | 0.25 | 900 |",
    ]
    assert render_table("dataset", []) == "*Not measured yet.*"
