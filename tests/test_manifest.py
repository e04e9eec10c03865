"""The manifest and the journal: any change shows, and nothing else is lost."""

import contextlib
import json
import os

import pytest

from tfpe import Key
from tfpe.errors import ManifestError, OutputError, TfpeError, WrongKeyError
from tfpe.files.journal import Journal, lock_folder
from tfpe.manifests.folder_manifest import (
    JOURNAL_NAME,
    MANIFEST_NAME,
    check_path,
    make_entry,
    make_header,
    read_manifest,
    write_manifest,
)

KEY = Key(bytes(range(32)))
HEADER = make_header(KEY, "le", {"block_size": 4}, False, False)
PATHS = ("b/2.png", "a.png", "b/1.png")


def entry(path, key=KEY, header=HEADER):
    return make_entry(key, header, path=path, height=3, width=5, channels=1)


@pytest.fixture
def folder(tmp_path):
    write_manifest(tmp_path, KEY, HEADER, {path: entry(path) for path in PATHS})
    return tmp_path


def change(folder, function):
    """Lets `function` change the parsed manifest in place."""
    file = folder / MANIFEST_NAME
    document = json.loads(file.read_text())
    function(document)
    file.write_text(json.dumps(document))


def test_round_trip_is_sorted_and_tagged(folder):
    manifest = read_manifest(folder, KEY)
    assert (manifest.header, manifest.problems) == (HEADER, [])
    assert list(manifest.entries) == sorted(PATHS)
    assert manifest.entries["a.png"] == entry("a.png")


def swap_tags(document):
    first, second, _ = document["images"]
    first["tag"], second["tag"] = second["tag"], first["tag"]


ENTRY_CHANGES = {
    "value": (lambda d: d["images"][1].update(height=4), ["b/1.png"]),
    "float": (lambda d: d["images"][1].update(height=3.0), ["b/1.png"]),
    "path": (lambda d: d["images"][1].update(path="c.png"), ["c.png"]),
    "new-field": (lambda d: d["images"][1].update(more=1), ["b/1.png"]),
    "lost-field": (lambda d: d["images"][1].pop("width"), ["b/1.png"]),
    "lost-path": (lambda d: d["images"][1].pop("path"), ["manifest.json[1]"]),
    "lost-tag": (lambda d: d["images"][1].pop("tag"), ["b/1.png"]),
    "odd-tag": (lambda d: d["images"][1].update(tag="\ud800"), ["b/1.png"]),
    "no-dict": (lambda d: d["images"].__setitem__(1, 7), ["manifest.json[1]"]),
    "swapped-tags": (swap_tags, ["a.png", "b/1.png"]),
    "entry-lost": (lambda d: d["images"].pop(), [MANIFEST_NAME]),
    "entry-twice": (lambda d: d["images"].append(d["images"][0]), [MANIFEST_NAME]),
    "order": (lambda d: d["images"].reverse(), [MANIFEST_NAME]),
}


@pytest.mark.parametrize("name", ENTRY_CHANGES)
def test_changed_entries_are_told_and_others_stay(folder, name):
    function, expected = ENTRY_CHANGES[name]
    change(folder, function)
    manifest = read_manifest(folder, KEY)
    assert [path for path, _ in manifest.problems] == expected
    assert set(manifest.entries) >= set(PATHS) - {*expected, "b/1.png", "b/2.png"}


HEADER_CHANGES = {
    "cipher": (lambda d: d.update(cipher="ele"), ManifestError, "header"),
    "options": (lambda d: d["options"].update(block_size=8), ManifestError, "header"),
    "new-field": (lambda d: d.update(more=1), ManifestError, "header"),
    "header-tag": (lambda d: d.update(header_tag=None), ManifestError, "header"),
    "version": (lambda d: d.update(version=2), ManifestError, "version 1"),
    "format": (lambda d: d.update(format="zip"), ManifestError, "another format"),
    "images": (lambda d: d.update(images={}), ManifestError, "no list"),
    "fingerprint": (
        lambda d: d.update(key_fingerprint="0" * 16),
        WrongKeyError,
        "fingerprint",
    ),
    "absolute": (lambda d: d["images"][0].update(path="/a.png"), ManifestError, "rel"),
    "upward": (lambda d: d["images"][0].update(path="../a.png"), ManifestError, "rel"),
}


