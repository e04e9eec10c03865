"""Commands print their own lines, and none of TensorFlow's; all others get through."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
NOISE = """\
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1795724057.407329    9416 cudart_stub.cc:31] Could not find cuda drivers.
2026-11-26 20:14:17.407329: I tensorflow/core/util/port.cc:153] oneDNN custom
To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow
E0000 00:00:1795724057.4 12 cuda_dnn.cc:8310] Unable to register cuDNN factory: twice
"""
OTHERS = """\
F0000 00:00:1795724057.407329    9416 cpu_feature_guard.cc:227] needs AVX instructions
W0000 00:00:1795724057.407329    9416 gpu_device.cc:2433] Cannot dlopen some libraries
a warning of Python
"""


def processes(folder, *arguments, **variables):
    """stdout and stderr of a command, as of a user who has set no variables."""
    environment = dict(os.environ)
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    environment |= {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"} | variables
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def talker(tmp_path):
    """A folder with a module `tensorflow` that writes to file descriptor 2."""
    code = "import contextlib, os\nwith contextlib.suppress(OSError):\n"
    code += f"    os.write(2, {(NOISE + OTHERS).encode()!r})\n"
    code += "'die' in os.environ and os.abort()\n"
    (tmp_path / "tensorflow.py").write_text(code)
    return tmp_path


COMMAND = """
from tfpe.cli.error_lines import guard
def run():
    import tensorflow
    return 7
raise SystemExit(guard("tfpe", run))
"""


def test_lines_of_noise_alone_are_left_out(talker):
    assert processes(talker, "-c", COMMAND) == (7, "", OTHERS)


def test_what_is_said_before_a_crash_is_not_lost(talker):
    code, _, said = processes(talker, "-c", COMMAND, die="1")
    assert code < 0 and said.startswith(OTHERS)


def test_all_is_there_for_who_asks(talker):
    said = processes(talker, "-c", COMMAND, TF_CPP_MIN_LOG_LEVEL="0")
    assert said == (7, "", NOISE + OTHERS)


def test_the_library_leaves_stderr_alone(talker):
    code = "import tfpe, tfpe.cli, tensorflow"
    assert processes(talker, "-c", code) == (0, "", NOISE + OTHERS)


def test_a_closed_stderr_is_no_matter(talker):
    code = f"import os\nos.close(2)\n{COMMAND}"
    assert processes(talker, "-c", code)[0] == 7


def test_predict_prints_its_own_lines(tmp_path, npz, key):
    key.save(tmp_path / "owner.key")
    model = keras.Sequential([keras.Input((10, 10, 3)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(3))
    model.save(tmp_path / "model.keras")
    command = "-m tfpe predict model.keras tiny.npz --key owner.key --cipher pbe"
    code, out, err = processes(tmp_path, *command.split(), KERAS_BACKEND="tensorflow")
    assert code == 0 and out.count("\n") == 1 + 5
    first, second = err.splitlines()
    assert first.startswith("No receipt: ")
    assert second.startswith("Accuracy on 5 images: ")
    assert np.isfinite(float(err.split()[-1]))
