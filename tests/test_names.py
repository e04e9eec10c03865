"""Hidden names: nothing of them in the output, all of them back for the owner."""

import json
import stat

import pytest
from image_folders import (
    CHINA,
    assert_same,
    load,
    save,
    save_small,
)

from tfpe import Key
from tfpe.errors import ManifestError, OutputError, WrongKeyError
from tfpe.files import decrypt_folder, encrypt_folder

KEY = Key(bytes(range(32)))
OTHER = Key(bytes(32))


PATHS = ("x/photo.png", "x/odd.png", "y/z/thirty.png", "pixel.png")


@pytest.fixture
def plain(tmp_path):
    crops = {path: CHINA[k : k + 9, :9] for k, path in enumerate(PATHS)}
    return save(tmp_path / "plain", crops)


@pytest.fixture
def small(tmp_path):
    return save_small(tmp_path / "small")


def test_hidden_names(plain, tmp_path):
    secret, names = tmp_path / "secret", tmp_path / "owner" / "names.json"
    save(plain, {"x/z/last.png": CHINA[:9, :9]})
    encrypt_folder(plain, secret, KEY, hide_names=names)
    assert stat.S_IMODE(names.stat().st_mode) == 0o600
    parts = {part for path in secret.rglob("*") for part in path.parts[-2:]}
    words = ("photo", "odd", "thirty", "pixel", "last")
    assert not parts & {"x", "y", "z", *(f"{word}.png" for word in words)}
    text = (secret / "manifest.json").read_text()
    assert not any(word in text for word in words)
    folders = [p.relative_to(secret).parts for p in secret.rglob("*") if p.is_dir()]
    assert len(folders) == 4  # x, x/z, y, y/z
    assert len({parts[-1] for parts in folders}) == 3  # z has one name in both
    decrypt_folder(secret, tmp_path / "again", KEY, names=names)
    assert_same(load(tmp_path / "again"), load(plain))
    summary = decrypt_folder(secret, tmp_path / "opaque", KEY)
    assert summary.written == 5 and not set(load(tmp_path / "opaque")) & set(PATHS)
    # New images join the mapping; a mapping of less than all restores what it can.
    early = names.read_bytes()
    save(plain, {"new.png": CHINA[:9, :9]})
    assert encrypt_folder(plain, secret, KEY, hide_names=names).written == 1
    assert decrypt_folder(secret, tmp_path / "again", KEY, names=names).skipped == 5
    names.write_bytes(early)
    summary = decrypt_folder(secret, tmp_path / "early", KEY, names=names)
    assert summary.written == 5 and "no name" in summary.failed[0][1]


NAME_CHANGES = {
    "name": lambda d: d["images"].update({list(d["images"])[0]: "b/other.png"}),
    "upward": lambda d: d["images"].update({list(d["images"])[0]: "../a.png"}),
    "version": lambda d: d.update(version=2),
    "images": lambda d: d.update(images=[]),
}


@pytest.mark.parametrize("name", NAME_CHANGES)
def test_changed_mapping(small, tmp_path, name):
    names = tmp_path / "names.json"
    encrypt_folder(small, tmp_path / "secret", KEY, hide_names=names)
    changed = json.loads(names.read_text())
    NAME_CHANGES[name](changed)
    names.write_text(json.dumps(changed))
    with pytest.raises(ManifestError):
        decrypt_folder(tmp_path / "secret", tmp_path / "again", KEY, names=names)
    assert not (tmp_path / "again").exists()


def test_a_mapping_where_no_names_are_hidden(small, tmp_path):
    names = tmp_path / "names.json"
    encrypt_folder(small, tmp_path / "hidden", KEY, hide_names=names)
    encrypt_folder(small, tmp_path / "open", KEY)
    with pytest.raises(ManifestError, match="not hidden"):
        decrypt_folder(tmp_path / "open", tmp_path / "again", KEY, names=names)
    with pytest.raises(WrongKeyError):
        encrypt_folder(small, tmp_path / "other", OTHER, hide_names=names)
    assert not (tmp_path / "again").exists() and not (tmp_path / "other").exists()


def test_hidden_paths_do_not_replace_other_files(small, tmp_path):
    diary = tmp_path / "diary.txt"
    diary.write_text("dear diary")
    for names, error in [
        (diary, ManifestError),
        (tmp_path / "secret/names.json", OutputError),
        (tmp_path / "secret/../secret/deep/names.json", OutputError),
    ]:
        with pytest.raises(error):
            encrypt_folder(small, tmp_path / "secret", KEY, hide_names=names)
        assert diary.read_text() == "dear diary"
        assert not (tmp_path / "secret").exists()
