"""`tfpe key show | derive | rotate`, sealed key files and --strict."""

import json
import os
import pathlib
import shutil
import stat

import numpy as np
import pytest

from tfpe import Key
from tfpe.cli import main
from tfpe.errors import KeyFileError, TfpeError, WrongKeyError
from tfpe.keys.files import InsecureKeyFileWarning
from tfpe.keys.passphrases import SCRYPT

SECRET = bytes(range(101, 133))
KEY = Key(SECRET)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TFPE_KEY_FILE", raising=False)
    KEY.save("owner.key")
    return tmp_path


@pytest.fixture
def passphrase(monkeypatch):
    """What is typed when a passphrase is asked for; a list, to change it."""
    pytest.importorskip("cryptography", reason="the extra `keys` is not installed")
    monkeypatch.setitem(SCRYPT, "n", 2**10)  # the cost itself: test_passphrases.py
    typed = ["correct horse"]
    for module in ("common", "keys"):
        monkeypatch.setattr(
            f"tfpe.cli.{module}.ask_passphrase", lambda twice=False: typed[0]
        )
    return typed


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_show_prints_the_fingerprint_and_no_secret(folder, capsys):
    assert main(["key", "show", "-k", "owner.key", "--json"]) == 0
    out = capsys.readouterr().out
    assert json.loads(out) == {"fingerprint": KEY.fingerprint, "kind": "random"}
    os.environ["TFPE_KEY_FILE"] = "owner.key"
    assert main(["key", "show"]) == 0
    assert KEY.fingerprint in capsys.readouterr().out
    del os.environ["TFPE_KEY_FILE"]
    assert SECRET.hex() not in out


def test_derived_keys_are_those_of_the_library(folder):
    assert main(["key", "derive", "client", "7", "-k", "owner.key", "-o", "7.key"]) == 0
    assert Key.load("7.key") == KEY.derive("client", "7") != KEY
    assert mode("7.key") == 0o600
    again = ["key", "derive", "client", "8", "-k", "owner.key", "-o", "7.key"]
    assert main(again) == 1 and Key.load("7.key") == KEY.derive("client", "7")


def test_git_passes_over_key_files():
    """The README makes owner.key in the checkout, where `git add` would take it."""
    ignored = (pathlib.Path(__file__).parents[1] / ".gitignore").read_text().split()
    assert {"*.key", "*.key.*"} <= set(ignored)


def test_an_empty_label_is_refused(folder, capsys):
    assert main(["key", "derive", "", "-k", "owner.key", "-o", "7.key"]) == 1
    assert "LABEL should" in capsys.readouterr().err
    assert not (folder / "7.key").exists()


def test_rotation_keeps_the_old_key(folder, capsys):
    assert main(["key", "rotate", "-k", "owner.key"]) == 0
    kept = f"owner.key.{KEY.fingerprint}"
    assert Key.load(kept) == KEY != Key.load("owner.key")
    assert mode("owner.key") == mode(kept) == 0o600
    told = capsys.readouterr().err
    assert kept in told and "written to owner.key\n" in told
    assert sorted(os.listdir()) == sorted(["owner.key", kept])
    shutil.copy(kept, "owner.key")
    assert main(["key", "rotate", "-k", "owner.key"]) == 1  # would overwrite `kept`
    assert Key.load("owner.key") == KEY


@pytest.mark.parametrize("step", ["fsync", "link", "replace"])
def test_an_interrupted_rotation_goes_on(step, folder, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, step, interrupt)
        assert main(["key", "rotate", "-k", "owner.key"]) == 130
    assert Key.load("owner.key") == KEY
    assert main(["key", "rotate", "-k", "owner.key"]) == 0
    kept = f"owner.key.{KEY.fingerprint}"
    assert Key.load(kept) == KEY != Key.load("owner.key")
    assert sorted(os.listdir()) == sorted(["owner.key", kept])
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", interrupt)
        assert main(["keygen", "-o", "n.key"]) == 130
    assert main(["keygen", "-o", "n.key"]) == 0


def test_rotation_of_a_link_rotates_what_it_names(folder):
    os.mkdir("vault")
    os.rename("owner.key", "vault/owner.key")
    os.symlink("vault/owner.key", "owner.key")
    assert main(["key", "rotate", "-k", "owner.key"]) == 0
    assert os.path.islink("owner.key") and Key.load("owner.key") != KEY
    assert Key.load(f"vault/owner.key.{KEY.fingerprint}") == KEY


