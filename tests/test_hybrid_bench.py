"""What the hybrid saves and costs: measured, recorded, and shown as it was measured."""

import numpy as np
import pytest

from tfpe import Key
from tfpe.cli import main
from tfpe.errors import TfpeError
from tfpe.hybrid import CodeTable, Container, Hybrid, split_sides
from tfpe.lab.bench import hybrid_bench
from tfpe.lab.bench.hybrid_bench import measure_savings, run_hybrid_bench
from tfpe.lab.records import read_record
from tfpe.lab.tables.rendering import render_table

pytest.importorskip("skimage")
pytest.importorskip("cryptography")
SMALL = {
    **{"photographs": ("coffee", "camera"), "timed": ("coffee",)},
    **{"timed_sides": (24, 32), "large_sides": (500, 900), "repeats": 1},
}


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    path = tmp_path_factory.mktemp("bench") / "hybrid.json"
    run_hybrid_bench(path, **SMALL)
    return read_record(path)


def test_a_record_holds_all_that_tables_show(record):
    results = record["results"]
    coders = ["PNG", "zlib", *hybrid_bench.HYBRIDS, hybrid_bench.PUBLIC]
    assert [row["coder"] for row in results["savings"]] == 2 * coders
    programs = {(row["program"], row["direction"]) for row in results["speed"]}
    assert len(programs) == 2 * (len(hybrid_bench.SPEEDS) + 2)
    pack, unpack = results["memory"]
    assert pack["image_shape"] == unpack["image_shape"] == [500, 900, 3]
    # What a picture takes itself, and less than the gigabyte of one of 4000 x 3000.
    assert all(1 < one["peak_bytes"] / (500 * 900 * 3) < 25 for one in (pack, unpack))
    shown = {
        "savings": "| mean |",
        "speed": "| hybrid, one orbit |",
        "errata": "15.45 %",
    }
    for table, words in shown.items():
        assert words in render_table(f"hybrid-{table}", [record])


def test_savings_are_those_of_the_bytes():
    image = np.random.default_rng(0).integers(0, 9, (40, 50, 3), np.uint8)
    other = image[::-1, ::-1]
    rows = {
        r.coder: r
        for r in measure_savings(Key(bytes(32)), {"a": image, "b": other})
        if r.photograph == "a"
    }
    container = Hybrid(Key(bytes(32)))(image)
    crt = rows["CRT"]
    assert (crt.raw_bytes, crt.coded_bytes) == (6000, len(container))
    _, _, table = split_sides(Container.from_bytes(container))
    assert crt.table_bytes == len(table)
    assert crt.saved_without_table == pytest.approx(
        1 - (len(container) - len(table)) / 6000
    )
    # Without a table in it, a container is as long as with that table made public.
    symbols = image.transpose(2, 0, 1).reshape(-1).view(">u2")
    public = CodeTable.of(np.bincount(symbols, minlength=2**16), "crt")
    bare = Hybrid(Key(bytes(32)), table=public)(image)
    assert len(bare) == len(container) - len(table)
    assert rows["pairs"].coded_bytes - rows["pairs"].table_bytes == len(bare)
    assert rows[hybrid_bench.PUBLIC].table_bytes == 0
    assert rows[hybrid_bench.PUBLIC].saved_without_table is None


def test_a_wrong_picture_is_no_measurement(monkeypatch):
    first, second = (np.full((9, 9, 3), value, np.uint8) for value in (0, 1))
    monkeypatch.setattr(Hybrid, "inverse", lambda self, data: first)
    with pytest.raises(TfpeError, match="should"):
        hybrid_bench.measure_speed(Key(bytes(32)), [first, second], 1)
    with pytest.raises(TfpeError, match="come back"):
        hybrid_bench.measure_memory(Key(bytes(32)), np.ones((9, 9, 3), np.uint8))


def test_the_command_shows_and_refuses(monkeypatch, tmp_path, capsys):
    run = hybrid_bench.run_hybrid_bench
    monkeypatch.setattr(
        hybrid_bench,
        "run_hybrid_bench",
        lambda path, **given: run(path, **given | SMALL),
    )
    path = str(tmp_path / "record.json")
    assert main(["bench", "--hybrid", "--record", path, "-q"]) == 0
    told = capsys.readouterr().out
    assert "CRT" in told and "AES" in told
    assert main(["bench", "--hybrid", "--cipher", "le"]) == 1
    assert "--cipher" in capsys.readouterr().err
