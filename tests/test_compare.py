"""The comparison: records, resuming, tables, figures, evaluation. Budget: 30 s."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from rich.console import Console

import tfpe
from tfpe import Key
from tfpe.errors import CipherOptionError, NetworkError, OutputError, WrongKeyError
from tfpe.lab.records import read_record
from tfpe.receipts import model_receipt
from tfpe.storage.locks import FileLock
from training.cli import main
from training.commands import FAILED, FINISHED, TIME_UP
from training.compare import compare
from training.evaluate import evaluate
from training.images import ImageSet
from training.recipe import RecipeError
from training.recipes import find_recipe
from training.report import show_comparison
from training.run import CompareError, experiment_key
from training.run_folder import LOCK, OUT, RUNS
from training.saved_models import ModelError

NETWORK = {"network": "convmixer", "width": 8, "depth": 1, "kernel_size": 3}
SMALL = NETWORK | {"batch_size": 16}
RECIPE = find_recipe("tiny", epochs=1, **SMALL)


pytestmark = pytest.mark.usefixtures("uncompiled_file")


def make_images():
    random = np.random.default_rng(0)
    labels = np.arange(96, dtype=np.int32) % 2
    images = random.integers(0, 200, (96, 8, 8, 3)) + 40 * labels[:, None, None, None]
    images = images.astype(np.uint8)
    return ImageSet(
        "toy", images[:64], labels[:64], images[64:], labels[64:], ("no", "yes"), "npz"
    )


@pytest.fixture(scope="module")
def toy(uncompiled_file, tmp_path_factory):
    """A comparison, done once: `(records, folder)`."""
    folder = tmp_path_factory.mktemp("toy")
    records, unfinished = compare(
        make_images(),
        RECIPE,
        ["pbe-per-image", "plain", "le"],
        out=folder / "out",
        runs=folder / "runs",
    )
    assert not unfinished
    return records, folder


def again(folder, ciphers=("plain",), recipe=RECIPE, **options):
    return compare(
        make_images(),
        recipe,
        ciphers,
        out=folder / "out",
        runs=folder / "runs",
        **options,
    )


def test_records_say_everything(toy):
    records, folder = toy
    assert [r["settings"]["cipher"] for r in records] == ["plain", "pbe", "le"]
    for record in records:
        settings, results = record["settings"], record["results"]
        assert (settings["recipe"], settings["dataset"]) == ("tiny", "toy")
        assert settings["depth"] == 1 and settings["weight_decay"] == 1e-4
        assert record["environment"]["keras"] and record["environment"]["cpu"]
        for when in ("last", "best_validation"):
            epoch = results[when]
            low, high = epoch["test_interval"]
            assert 0 <= low <= epoch["test_accuracy"] <= high <= 1
            assert 0 <= epoch["train_accuracy"] <= 1 and epoch["epoch"] == 1
        assert results["test_images"] == 32 == np.sum(results["confusion"])
        diagonal = np.trace(results["confusion"]) / 32
        assert diagonal == results["best_validation"]["test_accuracy"]
        assert results["images_per_second"] > 0
        secret = settings["cipher"] != "plain"
        for name in ("wrong_key_accuracy", "plain_model_accuracy"):
            assert (results[name] is not None) == secret
        assert ("key_fingerprint" in settings) == secret
        assert settings.get("per_image", False) == (settings["cipher"] == "pbe")
    assert records[2]["settings"]["key_fingerprint"] == experiment_key(0).fingerprint
    text = "".join(path.read_text() for path in (folder / "out").glob("*.json"))
    assert experiment_key(0)._secret.hex() not in text


def test_finished_runs_are_skipped_and_others_never_overwritten(toy):
    records, folder = toy
    said = []
    assert again(folder, ["plain", "le"], say=said.append)[0] == records[::2]
    assert len(said) == 2 and all("already" in line for line in said)
    with pytest.raises(CompareError, match="epochs"):
        again(folder, recipe=find_recipe("tiny", epochs=2, **SMALL))
    with pytest.raises(CompareError, match="key_fingerprint"):
        again(folder, ["le"], key=Key(bytes(32)))
    assert read_record(folder / "out" / "training-toy-tiny-plain-seed0.json")


def test_what_does_not_fit_is_refused_before_anything_is_trained(tmp_path):
    for error, options in {
        CipherOptionError: {"ciphers": ["plain", "rot13"]},
        RecipeError: {
            "ciphers": ["plain", "pbe-per-image"],
            "recipe": find_recipe("tiny", encrypt_in="model"),
        },
        NetworkError: {"recipe": find_recipe("tiny", depth=9)},
    }.items():
        with pytest.raises(error):
            again(tmp_path, **options)
    assert not list(tmp_path.iterdir())


def test_two_commands_never_work_on_one_run(tmp_path):
    run = tmp_path / "runs" / "toy-tiny-plain-seed0"
    with FileLock(run / LOCK), pytest.raises(OutputError, match="Another run"):
        again(tmp_path)
    assert not list(run.iterdir())


def test_a_failed_run_leaves_the_records_of_others(tmp_path, toy):
    wild = find_recipe("tiny", epochs=1, learning_rate=1e30, **SMALL)
    records, [(name, reason)] = again(tmp_path, recipe=wild)
    assert not records and "plain" in name and "NaN" in reason
    assert again(toy[1])[0] == toy[0][:1]


def test_time_is_kept(tmp_path):
    records, unfinished = again(tmp_path, max_seconds=0)
    assert not records and unfinished[0][1] == "time was up"


def test_several_processes_have_no_clock_in_common(tmp_path, monkeypatch):
    monkeypatch.setattr("training.strategies.process", lambda strategy: (0, 2))
    with pytest.raises(CompareError, match="max_seconds"):
        again(tmp_path, max_seconds=1)
    assert not list(tmp_path.iterdir())


def test_evaluation_of_a_saved_model(toy):
    records, folder = toy
    path = folder / "runs" / "toy-tiny-le-seed0" / "best.keras"
    outcome = evaluate(path, make_images(), "le")
    results = records[2]["results"]
    assert outcome["accuracy"] == results["best_validation"]["test_accuracy"]
    assert outcome["confusion"] == results["confusion"]
    assert outcome["classes"]["yes"]["support"] == 16
    # The receipt in the model is all that the owner needs.
    assert model_receipt(path, experiment_key(0)).class_names == ["no", "yes"]
    outputs = tfpe.predict(path, make_images().x_test, experiment_key(0))
    assert (
        np.mean(outputs.argmax(axis=1) == make_images().y_test) == outcome["accuracy"]
    )
    with pytest.raises(WrongKeyError):
        tfpe.predict(path, make_images().x_test, Key(bytes(32)))
    plain = folder / "runs" / "toy-tiny-plain-seed0" / "best.keras"
    assert model_receipt(plain, experiment_key(0)) is None
    wrong = evaluate(path, make_images(), "le", experiment_key(0).derive("wrong key"))
    assert wrong["accuracy"] == results["wrong_key_accuracy"]
    (folder / "text.keras").write_text("no model")
    (folder / "torn.keras").write_bytes(path.read_bytes()[:20000])
    for bad in ("absent.keras", "out", "text.keras", "torn.keras"):
        with pytest.raises(ModelError, match="should be a .keras file"):
            evaluate(folder / bad, make_images(), "le")


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)], None),
        ([keras.layers.Conv2D(2, 1)], r"output \(None, 8, 8, 2\)"),
        ([keras.layers.Flatten(), keras.layers.Dense(3)], r"output \(None, 3\)"),
        ([keras.layers.Lambda(lambda x: x)], "^Cannot load the model [^\n]*lambda$"),
    ],
)
def test_evaluation_of_models_from_elsewhere(layers, message, tmp_path):
    size = None if message is None else 8  # of any size: it takes these images too
    model = keras.Sequential([keras.Input((size, size, 3)), *layers])
    model.save(tmp_path / "model.keras")
    if message is None:
        outcome = evaluate(tmp_path / "model.keras", make_images())
        assert outcome["test_images"] == 32
    else:
        with pytest.raises(ModelError, match=message):
            evaluate(tmp_path / "model.keras", make_images())


def test_models_that_encrypt_by_themselves(tmp_path):
    inside = find_recipe("tiny", epochs=1, encrypt_in="model", **SMALL)
    [record], _ = again(tmp_path, ["le"], inside)
    path = tmp_path / "runs" / "toy-tiny-le-seed0" / "best.keras"
    outcome = evaluate(path, make_images(), "le")
    best = record["results"]["best_validation"]["test_accuracy"]
    assert outcome["accuracy"] == best
    assert record["results"]["wrong_key_accuracy"] is not None
    with pytest.raises(WrongKeyError):
        evaluate(path, make_images(), "le", Key(bytes(32)))
    with pytest.raises(ModelError, match="Received: .*'pbe'"):
        evaluate(path, make_images(), "pbe")


def test_default_folders_are_ignored_by_git_and_hold_no_committed_records():
    ignored = (Path(__file__).parents[1] / ".gitignore").read_text().split()
    for folder in (OUT, RUNS):
        assert f"/{folder.partition('/')[0]}/" in ignored


def test_command_line(tmp_path, capsys):
    arrays = make_images()
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez(tmp_path / "toy.npz", **{name: getattr(arrays, name) for name in names})
    common = [
        *("--dataset", str(tmp_path / "toy.npz"), "--epochs", "1"),
        *("--network", "convmixer", "--width", "8", "--depth", "1"),
        *("--kernel-size", "3", "--batch-size", "16", "--no-flip", "--ciphers", "le"),
        *("--seeds", "1"),
        *("--out", str(tmp_path / "out"), "--runs", str(tmp_path / "runs")),
    ]
    assert main(["compare", *common, "--max-seconds", "0"]) == TIME_UP
    assert main(["compare", *common, "--json"]) == FINISHED  # while it trains, too
    [record] = json.loads(capsys.readouterr().out)
    assert main(["compare", *common]) == FINISHED
    shown = capsys.readouterr().out
    assert "le" in shown and "proves the chain" in shown
    figures = sorted(path.name for path in (tmp_path / "out").glob("*.png"))
    assert figures == [
        "training-toy-tiny-accuracy.png",
        "training-toy-tiny-confusion.png",
    ]
    assert main(["compare", *common, "--epochs", "2"]) == FAILED
    assert "differs in ['epochs']" in capsys.readouterr().err
    model = tmp_path / "runs" / "toy-tiny-le-seed1" / "best.keras"
    figure = tmp_path / "confusion.png"
    assert main(["evaluate", str(model), *common[:2], "--figure", str(figure)]) == 0
    # Cipher and seed are those of the run.
    out, err = capsys.readouterr()
    accuracy = 100 * record["results"]["best_validation"]["test_accuracy"]
    assert f"Accuracy {accuracy:.2f} %" in out and figure.stat().st_size > 0
    assert (
        record["settings"]["key_fingerprint"] in out and "warning: trained" not in err
    )
    again = ["evaluate", str(model), *common[:2], "--seed", "0"]
    assert main([*again, "--figure", str(figure)]) == 1
    assert "should be a new file" in capsys.readouterr().err
    assert main(again) == 0
    assert "warning: trained under key" in capsys.readouterr().err


def test_published_figures_are_shown(tmp_path, capsys):
    """As `compare --dataset cifar10` ends: with some of the committed records."""
    folder = Path(__file__).parents[1] / "results"
    records = [
        read_record(folder / f"training-cifar10-small-{cipher}-seed0.json")
        for cipher in ("plain", "le", "logistic", "pbe-per-image")
    ]
    show_comparison(records, tmp_path, Console(width=200))
    out = capsys.readouterr().out
    assert "94.94 [1], 94.02 [3]" in out and "no accuracy in its text" in " ".join(
        out.split()
    )
    assert len(list(tmp_path.glob("*.png"))) == 2
