"""Training on JPEG-coded ciphertexts: owner encrypts and codes, the cloud decodes."""

import copy
import io
import json
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

from tfpe import CIPHERS, Key
from tfpe.cli import main as tfpe_main
from tfpe.errors import CipherOptionError
from tfpe.lab.tables.rendering import render_table
from training.batches import Batches
from training.cli import main
from training.compare import _options_of, compare
from training.encryption import Encryption
from training.images import ImageSet
from training.recipe import RecipeError
from training.recipes import find_recipe
from training.run import CompareError, experiment_key
from training.saved_models import load_model, predict
from training.splits import Part, split
from training.train import predict_labels

KEY = Key(bytes(range(32)))
PARTS = ("x_train", "y_train", "x_test", "y_test")
SMALL = {"network": "mlp_mixer", "width": 8, "depth": 1, "token_units": 4}
SMALL |= {"channel_units": 8, "batch_size": 16, "epochs": 1}


def make_images():
    """Two kinds of ramps, which JPEG changes a little and does not mix up."""
    random, labels = np.random.default_rng(0), np.arange(96, dtype=np.int32) % 2
    ramp = np.add.outer(np.arange(8), np.arange(8))[..., None]
    images = (
        ramp * random.integers(0, 9, (96, 1, 1, 3)) + 120 * labels[:, None, None, None]
    )
    images = images.astype(np.uint8)
    return ImageSet(
        "toy", images[:64], labels[:64], images[64:], labels[64:], ("no", "yes"), "npz"
    )


def decoded(images, quality):
    """As the cloud gets them, by Pillow alone."""
    found = []
    for image in images:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling="4:4:4")
        found.append(np.array(Image.open(file)))
    return np.stack(found)


@pytest.mark.parametrize("cipher", [None, "etc", "iib", "etc-per-image"])
@pytest.mark.parametrize("quality", [75, 90])
def test_batches_are_what_the_cloud_decodes(cipher, quality):
    images = make_images()
    part = Part(images.x_train, images.y_train, np.arange(64))
    name, *per_image = (cipher or "").split("-", 1)
    encryption = Encryption(KEY, name, bool(per_image)) if cipher else None
    sent, lost = (
        Batches(part, find_recipe("tiny", jpeg=jpeg, **SMALL), 0, encryption)
        for jpeg in (0, quality)
    )
    for step in range(2):
        expected = decoded(sent[step][0], quality)
        np.testing.assert_array_equal(lost[step][0], expected)
        np.testing.assert_array_equal(lost[step][1], sent[step][1])
        assert (expected != sent[step][0]).any()


@pytest.mark.parametrize("cipher", [None, "etc"])
def test_the_cloud_augments_what_it_decoded(cipher):
    images = make_images()
    part = Part(images.x_train, images.y_train, np.arange(64))
    encryption = Encryption(KEY, cipher) if cipher else None
    late = {"order": "encrypt_then_augment", "flip": True, **SMALL}
    found = Batches(part, find_recipe("tiny", jpeg=75, **late), 0, encryption)[0][0]
    ciphertexts = part.images if cipher is None else encryption(part.images, None)
    there = part._replace(images=decoded(ciphertexts, 75))
    expected = Batches(there, find_recipe("tiny", **late), 0)[0][0]
    np.testing.assert_array_equal(found, expected)


