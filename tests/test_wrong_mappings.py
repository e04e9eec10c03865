"""Files given for what they are not: mappings of another set, places of receipts."""

from pathlib import Path

import pytest
from image_folders import CHINA, save

from tfpe import Key
from tfpe.cli import main
from tfpe.cli.receipts import find_receipt
from tfpe.dataset import decrypt_dataset, encrypt_dataset
from tfpe.errors import ManifestError, OutputError
from tfpe.files import encrypt_folder
from tfpe.receipts import read_receipt
from tfpe.roles.predictions import classes_of

KEY = Key(bytes(range(32)))


def pictures(*classes):
    """Two pictures of each class, 8 x 8."""
    places = [(name, number) for name in classes for number in range(2)]
    return {
        f"{name}/{number}.png": CHINA[9 * n : 9 * n + 8, 5 * n : 5 * n + 8]
        for n, (name, number) in enumerate(places)
    }


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    KEY.save("owner.key")
    save(tmp_path / "animals", pictures("cat", "dog", "eel"))
    save(tmp_path / "fruits", pictures("apple", "fig", "pear"))
    return tmp_path


@pytest.fixture
def hidden_sets(folder):
    for name in ("animals", "fruits"):
        hide = {"hide_labels": f"{name}.json", "receipt": f"{name}.receipt.json"}
        encrypt_dataset(name, "cloud", KEY, "le", **hide)
    return folder


def test_labels_of_another_set_are_refused(hidden_sets):
    receipt = read_receipt("fruits.receipt.json", KEY)
    assert sorted(classes_of(receipt, 3, KEY, "fruits.json").names) == [
        *("apple", "fig", "pear")
    ]
    with pytest.raises(ManifestError, match="fruits_le.*animals.json"):
        classes_of(receipt, 3, KEY, "animals.json")
    with pytest.raises(ManifestError, match="fruits_le.*animals.json"):
        decrypt_dataset("cloud/fruits_le", "plain", KEY, labels="animals.json")
    assert not Path("plain").exists()
    decrypt_dataset("cloud/fruits_le", "plain", KEY, labels="fruits.json")


def test_the_mark_tells_no_one_that_two_sets_have_the_same_classes(hidden_sets):
    save(hidden_sets / "others", {n: 255 - i for n, i in pictures(*"xyz").items()})
    save(hidden_sets / "more", pictures(*"xyz"))
    marks = set()
    for name in ("others", "more"):
        encrypt_dataset(name, "cloud", KEY, "le", hide_labels="xyz.json")
        marks.add(read_receipt(f"cloud/{name}_le", KEY).labels_tag)
    assert len(marks) == 2 and None not in marks


def test_names_of_another_folder_are_refused(folder):
    for name in ("animals", "fruits"):
        encrypt_folder(name, f"{name}.out", KEY, "le", hide_names=f"{name}.json")
    receipt = read_receipt("fruits.out", KEY)
    assert set(classes_of(receipt, 3, KEY, "fruits.json").names) == {
        *("apple", "fig", "pear")
    }
    with pytest.raises(ManifestError, match="fruits.out.*animals.json"):
        classes_of(receipt, 3, KEY, "animals.json")


def test_names_are_no_labels_and_labels_no_names(hidden_sets):
    encrypt_folder("animals", "out", KEY, "le", hide_names="names.json")
    for place, file in {
        "cloud/animals_le": "names.json",
        "out": "animals.json",
    }.items():
        with pytest.raises(ManifestError, match=f"Received: {file}"):
            classes_of(read_receipt(place, KEY), 3, KEY, file)


def test_hidden_classes_below_train_and_test(folder):
    images = pictures("cat", "dog")
    save(
        folder / "both",
        {f"{s}/{n}": i for s in ("train", "test") for n, i in images.items()},
    )
    encrypt_folder("both", "out", KEY, "le", hide_names="names.json")
    receipt = read_receipt("out", KEY)
    seen = sorted(f.name for f in Path("out").glob("*/*") if f.is_dir())
    assert receipt.class_names == sorted(set(seen))
    classes = classes_of(receipt, 2, KEY, "names.json")
    assert sorted(classes.names) == ["cat", "dog"]
    assert [classes.names[place] for place in classes.order] == ["cat", "dog"]


def test_a_receipt_never_goes_to_another_file_and_that_is_said_first(folder, capsys):
    before = Path("owner.key").read_bytes()
    with pytest.raises(OutputError, match="new file. Received: owner.key"):
        encrypt_folder("animals", "out", KEY, "le", receipt="owner.key")
    run = "encrypt -q -k owner.key --cipher le animals -o out --receipt owner.key"
    assert main(run.split()) == 1
    assert "new file. Received: owner.key" in capsys.readouterr().err
    assert Path("owner.key").read_bytes() == before and not Path("out").exists()


@pytest.mark.parametrize(
    ("word", "told"), [("animals", False), ("animals-2", False), ("fruits", True)]
)
def test_a_receipt_under_the_name_of_another_set_is_told(word, told, folder, capsys):
    encrypt_folder("animals", "out/animals", KEY, "le", receipt=f"{word}.receipt.json")
    receipt = find_receipt(word, KEY, "owner.key")
    assert receipt.name == "animals"
    assert ("receipt of the set animals" in capsys.readouterr().err) == told
