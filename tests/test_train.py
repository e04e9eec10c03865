"""Training runs: kills, paths of encryption, NaN, strategies. Budget: 60 s."""

import os
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
from processes import ENVIRONMENT, SCRIPTS

from tfpe import Key
from tfpe.errors import OutputError
from training.batches import Batches
from training.callbacks import Backup
from training.encryption import Encryption
from training.recipes import find_recipe
from training.run_folder import TrainingError, backups, begin, read_history
from training.saved_models import load_model
from training.splits import Part, Parts
from training.strategies import StrategyError
from training.train import even_batch, predict_labels, train


def make_parts():
    random = np.random.default_rng(0)
    labels = np.arange(80, dtype=np.int32) % 2
    images = random.integers(0, 200, (80, 8, 8, 3)) + 40 * labels[:, None, None, None]
    images, numbers = images.astype(np.uint8), np.arange(80)
    parts = np.split(numbers, [48, 64])
    return Parts(*(Part(images[s], labels[s], numbers[s]) for s in parts))


def make_recipe(**changes):
    small = {"network": "convmixer", "width": 8, "depth": 1, "kernel_size": 3}
    return find_recipe("tiny", **(small | {"epochs": 1, "batch_size": 16} | changes))


def random_recipe():
    """Of a network that draws random numbers, whose state a resumed run needs."""
    sizes = {"alpha": 3, "shakedrop": 0.5, "epochs": 3, "batch_size": 24}
    return find_recipe("tiny", deterministic=True, **sizes)


def history(folder):
    lines = (folder / "history.csv").read_text().splitlines()
    return [line.split(",")[:3] + line.split(",")[4:] for line in lines]  # no seconds


def test_a_killed_run_goes_on_as_if_nothing_had_been(
    tmp_path, determinism_ends, uncompiled
):
    arguments = make_parts(), 2, random_recipe(), 0, None
    train(*arguments, tmp_path / "whole", {"epochs": 3})
    # While a batch of the second epoch is made; then with a backup not yet in place.
    for where in ("batch:1:1", "backup:2"):
        killed = subprocess.run(
            [sys.executable, SCRIPTS / "train_tiny.py", tmp_path / "killed", where],
            env=os.environ | ENVIRONMENT,
            capture_output=True,
        )
        assert killed.returncode == -9, killed.stderr[-2000:]
        whole = [path.name for path in backups(tmp_path / "killed")]
        assert whole == ["epoch-00001.weights.h5"]
    trained = []
    train(
        *(*arguments, tmp_path / "killed", {"epochs": 3}),
        tell=lambda epoch, logs=None: trained.append((epoch, logs is not None)),
    )
    assert trained == [(1, False), (2, True), (3, True)]  # one epoch is not done again
    assert history(tmp_path / "killed") == history(tmp_path / "whole")
    assert len(history(tmp_path / "whole")) == 1 + 3
    weights = [
        load_model(tmp_path / run / name, None).get_weights()
        for run in ("killed", "whole")
        for name in ("last.keras", "best.keras")
    ]
    for ours, theirs in zip(
        weights[0] + weights[1], weights[2] + weights[3], strict=True
    ):
        assert np.array_equal(ours, theirs)


def test_numpy_tf_data_and_model_encrypt_alike(tmp_path, determinism_ends):
    encryption = Encryption(Key(bytes(32)), "le")
    losses = {}
    for place in ("numpy", "tf.data", "model"):
        recipe = make_recipe(encrypt_in=place, epochs=2, deterministic=place != "model")
        outcome = train(
            make_parts(), 2, recipe, 0, encryption, tmp_path / place, {"x": place}
        )
        losses[place] = [
            [row[name] for name in ("loss", "accuracy", "val_loss", "val_accuracy")]
            for row in outcome["history"]
        ]
    assert losses["numpy"] == losses["tf.data"] == losses["model"]
    plain = train(make_parts(), 2, make_recipe(), 0, None, tmp_path / "plain", {})
    assert plain["history"][0]["loss"] != losses["numpy"][0][0]


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_a_step_is_traced_once(tmp_path, traces, label_smoothing):
    recipe = make_recipe(epochs=2, label_smoothing=label_smoothing)
    train(make_parts(), 2, recipe, 0, None, tmp_path / "run", {})
    assert len(traces) == 1


@pytest.mark.usefixtures("uncompiled")
def test_nan_stops_with_an_error_and_keeps_the_last_good_epoch(tmp_path):
    rest = 0, None, tmp_path, {}
    assert train(make_parts(), 2, make_recipe(epochs=3), *rest, max_seconds=0) is None
    [good] = [path.read_bytes() for path in backups(tmp_path)]
    recipe = make_recipe(learning_rate=1e30, epochs=3)
    for _ in range(2):  # the same call goes on from the good epoch, to the same end
        with pytest.raises(TrainingError, match="NaN in epoch 2"):
            train(make_parts(), 2, recipe, *rest)
        assert [path.read_bytes() for path in backups(tmp_path)] == [good]
    assert not (tmp_path / "last.keras").exists()


@pytest.mark.usefixtures("uncompiled", "nan_where_it_predicts")
def test_a_validation_without_numbers_stops_after_its_epoch(tmp_path):
    recipe = make_recipe(epochs=3, precision="mixed_bfloat16")
    trained = []
    for _ in range(2):  # the same call does the same
        with pytest.raises(TrainingError, match="validation loss.*epoch 1.*bfloat16"):
            train(
                *(make_parts(), 2, recipe, 0, None, tmp_path, {}),
                tell=lambda epoch, logs=None: trained.append(epoch),
            )
        [row] = read_history(tmp_path / "history.csv")
        assert np.isfinite(row["loss"]) and np.isnan(row["val_loss"])
    assert trained == [0, 1, 0, 1]
    assert not backups(tmp_path) and not list(tmp_path.glob("*.keras"))


