"""Errata: measured again, and printed beside what the papers say."""

import math

import pytest

from tfpe.cli import main
from tfpe.lab import errata
from tfpe.lab.records import environment, typed


@pytest.fixture(scope="module")
def record():
    sizes = {"keys": 2, "draws": 60, "orbits": 3, "length": 200_000}
    return errata.measure_errata(**sizes, seed=1)


def test_measured_again(record):
    found = record["results"]
    # In closed form ln 2; and the map at 3.57 just above the onset of chaos, 3.56995.
    assert found["lyapunov_high"] == pytest.approx(math.log(2), abs=2e-3)
    assert found["lyapunov_low"] == pytest.approx(0.0110, abs=1e-3)
    assert found["sequence_claimed_bits"] == math.log2(256) * 32 * 32 * 3
    assert found["sequence_effective_bits"] == pytest.approx(103, abs=1)
    assert 0 < found["weak_share"] < 0.3
    # Half of the values are selected; one in 256 of those meets a 0.
    values = 2 * 32 * 32 * 3
    expected = 1 / 2 + 1 / 512
    assert abs(found["unchanged_share"] - expected) < 4 * math.sqrt(0.25 / values)
    assert 0 < found["algorithm_1_flags_share"] < 0.006
    assert found["algorithm_1_pbe_exact"] == found["two_chosen_images_exact"] == 2
    assert found["chosen_images"] == 2
    assert found["float32_states_most"] < 100_000


def test_rows_show_printed_beside_measured(record):
    [table] = errata.errata_tables([typed(record | {"environment": environment()})])
    rows = [[cell.text for cell in row] for row in table.rows]
    assert rows[0][1] == "0.0012" and rows[0][2].startswith("0.01")
    assert rows[1][1] == "0.00693" and rows[1][2].startswith("0.69")
    assert "2 of 2 keys" in rows[5][2]


def test_command(record, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(errata, "measure_errata", lambda: dict(record))
    path = tmp_path / "errata.json"
    assert main(["errata", "--record", str(path)]) == 0
    assert "0.0012" in capsys.readouterr().out
    path.write_text("{")
    assert main(["errata", "--record", str(path)]) == 1
    assert path.read_text() == "{"