def test_what_a_passphrase_protects_stays_protected(folder, passphrase, capsys):
    for flag, kind in (("--seal", "sealed"), ("--passphrase", "passphrase")):
        file = f"{kind}.key"
        assert main(["keygen", flag, "-o", file]) == 0
        old = Key.load(file, passphrase[0])
        assert main(["key", "rotate", "-k", file]) == 0
        new = Key.load(file, passphrase[0])
        assert new != old == Key.load(f"{file}.{old.fingerprint}", passphrase[0])
        assert main(["key", "show", "-k", file]) == 0
        assert capsys.readouterr().out.endswith(f"  {kind}\n")
        assert main(["key", "derive", "x", "-k", file, "-o", f"{kind}-x.key"]) == 0
        told = "--seal would close it" in capsys.readouterr().err
        assert told == (kind == "passphrase")
        assert Key.load(f"{kind}-x.key", passphrase[0]) == new.derive("x")
    with pytest.raises(KeyFileError, match="passphrase"):
        Key.load("sealed-x.key")


def test_strict_refuses_what_others_can_read(folder, capsys):
    np.savez("tiny.npz", x_train=np.zeros((2, 8, 8, 3), np.uint8), y_train=[0, 1])
    os.chmod("owner.key", 0o640)
    for command in (
        ["key", "show"],
        ["encrypt", "--cipher", "le", "photos", "-o", "out"],
        ["dataset", "encrypt", "--cipher", "le", "tiny.npz", "-o", "out"],
        ["predict", "--cipher", "le", "model.keras", "tiny.npz"],
    ):
        assert main([*command, "-k", "owner.key", "--strict"]) == 1
        assert "chmod 600" in capsys.readouterr().err
    assert not os.path.exists("out")
    assert main(["key", "show", "-k", "owner.key"]) == 0
    os.chmod("owner.key", 0o600)
    assert main(["key", "show", "-k", "owner.key", "--strict"]) == 0


def test_sealed_keys_open_with_their_passphrase_alone(folder, passphrase, capsys):
    assert main(["keygen", "--seal", "-o", "sealed.key"]) == 0
    assert main(["key", "show", "-k", "sealed.key", "--json"]) == 0
    out, err = capsys.readouterr()
    shown = json.loads(out)
    assert shown["kind"] == "sealed" and shown["fingerprint"] in err
    assert mode("sealed.key") == 0o600
    passphrase[0] = "wrong horse"
    assert main(["key", "show", "-k", "sealed.key"]) == 1
    assert "passphrase" in capsys.readouterr().err


def test_a_sealed_file_holds_no_secret_and_any_change_is_told(folder):
    sealed_keys = pytest.importorskip("tfpe.keys.sealed")
    pytest.importorskip("cryptography", reason="the extra `keys` is not installed")
    import base64

    sealed_keys.save_sealed(KEY, "sealed.key", "correct horse")
    assert Key.load("sealed.key", "correct horse") == KEY
    with open("sealed.key", "rb") as file:
        data = file.read()
    for secret in (SECRET, SECRET.hex().encode(), base64.b64encode(SECRET)[:40]):
        assert secret not in data
    with pytest.raises(KeyFileError, match="exists"):
        sealed_keys.save_sealed(KEY, "sealed.key", "battery staple")
    random, told = np.random.default_rng(0), 0
    for _ in range(10):
        changed = bytearray(data)
        changed[random.integers(len(data))] ^= random.integers(1, 256)
        with open("sealed.key", "wb") as file:
            file.write(changed)
        try:
            assert Key.load("sealed.key", "correct horse") == KEY
        except TfpeError as error:
            assert SECRET.hex() not in str(error)
            told += 1
    assert told >= 8


def test_sealed_files_that_do_not_fit(folder):
    sealed_keys = pytest.importorskip("tfpe.keys.sealed")
    pytest.importorskip("cryptography", reason="the extra `keys` is not installed")
    for passphrase in ("", None, b"bytes"):
        with pytest.raises(KeyFileError, match="passphrase"):
            sealed_keys.save_sealed(KEY, "new.key", passphrase)
    with pytest.raises(KeyFileError):
        Key.load("missing.key", "x")
    sealed_keys.save_sealed(KEY, "new.key", "x", allow_weak=True)
    with open("new.key") as file:
        text = file.read()
    for number, damaged in enumerate((text[:-9], text.replace("salt", "sail"))):
        with open(os.open(f"{number}.key", os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            f.write(damaged)
        with pytest.raises(KeyFileError, match="damaged"):
            Key.load(f"{number}.key", "x")
    for missing in (None, "", lambda: ""):
        with pytest.raises(KeyFileError, match="needs a passphrase"):
            Key.load("new.key", missing)
    os.chmod("new.key", 0o644)
    with pytest.warns(InsecureKeyFileWarning), pytest.raises(WrongKeyError):
        Key.load("new.key", "y")


@pytest.mark.parametrize("command", ["key", "key show", "key rotate", "key derive"])
def test_help_has_examples(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*command.split(), "--help"])
    assert stop.value.code == 0
    assert "examples:\n  tfpe" in capsys.readouterr().out
