"""What a recipe says is what training does, on a toy that is learned. Budget: 15 s."""

import dataclasses

import keras
import numpy as np
import pytest

from training.batches import Batches
from training.compare import compare
from training.images import ImageSet
from training.recipes import find_recipe
from training.run import Run
from training.run_folder import BEST_MODEL, HISTORY, LAST_MODEL, begin, save_model
from training.splits import Part
from training.train import compile_model, schedule

CLASSES = 8


def noisy_prototypes(count=320):
    """Each class is one picture of noise, seen through a little more of it."""
    random = np.random.default_rng(0)
    labels = np.arange(count, dtype=np.int32) % CLASSES
    prototypes = random.integers(30, 226, (CLASSES, 8, 8, 3))
    images = prototypes[labels] + random.integers(-30, 30, (count, 8, 8, 3))
    images, test = images.astype(np.uint8), count // 4
    return ImageSet(
        *("toy", images[test:], labels[test:], images[:test], labels[:test]),
        *(tuple("abcdefgh"), "npz"),
    )


def linear(num_classes, input_shape, l2, width):
    """A network that learns the toy in seconds, in place of one that would not."""
    layers = [keras.layers.Flatten(), keras.layers.Dense(num_classes)]
    return keras.Sequential([keras.Input(input_shape), *layers])


@pytest.mark.parametrize(
    "ciphers, encrypt_in", [(["plain", "le"], "numpy"), (["le"], "model")]
)
def test_what_was_learned_is_worth_nothing_under_another_key(
    ciphers, encrypt_in, tmp_path, monkeypatch
):
    """The right key far above a wrong one, and above the network of plain images."""
    monkeypatch.setattr("training.networks.resnet9.resnet9", linear)
    recipe = find_recipe(
        *("tiny",),
        **{"network": "resnet9", "optimizer": "adamw", "learning_rate": 0.05},
        **{"epochs": 4, "crop_padding": 0, "encrypt_in": encrypt_in},
        normalization="centered",
    )
    places = {"out": tmp_path / "out", "runs": tmp_path / "runs"}
    records, unfinished = compare(noisy_prototypes(), recipe, ciphers, **places)
    assert not unfinished
    results = records[-1]["results"]
    for when in ("last", "best_validation"):
        assert results[when]["test_accuracy"] > 0.95
    assert results["wrong_key_accuracy"] < 0.5
    if "plain" in ciphers:
        assert results["plain_model_accuracy"] < 0.5
        assert records[0]["results"]["last"]["test_accuracy"] > 0.95


def always(label):
    """A network that sees one class in every image."""
    layer = keras.layers.Dense(CLASSES, kernel_initializer="zeros")
    layers = [keras.Input((8, 8, 3)), keras.layers.Flatten(), layer]
    model = keras.Sequential(layers)
    layer.bias.assign(np.eye(CLASSES)[label])
    return model


def test_each_figure_is_of_its_epoch_and_its_model(tmp_path):
    """A run that is done, whose last epoch is not the best; nothing is trained."""
    images = noisy_prototypes()
    first, second = (np.flatnonzero(images.y_test == label) for label in (0, 1))
    chosen = [*first[:4], *second]  # fewer of class 0
    images = dataclasses.replace(
        images, x_test=images.x_test[chosen], y_test=images.y_test[chosen]
    )
    run = Run(images, find_recipe("tiny"), "plain", 0, None, tmp_path, tmp_path)
    folder = tmp_path / run.name
    begin(folder, run.settings)
    save_model(always(0), folder / LAST_MODEL)
    save_model(always(1), folder / BEST_MODEL)
    names = "epoch", "accuracy", "loss", "seconds", "val_accuracy", "val_loss"
    rows = [(0, 0.1, 3.0, 9.0, 0.3, 1.0), (1, 0.2, 2.0, 2.0, 0.8, 2.0)]
    rows.append((2, 0.4, 1.0, 1.0, 0.5, 3.0))
    lines = [names, *rows]
    text = "".join(",".join(map(str, line)) + "\n" for line in lines)
    (folder / HISTORY).write_text(text)
    results = run.execute()["results"]
    counts = np.bincount(images.y_test, minlength=CLASSES)
    assert counts[0] != counts[1]
    for when, label, epoch, row in (
        ("last", 0, 3, rows[2]),
        ("best_validation", 1, 2, rows[1]),
    ):
        found = results[when]
        assert found["epoch"] == epoch
        assert found["test_accuracy"] == counts[label] / counts.sum()
        assert found["train_accuracy"] == row[1]
        assert found["validation_accuracy"] == row[4]
    assert [row[1] for row in results["confusion"]] == counts.tolist()
    assert results["seconds"] == 12 and results["epochs"] == 3
    assert results["images_per_second"] == results["train_images"] / 2


def test_the_rate_falls_to_a_tenth_at_each_milestone():
    recipe = find_recipe("paper", epochs=12, learning_rate=0.3)
    layer = keras.layers.Dense(2, kernel_initializer="zeros")  # whatever the seed
    model = keras.Sequential([keras.Input((2,)), layer])
    compile_model(model, recipe, steps=5)
    rates = [schedule(recipe, steps=5), model.optimizer._learning_rate]
    for rate in rates:
        found = [float(rate(step)) for step in range(1, 61)]
        expected = [0.3] * 30 + [0.03] * 15 + [0.003] * 15
        assert found == pytest.approx(expected, rel=1e-6)


def test_deterministic_runs_say_that_they_do_without_xla():
    """Keras takes XLA away from them, with a warning, whatever the recipe says."""
    assert find_recipe("paper").settings["jit_compile"]
    assert not find_recipe("paper", deterministic=True).settings["jit_compile"]


@pytest.mark.parametrize("flip", [True, False])
def test_images_are_mirrored_only_where_the_recipe_says(flip, rng):
    images = rng.integers(0, 256, (64, 8, 8, 3), np.uint8)
    part = Part(images, np.arange(64), np.arange(64))
    recipe = find_recipe("tiny", batch_size=16, crop_padding=0, flip=flip)
    batches, mirrored = Batches(part, recipe, 0), 0
    for epoch in range(4):
        batches.epoch = epoch
        for seen, numbers in batches:
            for image, number in zip(seen, numbers, strict=True):
                same = np.array_equal(image, images[number])
                assert same or np.array_equal(image, images[number][:, ::-1])
                mirrored += not same
    assert (90 < mirrored < 166) if flip else mirrored == 0
