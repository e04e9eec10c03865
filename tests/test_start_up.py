"""Commands start at once, and import what is slow when they need it."""

import json
import subprocess
import sys
import time

import pytest

TFPE = [sys.executable, "-m", "tfpe"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("module", ["tfpe.cli", "tfpe.keys"])
def test_an_interruption_at_the_start(module, folder):
    """Ctrl-C while the command line, or what a command needs, is imported."""
    code = (
        "import sys, signal, os, tfpe.__main__ as m\n"
        "class Stop:\n"
        "    def find_spec(self, name, *rest):\n"
        f"        if name == {module!r}: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Stop())\n"
        "sys.argv[1:] = ['keygen', '-o', 'new.key']\n"
        "sys.exit(m.run())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 130 and "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["keygen", "-o", "fast.key"]])
def test_starts_at_once(arguments, folder):
    def seconds():
        start = time.perf_counter()
        subprocess.run([*TFPE, *arguments], check=True, capture_output=True)
        (folder / "fast.key").unlink(missing_ok=True)
        return time.perf_counter() - start

    assert min(seconds() for _ in range(5)) < 0.3
    code = "import sys, tfpe.cli, tfpe.keys; print('numpy' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code]) == b"False\n"


@pytest.mark.parametrize(
    "module, slow",
    [
        ("tfpe.cli", {"numpy", "dataclasses", "inspect", "csv"}),
        # Their tables stand in the lists of the command line.
        ("tfpe.attacks", {"scipy", "PIL", "numpy.testing"}),
    ],
)
def test_what_starts_slowly_is_imported_on_use(module, slow):
    code = f"import sys, {module}; print(*{slow} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code]) == b"\n"


def test_the_list_of_ciphers_needs_numpy_alone():
    code = (
        "import sys, tfpe.cli; tfpe.cli.main(['ciphers', '--json']); "
        "print({m.partition('.')[0] for m in sys.modules} & {'scipy', 'PIL', 'keras'}, "
        "file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert ran.stderr == b"set()\n" and len(json.loads(ran.stdout)) > 10
