"""Receipts: what is in them, who may change them, what predictions take from them."""

import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from image_folders import CHINA, save
from receipt_models import (
    CLASSES,
    KEY,
    OTHER,
    PICTURES,
    encrypt,
    memorize,
    owner_folder,
    predict,
    trained,
)

from tfpe import CIPHERS, Key
from tfpe.cli import main
from tfpe.dataset import encrypt_dataset, reencrypt_dataset
from tfpe.errors import (
    ManifestError,
    OutputError,
    TfpeError,
    WrongKeyError,
)
from tfpe.files import encrypt_folder
from tfpe.receipts import (
    free_path,
    read_receipt,
    save_receipt,
)
from tfpe.roles.predictions import probabilities

folder = pytest.fixture(owner_folder)


@pytest.mark.parametrize("kind", ["folder", "set"])
def test_the_owner_gets_one_beside_the_key(kind, folder):
    if kind == "folder":
        assert encrypt() == 0
        path, made = folder / "out.receipt.json", "out"
    else:
        run = "dataset encrypt photos -q -k owner.key --cipher le -o out"
        assert main(run.split()) == 0
        path, made = folder / "photos_le.receipt.json", "out"
    text = path.read_text()
    document = json.loads(text)
    assert (document["format"], document["version"]) == ("tfpe receipt", 1)
    receipt = read_receipt(path, KEY)
    assert receipt == read_receipt(made, KEY)
    assert receipt.cipher == "le" and receipt.options["block_size"] == 4
    assert receipt.classes == {"label": CLASSES} and not receipt.hidden_labels
    assert receipt.image_shape == receipt.cipher_shape == (8, 8, 3)
    assert receipt.value_range == (0, 255) and receipt.source_tag
    for secret in (KEY._secret.hex(), repr(KEY._secret)):
        assert secret not in text
    assert not list(Path("out").rglob("*receipt*"))


@pytest.mark.parametrize("field", ["cipher", "options", "classes", "key_fingerprint"])
def test_every_change_is_noticed(field, folder):
    encrypt_folder("photos", "out", KEY, "le", receipt="r.json")
    document = json.loads(Path("r.json").read_text())
    document[field] = {
        "cipher": "ele",
        "options": {"block_size": 2, "reversal": "derived"},
        "classes": {"label": CLASSES[::-1]},
        "key_fingerprint": OTHER.fingerprint,
    }[field]
    Path("r.json").write_text(json.dumps(document))
    with pytest.raises(ManifestError if field != "key_fingerprint" else WrongKeyError):
        read_receipt("r.json", KEY)
    for text in ("{}", "[]", "no json", ""):
        Path("r.json").write_text(text)
        with pytest.raises(ManifestError):
            read_receipt("r.json", KEY)
    with pytest.raises(ManifestError):
        read_receipt("photos", KEY)


def test_the_same_set_again_and_other_sets_of_its_name(folder):
    assert encrypt() == 0
    first = Path("out.receipt.json").read_bytes()
    assert encrypt() == 0
    assert Path("out.receipt.json").read_bytes() == first
    save(folder / "photos", {"fox/1.png": CHINA[:8, :8]})
    assert encrypt() == 0
    assert read_receipt("out.receipt.json", KEY).class_names == [*CLASSES, "fox"]
    assert main(["key", "rotate", "-k", "owner.key"]) == 0
    first = Path("out.receipt.json").read_bytes()
    assert main("encrypt -q -k owner.key --cipher le photos -o more/out".split()) == 0
    assert Path("out.receipt.json").read_bytes() == first
    new = Key.load("owner.key")
    assert read_receipt("out-2.receipt.json", new).key_fingerprint == new.fingerprint
    assert free_path(read_receipt("more/out", new), ".").name == "out-2.receipt.json"
    with pytest.raises(OutputError, match="another set"):
        save_receipt(read_receipt("out", KEY), KEY, "out-2.receipt.json")


