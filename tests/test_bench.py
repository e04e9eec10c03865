"""The benchmark measures what it says: right results only, ratios of one round."""

import numpy as np
import pytest

from tfpe import CIPHERS, Key
from tfpe.ciphers import le_transform
from tfpe.cli import main
from tfpe.errors import RecordError, TfpeError
from tfpe.keys.derivation import stable_argsort
from tfpe.lab.bench import FIELD, measure_throughput, noise, run_bench
from tfpe.lab.bench.against import against_table, changes, changes_of
from tfpe.lab.bench.baselines import AES, baselines, field_le
from tfpe.lab.bench.costs_in_use import measure_pipelines, measure_setup
from tfpe.lab.bench.rows import pack, unpack
from tfpe.lab.bench.speed_report import bench_tables, draw_speed
from tfpe.lab.bench.timing import interleave
from tfpe.lab.bench.waits import (
    measure_folders,
    measure_own_keys,
    measure_peaks,
    measure_photographs,
)
from tfpe.lab.records import environment, read_record, typed, write_record
from tfpe.lab.tables.rendering import render_table

KEY = Key(bytes(range(32)))


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    path = tmp_path_factory.mktemp("bench") / "bench-quick.json"
    seen = []
    made = run_bench(
        path,
        quick=True,
        ciphers=["le"],
        repeats=1,
        progress=lambda done, total, what: seen.append((done, total)),
    )
    assert read_record(path) == made
    assert seen == [(i, 4) for i in range(1, 5)]
    with pytest.raises(RecordError, match="repeats"):
        run_bench(path, quick=True, ciphers=["le"], repeats=2)
    return made


def test_a_record_has_every_runner_and_baseline(record):
    rows = unpack(record["results"]["throughput"])
    runners = {row["runner"] for row in rows}
    assert {"NumPy", "TF graph", "XLA", "Keras layer", FIELD, "copy"} <= runners
    assert {"tf.data batched", "tf.data unbatched"} <= runners
    assert {row["direction"] for row in rows} == {"encrypt", "decrypt"}
    assert all(0 < row["low"] <= row["median"] <= row["high"] for row in rows)
    assert {row["cipher"] for row in rows} == {"le", None}
    sources = [row["source"] for row in record["results"]["pipelines"]]
    assert sources == ["memory", "PNG"]


def test_rows_are_kept_in_short_lists():
    ratios = {AES: {"median": 2.0, "low": 1.5, "high": 2.5}}
    row = {"size": "1x2x2x3", "direction": "encrypt", "cipher": "le", "runner": "XLA"}
    row |= {"rounds": 3, "median": 0.00123456, "low": 0.001, "high": 0.002}
    baseline = row | {"cipher": None, "runner": AES, "median": 0.002}
    packed = pack([row | {"ratios": ratios}, baseline | {"ratios": ratios}])
    own, beside = unpack(packed)
    assert own == row | {"median": 0.001235, "ratios": ratios}
    assert (beside["cipher"], beside["median"]) == (None, 0.002)


@pytest.mark.parametrize("overwrite", [False, True])
def test_parts_that_are_not_measured_stay(record, tmp_path, overwrite):
    path = tmp_path / "bench-quick.json"
    settings = {"quick": True, "ciphers": ["le"], "repeats": 1}
    first = run_bench(path, parts=["setup"], **settings)
    assert list(first["results"]) == ["dates", "setup"]
    both = run_bench(
        path, parts=["throughput"], directions=["encrypt"], overwrite=True, **settings
    )
    assert list(both["results"]) == ["dates", "throughput"]  # of other settings
    more = {"parts": ["setup"], "directions": ["encrypt"], "overwrite": overwrite}
    third = run_bench(path, **more, **settings)
    assert sorted(third["results"]) == ["dates", "setup", "throughput"]
    assert third["results"]["dates"]["throughput"] == both["environment"]["date"]
    assert third["results"]["throughput"] == both["results"]["throughput"]


def test_a_record_renders(record, tmp_path):
    titles = [table.caption for table in bench_tables(typed(record))]
    assert len(titles) == 4 and titles[2] == "Key set-up"
    draw_speed(typed(record), tmp_path / "speed.png")
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")
    assert render_table("speed", [record]) == "*Not measured yet.*"
    settings = record["settings"] | {"quick": False}
    rows = record["results"]["throughput"]["256x32x32x3"]
    results = record["results"] | {"throughput": {"2048x32x32x3": rows}}
    table = render_table("speed", [record | {"settings": settings, "results": results}])
    assert table.startswith("| cipher | NumPy, GB/s |") and "`le`" in table


