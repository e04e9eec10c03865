"""Trainings of the command line tell TensorFlow and JAX the fast way on CPUs."""

import importlib.metadata
import importlib.util
import os
import subprocess
import sys

import pytest
from processes import ENVIRONMENT

from tfpe.cli import main
from tfpe.cli.cpu_steps import CONVOLUTIONS, quicken_steps
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
    for name in (NAME, LIMIT, "XLA_FLAGS"):
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


@pytest.fixture
def installed(monkeypatch):
    """Sets what is found beside Keras on JAX: modules, and versions of packages."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")

    def install(modules=("tensorflow",), **versions):
        def version(package):
            if package not in versions:
                raise importlib.metadata.PackageNotFoundError(package)
            return versions[package]

        def find_spec(name):
            return name if name in modules else None

        monkeypatch.setattr(importlib.metadata, "version", version)
        monkeypatch.setattr(importlib.util, "find_spec", find_spec)

    return install


@pytest.mark.parametrize("tensorflow", ["2.21.0", "2.22.0rc1", "2.20.0"])
@pytest.mark.parametrize("jaxlib", ["0.8.1", "0.8.2", "0.10.2", "0.11.2"])
def test_the_flag_is_set_where_it_helps_and_all_know_it(installed, jaxlib, tensorflow):
    installed(jaxlib=jaxlib, tensorflow=tensorflow)
    quicken_steps()
    helps = jaxlib in ("0.8.2", "0.10.2") and tensorflow != "2.20.0"
    assert os.environ.get("XLA_FLAGS") == (f"{CONVOLUTIONS}=" if helps else None)


@pytest.mark.parametrize(
    ("modules", "versions", "helps"),
    [
        ([], {"jaxlib": "0.10.2"}, True),
        (["tensorflow"], {"tensorflow": "2.21.0"}, False),
        # As tensorflow-cpu is: a module, and no package of that name.
        (["tensorflow"], {"jaxlib": "0.10.2"}, False),
    ],
)
def test_packages_that_are_not_there(installed, modules, versions, helps):
    installed(modules, **versions)
    quicken_steps()
    assert ("XLA_FLAGS" in os.environ) == helps


def test_other_backends_leave_xla_as_it_is(installed, monkeypatch):
    installed([], jaxlib="0.10.2")
    for backend in ("tensorflow", "torch"):
        monkeypatch.setenv("KERAS_BACKEND", backend)
        quicken_steps()
        assert "XLA_FLAGS" not in os.environ


@pytest.mark.parametrize(
    ("chosen", "then"),
    [
        ("--xla_dump_to=dump", f"--xla_dump_to=dump {CONVOLUTIONS}="),
        (f"{CONVOLUTIONS}=LIBRARY_FUSION_TYPE_DOT", None),
        ("flags.txt", None),  # a file of flags
        (" ", f"{CONVOLUTIONS}="),
    ],
)
def test_flags_that_were_chosen_stay(installed, monkeypatch, chosen, then):
    installed([], jaxlib="0.10.2")
    monkeypatch.setenv("XLA_FLAGS", chosen)
    quicken_steps()
    quicken_steps()
    assert os.environ["XLA_FLAGS"] == (then or chosen)


KNOW = """
import os
from tfpe.cli.cpu_steps import quicken_steps
quicken_steps()
print("XLA_FLAGS" in os.environ)
import jax
assert jax.numpy.ones(3).sum() == 3
import tensorflow as tf
assert tf.function(lambda x: x + 1, jit_compile=True)(tf.ones(1)) == 2
"""


def test_both_frameworks_know_the_flag():
    """Else XLA would end the process."""
    pytest.importorskip("tensorflow")
    pytest.importorskip("jax")
    done = subprocess.run(
        [sys.executable, "-c", KNOW],
        env=os.environ | ENVIRONMENT | {"KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    if "True" not in done.stdout:
        pytest.skip(
            "these versions of jaxlib and TensorFlow need no flag, or know none"
        )
