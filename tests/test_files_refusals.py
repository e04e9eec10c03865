"""What the folder functions refuse: a named error, and nothing touched."""

import os
import pathlib

import numpy as np
import pytest
from image_folders import CHINA, contents, load, save, save_small

from tfpe import Key
from tfpe.errors import (
    CipherOptionError,
    ImageFileError,
    ManifestError,
    OutputError,
    TfpeError,
    WrongKeyError,
)
from tfpe.files import commits, decrypt_folder, encrypt_folder
from tfpe.manifests.folder_manifest import make_header, write_manifest

KEY = Key(bytes(range(32)))
OTHER = Key(bytes(32))


@pytest.fixture
def small(tmp_path):
    return save_small(tmp_path / "small")


def test_bad_images_are_told_and_the_others_written(small, tmp_path):
    photo = (small / "a.png").read_bytes()
    bad = {
        "cut.png": photo[:100],
        "deep/text.jpg": b"no image",
        "moving.gif": b"GIF89a",
        "phone.HEIC": b"",
    }
    for path, data in bad.items():
        (small / path).parent.mkdir(exist_ok=True)
        (small / path).write_bytes(data)
    (small / "labels.csv").write_text("a,1")
    (small / ".hidden.png").write_text("resource fork")
    os.mkfifo(small / "pipe.png")
    (tmp_path / "outside.png").write_bytes(photo)
    (small / "out.png").symlink_to(tmp_path / "outside.png")
    (small / "nowhere.png").symlink_to(tmp_path / "missing.png")
    (small / "circle.png").symlink_to(small / "circle.png")
    (small / "folder").symlink_to(tmp_path)
    (small / "inside.png").symlink_to(small / "b.png")
    (small / "a.jpg").write_bytes(photo)  # would be a.png too
    summary = encrypt_folder(small, tmp_path / "secret", KEY)
    assert (summary.written, summary.ignored) == (4, 2)
    links = ["circle.png", "folder", "nowhere.png", "out.png", "pipe.png"]
    assert [path for path, _ in summary.failed] == sorted(["a.png", *bad, *links])
    messages = dict(summary.failed)
    assert "would become a.png, as a.jpg does" in messages["a.png"]
    assert "lead out" in messages["out.png"]
    assert sorted(contents(tmp_path / "secret")) == [
        *(f"{name}.png" for name in ("a", "b", "c", "inside")),
        "manifest.json",
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"cipher": "le"},
        {"block_size": 8},
        {"key": OTHER},
        {"per_image": True},
        {"hide_names": "names.json"},
    ],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.parametrize("force", [False, True])
def test_other_settings_touch_nothing(small, tmp_path, change, force, monkeypatch):
    monkeypatch.chdir(tmp_path)
    encrypt_folder(small, tmp_path / "secret", KEY)
    before = contents(tmp_path)
    arguments = {"key": KEY, "cipher": "ele", "force": force} | change
    error = WrongKeyError if "key" in change else ManifestError
    with pytest.raises(error):
        encrypt_folder(small, tmp_path / "secret", **arguments)
    assert contents(tmp_path) == before


def test_a_folder_of_refused_images_only(tmp_path):
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain/moving.gif").write_bytes(b"GIF89a")
    summary = encrypt_folder(tmp_path / "plain", tmp_path / "secret", KEY)
    assert (summary.written, len(summary.failed)) == (0, 1)
    assert contents(tmp_path / "secret") == {}


def wrong_calls():
    """name -> (error, function of (plain folder, encrypted folder, new folder))."""
    encrypt, decrypt = encrypt_folder, decrypt_folder
    return {
        "key": (TfpeError, lambda p, s, n: encrypt(p, n, b"x" * 32)),
        "cipher": (CipherOptionError, lambda p, s, n: encrypt(p, n, KEY, "rot13")),
        "unknown-option": (
            CipherOptionError,
            lambda p, s, n: encrypt(p, n, KEY, "ele", rounds=3),
        ),
        "zero-block": (
            CipherOptionError,
            lambda p, s, n: encrypt(p, n, KEY, "ele", block_size=0),
        ),
        "text-block": (
            CipherOptionError,
            lambda p, s, n: encrypt(p, n, KEY, "ele", block_size="4"),
        ),
        "bad-option": (
            CipherOptionError,
            lambda p, s, n: encrypt(p, n, KEY, "logistic", chaos="sine"),
        ),
        "no-source": (ImageFileError, lambda p, s, n: encrypt(p / "none", n, KEY)),
        "no-images": (ImageFileError, lambda p, s, n: encrypt(empty(p), n, KEY)),
        "same-folder": (OutputError, lambda p, s, n: encrypt(p, p, KEY)),
        "inside": (OutputError, lambda p, s, n: encrypt(p, p / "secret", KEY)),
        "outside": (OutputError, lambda p, s, n: encrypt(p, p.parent, KEY)),
        "file": (OutputError, lambda p, s, n: encrypt(p, s / "a.png", KEY)),
        "below-file": (OutputError, lambda p, s, n: encrypt(p, s / "a.png/b", KEY)),
        "decrypt-key": (TfpeError, lambda p, s, n: decrypt(s, n, "key")),
        "wrong-key": (WrongKeyError, lambda p, s, n: decrypt(s, n, OTHER)),
        "no-manifest": (ManifestError, lambda p, s, n: decrypt(p, n, KEY)),
        "no-manifest-file": (
            ManifestError,
            lambda p, s, n: decrypt(p / "a.png", n, KEY),
        ),
        "decrypt-inside": (OutputError, lambda p, s, n: decrypt(s, s / "plain", KEY)),
        "decrypt-one-beside": (
            OutputError,
            lambda p, s, n: decrypt(s / "a.png", s, KEY),
        ),
        "decrypt-one-below": (
            OutputError,
            lambda p, s, n: decrypt(s / "a.png", s / "x", KEY, force=True),
        ),
        "zero-byte": (ImageFileError, lambda p, s, n: encrypt("a\0b", n, KEY)),
        "empty-path": (ImageFileError, lambda p, s, n: encrypt("", n, KEY)),
        "bytes-path": (ImageFileError, lambda p, s, n: encrypt(b"plain", n, KEY)),
        "long-path": (OutputError, lambda p, s, n: encrypt(p, p / ("x" * 300), KEY)),
        "output-zero-byte": (OutputError, lambda p, s, n: encrypt(p, "a\0b", KEY)),
        "output-none": (OutputError, lambda p, s, n: encrypt(p, None, KEY)),
        "decrypt-number": (ImageFileError, lambda p, s, n: decrypt(5, n, KEY)),
        "decrypt-to-none": (OutputError, lambda p, s, n: decrypt(s, None, KEY)),
        "names-number": (OutputError, lambda p, s, n: encrypt(p, n, KEY, hide_names=5)),
        "decrypt-names-number": (
            ManifestError,
            lambda p, s, n: decrypt(s, n, KEY, names=5),
        ),
        "no-names": (ManifestError, lambda p, s, n: decrypt(s, n, KEY, names=p / "x")),
    }


