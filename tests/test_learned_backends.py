"""Learned attacks train and work on JAX and torch, without TensorFlow."""

import numpy as np
import pytest
from processes import run_script

from tfpe.attacks import InverseNetwork


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_train_files_that_this_one_reads(backend, tmp_path):
    pytest.importorskip(backend)
    env = {"KERAS_BACKEND": backend}
    run_script("learned_on_backend.py", tmp_path, "tensorflow", env=env)
    found = InverseNetwork.load(tmp_path / "pbe.attack")
    assert found(np.zeros((1, 16, 16, 3), np.uint8)).shape == (1, 16, 16, 3)