def test_from_training_to_table_and_evaluation(
    tmp_path, monkeypatch, capsys, uncompiled
):
    monkeypatch.chdir(tmp_path)
    images = make_images()
    np.savez("toy.npz", **{n: getattr(images, n) for n in PARTS})
    recipe = find_recipe("tiny", jpeg=75, **SMALL)
    options = {"options": {"block_size": 8}}
    tested = []

    def given(model, images, *more):
        tested.append(images)
        return predict_labels(model, images, *more)

    with monkeypatch.context() as patch:
        patch.setattr("training.saved_models.predict_labels", given)
        records, unfinished = compare(images, recipe, ["plain", "etc"], **options)
    assert not unfinished
    # All images that a network is tested on were sent: those of its cipher, at the
    # last epoch and at the best; under a wrong key; to the network of plain images.
    key = experiment_key(0)
    right, wrong = (
        CIPHERS["etc"](one, (8, 8, 3), block_size=8)
        for one in (key, key.derive("wrong key"))
    )
    sent = [images.x_test] * 2 + [right(images.x_test)] * 2
    sent += [wrong(images.x_test), right(images.x_test)]
    for found, expected in zip(tested, sent, strict=True):
        np.testing.assert_array_equal(found, decoded(expected, 75))
    held_out = split(images, recipe, 0).validation
    model = load_model("runs/toy-tiny-etc-block_size=8-jpeg75-seed0/last.keras", None)
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    as_sent, lossless = (
        model.evaluate(one, held_out.labels, verbose=0)
        for one in (decoded(right(held_out.images), 75), right(held_out.images))
    )
    [recorded] = records[1]["results"]["history"]["val_loss"]
    assert recorded == pytest.approx(as_sent, abs=2e-6)
    assert recorded != pytest.approx(lossless, abs=2e-6)
    # Records and runs of before state nothing of it, and go on.
    assert "jpeg" not in find_recipe("tiny", **SMALL).settings
    assert [record["settings"]["jpeg"] for record in records] == [75, 75]
    for name in ("wrong_key_accuracy", "plain_model_accuracy"):
        assert records[1]["results"][name] is not None
    older = copy.deepcopy(records)
    for record in older:
        del record["settings"]["jpeg"]
    table, lossy = render_table("training", records + older), "JPEG of quality 75"
    assert table.count("| cipher |") == 1  # they stand beside each other
    for row in ("plain", "etc, block_size 8"):
        assert f"| {row}, {lossy} |" in table and f"| {row} |" in table
    shown = [row for row in table.splitlines() if lossy in row]
    assert not any("*" in row for row in shown)  # no paper has figures of these
    # What the run left is tested on images that are sent as it was told.
    model = "runs/toy-tiny-etc-block_size=8-jpeg75-seed0/last.keras"
    seen = []

    def predicted(model, part, encryption, jpeg):
        seen.append((encryption.options["block_size"], jpeg))
        return predict(model, part, encryption, jpeg=jpeg)

    monkeypatch.setattr("training.evaluate.predict", predicted)
    assert main(["evaluate", model, "--dataset", "toy.npz", "--json"]) == 0
    assert seen == [(8, 75)]
    shown = json.loads(capsys.readouterr().out)
    assert shown["accuracy"] == records[1]["results"]["last"]["test_accuracy"]
    # So are those of who has the model alone, which carries what it was told.
    shutil.copy(model, "alone.keras")
    experiment_key(0).save("owner.key")
    assert main(["evaluate", "alone.keras", "--dataset", "toy.npz", "--json"]) == 0
    assert seen == [(8, 75)] * 2
    assert json.loads(capsys.readouterr().out)["accuracy"] == shown["accuracy"]
    run = "predict alone.keras toy.npz -k owner.key --json"
    assert tfpe_main(run.split()) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] == shown["accuracy"]


@pytest.mark.parametrize(
    "fields",
    [
        {"jpeg": -1},
        {"jpeg": 101},
        {"jpeg": 75, "encrypt_in": "model"},
        {"jpeg": 75, "encrypt_in": "tf.data"},
    ],
    ids=str,
)
def test_what_does_not_fit_is_named(fields):
    with pytest.raises(RecipeError, match="`(jpeg|encrypt_in)` should be.*Received"):
        find_recipe("tiny", **fields)


def test_real_ciphertexts_are_no_pictures(tmp_path):
    recipe = find_recipe("tiny", jpeg=75, **SMALL)
    with pytest.raises(RecipeError, match="real ciphertexts.*orthogonal"):
        compare(make_images(), recipe, ["orthogonal"], out=tmp_path, runs=tmp_path)


def test_options_are_those_of_the_ciphers(tmp_path):
    folders = {"out": tmp_path / "out", "runs": tmp_path / "runs"}
    both = {"block_size": 8, "sub_block_size": 4}
    names = ("plain", "etc", "iib-per-image", "plain-as-iib")
    assert list(_options_of(names, both).values()) == [
        *({}, {"block_size": 8}, both, both)
    ]
    with pytest.raises(CompareError, match="should be of one of.*Received: .*turns"):
        compare(
            make_images(),
            find_recipe("tiny", **SMALL),
            ["plain", "etc"],
            options={"turns": "shared"},
            **folders,
        )
    with pytest.raises(CipherOptionError, match="`block_size`"):
        compare(
            make_images(),
            find_recipe("tiny", **SMALL),
            ["etc"],
            options={"block_size": 0},
            **folders,
        )
    assert not (tmp_path / "runs").exists()
