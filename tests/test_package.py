"""What is built for others holds the library: no tests, no training, no data."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BUILD = """\
import sys
from setuptools import build_meta
out = sys.argv[1]  # setuptools changes sys.argv
build_meta.build_wheel(out)
build_meta.build_sdist(out)
"""
# Not carried into the build: what a checkout gathers, and what is large.
IGNORED = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with the wheel and the source distribution of this tree."""
    copy = tmp_path_factory.mktemp("build") / "copy"
    copy.mkdir()
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, copy)
        elif path.name in ("tfpe", "training", "tests", "notebooks", "results"):
            shutil.copytree(path, copy / path.name, ignore=IGNORED)
    out = copy.parent / "dist"
    command = [sys.executable, "-c", BUILD, str(out)]
    subprocess.run(command, cwd=copy, check=True, capture_output=True)
    return out


@pytest.fixture(scope="module")
def wheel(built):
    """Names and sizes of the files in the wheel."""
    (path,) = built.glob("tfpe-*.whl")
    with zipfile.ZipFile(path) as file:
        return {entry.filename: entry.file_size for entry in file.infolist()}


def test_wheel_holds_the_library_and_nothing_else(wheel):
    folders = {name.partition("/")[0] for name in wheel}
    assert {folder.partition("-")[0] for folder in folders} == {"tfpe"}
    assert not any("test" in name for name in wheel)
    kinds = {Path(name).suffix for name in wheel if name.startswith("tfpe/")}
    assert not kinds & {".json", ".npz", ".png", ".ipynb", ".key"}
    assert sum(wheel.values()) < 2_000_000


def test_wheel_holds_every_file_of_the_library(wheel):
    files = [path for path in (ROOT / "tfpe").rglob("*") if path.is_file()]
    files = [path for path in files if "__pycache__" not in path.parts]
    missing = {str(path.relative_to(ROOT)) for path in files} - set(wheel)
    assert not missing, "name them in setup.cfg under options.package_data"


def test_source_distribution_holds_no_more(built):
    (path,) = built.glob("tfpe-*.tar.gz")
    with tarfile.open(path) as file:
        names = [Path(name) for name in file.getnames()]
    folders = {name.parts[1] for name in names if len(name.parts) > 2}
    assert folders == {"tfpe", "tfpe.egg-info"}