@pytest.mark.parametrize("direction", ["encrypt", "decrypt"])
def test_rows_are_of_the_cipher_asked_for(direction):
    rows = measure_throughput(KEY, "pbe", (2, 8, 8, 3), direction, 1, ["NumPy"])
    own = rows[0]
    assert (own["cipher"], own["direction"]) == ("pbe", direction)
    assert own["runner"] == "NumPy"
    assert all(row["runner"] != "XLA" for row in rows)


def test_a_wrong_result_is_no_measurement():
    with pytest.raises(TfpeError, match="le, XLA should give"):
        interleave({"le, XLA": (lambda: 1, lambda result: result == 2)}, 1)


def test_ratios_say_how_many_times_as_fast():
    def spin(count):
        return lambda: sum(range(count)), lambda total: total > 0

    programs = {"reference": spin(2_000_000), "fast": spin(20_000)}
    found = interleave(programs, 5, ["reference", "absent"])
    assert found["reference"]["ratios"]["reference"]["median"] == 1
    assert list(found["fast"]["ratios"]) == ["reference"]
    ratio = found["fast"]["ratios"]["reference"]
    assert 10 < ratio["low"] <= ratio["median"] <= ratio["high"]


def test_baselines_notice_wrong_results():
    images = noise((3, 7, 5, 3))
    for name, (run, is_right) in baselines(images).items():
        result = run()
        assert is_right(result), name
        broken = result[0] if isinstance(result, list) else result
        broken.reshape(-1)[0] ^= 1
        assert not is_right(result), name


def test_aes_is_that_of_the_standard():
    """NIST SP 800-38A, F.5.5 has another key and counter: so by another path here."""
    ciphers = pytest.importorskip("cryptography.hazmat.primitives.ciphers")
    images = noise((2, 4, 4, 3))
    run, _ = baselines(images)[AES]
    (output,) = run()
    block = ciphers.Cipher(
        ciphers.algorithms.AES(bytes(range(32))), ciphers.modes.ECB()
    ).encryptor()
    counters = b"".join(i.to_bytes(16, "big") for i in range(6))
    stream = np.frombuffer(block.update(counters), np.uint8)
    assert np.array_equal(output[:96], images.reshape(-1) ^ stream)


@pytest.mark.parametrize("shape", [(1, 4, 4, 1), (3, 12, 8, 3)])
def test_the_fields_le_is_le(shape, rng):
    order = rng.permutation(32 * shape[3])
    images = noise(shape)
    expected = le_transform(order, shape[1:])(images)
    assert np.array_equal(field_le(images, order), expected)


def test_setup_and_pipelines():
    (row,) = measure_setup(KEY, ["shuffle"], [64], 1)
    assert row["low"] > 0 and row["setup_bytes"] > 64 * 64 * 3
    memory, png = measure_pipelines(KEY, ["negpos"], noise((5, 8, 8, 3)), 1)
    assert memory["kept"]["median"] > 0 and png["images_per_second"] > 0


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"ciphers": ["rot13"]}, "`cipher` should be one of"),
        ({"sizes": ["huge"]}, "`sizes` should be among"),
        ({"parts": ["engine"]}, "`parts` should be among"),
        ({"repeats": 0}, "`repeats` should be"),
        ({"cores": 0}, "`cores` should be"),
        ({"cores": 10**6}, "`cores` should be at most"),
    ],
)
def test_wrong_settings_are_refused_first(arguments, message):
    with pytest.raises(TfpeError, match=message):
        run_bench(**arguments)


@pytest.mark.parametrize("name", ["owner.key", "photo.png"])
def test_a_figure_takes_no_other_files_place(name, tmp_path, capsys):
    path = tmp_path / name
    path.write_text("mine")
    run = ["bench", "--quick", "--cipher", "le", "--part", "setup"]
    assert main([*run, "--figure", str(path)]) == 1
    assert "--figure should" in capsys.readouterr().err
    assert path.read_text() == "mine"
    if name == "photo.png":  # which is no folder either
        assert main([*run, "--figure", str(path / "new.png")]) == 1
        assert "where a file can be written" in capsys.readouterr().err


