"""Folders of .tfpe containers: back exactly, resumed, and nothing lost or wrong."""

import numpy as np
import pytest
from PIL import Image

from tfpe import Key
from tfpe.cli import main
from tfpe.errors import WrongKeyError
from tfpe.files import pack_folder, unpack_folder

KEY = Key(bytes(range(32)))


@pytest.fixture
def plain(tmp_path, rng):
    for name, shape in {"a": (20, 31, 3), "b/c": (9, 8), "b/d": (1, 1, 3)}.items():
        file = tmp_path / "plain" / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 9, shape, np.uint8)).save(file)
    return tmp_path / "plain"


def contents(folder):
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def pixels(folder):
    return {
        file.relative_to(folder).as_posix(): np.asarray(Image.open(file)).tolist()
        for file in folder.rglob("*.png")
    }


def test_a_folder_comes_back_from_the_command_line(plain, tmp_path, capsys):
    KEY.save(tmp_path / "owner.key")
    common = ["-q", "-k", str(tmp_path / "owner.key")]
    packed, again = str(tmp_path / "packed"), str(tmp_path / "again")
    assert main(["pack", *common, str(plain), "-o", packed]) == 0
    assert set(contents(tmp_path / "packed")) == {"a.tfpe", "b/c.tfpe", "b/d.tfpe"}
    assert main(["unpack", *common, packed, "-o", again]) == 0
    assert pixels(tmp_path / "again") == pixels(plain)
    assert "3 unpacked, 0 done before, 0 failed" in capsys.readouterr().err


def test_a_run_is_resumed_to_the_same_bytes(plain, tmp_path):
    pack_folder(plain, tmp_path / "whole", KEY)
    pack_folder(plain, tmp_path / "packed", KEY)
    (tmp_path / "packed" / "b" / "c.tfpe").unlink()
    (tmp_path / "packed" / ".tfpe-0-1.tmp").write_bytes(b"half")
    summary = pack_folder(plain, tmp_path / "packed", KEY)
    assert (summary.written, summary.skipped, summary.failed) == (1, 2, [])
    assert contents(tmp_path / "packed") == contents(tmp_path / "whole")


def test_other_files_are_not_replaced(plain, tmp_path):
    pack_folder(plain, tmp_path / "packed", KEY)
    Image.new("L", (4, 4)).save(plain / "a.png")
    before = contents(tmp_path / "packed")
    summary = pack_folder(plain, tmp_path / "packed", KEY)
    assert [path for path, _ in summary.failed] == ["a.png"]
    assert contents(tmp_path / "packed") == before
    assert pack_folder(plain, tmp_path / "packed", KEY, force=True).written == 3


def test_a_wrong_key_writes_nothing(plain, tmp_path):
    pack_folder(plain, tmp_path / "packed", KEY)
    with pytest.raises(WrongKeyError):
        unpack_folder(tmp_path / "packed", tmp_path / "again", Key(bytes(32)))
    assert not (tmp_path / "again").exists()


def test_a_damaged_container_is_named_and_the_others_come_back(plain, tmp_path):
    pack_folder(plain, tmp_path / "packed", KEY)
    file = tmp_path / "packed" / "a.tfpe"
    file.write_bytes(file.read_bytes()[:-40])
    summary = unpack_folder(tmp_path / "packed", tmp_path / "again", KEY)
    assert summary.written == 2
    assert [path for path, _ in summary.failed] == ["a.tfpe"]
    assert not (tmp_path / "again" / "a.png").exists()
