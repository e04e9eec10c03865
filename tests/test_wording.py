"""Errors of the library, as the command line says them: flags, IN and OUT."""

import re

import numpy as np
import pytest
from image_folders import save

import training.cli
from tfpe import Key
from tfpe.cli import main
from tfpe.cli.wording import spoken

RNG = np.random.default_rng(0)
PYTHON = re.compile(r"`(src|dst|out|source|names?|drop|cipher|dataset|path)`|=True\b")
MISTAKES = {
    "encrypt -k owner.key --cipher le photos -o photos/out": "IN and --out should be",
    "encrypt -k owner.key --cipher le empty -o out": "IN should hold images",
    "encrypt -k owner.key --cipher le photos -o owner.key": "--out should be a folder",
    "encrypt -k owner.key --cipher rot13 photos -o out": "--cipher should be one of",
    "encrypt -k owner.key --cipher le --option block_size=0 photos -o out": (
        "--option block_size should be"
    ),
    "encrypt -k owner.key --cipher le photos -o out --hide-names out/names.json": (
        "--hide-names should be"
    ),
    "decrypt -k owner.key photos -o out": "give --cipher and --size to decrypt",
    "decrypt -k owner.key done -o out --names names.json": "--names is for folders "
    "encrypted with --hide-names",
    "dataset encrypt nothing -k owner.key --cipher le -o out": "SOURCE should be cifar",
    "dataset encrypt tiny.npz -k owner.key --cipher le --name A -o out": "--name "
    "should be lower case",
    "dataset encrypt tiny.npz -k owner.key --cipher le --drop a -o out": "--drop "
    "should name",
    "dataset encrypt mixed -k owner.key --cipher le -o out": "--gray or --rgb makes",
    "report page.html --records empty": "--records should hold records",
    "training compare --dataset nothing": "--dataset should be digits",
    "training compare --depth 3": "--depth should be",
    "training compare --strong mixup": "--encrypt-in should be 'tf.data' "
    "where --strong is used",
}


@pytest.fixture
def folder(npz, monkeypatch, capsys):
    """owner.key, photos/ of 9, done/ with them encrypted, empty/, tiny.npz."""
    monkeypatch.chdir(npz.parent)
    monkeypatch.delenv("TFPE_KEY_FILE", raising=False)
    Key(bytes(range(32))).save("owner.key")
    save(npz.parent / "photos", pictures())
    mixed = {"a/1.png": np.zeros((8, 8), np.uint8), "a/2.png": pictures()["0.png"]}
    save(npz.parent / "mixed", mixed)
    (npz.parent / "empty").mkdir()
    (npz.parent / "names.json").write_text("{}")
    assert main("encrypt -q -k owner.key --cipher le photos -o done".split()) == 0
    capsys.readouterr()
    return npz.parent


def pictures():
    return {f"{n}.png": RNG.integers(0, 256, (8, 8, 3), np.uint8) for n in range(9)}


@pytest.mark.parametrize(("line", "words"), MISTAKES.items())
def test_errors_name_what_was_typed(line, words, folder, capsys):
    if line.startswith("training "):
        assert training.cli.main(line.split()[1:]) == 1
    else:
        quiet = ["-q"] if line.split()[0] != "report" else []
        if line.startswith("decrypt"):
            hide = "encrypt -q -k owner.key --cipher le --hide-names names2.json"
            assert main([*hide.split(), "photos", "-o", "hidden"]) == 0
            (folder / "names2.json").replace("names.json")
        capsys.readouterr()
        assert main([*line.split(), *quiet]) == 1
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1
    assert not PYTHON.search(said), said


def test_many_images_with_one_fault_are_one_line(folder, capsys):
    save(folder / "photos", pictures())
    assert main("encrypt -q -k owner.key --cipher le photos -o done".split()) == 1
    assert capsys.readouterr().err.splitlines() == [
        "tfpe: 0.png, 1.png, 2.png and 6 more: The output exists already and was not "
        "made from this image; --force replaces it",
        "0 encrypted, 0 done before, 9 failed",
    ]
    assert main("decrypt -q -k owner.key done -o photos".split()) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 2 and "--force replaces it" in said


def test_words_that_no_command_has_stay():
    for message in (
        "`image_shape` should be 3-D",
        "allow_weak=True",
        "a=b",
        "`x=True`",
    ):
        assert spoken(message, {"src": "IN"}) == message
    assert spoken("`src=True`, src, src=True", {"src": "--in"}) == "--in, src, --in"
