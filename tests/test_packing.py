"""Folders of .tfpe containers: back exactly, resumed, and nothing lost or wrong."""

import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from tfpe import Key
from tfpe.cli import main
from tfpe.errors import ImageFileError, WrongKeyError
from tfpe.files import pack_folder, unpack_folder
from tfpe.hybrid import CodeTable, Container

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


def test_foreign_files_are_named_and_the_others_come_back(plain, tmp_path, capsys):
    KEY.save(tmp_path / "owner.key")
    packed = tmp_path / "packed"
    pack_folder(plain, packed, KEY)
    (packed / "note.txt").write_text("hello")
    shutil.copy(plain / "a.png", packed / "b" / "photo.png")
    (packed / "d.tfpe").write_bytes(b"no container")
    (packed / "A.TFPE").write_bytes((packed / "b" / "d.tfpe").read_bytes())
    shutil.copy(packed / "a.tfpe", tmp_path / "outside.tfpe")
    (packed / "out.tfpe").symlink_to(tmp_path / "outside.tfpe")
    command = ["unpack", "-q", "-k", str(tmp_path / "owner.key"), str(packed)]
    assert main([*command, "-o", str(tmp_path / "again")]) == 1
    told = capsys.readouterr().err
    for name in (
        "note.txt: This file is foreign",
        "b/photo.png",
        "d.tfpe",
        "out.tfpe: This leads",
    ):
        assert name in told
    assert "4 unpacked, 0 done before, 4 failed" in told
    assert pixels(tmp_path / "again").items() >= pixels(plain).items()


@pytest.mark.parametrize("damaged", [False, True])
def test_where_nothing_is_a_container_nothing_is_made(damaged, tmp_path):
    packed = tmp_path / "packed"
    packed.mkdir()
    (packed / "note.txt").write_text("hello")
    if damaged:
        (packed / "a.tfpe").write_bytes(b"no container")
    words = "with none; the first: a.tfpe" if damaged else "without any but 1 other"
    with pytest.raises(ImageFileError, match=words):
        unpack_folder(packed, tmp_path / "again", KEY)
    with pytest.raises(ImageFileError, match=r"note\.txt should be a \.tfpe container"):
        unpack_folder(packed / "note.txt", tmp_path / "again", KEY)
    with pytest.raises(ImageFileError, match="Cannot read .*nothing: No such file"):
        unpack_folder(tmp_path / "nothing", tmp_path / "again", KEY)
    assert not (tmp_path / "again").exists()


def test_one_public_table_for_a_folder(plain, tmp_path, capsys):
    KEY.save(tmp_path / "owner.key")
    table, packed = tmp_path / "photos.table", tmp_path / "packed"
    common = ["-q", "-k", str(tmp_path / "owner.key"), "--table", str(table)]
    pack = ["pack", *common, str(plain), "-o", str(packed)]
    assert main(pack) == main(pack) == 0
    assert "0 packed, 3 done before" in capsys.readouterr().err
    found = Container.from_bytes((packed / "a.tfpe").read_bytes())
    assert found.table_digest == CodeTable.load(table).digest
    unpack = ["unpack", *common, str(packed), "-o", str(tmp_path / "again")]
    assert main(unpack) == 0 and pixels(tmp_path / "again") == pixels(plain)
    summary = unpack_folder(packed, tmp_path / "without", KEY)
    assert "needs the public table" in summary.failed[0][1]


def test_damaged_tables_and_unknown_options_are_named(plain, tmp_path, capsys):
    KEY.save(tmp_path / "owner.key")
    table, packed = tmp_path / "photos.table", str(tmp_path / "packed")
    pack = ["pack", "-q", "-k", str(tmp_path / "owner.key"), str(plain), "-o", packed]
    CodeTable.public([np.zeros((2, 2, 3), np.uint8)]).save(table)
    whole = table.read_bytes()
    for damaged in (whole[:-1], whole[:20] + b"0" + whole[21:], b"another"):
        table.write_bytes(damaged)
        assert main([*pack, "--table", str(table)]) == 1
        assert str(table) in capsys.readouterr().err.replace("\n", "")
    assert main([*pack, "--option", "symbol=bytes"]) == 1
    assert "symbols" in capsys.readouterr().err
    assert not (tmp_path / "packed").exists()
    options = ["--option", "symbols=bytes", "--option", "nonce=false"]
    assert main([*pack, *options]) == 0
    found = Container.from_bytes((tmp_path / "packed" / "a.tfpe").read_bytes())
    assert (found.options["symbols"], found.options["nonce"]) == ("bytes", False)


RUN = """
import sys
from tfpe import Key, files
print("ready", flush=True)
files.pack_folder("plain", "packed", Key(bytes(range(32))))
"""


@pytest.mark.parametrize("kills", [2, pytest.param(30, marks=pytest.mark.slow)])
def test_killed_packing_resumes_to_the_same_bytes(kills, tmp_path, rng):
    (tmp_path / "plain").mkdir()
    for number in range(60):
        image = rng.integers(0, 9, (16, 16, 3), np.uint8)
        Image.fromarray(image).save(tmp_path / "plain" / f"{number}.png")
    pack_folder(tmp_path / "plain", tmp_path / "whole", KEY)
    whole, packed, hits = contents(tmp_path / "whole"), tmp_path / "packed", 0
    for count in rng.integers(0, 60, kills):
        shutil.rmtree(packed, ignore_errors=True)
        with subprocess.Popen(
            [sys.executable, "-c", RUN], cwd=tmp_path, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout.readline() == b"ready\n"
            while process.poll() is None and len([*packed.glob("*.tfpe")]) < count:
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 0.003))
            process.kill()
        done = len([*packed.glob("*.tfpe")])
        hits += process.returncode == -signal.SIGKILL and 0 < done < 60
        # Whole under its name from the first moment.
        assert all(
            (packed / f"{n}.tfpe").read_bytes() == whole[f"{n}.tfpe"]
            for n in range(60)
            if (packed / f"{n}.tfpe").exists()
        )
        summary = pack_folder(tmp_path / "plain", packed, KEY)
        assert (summary.written, summary.skipped) == (60 - done, done)
        assert contents(packed) == whole
    assert hits >= kills // 2
