"""Learned attacks train and work on JAX and torch, without TensorFlow."""

import numpy as np
import pytest
from processes import run_script

from tfpe.attacks import InverseNetwork

ALL = "pbe,ffx,le,etc,ele,pbe+itn,pbe+gan,ele+sia-gan"


@pytest.mark.parametrize(
    "ciphers", ["pbe,le+gan", pytest.param(ALL, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_train_files_that_this_one_reads(backend, ciphers, tmp_path):
    pytest.importorskip(backend)
    arguments = tmp_path, ciphers, "tensorflow"
    run_script("learned_on_backend.py", *arguments, env={"KERAS_BACKEND": backend})
    found = InverseNetwork.load(tmp_path / "pbe.attack")
    assert found(np.zeros((1, 16, 16, 3), np.uint8)).shape == (1, 16, 16, 3)
