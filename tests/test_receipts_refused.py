"""Receipts in models that are damaged or too large; classes of hidden folders."""

import dataclasses
import json
import zipfile

import numpy as np
import pytest
from image_folders import crops, save

from tfpe import Key
from tfpe.errors import ManifestError, OutputError
from tfpe.files import encrypt_folder
from tfpe.manifests.names import hide
from tfpe.receipts import Receipt, attach_receipt, model_receipt, read_receipt
from tfpe.receipts.model_images import prepared
from tfpe.receipts.receipt import open_receipt
from tfpe.receipts.receipt_files import check_place
from tfpe.receipts.sets import class_of

KEY = Key(bytes(range(32)))
PLAIN = Receipt("photos", KEY.fingerprint, "le", {"block_size": 4})


def model(path, member):
    """An archive with something in the place of a receipt."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        if member is not None:
            archive.writestr("receipt.json", member)
    return path


def test_what_a_receipt_does_not_say():
    opened = open_receipt(PLAIN.sealed(KEY), KEY, "here")
    assert opened == PLAIN and opened.value_range == (0, 255)
    assert not opened.hidden_labels and not opened.per_image and opened.depth is None


def test_a_receipt_comes_back_from_a_model(tmp_path):
    path = model(tmp_path / "m.keras", None)
    assert model_receipt(path, KEY) is None
    attach_receipt(path, PLAIN.sealed(KEY), "photos", ["cat", "dog"])
    found = model_receipt(path, KEY)
    assert found.class_names == ["cat", "dog"]
    assert (found.name, found.cipher, found.options) == ("photos", "le", PLAIN.options)


@pytest.mark.parametrize(
    "change",
    [
        {"receipt": None},
        {"receipt": []},
        {"classes": None},
        {"classes": "cat"},
        {"receipt": {}},
        {"receipt": {**PLAIN.sealed(KEY), "cipher": "pbe"}},
    ],
)
def test_a_damaged_receipt_in_a_model(change, tmp_path):
    member = {"name": "p", "classes": ["a"], "receipt": PLAIN.sealed(KEY)}
    path = model(tmp_path / "m.keras", json.dumps(member))
    assert model_receipt(path, KEY).class_names == ["a"]
    path = model(tmp_path / "m.keras", json.dumps(member | change))
    with pytest.raises(ManifestError, match="receipt|manifest|m.keras"):
        model_receipt(path, KEY)


@pytest.mark.parametrize("megabytes, fits", [(34, True), (65, False)])
def test_a_receipt_that_fills_the_memory(megabytes, fits, tmp_path):
    member = {"name": "p", "classes": ["a"], "receipt": PLAIN.sealed(KEY)}
    text = json.dumps(member) + " " * (megabytes * 2**20)
    path = model(tmp_path / "m.keras", text)
    if fits:
        assert model_receipt(path, KEY).class_names == ["a"]
    else:
        with pytest.raises(ManifestError, match="too large"):
            model_receipt(path, KEY)


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("splits", [("",), ("train/", "test/")])
def test_classes_of_folders_under_any_names(splits, hidden, tmp_path):
    classes = ["cat", "dog", "eel"]
    places = [f"{split}{name}/1.png" for split in splits for name in classes]
    save(tmp_path / "photos", dict(zip(places, crops(len(places)), strict=True)))
    names = {"hide_names": tmp_path / "names"} if hidden else {}
    encrypt_folder(tmp_path / "photos", tmp_path / "out", KEY, "le", **names)
    expected = classes
    if hidden:
        expected = {hide(KEY, place).split("/")[-2] for place in places}
    receipt = read_receipt(tmp_path / "out", KEY)
    assert receipt.class_names == sorted(expected)
    assert receipt.hidden_labels == hidden
    assert receipt.image_shape == np.shape(crops(1)[0])


def test_classes_are_the_folders_next_to_the_top():
    for path in ("cat/1.png", "cat/deep/1.png", "train/cat/deep/1.png"):
        assert class_of(path) == "cat"
    assert class_of("train/1.png") is None and class_of("1.png") is None
    assert class_of("a/b/1.png", splits={"a"}) == "b"


def test_a_place_of_a_receipt_may_be_taken_again(tmp_path):
    place = tmp_path / "r.json"
    check_place(place)
    place.write_text(json.dumps(PLAIN.sealed(KEY)))
    check_place(place)
    for other in ("{}", "no json", json.dumps({"format": "tfpe manifest"})):
        place.write_text(other)
        with pytest.raises(OutputError, match="something else"):
            check_place(place)
    for wrong in (tmp_path, place / "r.json"):
        with pytest.raises(OutputError, match="where a file can be written"):
            check_place(wrong)


OF_ANOTHER_SET = [
    *({"name": "other"}, {"key_fingerprint": "0"}, {"cipher": "ele"}, {"options": {}}),
    *({"per_image": True}, {"hidden_labels": True}, {"source_tag": "0"}),
    *({"preparation": {"size": [8, 8]}}, {"copies": 2}, {"augment": ["flip"]}),
    {"lossy": {"format": "JPEG", "quality": 75, "subsampling": "4:4:4"}},
]


@pytest.mark.parametrize("change", OF_ANOTHER_SET, ids=str)
def test_receipts_of_one_set_share_all_but_its_images(change):
    document = PLAIN.sealed(KEY)
    grown = {"classes": {"label": ["cat"]}, "image_shape": (8, 8, 3), "depth": 8}
    assert dataclasses.replace(PLAIN, **grown).is_of_set(document)
    assert not dataclasses.replace(PLAIN, **change).is_of_set(document)


@pytest.mark.parametrize("shape, channels", [(None, 1), ((8, 8, 1), 1), ((8, 8, 3), 3)])
def test_gray_pictures_for_a_model_of_colours(shape, channels, rng):
    gray = rng.integers(0, 256, (2, 8, 8, 1), np.uint8)
    receipt = dataclasses.replace(PLAIN, image_shape=shape)
    found = prepared(gray, receipt)
    assert found.shape == (2, 8, 8, channels) and (found == gray).all()
    colours = gray.repeat(3, axis=-1)
    assert np.array_equal(prepared(colours, receipt), colours)