@pytest.mark.parametrize("name", HEADER_CHANGES)
def test_what_concerns_the_folder_raises(folder, name):
    function, error, message = HEADER_CHANGES[name]
    change(folder, function)
    with pytest.raises(error, match=message):
        read_manifest(folder, KEY)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b"1" * 5000]
)
def test_no_json_object(folder, data):
    (folder / MANIFEST_NAME).write_bytes(data)
    with pytest.raises(ManifestError, match="damaged"):
        read_manifest(folder, KEY)


def test_missing_and_wrong_key(folder, tmp_path):
    with pytest.raises(ManifestError, match="no such file"):
        read_manifest(tmp_path / "nowhere", KEY)
    with pytest.raises(WrongKeyError):
        read_manifest(folder, Key(bytes(32)))


@pytest.mark.parametrize(
    "path",
    ["/a.png", "../a.png", "b/../../a.png", "a//b.png", "./a.png", "a", "a\0.png"],
)
def test_unsafe_paths(path):
    with pytest.raises(ManifestError, match="relative"):
        check_path(path, "here")


def lines(folder):
    return (folder / JOURNAL_NAME).read_bytes().splitlines(keepends=True)


@contextlib.contextmanager
def opened(folder, key=KEY, header=HEADER):
    with lock_folder(folder) as lock, Journal(lock, key, header) as journal:
        yield journal


@pytest.fixture
def journal(tmp_path):
    """A journal of three entries, left behind as by a killed run."""
    with opened(tmp_path) as journal:
        for path in PATHS:
            journal.append(entry(path))
    return tmp_path


def resumed(folder):
    with opened(folder) as journal:
        return list(journal.entries)


def test_journal_cut_at_every_byte_resumes_whole_lines(journal):
    data = (journal / JOURNAL_NAME).read_bytes()
    for size in range(len(data) + 1):
        (journal / JOURNAL_NAME).write_bytes(data[:size])
        whole = max(data[:size].count(b"\n") - 1, 0)
        assert resumed(journal) == list(PATHS[:whole])
        if whole:
            with opened(journal) as appended:
                appended.append(entry("new.png"))
            assert resumed(journal) == [*PATHS[:whole], "new.png"]


def test_journal_distrusts_what_follows_a_changed_line(journal):
    header, first, second, third = lines(journal)
    changed = second.replace(b'"height": 3', b'"height": 4')
    (journal / JOURNAL_NAME).write_bytes(header + first + changed + third)
    assert resumed(journal) == [PATHS[0]]


@pytest.mark.parametrize(
    "key, header, error",
    [
        (Key(bytes(32)), HEADER, WrongKeyError),
        (KEY, HEADER | {"cipher": "ele"}, ManifestError),
        (KEY, HEADER | {"options": {"block_size": 8}}, ManifestError),
        (KEY, HEADER | {"per_image": True}, ManifestError),
    ],
)
def test_journal_of_another_run_is_left_alone(journal, key, header, error):
    before = lines(journal)
    with pytest.raises(error), opened(journal, key, header):
        pass
    assert lines(journal) == before


@pytest.mark.parametrize("text", ["my diary\n", "my diary", "{}\n", "7"])
def test_foreign_journal_is_left_alone(tmp_path, text):
    (tmp_path / JOURNAL_NAME).write_text(text)
    with pytest.raises(ManifestError), opened(tmp_path):
        pass
    assert (tmp_path / JOURNAL_NAME).read_text() == text


@pytest.mark.skipif(os.name == "nt", reason="no file locks of this kind")
def test_two_runs_at_once(tmp_path):
    with lock_folder(tmp_path):
        with pytest.raises(OutputError, match="Another run"), lock_folder(tmp_path):
            pass
    assert not (tmp_path / JOURNAL_NAME).exists()


def test_older_release_keeps_its_header(tmp_path):
    older = HEADER | {"tfpe": "0.0.1"}
    with opened(tmp_path, header=older) as journal:
        journal.append(entry("a.png", header=older))
    with opened(tmp_path) as again:
        assert again.header == older and list(again.entries) == ["a.png"]


def test_errors_never_tell_the_key(folder):
    change(folder, lambda d: d.update(cipher="ele"))
    with pytest.raises(TfpeError) as caught:
        read_manifest(folder, KEY)
    assert bytes(range(32)).hex() not in str(caught.value)
