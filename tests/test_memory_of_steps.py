"""Trainings of the command line keep the memory of one step for the next."""

import os
import subprocess
import sys

import pytest

# TensorFlow tells statistics of the allocator that keeps memory, and of no other.
PROGRAM = """
import sys
from {module} import main
try:
    main({arguments!r})
except SystemExit:
    pass
import tensorflow as tf
tf.ones(4)
try:
    tf.config.experimental.get_memory_info("CPU:0")
    print("kept")
except ValueError:
    print("returned")
"""
COMMANDS = {
    "training": ("training.cli", ["train", "--dataset", "nowhere.npz"]),
    "attack": (
        "tfpe.cli",
        "attack inverse_network --train nowhere.npz --cipher le --model m".split(),
    ),
    "curve": ("tfpe.cli", "evaluate nowhere.npz --curve inverse_network".split()),
    "learned": ("tfpe.cli", "evaluate nowhere.npz --learned kept".split()),
}


def _memory(module, arguments, **chosen):
    program = PROGRAM.format(module=module, arguments=arguments)
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop("TF_CPU_ALLOCATOR_USE_BFC", None)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment | chosen,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()[-1]


@pytest.mark.parametrize("command", COMMANDS)
def test_memory_is_kept(command):
    assert _memory(*COMMANDS[command]) == "kept"


def test_what_was_chosen_stays():
    chosen = {"TF_CPU_ALLOCATOR_USE_BFC": "false"}
    assert _memory(*COMMANDS["training"], **chosen) == "returned"


def test_ciphers_alone_leave_tensorflow_as_it_is():
    assert _memory("tfpe.cli", ["evaluate", "nowhere.npz"]) == "returned"
