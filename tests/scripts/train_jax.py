"""Training on JAX with what docs/install.md installs for it, and nothing else."""

import importlib.metadata
import re
import sys
from pathlib import Path

from blocking import block
from packaging.requirements import Requirement

PAGE = Path(__file__).parents[2] / "docs" / "install.md"


def distributions():
    """Names of what that page installs, with all that those packages need."""
    line = re.search(r"--no-deps \. && pip install ([^`]*)`", PAGE.read_text())[1]
    names, found = line.split(), {"tfpe"}
    while names:
        name = re.sub("[-_.]+", "-", names.pop()).lower()
        if name in found:
            continue
        found.add(name)
        try:
            needed = importlib.metadata.requires(name) or ()
        except importlib.metadata.PackageNotFoundError:
            continue  # for another system
        needed = [Requirement(text) for text in needed]
        names += [r.name for r in needed if not r.marker or r.marker.evaluate()]
    return found


there = distributions()
modules = importlib.metadata.packages_distributions().items()
block(
    *(
        module
        for module, names in modules
        if not there & {re.sub("[-_.]+", "-", name).lower() for name in names}
    )
)

import keras  # noqa: E402

from training.cli import main  # noqa: E402

code = main(sys.argv[1:])
if keras.backend.backend() != "jax":
    sys.exit("not on JAX")
if "tensorflow" in sys.modules or "tensorflow_datasets" in sys.modules:
    sys.exit("with TensorFlow")
sys.exit(code)
