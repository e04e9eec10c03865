"""New passphrases that are easily guessed are refused; existing ones open as before."""

import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfpe import Key
from tfpe.cli import main
from tfpe.errors import WeakPassphraseError
from tfpe.keys import key as keys
from tfpe.keys.passphrases import check_strength
from tfpe.keys.rotation import rotate_key
from tfpe.keys.sealed import save_sealed

GOOD = "correct horse"
WEAK = (
    *("a", "hunter2", "elevenchars", "aaaaaaaaaaaaaaaa", "abababababababab"),
    *("123123123123", "1234567890123456", "abcdefghijklmnop", " " * 20, "ß" * 12),
)


@pytest.fixture(autouse=True)
def cheap_scrypt(monkeypatch):
    monkeypatch.setattr(keys, "SCRYPT", {"n": 2, "r": 8, "p": 1})
    monkeypatch.setattr("tfpe.keys.opening.SCRYPT", keys.SCRYPT)
    monkeypatch.setattr("tfpe.keys.sealed.SCRYPT", keys.SCRYPT)


@pytest.fixture
def typed(tmp_path, monkeypatch):
    """Runs a command in a folder of its own, each passphrase a line of stdin."""

    def run(command, *lines):
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{x}\n" for x in lines)))
        return main(command.split())

    monkeypatch.chdir(tmp_path)
    return run


@pytest.mark.parametrize("weak", WEAK)
def test_no_new_key_from_what_is_easily_guessed(weak, typed, capsys):
    pytest.importorskip("cryptography", reason="the extra `keys` is not installed")
    Key.generate().save("owner.key")
    files = os.listdir()
    for make in (
        lambda: Key.from_passphrase(weak),
        lambda: Key.from_passphrase(weak, bytes(16)),
        lambda: save_sealed(Key.generate(), "new.key", weak),
        lambda: rotate_key(
            "owner.key", Key.load("owner.key"), Key.generate(), passphrase=weak
        ),
    ):
        with pytest.raises(WeakPassphraseError, match="12 characters") as caught:
            make()
        assert len(weak) < 5 or weak not in str(caught.value)
    for command in (
        "keygen --passphrase -o new.key",
        "keygen --seal -o new.key",
        "key derive x --seal -k owner.key -o new.key",
        "key rotate --seal -k owner.key",
    ):
        assert typed(command, weak) == 1
        assert "12 characters or more" in capsys.readouterr().err
    assert os.listdir() == files


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=12))
def test_words_by_chance_pass_and_short_or_repeated_ones_do_not(text):
    """Whatever passes has the characters, and its pieces repeated do not pass."""
    try:
        check_strength(text)
    except WeakPassphraseError:
        pass
    else:
        assert len(text) >= 12 and len(set(text)) >= 6
    for weak in (text[:11], text[:1] * 40, text[:3] * 20):
        with pytest.raises(WeakPassphraseError):
            check_strength(weak)
    check_strength(GOOD)


def test_existing_keys_of_short_passphrases_open_as_before(typed):
    """Of both kinds, made by an early tfpe; and a key can be made again."""
    pytest.importorskip("cryptography", reason="the extra `keys` is not installed")
    old = Key.from_passphrase("a", bytes(16), allow_weak=True)
    old.save("old.key")
    save_sealed(old, "sealed.key", "a", allow_weak=True)
    assert Key.load("old.key", "a") == Key.load("sealed.key", "a") == old
    for name in ("old.key", "sealed.key"):
        assert typed(f"key show -k {name}", "a") == 0
        # The new key takes a better one.
        assert typed(f"key rotate -k {name}", "a", "b") == 1
        assert typed(f"key rotate -k {name}", "a", GOOD) == 0
        assert Key.load(name, GOOD) != Key.load(f"{name}.{old.fingerprint}", "a") == old
