"""`training gpu`: the order, what time does not allow, a run without TensorFlow."""

import functools
from pathlib import Path

import numpy as np
import pytest
from processes import run_script

from tfpe.algebra.transform import Transform
from tfpe.errors import RecordError, TfpeError
from tfpe.lab.records import read_records
from training import gpu
from training.device import cipher_throughput
from training.gpu import Part, measure_gpu
from training.images import ImageSet
from training.recipes import find_recipe

PATHS = {"PYTHONPATH": str(Path(__file__).parents[1])}


def test_parts_run_in_order_and_what_fails_or_has_no_time_is_named(monkeypatch):
    now, ran = [0.0], []

    def part(name, seconds, left):
        ran.append((name, left))
        now[0] += seconds
        if name == "broken":
            raise RuntimeError("out of memory\nand much more")
        if name == "refused":
            raise TfpeError("no")
        return []

    def parts(*_):
        for name, seconds in (("broken", 10), ("refused", 10), ("long", 80), ("b", 9)):
            yield Part(name, functools.partial(part, name, seconds))

    monkeypatch.setattr(gpu, "_steps", parts)
    monkeypatch.setattr(gpu, "_ciphers", lambda *_: part("ciphers", 5, 120))
    monkeypatch.setattr(
        gpu,
        "_trainings",
        lambda *_: [Part("sliced", functools.partial(part, "sliced", 14), True)],
    )
    unfinished = measure_gpu([], minutes=2, say=lambda line: None, clock=lambda: now[0])
    # 120 s in all; 15 s are left after the long one: too few for a step.
    assert [name for name, _ in ran[1:]] == ["broken", "refused", "long", "sliced"]
    assert ran[-1] == ("sliced", 15.0)
    assert unfinished == [
        ("broken", "out of memory"),
        ("refused", "no"),
        ("b", "time was up"),
    ]


@pytest.mark.parametrize(
    ("ciphers", "message"),
    [(["pbe", "nothere"], "nothere"), (["plain-as-le"], "match")],
)
def test_a_run_that_does_not_fit_spends_no_time(ciphers, message, monkeypatch):
    monkeypatch.setattr(gpu, "_ciphers", lambda *_: pytest.fail("began"))
    with pytest.raises(TfpeError, match=message):
        measure_gpu([ImageSet.__new__(ImageSet)], ciphers=ciphers)


@pytest.mark.usefixtures("uncompiled", "nan_where_it_predicts")
def test_a_network_that_predicts_nan_is_named_as_that(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu, "_steps", lambda *_: [])
    monkeypatch.setattr(gpu, "_ciphers", lambda *_: [])
    images = np.random.default_rng(0).integers(0, 256, (96, 8, 8, 3), np.uint8)
    labels = np.arange(96, dtype=np.int32) % 2
    parts = images[:64], labels[:64], images[64:], labels[64:]
    [(name, reason)] = measure_gpu(
        [ImageSet("toy", *parts, ("no", "yes"), "npz")],
        seeds=[0],
        ciphers=["plain"],
        recipe=find_recipe(
            "tiny", network="convmixer", width=8, depth=1, kernel_size=3, epochs=2
        ),
        out=tmp_path / "out",
        runs=tmp_path / "runs",
        say=lambda line: None,
    )
    assert name == "toy-tiny-plain-seed0" and not list((tmp_path / "out").iterdir())
    assert "validation loss became NaN in epoch 1" in reason and "`precision`" in reason


def test_ciphers_on_the_device_beside_a_copy(tmp_path):
    record = cipher_throughput(40, 8, 1, ["pbe", "ele"], tmp_path)
    rows = record["results"]["rows"]
    assert [row["cipher"] for row in rows] == ["pbe", "ele"]
    for row in rows:
        low, high = row["images_per_second_range"]
        assert 0 < low <= row["images_per_second"] <= high
    again = cipher_throughput(40, 8, 1, ["pbe", "ele"], tmp_path, again=False)
    assert again == record
    with pytest.raises(RecordError, match="repeats"):
        cipher_throughput(40, 8, 2, ["pbe", "ele"], tmp_path)


def test_a_wrong_ciphertext_is_no_figure(tmp_path, monkeypatch):
    monkeypatch.setattr(Transform, "definition", lambda transform, images: images)
    with pytest.raises(TfpeError, match="oracle"):
        cipher_throughput(40, 8, 1, ["pbe"], tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_all_of_it_on_jax_without_tensorflow(tmp_path):
    pytest.importorskip("jax")
    random = np.random.default_rng(0)
    for name in ("first", "second"):
        np.savez(
            tmp_path / f"{name}.npz",
            x_train=random.integers(0, 256, (80, 8, 8, 3), np.uint8),
            y_train=np.arange(80) % 2,
            x_test=random.integers(0, 256, (20, 8, 8, 3), np.uint8),
            y_test=np.arange(20) % 2,
        )

    def measure(*more):
        return run_script(
            "train_jax.py",
            *("gpu", "--data", tmp_path / "first.npz", tmp_path / "second.npz"),
            *("--recipe", "tiny", "--alpha", 3, "--epochs", 1, "--batch-size", 16),
            *("--ciphers", "plain,pbe", "--seeds", "0", "--images", 300),
            *("--network-depth", 8, "--network-alphas", 3, "--steps", 1),
            *("--out", tmp_path / "out", "--runs", tmp_path / "runs", *more),
            env=PATHS | {"KERAS_BACKEND": "jax"},
            timeout=900,
        )

    measure()
    speeds = read_records(tmp_path / "out", "training-speed")
    [ciphers] = read_records(tmp_path / "out", "cipher-throughput")
    trained = read_records(tmp_path / "out", "training")
    assert {r["settings"]["precision"] for r in speeds} == set(gpu.PRECISIONS)
    assert len(trained) == 4 and len({r["settings"]["dataset"] for r in trained}) == 2
    rows = ciphers["results"]["rows"]
    assert len(rows) >= 11 and min(row["images_per_second"] for row in rows) > 0
    # Nothing is measured twice, and nothing is lost.
    dates = [r["environment"]["date"] for r in (*speeds, ciphers, *trained)]
    measure()
    again = [
        record["environment"]["date"]
        for kind in ("training-speed", "cipher-throughput", "training")
        for record in read_records(tmp_path / "out", kind)
    ]
    assert again == dates