def empty(folder):
    (folder / "empty").mkdir()
    return folder / "empty"


@pytest.mark.parametrize("name", wrong_calls())
def test_wrong_calls_write_nothing(small, tmp_path, name):
    encrypt_folder(small, tmp_path / "secret", KEY)
    before = contents(tmp_path)
    error, call = wrong_calls()[name]
    with pytest.raises(error):
        call(small, tmp_path / "secret", tmp_path / "new")
    assert contents(tmp_path) == before
    assert not (tmp_path / "new").exists()


def test_force_spares_the_source(small, tmp_path):
    """One image whose folder is the output, then a linked sub-folder."""
    before = contents(small)
    summary = encrypt_folder(small / "a.png", small, KEY, force=True)
    assert "image of the source" in dict(summary.failed)["a.png"]
    assert contents(small) == before
    save(tmp_path / "plain", {"cats/tom.png": CHINA[:9, :9]})
    before = contents(tmp_path / "plain")
    for folder in ("secret", "again"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "cats").symlink_to(tmp_path / "plain/cats")
    summary = encrypt_folder(tmp_path / "plain", tmp_path / "secret", KEY, force=True)
    assert summary.written == 0 and len(summary.failed) == 1
    encrypt_folder(tmp_path / "plain", tmp_path / "whole", KEY)
    summary = decrypt_folder(tmp_path / "whole", tmp_path / "again", KEY, force=True)
    assert "link leads out" in dict(summary.failed)["cats/tom.png"]
    assert contents(tmp_path / "plain") == before


def test_no_image_is_written_through_a_link_that_leads_out(tmp_path):
    save(tmp_path / "plain", {f"cats/{n}.png": CHINA[:9, :9] for n in "abc"})
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/cats").symlink_to(tmp_path / "elsewhere")
    summary = encrypt_folder(tmp_path / "plain", tmp_path / "secret", KEY, force=True)
    assert summary.written == 0 and len(summary.failed) == 3
    assert all("link leads out" in message for _, message in summary.failed)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_folder_that_becomes_a_link_in_a_run_is_noticed(tmp_path, monkeypatch):
    save(tmp_path / "plain", {f"cats/{n}.png": CHINA[:9, :9] for n in "abc"})
    (tmp_path / "elsewhere").mkdir()
    cats, add = tmp_path / "secret/cats", commits.Commits.add

    def add_and_swap(*arguments):
        add(*arguments)
        if not cats.is_symlink():
            cats.rename(tmp_path / "secret/kept")
            cats.symlink_to(tmp_path / "elsewhere")

    monkeypatch.setattr(commits, "MOST_IMAGES", 1)  # no image waits for others
    monkeypatch.setattr(commits.Commits, "add", add_and_swap)
    summary = encrypt_folder(tmp_path / "plain", tmp_path / "secret", KEY, workers=1)
    assert summary.written == 1 and len(summary.failed) == 2
    assert all("link leads out" in message for _, message in summary.failed)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_linked_output_folder_is_followed(small, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    assert encrypt_folder(small, pathlib.Path(tmp_path, "link"), KEY).written == 3


def test_two_folders_share_no_sub_key(small, tmp_path):
    """With a keystream, one sub-key for two images gives their difference away."""
    for folder in ("one", "two"):
        encrypt_folder(small, tmp_path / folder, KEY, "keystream", per_image=True)
    for name in ("a.png", "b.png", "c.png"):
        one, two = (load(tmp_path / folder)[name] for folder in ("one", "two"))
        assert np.mean(one == two) < 0.05


def test_an_early_folder_without_identity_is_refused(small, tmp_path):
    header = make_header(KEY, "le", {"block_size": 4}, True, False)
    del header["folder"]
    write_manifest(tmp_path, KEY, header, {})
    with pytest.raises(ManifestError, match="same sub-keys"):
        decrypt_folder(tmp_path, tmp_path.parent / "again", KEY)
