"""Runs the scripts of tests/scripts, each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCRIPTS = Path(__file__).parent / "scripts"
# `training` is not installed; JAX compiles in less time what hardly runs.
ENVIRONMENT = {
    "PYTHONPATH": str(ROOT),
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "true",
}


def run_script(name, *arguments, env=None, timeout=900):
    """Runs a script and fails with its output where it fails; returns its stdout."""
    done = subprocess.run(
        [sys.executable, SCRIPTS / name, *map(str, arguments)],
        env=os.environ | ENVIRONMENT | (env or {}),
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    if done.returncode:
        raise AssertionError(f"{name} failed:\n{done.stdout}\n{done.stderr[-4000:]}")
    return done.stdout
