"""Records: what is written can be read, and nothing is lost or made up."""

import array
import json
import os
import sys
import types

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tfpe
from tfpe.errors import OutputError, RecordError
from tfpe.lab import records
from tfpe.lab.records import (
    check_replaceable,
    read_record,
    read_records,
    write_record,
)

NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.none()
VALUES = st.recursive(
    NUMBERS | st.text() | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)


def record(**results):
    return {"kind": "toy", "settings": {"cipher": "le"}, "results": results}


@given(st.dictionaries(st.text(), VALUES))
def test_what_is_written_is_read(tmp_path_factory, results):
    path = tmp_path_factory.getbasetemp() / "round-trip.json"
    written = write_record(path, record(**{"results": results}))
    assert read_record(path) == written
    assert written["results"] == {"results": results}


def test_files_are_readable_and_do_not_depend_on_order(tmp_path):
    confusion = np.arange(6, dtype=np.int32).reshape(2, 3)
    results = {"name": "[\n1\n]", "half": np.float32(0.5), "confusion": confusion}
    results["words"] = "Übergrößen"
    first = write_record(tmp_path / "a.json", record(**results))
    again = {"environment": first["environment"], **record(**results)}
    write_record(tmp_path / "b.json", dict(reversed(again.items())))
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert (tmp_path / "b.json").read_text(encoding="utf-8") == text
    assert '"words": "Übergrößen"' in text
    assert "      [0, 1, 2],\n      [3, 4, 5]\n" in text
    assert read_record(tmp_path / "a.json")["results"] == {
        "name": "[\n1\n]",
        "half": 0.5,
        "confusion": [[0, 1, 2], [3, 4, 5]],
        "words": "Übergrößen",
    }
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        np.float32("inf"),
        np.array([1.0, np.nan]),
        b"secret",
        array.array("d", [1.0]),
        {1, 2},
        tfpe.Key(bytes(32)),
        tfpe.ciphers.negpos(tfpe.Key(bytes(32)), (2, 2, 3)),
    ],
    ids=str,
)
def test_values_that_are_no_measurements_are_refused(tmp_path, value):
    path = write_once(tmp_path)
    before = path.read_bytes()
    with pytest.raises(RecordError, match="`record` should hold finite numbers"):
        write_record(path, record(value=value))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "broken",
    [
        [],
        {},
        {"kind": "toy", "settings": {}},
        {"kind": 3, "settings": {}, "results": {}},
        {"kind": "toy", "settings": {}, "results": []},
        {"kind": "toy", "settings": {}, "results": {}, "format": 2},
        {"kind": "toy", "settings": {}, "results": {}, "format": True},
    ],
    ids=str,
)
def test_what_is_no_record_is_refused(tmp_path, broken):
    path = tmp_path / "record.json"
    with pytest.raises(RecordError, match="should"):
        write_record(path, broken)
    assert not path.exists()
    path.write_text(json.dumps(broken))
    with pytest.raises(RecordError, match="should"):
        read_record(path)


@pytest.mark.parametrize("text", ["", "{", '{"kind": NaN}', "\ufeff{}", "[" * 100_000])
def test_damaged_files_are_refused(tmp_path, text):
    path = tmp_path / "record.json"
    path.write_text(text)
    with pytest.raises(RecordError, match="damaged"):
        read_record(path)
    with pytest.raises(RecordError, match="damaged"):
        write_record(path, record())
    assert path.read_text() == text
    write_record(path, record(), overwrite=True)
    assert read_record(path)["kind"] == "toy"


def write_once(folder):
    path = folder / "record.json"
    write_record(path, record(ms=1))
    return path


def test_only_records_of_the_same_settings_are_replaced(tmp_path):
    path = write_once(tmp_path)
    write_record(path, record(ms=2))
    for other, name in (
        ({"kind": "attack"}, "kind"),
        ({"settings": {"cipher": "ele"}}, "cipher"),
        ({"settings": {"cipher": "le", "seed": 1}}, "seed"),
    ):
        with pytest.raises(RecordError, match=rf"differs in \['{name}'\]"):
            write_record(path, record(ms=3) | other)
        assert read_record(path)["results"] == {"ms": 2}
    write_record(path, record(ms=3) | {"kind": "attack"}, overwrite=True)
    for other in ("owner.key", "speed.png", "cloud.receipt.json"):
        beside = path.with_name(other)
        beside.write_text("dear")
        with pytest.raises(RecordError, match="should be a .json file"):
            write_record(beside, record(), overwrite=True)
        assert beside.read_text() == "dear"
    assert read_record(path)["results"] == {"ms": 3}


