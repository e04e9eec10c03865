"""What TensorFlow says while it is imported, and what of it a user should see.

Its C++ writes to file descriptor 2 before it reads TF_CPP_MIN_LOG_LEVEL, so that only
a filter behind that descriptor keeps it quiet. The filter is this file, run as a
process of its own: what it does not know it passes on, also where the import ends the
process. A library must not do that to its user's stderr: only commands do.
"""

import contextlib
import os
import re
import sys

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
# Notes of level INFO, as two versions of the logger begin them; the lines that follow
# one; and errors of TensorFlow with CUDA that concern nobody.
NOISE = re.compile(
    rb"I\d{4} \d\d:|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: I "
    rb"|WARNING: All log messages before absl::InitializeLog\(\) is called"
    rb"|To enable the following instructions: "
    rb"|[EW]\d{4} .*(Unable to register cu|computation placer already registered)"
)


class QuietTensorFlow:
    """A finder of modules that finds TensorFlow as it is, and imports it quietly."""

    def find_spec(self, name, path=None, target=None):
        if name != "tensorflow" or os.environ[LEVEL] == "0":
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                execute = spec.loader.exec_module
                spec.loader.exec_module = _quietly(execute)
                return spec
        return None


@contextlib.contextmanager
def quiet_tensorflow():
    """Within, TensorFlow is imported without its notes; level 0 keeps them."""
    os.environ.setdefault(LEVEL, "3")
    finder = QuietTensorFlow()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def _quietly(execute):
    def execute_quietly(module):
        with filtered_stderr():
            execute(module)

    return execute_quietly


@contextlib.contextmanager
def filtered_stderr():
    """Within, what is written to file descriptor 2 loses its lines of noise."""
    import subprocess

    command = [sys.executable, "-I", "-S", __file__]
    try:
        kept = os.dup(2)
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=2)
    except (OSError, ValueError):  # stderr is closed, or no process can be had
        yield
        return
    with process:
        sys.stderr.flush()
        os.dup2(process.stdin.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)


def main():
    """Copies stdin to stdout but for noise."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whom we listen to
    with open(0, "rb", buffering=0) as lines, open(1, "wb", buffering=0) as out:
        for line in lines:
            if not NOISE.match(line):
                out.write(line)


if __name__ == "__main__":
    main()