def test_it_goes_where_it_is_asked_for_and_never_to_the_cloud_unasked(folder, capsys):
    assert encrypt("--receipt", "kept/r.json") == 0
    assert read_receipt("kept/r.json", KEY) and not Path("out.receipt.json").exists()
    Path("x").mkdir()
    shutil.copy("owner.key", "x/owner.key")
    run = "encrypt -q -k x/owner.key --cipher le photos -o x".split()
    assert main(run) == 1 and "--receipt" in capsys.readouterr().err
    assert [path.name for path in Path("x").iterdir()] == ["owner.key"]
    assert main([*run, "--receipt", "owner.key/r.json"]) == 1
    assert main([*run, "--receipt", "x/r.json"]) == 0


def test_data_sets_in_python_and_encrypted_anew(folder):
    encrypt_dataset("photos", "cloud", KEY, "le", receipt="a.json")
    reencrypt_dataset("cloud", "next", KEY, OTHER, receipt="b.json")
    assert read_receipt("a.json", KEY).cipher == read_receipt("b.json", OTHER).cipher
    assert read_receipt("b.json", OTHER).classes == {"label": CLASSES}


def test_predict_takes_all_of_it(folder, capsys):
    assert encrypt() == 0
    trained().save("model.keras")
    for word in ("out", "out.receipt.json", str(folder / "out")):
        code, rows, err = predict(
            capsys, "model.keras", "photos", "-k", "owner.key", "--set", word
        )
        assert code == 0 and "Accuracy on 12 images: 1.0000" in err
        assert [row[:2] for row in rows] == [[p, p.split("/")[0]] for p in PICTURES]
        assert all(0.5 < float(row[2]) <= 1 for row in rows)
    # Without one: what is given is believed, and that is said.
    run = ["model.keras", "photos", "-k", "owner.key"]
    code, rows, err = predict(capsys, *run, "--cipher", "le")
    assert code == 0 and "No receipt" in err and rows[0][1] == "0" and "1.0000" in err
    code, rows, err = predict(capsys, *run)
    assert code == 1 and "--set" in err and "--cipher" in err and not rows


@pytest.mark.parametrize(
    "more",
    [["--cipher", "ele"], ["--option", "block_size=2"], ["--value-range", "0,1"]],
)
def test_what_contradicts_it_is_refused(more, folder, capsys):
    assert encrypt() == 0
    trained().save("model.keras")
    run = ["model.keras", "photos", "-k", "owner.key", "--set", "out"]
    code, rows, err = predict(capsys, *run, *more)
    assert code == 1 and not rows and "as the receipt of out says" in err
    same = ["--cipher", "le", "--option", "block_size=4", "--value-range", "0,255"]
    assert predict(capsys, *run, *same)[0] == 0


def test_after_a_rotation_the_old_key_is_named(folder, capsys):
    assert encrypt() == 0
    trained().save("model.keras")
    assert main(["key", "rotate", "-k", "owner.key"]) == 0
    run = ["model.keras", "photos", "-k", "owner.key", "--set", "out"]
    code, rows, err = predict(capsys, *run)
    old = f"owner.key.{KEY.fingerprint}"
    assert code == 1 and not rows and KEY.fingerprint in err and f"-k {old}" in err
    run[run.index("owner.key")] = old
    assert predict(capsys, *run)[0] == 0


def test_json_and_softmax(folder, capsys):
    assert encrypt() == 0
    model = trained()
    model.save("logits.keras")
    layers = [keras.Input((8, 8, 3)), *model.layers, keras.layers.Softmax()]
    keras.Sequential(layers).save("shares.keras")
    documents = []
    for name in ("logits", "shares"):
        capsys.readouterr()
        run = f"predict {name}.keras photos -k owner.key --set out --json"
        assert main(run.split()) == 0
        documents.append(json.loads(capsys.readouterr().out))
    for document in documents:
        assert document["accuracy"] == 1 and document["scored"] == 12
        assert document["key_fingerprint"] == KEY.fingerprint
    for first, second in zip(*(d["images"] for d in documents), strict=True):
        assert set(first["probabilities"]) == set(CLASSES)
        assert sum(first["probabilities"].values()) == pytest.approx(1)
        assert first["probabilities"] == pytest.approx(second["probabilities"], 1e-4)
        assert first["probability"] == max(first["probabilities"].values())
    assert np.allclose(probabilities([[2.0, 2.0], [0.5, 0.5]]), 0.5)