def test_what_is_no_record_is_never_lost(tmp_path):
    path = tmp_path / "manifest.json"
    for text in ('{"images": 3}', "[1]"):
        path.write_text(text)
        with pytest.raises(RecordError, match="Received: another file"):
            write_record(path, record(), overwrite=True)
        assert path.read_text() == text
    path.write_text('{"kind": "demo", "sett')  # a damaged record may be
    assert write_record(path, record(), overwrite=True) == read_record(path)


@pytest.mark.parametrize("overwrite", [False, True])
def test_where_no_record_could_be_written_is_said_before_the_work(overwrite, tmp_path):
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "file").touch()
    for place in ("folder.json", "file/new.json", "file/more/new.json"):
        with pytest.raises(RecordError, match="where a file can be written"):
            check_replaceable(tmp_path / place, "demo", {}, overwrite)
    check_replaceable(tmp_path / "more/new.json", "demo", {}, overwrite)
    assert not (tmp_path / "more").exists()


def test_settings_are_compared_as_they_are_in_the_file(tmp_path):
    settings = {"milestones": (0.5, 0.75), "alpha": np.float64(24)}
    for _ in range(2):
        write_record(tmp_path / "a.json", {**record(), "settings": settings})


def test_a_full_disk_keeps_the_record_that_was_there(tmp_path, monkeypatch):
    path = write_once(tmp_path)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        write_record(path, record(ms=2))
    assert read_record(path)["results"] == {"ms": 1}
    assert os.listdir(tmp_path) == ["record.json"]


def test_folders_are_read_in_order_and_chosen_from(tmp_path):
    assert read_records(tmp_path / "none") == []
    for name, kind, cipher in (
        ("b", "toy", "le"),
        ("sub/c", "toy", "ele"),
        ("a", "attack", "le"),
    ):
        changed = record(name=name) | {"kind": kind, "settings": {"cipher": cipher}}
        write_record(tmp_path / f"{name}.json", changed)

    def names(*arguments, **settings):
        found = read_records(tmp_path, *arguments, **settings)
        return "".join(r["results"]["name"] for r in found)

    assert names() == "absub/c"
    assert names("toy") == "bsub/c"
    assert names(cipher="le") == "ab"
    assert names("toy", cipher="le") == "b"
    assert names(seed=0) == ""


def test_environment_says_what_was_used_and_not_where(monkeypatch):
    found = records.environment()
    json.dumps(found)
    assert found["numpy"] == np.__version__
    assert 1 <= found["cores"] <= os.cpu_count()
    assert {os.uname().nodename, os.getcwd()}.isdisjoint(map(str, found.values()))
    # A machine with a GPU cannot be had here: what CUDA would answer is put in.
    cuda = types.SimpleNamespace(
        is_available=lambda: True,
        device_count=lambda: 2,
        get_device_name=lambda number: f"GPU {number}",
    )
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    monkeypatch.delitem(sys.modules, "jax", raising=False)
    torch = types.SimpleNamespace(__version__="2", cuda=cuda)
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert records.environment()["gpu"] == ["GPU 0", "GPU 1"]
    assert records.environment()["torch"] == "2"
    assert "tensorflow" not in records.environment()


def test_the_machine_in_a_record(monkeypatch):
    from tfpe.lab.records import machine

    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": int(3.75 * 2**18)}
    monkeypatch.setattr(os, "sysconf", pages.__getitem__)
    assert records.environment()["memory_gib"] == 3.8
    text = "processor : 0\nmodel name\t: Abacus 3 @ 1 GHz \nmodel name : another\n"
    monkeypatch.setattr(machine.Path, "read_text", lambda path, encoding: text)
    assert records.environment()["cpu"] == "Abacus 3 @ 1 GHz"
