"""Tables of speeds and sizes say what the records say."""

from test_tables import ENVIRONMENT, lines, training

from tfpe.lab.tables.rendering import render_table


def test_table_of_ciphers_on_a_device():
    rates = {"images_per_second": 2.5e6, "images_per_second_range": [2e6, 3e6]}
    rows = [
        {"cipher": name, **rates, "to_copy": ratio, "to_copy_range": [0.25, 1.5]}
        for name, ratio in (("le", 0.976), ("orthogonal", 0.5))
    ]
    settings = {"backend": "jax", "ciphers": ["le", "orthogonal"], "images": 4096}
    settings |= {"image_shape": [8, 10, 3], "repeats": 7, "calls": 20}
    gpu = {"gpu": ["Difference Engine"], "backend": "jax", "jax": "1"}
    record = {
        **{"kind": "cipher-throughput", "settings": settings},
        **{"results": {"rows": rows}, "environment": ENVIRONMENT | gpu},
    }
    table = render_table("device-speed", [record, training("le", 0.1, 0.1)])
    _, _, le, orthogonal = lines(table)
    assert le == ["`le`", "2,500,000", "0.6", "0.98 (0.25 to 1.50)"]
    assert orthogonal[3].startswith("0.50 ")
    assert "layer, 4,096 images of 8 x 10 x 3 a call" in table
    assert "7 rounds of 20 calls" in table
    assert "; Difference Engine; tfpe 0, jax 1; 2026-01-01." in table


def test_hybrid_tables():
    sizes = {"PNG": (600, None), "single bytes": (900, 10), "CRT": (800, 50)}
    savings = [
        {
            **{"photograph": name, "image_shape": [20, 50, 1], "raw_bytes": 1000},
            **{"coder": coder, "coded_bytes": coded + more, "table_bytes": table},
        }
        for name, more in (("one", 0), ("two", 20))
        for coder, (coded, table) in sizes.items()
    ]
    rate, ratio = ({"median": m, "low": m / 2, "high": 2 * m} for m in (20.0, 0.5))
    speed = [
        {
            **{"program": program, "direction": direction},
            **{"megabytes_per_second": rate, "to_reference": ratio},
        }
        for program in ("hybrid", "PNG")
        for direction in ("pack", "unpack")
    ]
    memory = {"direction": "pack", "image_shape": [3, 4, 3], "peak_bytes": 5_000_000}
    settings = {"photographs": ["one", "two"], "timed": ["one"], "timed_sides": [3, 4]}
    record = {
        **{"kind": "hybrid", "settings": settings, "environment": ENVIRONMENT},
        "results": {"savings": savings, "speed": speed, "memory": [memory]},
    }
    _, _, one, two, mean = lines(table := render_table("hybrid-savings", [record]))
    assert one == ["one", "1,000", "40.0", "10.0 (11.0)", "20.0 (25.0)"]
    assert two[2:4] == ["38.0", "8.0 (9.0)"]
    assert mean == ["mean", "–", "39.0", "9.0 (10.0)", "19.0 (24.0)"]
    assert "Abacus" in table
    table = render_table("hybrid-speed", [record])
    assert lines(table)[2] == ["hybrid", *2 * ["20.0 (10.0 to 40.0), 0.50x"]]
    assert "4 x 3: 5 MB to pack" in table
    rows = lines(render_table("hybrid-errata", [record]))
    assert rows[2][1:] == ["5.76 %", "9.0 % (10.0 %)"]
    assert rows[3][1:] == ["15.45 %", "19.0 % (24.0 %)"]
    assert rows[4][1:] == rows[5][1:] == ["–", "–"]
