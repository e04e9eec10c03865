"""Training on an encrypted set, spread over devices and processes: equal losses."""

import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest
from processes import ENVIRONMENT, SCRIPTS, run_script
from test_workflow import digits

from tfpe import Key
from tfpe.dataset import encrypt_dataset

TOLERANCE = 1e-4  # float32 sums in another order, over three epochs


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """The arguments of the script: an encrypted set, and nothing of its owner."""
    folder = tmp_path_factory.mktemp("spread")
    images, labels = digits()
    np.savez(folder / "digits.npz", x_train=images[:400], y_train=labels[:400])
    key = Key(bytes(range(32)))
    name = encrypt_dataset(folder / "digits.npz", folder / "cloud", key, "le").name
    return [name, str(folder / "cloud")]


@pytest.fixture(scope="module")
def mirrored(cloud):
    """The losses on one device of TensorFlow, and those on two that share batches."""
    said = run_script("train_encrypted.py", *cloud, "mirrored")
    return [json.loads(line) for line in said.splitlines()[-2:]]  # libraries print too


def test_mirrored_strategy_on_two_devices(mirrored):
    one, two = mirrored
    assert one[-1] < one[0]
    np.testing.assert_allclose(two, one, atol=TOLERANCE)


def test_data_parallelism_of_jax_in_two_processes(cloud, mirrored):
    pytest.importorskip("jax", reason="jax is not installed")
    env = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = [
        subprocess.Popen(
            [sys.executable, SCRIPTS / "train_encrypted.py", *cloud, how],
            env=os.environ | ENVIRONMENT | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for how in (f"process:0:{port}", f"process:1:{port}")
    ]
    try:
        found = [process.communicate(timeout=300) for process in processes]
    finally:
        for process in processes:
            process.kill()
    for process, (_, error) in zip(processes, found, strict=True):
        assert process.returncode == 0, error[-3000:]
    first, second = (json.loads(output.splitlines()[-1]) for output, _ in found)
    assert first == second
    np.testing.assert_allclose(first, mirrored[0], atol=TOLERANCE)
