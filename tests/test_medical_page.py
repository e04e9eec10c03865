"""What docs/medical.md says, from DICOM files to a network and back."""

import csv
import io
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tfpe.cli import main

pytest.importorskip("pydicom", reason="the extra `medical` is not installed")
PAGE = (Path(__file__).parents[1] / "docs/medical.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)[1:]


def run(capsys, names, blocks):
    """Runs blocks in the folder that is current; the output of each command."""
    output = {}
    for kind, code in blocks:
        if kind == "python":
            exec(compile(code, "medical.md", "exec"), names)
            continue
        for line in code.splitlines():
            capsys.readouterr()
            assert main(shlex.split(line)[1:]) == 0, capsys.readouterr().err
            output[line] = capsys.readouterr().out
    return output


@pytest.mark.parametrize(
    "window",
    [
        pytest.param(False, id="words"),
        pytest.param(True, id="window", marks=pytest.mark.slow),
    ],
)
def test_the_page_in_order(tmp_path, monkeypatch, capsys, window):
    monkeypatch.chdir(tmp_path)
    blocks = [block for block in BLOCKS if "nibabel" not in block[1]][:-1]
    if window:  # what the page says of it
        blocks = [
            (kind, code.replace("--depth 16 --key", "--window 200 2400 --key"))
            for kind, code in blocks
        ]
        blocks = [(k, c.replace("1 / 65535", "1 / 255")) for k, c in blocks[:5]]
    names = {}
    output = run(capsys, names, blocks)
    [table] = [text for line, text in output.items() if "tfpe predict" in line]
    rows = list(csv.DictReader(io.StringIO(table)))
    right = [row["image"].startswith(row["class"]) for row in rows]
    assert len(rows) == 20 and np.mean(right) >= 0.9
    assert names["model"].input_shape == (None, 32, 32, 1)


def test_volumes(tmp_path, monkeypatch, capsys):
    pytest.importorskip("nibabel", reason="nibabel is not installed")
    monkeypatch.chdir(tmp_path)
    volume = [code for _, code in BLOCKS if "nibabel" in code]
    keys = [("sh", "tfpe keygen -o owner.key\n"), ("python", volume[0]), BLOCKS[-1]]
    run(capsys, {"pathlib": __import__("pathlib")}, keys)
    pictures = sorted(Path("encrypted-brain").glob("*.png"))
    assert len(pictures) == 5
    with Image.open(pictures[0]) as picture:
        assert picture.mode == "I;16"
