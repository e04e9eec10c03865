"""Keys and their files: never readable by others, never overwritten, never printed."""

import copy
import errno
import io
import logging
import os
import pickle
import stat
import traceback
import warnings

import pytest

from tfpe import Key
from tfpe.errors import KeyFileError, TfpeError, WrongKeyError
from tfpe.keys import files as key_files
from tfpe.keys import key as keys
from tfpe.keys import labelled_streams, opening
from tfpe.keys.files import InsecureKeyFileWarning

SECRET = bytes(range(100, 132))
# Whose local variables, in a traceback, tell nothing.
HANDLING_KEYS = keys, key_files, labelled_streams, opening
# The cost of scrypt is meant to be felt: tests of the format need not feel it.
CHEAP = {"n": 2**4, "r": 8, "p": 1}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "owner.key"


@pytest.fixture
def cheap_scrypt(monkeypatch):
    for module in (keys, opening):
        monkeypatch.setattr(module, "SCRYPT", CHEAP)


@pytest.fixture
def saved(path):
    Key(SECRET).save(path)
    return path


def rewrite(path, data):
    """Puts `data` in place of a key file, as readable as that was."""
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(data)


def holds_secret(text, secret=SECRET):
    """Whether text shows 4 neighbouring bytes of a secret, in hex or as they are."""
    hex_digits, decimal = secret.hex(), ", ".join(map(str, secret))
    parts = [hex_digits[i : i + 8] for i in range(0, 57)]
    parts += [repr(secret[i : i + 4])[2:-1] for i in range(0, 29)]
    parts += [secret[i : i + 4].decode("latin-1") for i in range(0, 29)]
    return decimal in text or any(part in text for part in parts)


def test_round_trip_and_mode(saved):
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert Key.load(saved) == Key(SECRET)
    assert Key.load(str(saved)).fingerprint == Key(SECRET).fingerprint


def test_the_mode_does_not_hang_on_the_umask(path):
    old = os.umask(0)
    try:
        Key(SECRET).save(path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_created_exclusively(path, monkeypatch):
    flags = []
    original = os.open

    def spy(path, flag, *mode, **other):
        flags.append((flag, *mode))
        return original(path, flag, *mode, **other)

    monkeypatch.setattr(os, "open", spy)
    Key(SECRET).save(path)
    ((flag, mode),) = (opened for opened in flags if opened[0] & os.O_CREAT)
    assert flag & os.O_EXCL and mode == 0o600


def test_never_overwritten(saved, tmp_path):
    before = saved.read_bytes()
    with pytest.raises(KeyFileError, match="never overwritten.*Received"):
        Key.generate().save(saved)
    assert saved.read_bytes() == before
    link = tmp_path / "link.key"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyFileError, match="exists"):
        Key.generate().save(link)
    assert not (tmp_path / "elsewhere").exists()


def test_nowhere_to_write_and_nothing_to_read(tmp_path):
    with pytest.raises(KeyFileError, match="Cannot create"):
        Key(SECRET).save(tmp_path / "no" / "owner.key")
    with pytest.raises(KeyFileError, match="Cannot read"):
        Key.load(tmp_path / "no" / "owner.key")
    with pytest.raises(KeyFileError, match="Cannot read"):
        Key.load(tmp_path)


