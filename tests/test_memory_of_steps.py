"""Trainings of the command line keep the memory of one step for the next."""

import os
import subprocess
import sys

import pytest
from processes import ENVIRONMENT

from tfpe.cli import main
from training.cli import main as train_main

NAME, LIMIT = "TF_CPU_ALLOCATOR_USE_BFC", "TF_CPU_BFC_MEM_LIMIT_IN_MB"
COMMAND = [
    "from training.cli import main",
    "assert main('train --dataset nowhere.npz'.split()) == 1",
]
# TensorFlow tells statistics of the allocator that keeps memory, and of no other.
MEMORY = [
    "import tensorflow as tf",
    "tf.ones(4)",
    "tf.config.experimental.get_memory_info('CPU:0')",
]
# Each fails soon after, for want of its pictures.
TRAININGS = [
    (train_main, "train --dataset nowhere.npz"),
    (main, "attack inverse_network --train nowhere.npz --cipher le --model m"),
    (main, "evaluate nowhere.npz --curve inverse_network"),
    (main, "evaluate nowhere.npz --learned kept"),
]


@pytest.fixture(autouse=True)
def chosen(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in (NAME, LIMIT):
        monkeypatch.setenv(name, "")  # so that it is as before afterwards
        monkeypatch.delenv(name)


@pytest.mark.parametrize(("command", "arguments"), TRAININGS)
def test_trainings_ask_for_it(command, arguments, capsys):
    assert command(arguments.split()) == 1
    assert "nowhere.npz" in capsys.readouterr().err
    assert os.environ[NAME] == "true"
    assert int(os.environ[LIMIT]) > 64 * 1024


def test_what_was_chosen_stays(monkeypatch, capsys):
    monkeypatch.setenv(NAME, "false")
    train_main(TRAININGS[0][1].split())
    assert os.environ[NAME] == "false"


def test_ciphers_alone_leave_tensorflow_as_it_is(capsys):
    assert main(["evaluate", "nowhere.npz"]) == 1
    assert NAME not in os.environ


@pytest.mark.parametrize("asks", [True, False])
def test_tensorflow_hears_of_it_in_time(asks):
    pytest.importorskip("tensorflow")
    program = [*(COMMAND if asks else []), *MEMORY]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(program)],
        env=os.environ | ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode == 0) == asks, done.stderr
    assert asks or "Allocator stats not available" in done.stderr