def test_the_command_says_what_is_wrong(capsys):
    assert main(["bench", "--cipher", "rot13"]) == 1
    assert "tfpe: error: --cipher should be one of" in capsys.readouterr().err


# --- the set-up that the benchmark times ------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (5, 96), (3, 70_000), (900, 97)])
@pytest.mark.parametrize("high", [2**64 - 1, 2**20, 4], ids=["random", "ties", "few"])
def test_sorted_words_with_places_are_astable_argsort(shape, high, rng):
    words = rng.integers(0, high, shape, np.uint64, endpoint=True)
    expected = np.argsort(words, axis=-1, kind="stable")
    assert np.array_equal(stable_argsort(words), expected)


def test_upper_bits_that_tie_leave_it_to_the_whole_word(rng):
    # 1000 places take 10 bits: these words differ in those bits only.
    words = np.uint64(2**40) + rng.permutation(1000).astype(np.uint64)[None] % 1000
    expected = np.argsort(words, axis=-1, kind="stable")
    assert np.array_equal(stable_argsort(words), expected)


@pytest.mark.parametrize("name", CIPHERS)
def test_setup_holds_less_than_a_few_dozen_bytes_a_byte(name):
    """A transform of nibbles is 18 bytes for each byte itself."""
    (row,) = measure_setup(KEY, [name], [400], 1)
    assert row["setup_bytes"] < 50 * 400 * 400 * 3


def test_what_became_slower_is_told_and_noise_is_not(record, tmp_path, capsys):
    now = typed(record)
    assert not any(change.told for change in changes(now, now))
    before = {"a": (1.0, 0.95, 1.05), "b": (1.0, 0.6, 1.4), "c": (1.0, 1.0, 1.0)}
    later = {"a": (0.8, 0.75, 0.85), "b": (0.8, 0.5, 1.0), "c": (1.2, 1.2, 1.2)}
    told = [c.what for c in changes_of(later, before, True) if c.told]
    assert told == ["a"]
    (change, *_) = changes_of(before | {"d": (1, 1, 1)}, later, False)
    assert change.told and change.factor == 0.8
    assert against_table(changes_of(later, before, True)).rows

    path = tmp_path / "bench-quick.json"
    results = dict(record["results"])
    rows = unpack(results["throughput"])
    for row in rows:
        for ratio in row["ratios"].values():
            ratio.update({name: 1000 * value for name, value in ratio.items()})
    results["throughput"] = pack(rows)
    write_record(path, record | {"results": results}, True)
    command = ["bench", "--quick", "-q", "--cipher", "le", "--repeats", "1"]
    command += ["--part", "throughput", "--direction", "encrypt"]
    assert main([*command, "--against", str(path)]) == 1
    assert "slower" in capsys.readouterr().out


def test_what_users_wait_for_is_measured_and_shown():
    kept = []
    rows = {
        "photographs": measure_photographs(KEY, ["le"], (64, 96, 3)),
        "own_keys": measure_own_keys(KEY, ["etc"], 1, 4),
        "folders": measure_folders(
            KEY, ["le"], 1, ["5000 PNG of 32x32"], 0.002, lambda rows: kept.extend(rows)
        ),
        "peaks": measure_peaks(["le"], 64, 96),
    }
    record = {
        "kind": "bench",
        "settings": {"ciphers": ["le"]},
        "results": rows,
        "environment": environment(),
    }
    titles = [table.caption for table in bench_tables(typed(record))]
    assert len(titles) == 5 and titles[3] == "Folders"
    ways = rows["photographs"][0]["files"]
    assert 0.8 < ways["as chosen"][0] < 1.01 and ways["stored"][1] > 0
    assert rows["folders"] == kept  # told after each folder, not at the end alone
    assert rows["folders"][0]["kept"] > 0 and rows["peaks"][0]["peak_bytes"] > 2**25


def test_peaks_are_of_the_process_that_encrypts():
    held = np.ones(2**28, np.uint8)  # what this process held once is not told
    [row] = measure_peaks(["le"], 64, 96)
    assert 2**25 < row["peak_bytes"] < held.nbytes