@pytest.mark.usefixtures("uncompiled")
def test_each_epoch_has_its_batches_and_each_model_its_epoch(tmp_path, monkeypatch):
    made, make = set(), Batches._batch
    monkeypatch.setattr(
        Batches, "_batch", lambda *place: made.add(place[1:]) or make(*place)
    )
    # What is learned is wrong there: the last epoch is not the best.
    parts, epochs = make_parts(), 3
    labels = 1 - parts.validation.labels
    parts = parts._replace(validation=parts.validation._replace(labels=labels))
    recipe = make_recipe(epochs=epochs, learning_rate=0.02)
    outcome = train(parts, 2, recipe, 0, None, tmp_path, {})
    assert made == {(epoch, step) for epoch in range(epochs) for step in range(3)}
    rows = outcome["history"]
    best = max(rows, key=lambda row: row["val_accuracy"])
    assert best["val_loss"] != pytest.approx(rows[-1]["val_loss"], rel=1e-3)
    for name, row in (("best", best), ("last", rows[-1])):
        model = load_model(outcome[f"{name}_model"], None)
        model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        loss = model.evaluate(parts.validation.images, labels, verbose=0)
        assert loss == pytest.approx(row["val_loss"], rel=1e-4)


@pytest.mark.usefixtures("uncompiled")
def test_time_limit_other_settings_and_finished_runs(tmp_path):
    recipe = make_recipe(epochs=2)
    arguments = make_parts(), 2, recipe, 0, None, tmp_path, {"epochs": 2}
    assert train(*arguments, max_seconds=0) is None
    assert len(history(tmp_path)) == 1 + 1
    with pytest.raises(TrainingError, match="epochs"):
        train(*arguments[:-1], {"epochs": 3})
    outcome = train(*arguments)
    assert [row["epoch"] for row in outcome["history"]] == [0, 1]
    assert train(*arguments) == outcome  # at once: nothing is trained again


def test_a_run_without_an_epoch_gives_its_folder_away(tmp_path):
    begin(tmp_path, {"epochs": 1})
    begin(tmp_path, {"epochs": 2})
    (tmp_path / "epoch-00001.weights.h5").touch()
    begin(tmp_path, {"epochs": 2})
    with pytest.raises(TrainingError, match="epochs"):
        begin(tmp_path, {"epochs": 1})


def test_backups_hold_the_state_of_every_random_layer(tmp_path):
    """Of Dropout too, whose state Keras leaves out of the weights."""

    def build():
        layers = [keras.Input((30,)), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
        model = keras.Sequential(layers)
        model.compile("sgd", "mse")
        model.optimizer.build(model.trainable_variables)
        return model

    def draws(model):
        return [
            np.array(model.layers[0](np.ones((1, 30)), training=True)) for _ in range(2)
        ]

    whole, resumed = build(), build()
    draws(whole)
    backup = Backup(tmp_path)
    backup.set_model(whole)
    backup.on_epoch_end(4, {"loss": 1.0, "val_loss": 1.0})
    assert Backup(tmp_path).restore(resumed) == 5
    assert np.array_equal(draws(whole), draws(resumed))
    assert np.array_equal(whole.get_weights()[0], resumed.get_weights()[0])


def test_a_damaged_backup_is_named(tmp_path):
    begin(tmp_path, {})
    (tmp_path / "epoch-00001.weights.h5").write_bytes(b"torn")
    with pytest.raises(TrainingError, match="Cannot resume"):
        train(make_parts(), 2, make_recipe(), 0, None, tmp_path, {})


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises((OutputError, ValueError), match="Cannot write"):
        train(make_parts(), 2, make_recipe(), 0, None, tmp_path / "file" / "run", {})


# Where `fit` raises, Keras leaves its CSV file to the garbage collector.
@pytest.mark.usefixtures("uncompiled")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_full_disk_keeps_what_is_finished(tmp_path, monkeypatch):
    arguments = make_parts(), 2, make_recipe(epochs=2), 0, None, tmp_path, {}
    assert train(*arguments, max_seconds=0) is None
    finished = (tmp_path / "epoch-00001.weights.h5").read_bytes()
    usage = shutil.disk_usage(tmp_path)._replace(free=10_000)
    with monkeypatch.context() as full:
        full.setattr("shutil.disk_usage", lambda path: usage)
        with pytest.raises(OutputError, match="No space left.*same command again"):
            train(*arguments)
    assert (tmp_path / "epoch-00001.weights.h5").read_bytes() == finished
    assert [row["epoch"] for row in train(*arguments)["history"]] == [0, 1]


def test_strategies_name_the_backend_they_need(tmp_path):
    wrong = "data-parallel" if keras.backend.backend() == "tensorflow" else "mirrored"
    with pytest.raises(StrategyError, match="KERAS_BACKEND"):
        train(make_parts(), 2, make_recipe(strategy=wrong), 0, None, tmp_path, {})


def test_prediction_pads_to_whole_batches():
    model = keras.Sequential(
        [keras.Input((1,), dtype="uint8"), keras.layers.Rescaling(1)]
    )
    model.add(keras.layers.Lambda(lambda x: keras.ops.concatenate([x - 2, 2 - x], 1)))
    images = np.array([[0], [1], [3], [4], [5]], np.uint8)
    assert predict_labels(model, images, batch_size=4).tolist() == [1, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("images", "batch_size", "expected"),
    [(5000, 128, 250), (144, 32, 48), (16, 128, 16), (4999, 128, 128)],
)
def test_even_batches(images, batch_size, expected):
    assert even_batch(images, batch_size) == expected
