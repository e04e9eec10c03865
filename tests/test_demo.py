"""`tfpe demo`: its record and its pictures are what they say. Budget: 20 s."""

import contextlib
import io
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from image_folders import load
from key_arrays import BYTES
from PIL import Image

from tfpe import CIPHERS, Key
from tfpe.cli import main
from tfpe.errors import TfpeError
from tfpe.lab import demo, demo_attacks


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A demo, done once: its folder, its record, and the pictures of both figures."""
    folder, drawn, out = tmp_path_factory.mktemp("demo"), {}, io.StringIO()

    def noted(module, name):
        draw = getattr(module, name)

        def draw_and_note(columns, *more):
            drawn[name] = columns
            draw(columns, *more)

        return module, name, draw_and_note

    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out):
        patch.setattr(*noted(demo, "gallery"))
        patch.setattr(*noted(demo_attacks, "picture_table"))
        assert main(["demo", "-q", "--json", str(folder)]) == 0
    record = json.loads(out.getvalue())
    return SimpleNamespace(folder=folder, record=record, **drawn)


def test_the_record(shown, photographs):
    rows = {row["cipher"]: row for row in shown.record["ciphers"]}
    assert list(rows) == BYTES
    assert rows["identity"]["correlation_with_plain"] > 0.999
    assert abs(rows["keystream"]["correlation_with_plain"]) < 0.02
    plain = [
        np.corrcoef(photo[:, :-1].ravel(), photo[:, 1:].ravel())[0, 1]
        for photo in photographs
    ]
    neighbours = rows["identity"]["neighbour_correlation"]
    assert neighbours == pytest.approx(np.mean(plain))
    assert abs(rows["keystream"]["neighbour_correlation"]) < 0.02
    counts = [row["chosen_images"] for row in shown.record["attacks"]]
    assert counts == [6, 6, 3, 3, 3, 3, 1]


def test_the_gallery_shows_the_ciphertexts(shown, photographs):
    assert list(shown.gallery) == ["plain", *BYTES]
    for found, photo in zip(shown.gallery["plain"], photographs, strict=True):
        assert np.array_equal(found, photo)
    for name in BYTES:
        files = load(shown.folder / name).values()
        for found, file in zip(shown.gallery[name], files, strict=True):
            assert np.array_equal(np.squeeze(found), np.squeeze(file))
        same = np.array_equal(shown.gallery[name][0][:427, :640], photographs[0])
        assert same == (name == "identity")
    assert np.array(Image.open(shown.folder / "gallery.png")).std() > 20


def test_the_attacked_photograph_is_what_the_attacks_gave(shown):
    columns = dict(shown.picture_table)
    plain, key = columns.pop("plain")[0][0], Key.load(shown.folder / "demo.key")
    for name, options in demo_attacks.PUBLISHED.items():
        (encrypted, _), (alone, how), (opened, exact) = columns.pop(name)
        expected = CIPHERS[name](key, plain.shape, **options)(plain)
        assert np.array_equal(encrypted, expected)
        assert not np.array_equal(encrypted, plain)
        assert (alone is None) == (how == "no attack here")
        assert np.array_equal(opened, plain) and exact.startswith("exact, ")
        assert alone is not plain and opened is not plain  # made of the ciphertext
    assert not columns
    assert np.array(Image.open(shown.folder / "attacks.png")).std() > 20


def test_again_with_the_key_of_before(shown, capsys, monkeypatch):
    old = (shown.folder / "demo.key").read_bytes()
    # Two ciphers are enough to see it.
    monkeypatch.setattr(demo, "byte_ciphers", lambda: ["le", "pbe"])
    assert main(["demo", "-q", str(shown.folder)]) == 0
    assert "equal" in capsys.readouterr().out
    assert (shown.folder / "demo.key").read_bytes() == old


def test_a_photograph_that_does_not_come_back_is_named(tmp_path, capsys, monkeypatch):
    decrypt = demo.decrypt_folder

    def damaged(folder, out, *more, **options):
        summary = decrypt(folder, out, *more, **options)
        path = sorted(Path(out).glob("*.png"))[1]
        pixels = np.array(Image.open(path))
        pixels[-1, -1, -1] ^= 1
        Image.fromarray(pixels).save(path)
        return summary

    monkeypatch.setattr(demo, "byte_ciphers", lambda: ["negpos"])
    monkeypatch.setattr(demo, "decrypt_folder", damaged)
    assert main(["demo", "-q", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert not out and "flower.png is not the plain photograph again" in err
    assert not (tmp_path / "demo.json").exists()


def test_an_attack_that_opens_another_photograph_is_named(
    tmp_path, photographs, monkeypatch
):
    """Of a cipher that answers the attacker under another key."""
    negpos = CIPHERS["negpos"]

    def two_faced(key, shape):
        transforms = [negpos(one, shape) for one in (key, key.derive("another"))]
        return lambda images: transforms[images.ndim == 4](images)

    monkeypatch.setattr(demo_attacks, "PUBLISHED", {"negpos": {}})
    monkeypatch.setattr(demo_attacks, "CIPHERS", {"negpos": two_faced})
    path = tmp_path / "attacks.png"
    with pytest.raises(TfpeError, match="negpos: the attack did not give"):
        demo_attacks.attack_photograph(photographs[1], Key(bytes(32)), path)
    assert not path.exists()
