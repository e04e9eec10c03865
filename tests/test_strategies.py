"""Several devices and processes; speed beside plain PyTorch. Budget: 60 s."""

import os
import socket
import subprocess
import sys

import numpy as np
import pytest
from processes import ENVIRONMENT, SCRIPTS, run_script
from test_compare import make_images
from test_train import make_parts

from tfpe.lab.records import read_record
from tfpe.lab.tables.rendering import render_table
from training import strategies
from training.cli import main
from training.commands import FAILED
from training.recipe import RecipeError
from training.recipes import find_recipe
from training.speed import training_speed
from training.strategies import StrategyError

JAX = {"KERAS_BACKEND": "jax"}
TWO_DEVICES = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
# Of no random numbers: which sample gets which depends on how a batch is shared.
COMMON = ("--network", "convmixer", "--width", "8", "--depth", "1")
COMMON += ("--kernel-size", "3", "--epochs", "1", "--batch-size", "16")


def write_npz(folder):
    images, names = make_images(), ("x_train", "y_train", "x_test", "y_test")
    path = folder / "toy.npz"
    np.savez(path, **{name: getattr(images, name) for name in names})
    return path


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def command(folder, out, strategy, ciphers="plain"):
    images = write_npz(folder)
    return [
        *("compare", "--dataset", str(images), "--strategy", strategy, *COMMON),
        *("--ciphers", ciphers, "--validation-fraction", "0.25"),
        *("--out", str(folder / out), "--runs", str(folder / f"{out}-runs")),
    ]


def losses(folder, out):
    [path] = (folder / out).glob("*-plain-*.json")
    return read_record(path)["results"]["history"]["loss"]


def run_both(script, arguments, environments):
    """Runs a script in two processes at once; returns what each said and its code."""
    running = [
        subprocess.Popen(
            [sys.executable, SCRIPTS / script, *arguments(number)],
            env=os.environ | ENVIRONMENT | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number, environment in enumerate(environments)
    ]
    try:
        said = [process.communicate(timeout=300)[0] for process in running]
    finally:
        for process in running:
            process.kill()
    return said, [process.returncode for process in running]


@pytest.fixture(scope="module")
def one_process(tmp_path_factory):
    """What JAX without TensorFlow said on two devices, and its folder."""
    pytest.importorskip("jax")
    folder = tmp_path_factory.mktemp("one")
    arguments = command(folder, "one", "data-parallel", "plain,le")
    return run_script("train_jax.py", *arguments, env=JAX | TWO_DEVICES), folder


def test_jax_without_tensorflow_compares_from_npz(one_process):
    said, folder = one_process
    assert "le" in said
    assert len(list((folder / "one").glob("*.json"))) == 2


def test_two_jax_processes_train_as_one_with_two_devices(one_process, tmp_path):
    together = {
        "KERAS_DISTRIBUTION_JOB_ADDRESSES": f"127.0.0.1:{free_port()}",
        "KERAS_DISTRIBUTION_NUM_PROCESSES": "2",
    }
    said, codes = run_both(
        "train_jax.py",
        lambda number: command(tmp_path, "two", "data-parallel"),
        [JAX | together | {"KERAS_DISTRIBUTION_PROCESS_ID": n} for n in "01"],
    )
    assert codes == [0, 0], said
    assert np.allclose(
        losses(one_process[1], "one"), losses(tmp_path, "two"), rtol=1e-4
    )
    assert "test accuracy" in said[0] and "test accuracy" not in said[1]


@pytest.mark.slow
def test_two_devices_under_a_mirrored_strategy(tmp_path):
    arguments = command(tmp_path, "out", "mirrored")
    run_script("train_mirrored.py", *arguments)
    assert np.isfinite(losses(tmp_path, "out")).all()


@pytest.mark.slow
def test_keras_fails_under_the_multi_worker_strategy_of_tensorflow():
    """Why several processes need JAX; where this fails, tf.distribute may do too."""
    pytest.importorskip("tensorflow")
    ports = str(free_port()), str(free_port())
    said, codes = run_both(
        "multi_worker.py", lambda number: (str(number), *ports), [{}, {}]
    )
    assert 0 not in codes and "it trains" not in "".join(said)
    assert "PerReplica" in "".join(said)


def test_what_does_not_fit_is_said_before_anything_is_trained(monkeypatch, capsys):
    pytest.importorskip("tensorflow")
    for strategy, message in {
        "tpu": "finds no TPU",
        "data-parallel": "KERAS_BACKEND=jax",
    }.items():
        with pytest.raises(StrategyError, match=message):
            strategies.scope(strategy)
    assert main(["compare", "--strategy", "data-parallel"]) == FAILED
    assert "KERAS_BACKEND=jax" in capsys.readouterr().err
    monkeypatch.setenv(strategies.PROCESSES, "2")
    with pytest.raises(StrategyError, match="should be data-parallel"):
        strategies.connect("mirrored")


def test_batches_are_whole_shares(monkeypatch):
    devices = ["cpu:0", "cpu:1"]
    monkeypatch.setattr("keras.distribution.list_devices", lambda: devices)
    strategies.check_batches("data-parallel", batch_size=4, validation_batch=6)
    strategies.check_batches("mirrored", batch_size=3)
    with pytest.raises(StrategyError, match="validation_batch.*multiple.*2.*: 3"):
        strategies.check_batches("data-parallel", batch_size=4, validation_batch=3)


def test_speed_with_and_without_torch(tmp_path, monkeypatch, capsys):
    recipe = find_recipe("tiny", alpha=3, batch_size=4)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    record = training_speed(recipe, 1, tmp_path, (8, 8, 3))
    assert record["results"]["keras_images_per_second"] > 0
    assert record["results"]["torch_images_per_second"] is None
    assert "| – | – |" in render_table("training-speed", [record])
    with pytest.raises(RecipeError, match="block"):
        training_speed(find_recipe("tiny", depth=11, block="bottleneck"))
    with pytest.raises(RecipeError, match="strategy"):
        training_speed(find_recipe("tiny", strategy="mirrored"))


def test_speed_beside_torch(torch, tmp_path, capsys):
    arguments = ["--alpha", "3", "--batch-size", "4", "--out", str(tmp_path)]
    assert main(["speed", *arguments, "--steps", "1"]) == 0
    assert "both in turn, PyTorch" in " ".join(capsys.readouterr().out.split())
    [path] = tmp_path.glob("*.json")
    results = read_record(path)["results"]
    assert results["torch_images_per_second"] > 0
    low, high = results["keras_to_torch_range"]
    assert 0 < low <= results["keras_to_torch"] <= high


def test_plain_torch_network_is_the_same_function(torch):
    from training.pyramidnet import pyramidnet
    from training.pyramidnet.torch_network import PyramidNet

    ours = pyramidnet(8, 5, input_shape=(8, 8, 3))
    theirs = PyramidNet(8, 5).eval()
    pairs = zip(ours.trainable_variables, theirs.parameters(), strict=True)
    for variable, parameter in pairs:
        weights = np.asarray(variable)
        weights = weights.transpose((3, 2, 0, 1) if weights.ndim == 4 else None)
        parameter.data = torch.tensor(np.ascontiguousarray(weights))
    images = make_parts().test.images[:4].astype(np.float32) / 255
    found = theirs(torch.tensor(images.transpose(0, 3, 1, 2))).detach().numpy()
    assert np.allclose(found, np.asarray(ours(images, training=False)), atol=1e-4)
