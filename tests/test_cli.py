"""The command line as a user has it: processes, exit codes, stdout and stderr."""

import io
import json
import os
import shlex
import stat
import subprocess
import sys

import numpy as np
import pytest
from key_arrays import BYTES
from PIL import Image

from tfpe import CIPHERS, Key
from tfpe.cli import main

TFPE = [sys.executable, "-m", "tfpe"]
ENCRYPT = "encrypt -q -k owner.key --cipher ele photos -o out".split()
IMAGE = np.random.default_rng(0).integers(0, 256, (10, 13, 3), np.uint8)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with owner.key and photos/{a,b}.png."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TFPE_KEY_FILE", raising=False)
    Key(bytes(range(32))).save("owner.key")
    (tmp_path / "photos" / "cats").mkdir(parents=True)
    Image.fromarray(IMAGE).save("photos/a.png")
    Image.fromarray(IMAGE[::-1]).save("photos/cats/b.png")
    return tmp_path


def read(path):
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.parametrize("name", BYTES)
def test_encrypt_and_decrypt(name, folder, capsys):
    encrypt = ["encrypt", "-q", "--cipher", name, "photos", "-o", "out", "--json"]
    assert main([*encrypt, "-k", "owner.key"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["written"] == 2 and "2 encrypted" in err
    assert main(["decrypt", "-q", "-k", "owner.key", "out", "-o", "again"]) == 0
    assert np.array_equal(read("again/a.png"), IMAGE)
    assert np.array_equal(read("again/cats/b.png"), IMAGE[::-1])
    assert (name == "identity") == np.array_equal(read("out/a.png")[:10, :13], IMAGE)


def test_options_variables_and_single_images(folder, monkeypatch, capsys):
    monkeypatch.setenv("TFPE_KEY_FILE", "owner.key")
    options = ["--cipher", "le", "--option", "block_size=2"]
    options += ["--option", "reversal=independent"]
    assert main(["encrypt", *options, "photos/a.png", "-o", "out"]) == 0
    manifest = json.loads((folder / "out" / "manifest.json").read_text())
    assert '"block_size": 2' in json.dumps(manifest)
    assert "independent" in json.dumps(manifest)
    assert main(["decrypt", "out", "-o", "again"]) == 0
    assert np.array_equal(read("again/a.png"), IMAGE)
    assert "Encrypting" in capsys.readouterr().err


def test_hidden_names(folder):
    key = ["-q", "-k", "owner.key"]
    assert (
        main(
            [
                "encrypt",
                *key,
                "--cipher",
                "ele",
                "photos",
                "-o",
                "out",
                "--hide-names",
                "n.json",
            ]
        )
        == 0
    )
    names = {path.name for path in (folder / "out").rglob("*")}
    assert not names & {"a.png", "b.png", "cats"}
    assert main(["decrypt", *key, "out", "-o", "again", "--names", "n.json"]) == 0
    assert np.array_equal(read("again/cats/b.png"), IMAGE[::-1])


def test_one_bad_image_fails_and_the_others_are_done(folder, capsys):
    (folder / "photos" / "broken.png").write_bytes(b"no image")
    assert main(ENCRYPT) == 1
    err = capsys.readouterr().err
    assert "broken.png" in err and "2 encrypted" in err and "1 failed" in err


def test_the_wrong_key_is_refused(folder, capsys):
    assert main(ENCRYPT) == 0
    assert main(["keygen", "-o", "other.key"]) == 0
    assert main(["decrypt", "-q", "-k", "other.key", "out", "-o", "again"]) == 1
    assert "fingerprint" in capsys.readouterr().err
    assert not list((folder / "again").glob("**/*.png"))


def test_keygen_writes_a_private_file_and_the_fingerprint_to_stderr(folder, capsys):
    assert main(["keygen", "-o", "new.key"]) == 0
    out, err = capsys.readouterr()
    assert out == "" and Key.load("new.key").fingerprint in err
    assert stat.S_IMODE((folder / "new.key").stat().st_mode) == 0o600
    before = (folder / "new.key").read_bytes()
    assert main(["keygen", "-o", "new.key"]) == 1
    assert (folder / "new.key").read_bytes() == before


def test_a_passphrase_key_from_stdin(folder):
    def run(*arguments):
        return subprocess.run(
            [*TFPE, *arguments], input=b"correct horse\n", capture_output=True
        )

    assert run("keygen", "--passphrase", "-o", "pass.key").returncode == 0
    text = (folder / "pass.key").read_text()
    assert "salt" in text and "secret" not in text
    done = run(
        "encrypt", "-q", "-k", "pass.key", "--cipher", "ele", "photos", "-o", "out"
    )
    assert done.returncode == 0, done.stderr
    arguments = ["decrypt", "-q", "-k", "pass.key", "out", "-o", "again"]
    done = subprocess.run([*TFPE, *arguments], input=b"wrong\n", capture_output=True)
    assert done.returncode == 1 and b"passphrase" in done.stderr


def test_a_key_file_that_others_can_read_draws_a_warning(folder, capsys):
    os.chmod("owner.key", 0o644)
    assert main(ENCRYPT) == 0
    assert "chmod 600" in capsys.readouterr().err


WRONG = {
    "no command": ([], 2),
    "unknown command": (["frobnicate"], 2),
    "no output": (["encrypt", "photos"], 2),
    "option without value": (["encrypt", "photos", "-o", "x", "--option", "a"], 2),
    "size of one number": (["ciphers", "--size", "32"], 2),
    "no cipher": (["encrypt", *"-k owner.key photos -o out".split()], 1),
    "no key": (["encrypt", "--cipher", "ele", "photos", "-o", "out"], 1),
    "missing key file": (
        ["encrypt", *"-k no.key --cipher ele photos -o out".split()],
        1,
    ),
    "unknown cipher": (
        ["encrypt", "-k", "owner.key", "--cipher", "rot13", "photos", "-o", "out"],
        1,
    ),
    **{
        f"option {option[:12]}": (
            ["encrypt", *"-k owner.key --cipher ele photos -o out".split()]
            + ["--option", option],
            status,
        )
        for option, status in [
            *[("a=1", 1), ("force=1", 1), ("src=x", 1), ("progress=1", 1)],
            *[("block_size=1e999", 1), ("block_size=-1", 1), ("block_size=[]", 1)],
            *[("a=" + "[" * 99_999, 2), ("block_size=" + "9" * 5000, 2)],
        ]
    },
    "option twice": (
        ["encrypt", *"-k owner.key --cipher ele photos -o out".split()]
        + ["--option", "block_size=4", "--option", "block_size=8"],
        2,
    ),
    "option of another function": (
        ["predict", "m", "photos", "-k", "owner.key", "--option", "dtype=int8"],
        1,
    ),
    "option of no cipher": (
        ["dataset", "reencrypt", "x", "-k", "owner.key", "--new-key", "owner.key"]
        + ["-o", "y", "--option", "name=z"],
        1,
    ),
    "demo on a file": (["demo", "-q", "owner.key"], 1),
    "long path": (
        ["encrypt", *"-k owner.key --cipher ele -o out".split(), "p" * 300],
        1,
    ),
    "missing source": (
        ["encrypt", *"-k owner.key --cipher ele nothing -o out".split()],
        1,
    ),
    "no manifest": (["decrypt", "-k", "owner.key", "photos", "-o", "out"], 1),
    "output in the source": (
        ["encrypt", *"-k owner.key --cipher ele photos -o photos/out".split()],
        1,
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_use(name, folder, capsys):
    arguments, status = WRONG[name]
    try:
        returned = main(arguments)
    except SystemExit as error:
        returned = error.code
    out, err = capsys.readouterr()
    assert returned == status and out == "" and "error" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("error", [MemoryError(), OverflowError("too big")])
def test_what_is_too_large_is_told_in_one_line(error, folder, capsys, monkeypatch):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr("tfpe.files.encrypt_folder", fail)
    assert main(ENCRYPT) == 1
    err = capsys.readouterr().err
    assert err.startswith("tfpe: error: ") and err.count("\n") == 1


SHELL = {
    "stdout full": "ciphers --json >/dev/full",
    "stdout closed": "ciphers --json >&-",
    "table, stdout closed": "ciphers >&-",
    "no passphrase": "keygen --passphrase -o new.key <&-",
    "end of passphrases": "keygen --passphrase -o new.key </dev/null",
    "passphrase of bytes": "keygen --passphrase -o new.key <bytes",
}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("name", SHELL)
def test_streams_that_are_full_or_closed(name, folder):
    (folder / "bytes").write_bytes(b"caf\xe9\n")
    command = f"{shlex.join(TFPE)} {SHELL[name]}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert done.returncode == 1, done
    assert done.stderr.startswith("tfpe: error: ") and done.stderr.count("\n") == 1
    assert not (folder / "new.key").exists()


def test_notes_never_go_to_stdout(folder):
    run = "encrypt -k owner.key --cipher ele photos -o out --json 2>&-"
    command = f"{shlex.join(TFPE)} {run}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert done.returncode == 0 and json.loads(done.stdout)["written"] == 2


def test_line_ends_are_no_part_of_a_passphrase(folder, monkeypatch):
    """A line of Windows gives the same key as a line of Unix."""
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\r\n"))
    assert main(["keygen", "--passphrase", "-o", "pass.key"]) == 0
    assert Key.load("pass.key", "correct horse").needs_passphrase


def test_names_of_files_do_not_steer_the_terminal(folder, capsys):
    name = "evil\x1b]0;owned\x07\n\u202egnp.png"
    (folder / "photos" / name).write_bytes(b"no image")
    assert main(ENCRYPT) == 1
    err = capsys.readouterr().err
    assert r"evil\x1b]0;owned\x07\n\u202egnp.png" in err
    assert err.replace("\n", "").isprintable() and err.count("\n") == 3
    assert (
        main(["encrypt", "--cipher", "ele", "-k", f"\x1b{name}", "photos", "-o", "out"])
        == 1
    )
    assert capsys.readouterr().err.count("\n") == 1
    with pytest.raises(SystemExit):
        main(["encrypt", "-o", "out", "photos", name])
    assert "\x1b" not in capsys.readouterr().err


def test_ciphers_lists_every_cipher(capsys):
    assert main(["ciphers", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["cipher"] for row in rows] == list(CIPHERS)
    broken = {row["cipher"]: row["broken_by"] for row in rows}
    assert broken["shuffle"] == "chosen images, known images"
    assert broken["identity"] == "nothing: it has no key"
    assert main(["ciphers", "--size", "30x33"]) == 0
    assert "blockshuffle" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["", "keygen", "encrypt", "decrypt", "demo"])
def test_help_has_examples(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*command.split(), "--help"])
    assert stop.value.code == 0
    assert "examples:\n  tfpe" in capsys.readouterr().out