@pytest.mark.parametrize("function", ["fsync", "write"])
def test_a_full_disk_leaves_no_half_file(path, function, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if function == "write":
        # What `os.write` would do, under the file object that `save` opens.
        raw = io.FileIO

        class Full(raw):
            write = full

        def fdopen(handle, mode, **options):
            return io.TextIOWrapper(io.BufferedWriter(Full(handle, "w")), **options)

        monkeypatch.setattr(os, "fdopen", fdopen)
    monkeypatch.setattr(os, function, full)
    with pytest.raises(KeyFileError, match="No space left") as caught:
        Key(SECRET).save(path)
    assert not path.exists()
    assert not holds_secret("".join(traceback.format_exception(caught.value)))
    monkeypatch.undo()
    Key(SECRET).save(path)
    assert Key.load(path) == Key(SECRET)


def test_cut_short_at_every_length(saved):
    whole = saved.read_bytes()
    for length in range(len(whole)):
        rewrite(saved, whole[:length])
        with pytest.raises(KeyFileError) as caught:
            Key.load(saved)
        assert not holds_secret(str(caught.value))


def damaged(whole):
    """Every single byte changed: one bit, the bit of case, to NUL, to a line end."""
    for place, byte in enumerate(whole):
        for other in {byte ^ 1, byte ^ 0x20, 0, 10, 13, 0xFF, ord("0")} - {byte}:
            yield whole[:place] + bytes([other]) + whole[place + 1 :]


def test_every_changed_byte_is_noticed_or_harmless(saved):
    harmless = 0
    for data in damaged(saved.read_bytes()):
        rewrite(saved, data)
        try:
            key = Key.load(saved)
        except KeyFileError as error:
            assert not holds_secret(str(error))
        else:
            harmless += 1
            assert key == Key(SECRET)
    assert harmless  # the date of creation, and capital digits


def test_every_changed_byte_of_a_passphrase_file(path, cheap_scrypt):
    key = Key.from_passphrase("correct horse")
    key.save(path)
    for data in damaged(path.read_bytes()):
        rewrite(path, data)
        try:
            assert Key.load(path, "correct horse") == key
        except (KeyFileError, WrongKeyError):
            pass


def test_files_too_long_or_foreign(saved):
    whole = saved.read_bytes()
    for data in (
        whole + b"\n",
        whole + whole,
        whole + b"note: mine\n",
        whole.replace(b"version 1", b"version 2"),
        b"\xff\xd8\xff\xe0 JPEG",
        b"",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\n",
        bytes(10_000),
    ):
        rewrite(saved, data)
        with pytest.raises(KeyFileError):
            Key.load(saved)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_file_that_others_can_read_draws_a_warning(saved, mode):
    saved.chmod(mode)
    with pytest.warns(InsecureKeyFileWarning, match=f"{mode:04o}.*chmod 600") as seen:
        assert Key.load(saved) == Key(SECRET)
    assert not holds_secret(str(seen[0].message))
    for private in (0o600, 0o400):
        saved.chmod(private)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            Key.load(saved)


# --- passphrases ---------------------------------------------------------------------


def test_passphrase_and_stored_salt(path):
    key = Key.from_passphrase("correct horse")
    key.save(path)
    text = path.read_text()
    assert "correct" not in text and not holds_secret(text, key._secret)
    assert key.needs_passphrase and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Key.load(path, passphrase="correct horse") == key


def test_wrong_and_missing_passphrases(path, cheap_scrypt):
    key = Key.from_passphrase("correct horse")
    key.save(path)
    assert Key.load(path, lambda: "correct horse") == key
    with pytest.raises(WrongKeyError, match="Received") as caught:
        Key.load(path, passphrase="battery staple")
    assert "staple" not in str(caught.value)
    for missing in (None, "", lambda: ""):
        with pytest.raises(KeyFileError, match="needs a passphrase.*Received"):
            Key.load(path, passphrase=missing)


def test_salts_make_keys_differ(cheap_scrypt):
    one, two = (Key.from_passphrase("correct horse") for _ in range(2))
    assert one != two
    salt = bytes(16)
    one, same, other = (
        Key.from_passphrase(text, salt, allow_weak=True)
        for text, salt in (("a", salt), ("a", bytearray(salt)), ("A", salt))
    )
    assert one == same != other


def test_scrypt_is_that_of_rfc_7914(monkeypatch):
    """A vector of the RFC's section 12; its salt is shorter than ours may be."""
    monkeypatch.setattr(keys, "MIN_SALT_BYTES", 14)
    cost = {"n": 16384, "r": 8, "p": 1}
    key = Key._from_scrypt("pleaseletmein", b"SodiumChloride", cost)
    expected = "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    assert key == Key(bytes.fromhex(expected))


def test_no_passphrase_is_asked_for_without_need(saved):
    def ask():
        raise AssertionError("asked")

    assert Key.load(saved, passphrase=ask) == Key(SECRET)


# --- secrecy ------------------------------------------------------------------------


def test_refuses_pickle_and_copies():
    key = Key(SECRET)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="pickled") as caught:
            pickle.dumps({"key": key}, protocol)
        assert not holds_secret(str(caught.value))
    for copier in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="copied"):
            copier(key)


def test_prints_as_its_fingerprint(caplog):
    key = Key(SECRET)
    text = f"Key(fingerprint='{key.fingerprint}')"
    assert repr(key) == str(key) == f"{key}" == f"{key!s:}" == text
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").debug("%s %r", key, [key])
    assert text in caplog.text and not holds_secret(caplog.text)
    assert not holds_secret(key.fingerprint)


def test_holds_secret_sees_secrets():
    for shown in (SECRET.hex(), repr(SECRET), repr({"a": SECRET}), str(list(SECRET))):
        assert holds_secret(shown)
    assert not holds_secret("Key(fingerprint='44108b0a6a58e718') 0123456789abcdef")


def failures(saved):
    """Errors raised while a secret is at hand, with their tracebacks."""
    whole = saved.read_bytes()
    rewrites = {
        "cut": whole[:-9],
        "fingerprint": whole.replace(b"fingerprint: ", b"fingerprint: f"),
        "not ascii": whole.replace(b"created", b"cr\xe9ated"),
        "no hex": whole.replace(SECRET.hex().encode(), b"x" + SECRET.hex().encode()),
        "version": whole.replace(b"version 1", b"version 9"),
        "too short": whole.replace(SECRET.hex().encode(), SECRET.hex().encode()[2:]),
    }
    for data in rewrites.values():
        rewrite(saved, data)
        yield lambda: Key.load(saved)
    yield lambda: Key(SECRET + b"1")
    yield lambda: Key(SECRET.hex())
    yield lambda: Key(list(SECRET))
    yield lambda: Key(SECRET).save(saved)
    yield lambda: Key(SECRET).require("0123456789abcdef", "x")
    yield lambda: Key(SECRET).derive(1.5)


def test_tracebacks_show_no_secret(saved):
    count = 0
    for fail in failures(saved):
        try:
            fail()
        except TfpeError as error:
            count += 1
            assert not holds_secret(traceback.format_exc())
            assert not holds_secret(repr(error) + str(error.args))
            for local in locals_of_the_library(error):
                assert not holds_secret(local)
    assert count == 12


def locals_of_the_library(error):
    """What tools that print local variables show of the frames that handle keys.

    But for `secret` itself, which the caller handed over and has in a frame too.
    """
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    for link in (shown, shown.__cause__, shown.__context__):
        for frame in link.stack if link else ():
            if frame.filename in {module.__file__ for module in HANDLING_KEYS}:
                yield from (v for k, v in frame.locals.items() if k != "secret")