def test_one_output_of_a_sigmoid_is_the_second_of_two_classes():
    found = probabilities([[0.25], [0.5], [1.0]])
    np.testing.assert_array_equal(found, [[0.75, 0.25], [0.5, 0.5], [0, 1]])
    for outputs in ([[0.2], [1.1]], [[-0.1]], [[np.nan]]):
        with pytest.raises(TfpeError, match="of a sigmoid|NaN"):
            probabilities(outputs)


def test_predict_with_a_sigmoid_says_classes(folder, capsys):
    pictures = {p: x for p, x in PICTURES.items() if not p.startswith("eel")}
    save(folder / "two", pictures)
    assert main("encrypt -q -k owner.key --cipher le two -o out".split()) == 0
    images, labels = np.stack(list(pictures.values())), [0] * 4 + [1] * 4
    both = memorize(CIPHERS["le"](KEY, (8, 8, 3))(images), labels, classes=2)
    kernel, bias = both.layers[-1].get_weights()
    layers = [*both.layers[:-1], keras.layers.Dense(1, activation="sigmoid")]
    model = keras.Sequential([keras.Input((8, 8, 3)), *layers])
    model.layers[-1].set_weights([kernel[:, 1:] - kernel[:, :1], bias[1:] - bias[:1]])
    model.save("model.keras")
    capsys.readouterr()
    run = "predict model.keras two -k owner.key --set out"
    assert main(run.split()) == 0
    out, err = capsys.readouterr()
    rows = [line.split(",") for line in out.splitlines()[1:]]
    assert [label for _, label, _ in rows] == ["cat"] * 4 + ["dog"] * 4
    assert "Accuracy on 8 images: 1.0000" in err


@pytest.mark.parametrize("kind", ["labels", "names"])
def test_hidden_classes_come_back(kind, folder, capsys):
    if kind == "labels":
        run = (
            "dataset encrypt photos -q -k owner.key --cipher le -o out --hide-labels h"
        )
        name = "photos_le"
    else:
        run = "encrypt photos -q -k owner.key --cipher le -o out --hide-names h"
        name = "out"
    assert main(run.split()) == 0
    receipt = read_receipt(f"{name}.receipt.json", KEY)
    assert receipt.hidden_labels and not set(CLASSES) & set(receipt.class_names)
    text = Path(f"{name}.receipt.json").read_text()
    assert not any(shown in text for shown in CLASSES)
    if kind == "labels":
        from tfpe.dataset.labels import load_labels

        order = load_labels("h", KEY)[1]["label"]
    else:
        from tfpe.manifests.names import hide

        hidden = [hide(KEY, f"{name}/1.png").split("/")[0] for name in CLASSES]
        order = [sorted(hidden).index(name) for name in hidden]
    trained(order=order).save("model.keras")
    run = ["model.keras", "photos", "-k", "owner.key", "--set", name]
    code, rows, err = predict(capsys, *run)
    assert code == 0 and "hidden" in err and "Accuracy" not in err
    code, rows, err = predict(capsys, *run, "--labels", "h")
    assert code == 0 and "Accuracy on 12 images: 1.0000" in err
    assert [row[1] for row in rows] == [path.split("/")[0] for path in PICTURES]


def test_labels_need_a_set_that_hides_them(folder, capsys):
    assert encrypt() == 0
    trained().save("model.keras")
    run = ["model.keras", "photos", "-k", "owner.key", "--set", "out"]
    assert "hidden" in predict(capsys, *run, "--labels", "h")[2]
