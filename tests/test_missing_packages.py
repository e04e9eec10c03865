"""A package that is not there: one line that names it, and before the work begins."""

import ast
import configparser
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from image_folders import crops
from processes import SCRIPTS
from scripts.blocking import Without

import tfpe.cli
import training.cli
from tfpe.cli.error_lines import guard
from tfpe.cli.packages import EXTRAS, PROJECTS
from tfpe.keys import derivation
from tfpe.lab.evaluation.pictures import load_pictures

# What each command needs at some time, and what is not so sure to be there.
NEEDS = {
    "tfpe encrypt -k owner.key --cipher le photos -o out": "PIL rich",
    "tfpe decrypt -k owner.key photos -o out": "PIL rich",
    "tfpe dataset encrypt tiny.npz -k owner.key --cipher le -o out": "tensorflow rich "
    "PIL tensorflow_datasets",
    "tfpe dataset decrypt set -k owner.key -o out": "tensorflow tensorflow_datasets",
    "tfpe dataset reencrypt set -k owner.key --new-key owner.key -o out": "tensorflow "
    "tensorflow_datasets",
    "tfpe ciphers": "rich",
    "tfpe demo out": "rich PIL sklearn skimage matplotlib",
    "tfpe attack": "rich",
    "tfpe attack key_sensitivity -k owner.key --figure out.png": "PIL scipy matplotlib",
    "tfpe evaluate photographs --cipher le --figures out": "rich PIL skimage sklearn "
    "matplotlib",
    "tfpe report out.html": "jinja2 matplotlib PIL",
    "tfpe bench --quick --figure out.png": "rich sklearn matplotlib",
    "tfpe bench --jpeg --figure out.png": "rich sklearn matplotlib skimage bjontegaard",
    "tfpe bench --hybrid": "rich sklearn skimage cryptography",
    "training compare --out out --runs out": "sklearn rich matplotlib",
    "training train --out out --runs out --strong cutmix --encrypt-in tf.data": (
        "keras_cv sklearn matplotlib"
    ),
    "training evaluate m.keras --figure out.png": "sklearn rich matplotlib",
    "training svm --out out": "sklearn rich",
    "training speed --out out": "rich",
}
ROOT = Path(__file__).parents[1]
PAIRS = [(line, name) for line, names in NEEDS.items() for name in names.split()]
# As another process would be, for all that is imported lazily.
RUN = """
from blocking import block
block(*{blocked!r})
from {program}.cli import main
raise SystemExit(main({arguments!r}))
"""


@pytest.fixture
def without(monkeypatch):
    """Takes a package away, for one test."""

    def take_away(name):
        finders = [Without(finder, [name]) for finder in sys.meta_path]
        monkeypatch.setattr(sys, "meta_path", finders)
        for module in [m for m in sys.modules if m.partition(".")[0] == name]:
            monkeypatch.delitem(sys.modules, module)

    return take_away


@pytest.mark.parametrize(("line", "name"), PAIRS)
def test_each_command_says_so_at_once(
    line, name, without, npz, key, capsys, monkeypatch
):
    folder = npz.parent
    monkeypatch.chdir(folder)
    key.save("owner.key")
    before = set(folder.iterdir())
    without(name)
    program, *arguments = line.split()
    main = tfpe.cli.main if program == "tfpe" else training.cli.main
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert err.startswith(f"{program}: error: The package {PROJECTS.get(name, name)} ")
    assert "pip install" in err
    assert set(folder.iterdir()) == before, "it began to work"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("tfpe predict m.keras tiny.npz -k owner.key --cipher pbe", "tensorflow"),
        ("training compare --out out --runs out", "tensorflow"),
        ("training svm --help", "sklearn"),
    ],
)
def test_what_keras_needs(line, name, npz, key):
    key.save(npz.parent / "owner.key")
    program, *arguments = line.split()
    code = RUN.format(blocked=[name], program=program, arguments=arguments)
    paths = os.pathsep.join([str(SCRIPTS), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=npz.parent,
        env=os.environ | {"PYTHONPATH": paths, "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
    )
    if "--help" in line:
        assert done.returncode == 0, done.stderr
        return
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert "KERAS_BACKEND=jax" in done.stderr


def test_pictures_of_an_npz_file_need_no_tfds(tmp_path, without, monkeypatch, capsys):
    """Machines with a GPU often have Keras and JAX, and nothing else."""
    monkeypatch.chdir(tmp_path)
    np.savez("set.npz", x_train=crops(20))
    without("tensorflow_datasets")
    pictures = load_pictures("set.npz", size=(16, 16))
    assert pictures.shape == (16, 16, 3) and pictures.split == "train"
    line = "attack inverse_network --train set.npz --size 16x16 --cipher pbe"
    line += " --model pbe.attack --steps 1 -q"
    assert tfpe.cli.main(line.split()) == 1
    # They are read, and one too few to learn from, which would take a minute.
    assert "Received: 19 of (16, 16, 3)" in capsys.readouterr().err


def test_extras_hold_what_they_are_named_for():
    metadata = configparser.ConfigParser()
    metadata.read(ROOT / "setup.cfg")
    extras = metadata["options.extras_require"]
    for module, extra in EXTRAS.items():
        assert re.search(rf"^{PROJECTS.get(module, module)}>=", extras[extra], re.M)


def test_the_library_needs_nothing_of_the_extra_lab():
    lab = {module for module, extra in EXTRAS.items() if extra == "lab"}
    assert lab >= {"matplotlib", "sklearn"}
    library = [
        path
        for path in (ROOT / "tfpe").rglob("*.py")
        if path.relative_to(ROOT / "tfpe").parts[0] not in ("lab", "cli")
    ]
    assert len(library) > 80
    for path in library:
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module]
            assert lab.isdisjoint(name.partition(".")[0] for name in names), path


def test_every_cipher_is_the_same_without_any_extra(key, without, monkeypatch):
    monkeypatch.setattr(derivation, "PART_WORDS", 96)  # draws as for photographs
    shape = (32, 32, 3)
    images = np.random.default_rng(0).integers(0, 256, (2, *shape), np.uint8)
    encrypted = {name: row(key, shape)(images) for name, row in tfpe.CIPHERS.items()}
    for name in EXTRAS:
        without(name)
    for name, row in tfpe.CIPHERS.items():
        assert np.array_equal(row(key, shape)(images), encrypted[name]), name


def test_a_mistake_of_ours_is_no_missing_package():
    def run():
        import tfpe.not_there  # noqa: F401

    with pytest.raises(ModuleNotFoundError, match="not_there"):
        guard("tfpe", run)
