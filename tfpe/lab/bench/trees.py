"""What users wait for, before and after: two checkouts of tfpe in one run, in turn.

    git worktree add ../before COMMIT
    tfpe bench --before ../before --record results/bench-before-after.json

Each measurement is a process of its own, which runs in both checkouts in each round, so
that noise meets both alike. Both have to give the same pixels, or losses of training,
and some of each are compared with the oracle's.
"""

import importlib.util
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

import numpy as np

from tfpe.checks import whole_number
from tfpe.errors import TfpeError
from tfpe.keys import KEY_BYTES, Key
from tfpe.lab.bench.rows import short
from tfpe.lab.bench.tree_programs import (
    DATASETS,
    FOLDER,
    HEAD,
    PHOTOGRAPH,
    PIPELINES,
    TRAINING,
)
from tfpe.lab.bench.waits import make_folder
from tfpe.lab.records import (
    check_replaceable,
    environment,
    read_record,
    write_record,
)

AFTER = pathlib.Path(__file__).parents[3]
PARTS = ("photographs", "own_keys", "folders", "pipelines", "datasets", "training")
PHOTOGRAPH_CIPHERS = ("le", "blockshuffle", "pbe", "logistic", "etc", "ele")
OWN_KEY_CIPHERS = ("pbe", "etc", "le", "ele")
SIDE = 3000, 4000
# Files, height, width, number of sizes, format, cipher; by what the row is called.
FOLDERS = {
    "4 photographs of 4000 x 3000, ele": (4, *SIDE, 1, "JPEG", "ele"),
    "1,000 PNG of 32 x 32, le": (1000, 32, 32, 1, "PNG", "le"),
    "40 JPEG of 1200 x 900 in 40 sizes, le": (40, 900, 1200, 40, "JPEG", "le"),
    "one photograph of 9000 x 7000, ele": (1, 7000, 9000, 1, "JPEG", "ele"),
}
OWN_KEY_IMAGES, DATASET_IMAGES = 2000, 10_000
DATASET_CIPHERS, DATASET_SOURCES = ("le", "ele"), (".npz", "TFDS")
PIPELINE_CIPHERS = ("le", "ele", "etc", "shuffle", "pbe", "logistic")
PIPELINE_IMAGES, PIPELINE_REPEATS = 2048, 16
BACKENDS = ("tensorflow", "jax")
TRAINING_BATCH, TRAINING_STEPS = 128, 8
TRAINING_CHANGES = {}  # of fields of the recipe `small`


def run_trees_bench(
    before,
    path=None,
    *,
    after=AFTER,
    parts=PARTS,
    repeats=5,
    scale=1.0,
    overwrite=False,
    progress=None,
):
    """Measures what users wait for in an earlier checkout of tfpe and in this one.

    Args:
        before: folder of the earlier checkout, which holds a folder `tfpe`.
        path: of the record to write; None writes none. It is written after each
            measurement of both; rows that are not measured now stay as they are in it.
        after: folder of the other one; default that of this program.
        parts: some of `PARTS`; `training` needs TensorFlow or JAX, and leaves out the
            other where it is not installed.
        repeats: rounds.
        scale: of the numbers of files and images, of a batch too, and of the sides of
            photographs, for a sketch.
        overwrite: replace a record of other settings.
        progress: called with (done, total, what), after each measurement.

    Returns:
        The record, a dict. `results` holds `rows`: `what` was measured, its `unit`, the
        medians of `before` and `now`, and of `factor`, the one over the other in the
        same round, with `lowest` and `highest`.

    Raises:
        TfpeError: `before` is no checkout, a run failed, both gave other pixels or
            losses, or `parts` hold nothing that can be measured here.
        RecordError: `path` holds something else.

    Example:

    >>> run_trees_bench("nowhere")
    Traceback (most recent call last):
    tfpe.errors.TfpeError: `before` should be a checkout that holds a folder tfpe. ...
    """
    trees = {"before": pathlib.Path(before), "now": pathlib.Path(after)}
    for name, tree in trees.items():
        if not (tree / "tfpe/__init__.py").is_file():
            raise TfpeError(
                f"`{name}` should be a checkout that holds a folder tfpe. Received: "
                f"{tree}"
            )
        if "training" in parts and not (tree / "training/__init__.py").is_file():
            raise TfpeError(
                f"`{name}` should hold a folder training too, for the part training. "
                f"Received: {tree}"
            )
    for part in parts:
        if part not in PARTS:
            raise TfpeError(f"`parts` should be among {PARTS}. Received: {part!r}")
    repeats = whole_number(repeats, "repeats", error=TfpeError)
    settings = {
        "before": _commit(trees["before"]),
        "now": _commit(trees["now"]),
        "repeats": repeats,
        "scale": scale,
    }
    rows = []
    if path is not None:
        check_replaceable(path, "before-after", settings, overwrite)
        if pathlib.Path(path).exists() and not overwrite:
            rows = read_record(path)["results"]["rows"]
    record = {"kind": "before-after", "settings": settings, "results": {"rows": rows}}
    written = record
    with tempfile.TemporaryDirectory() as place:
        found = list(_measurements(pathlib.Path(place), parts, scale))
        if not found:
            raise TfpeError(
                f"`parts` should hold what can be measured here. Received: {parts}, "
                f"and none of {BACKENDS} is installed"
            )
        for done, (what, code, arguments) in enumerate(found, 1):
            rounds = {name: [] for name in trees}
            made = []
            for round_ in range(repeats):
                # Either of them goes first in turn.
                for name in list(trees)[:: 1 if round_ % 2 else -1]:
                    values, alike = _run(trees[name], name, what, code, arguments)
                    shutil.rmtree(pathlib.Path(place, "out"), ignore_errors=True)
                    rounds[name].append(values)
                    made.append(alike)
            if not _same(made):
                raise TfpeError(
                    f"Both checkouts should give the same pixels and losses: {what}"
                )
            new = list(_rows(what, rounds))
            names = {row["what"] for row in new}
            rows[:] = [row for row in rows if row["what"] not in names] + new
            record["environment"] = environment()
            if path is not None:
                written = write_record(path, record, overwrite)
            if progress:
                progress(done, len(found), what)
    return written


def _measurements(place, parts, scale):
    """(what, code, arguments) of each, with the images that it reads."""
    shape = *(_scaled(side, scale) for side in SIDE), 3
    for name in PHOTOGRAPH_CIPHERS if "photographs" in parts else ():
        yield f"{name}, a photograph", PHOTOGRAPH, [name, shape]
    folders = FOLDERS if "folders" in parts else {}
    for number, (what, folder) in enumerate(folders.items()):
        count, height, width, sizes, kind, name = folder
        source = place / f"folder{number}"
        sides = _scaled(height, scale), _scaled(width, scale)
        make_folder(source, count, *sides, sizes, kind, scale)
        yield what, FOLDER, [str(source), str(place / "out"), name]
    if "own_keys" in parts or "datasets" in parts:
        yield from _dataset_measurements(place, parts, scale)
    count = max(1, round(PIPELINE_IMAGES * scale))
    for name in PIPELINE_CIPHERS if "pipelines" in parts else ():
        what = f"{count:,} images of 32 x 32, {name}"
        yield what, PIPELINES, [name, (count, 32, 32, 3), PIPELINE_REPEATS]
    count = max(2, round(TRAINING_BATCH * scale))
    installed = [name for name in BACKENDS if importlib.util.find_spec(name)]
    for backend in installed if "training" in parts else ():
        what = f"a step of training, {count} images, {backend}"
        yield what, TRAINING, [backend, count, TRAINING_STEPS, TRAINING_CHANGES]


def _dataset_measurements(place, parts, scale):
    """Those of data sets: from an .npz file, from TFDS, a key for each image."""
    from tfpe.dataset import decrypt_dataset, encrypt_dataset

    def images(name, count):
        rng, count = np.random.default_rng(0), max(1, round(count * scale))
        pixels = rng.integers(0, 256, (count, 32, 32, 3), np.uint8)
        path = place / f"{name}.npz"
        np.savez(path, x_train=pixels, y_train=np.arange(count) % 10)
        return path, f"{count:,} images of 32 x 32"

    out = str(place / "out")
    if "own_keys" in parts:
        path, what = images("few", OWN_KEY_IMAGES)
        for name in OWN_KEY_CIPHERS:
            arguments = [str(path), None, str(path), out, name, True]
            yield f"{what}, a key for each, {name}", DATASETS, arguments
    if "datasets" in parts:
        path, what = images("many", DATASET_IMAGES)
        # What comes back from a ciphertext is a set of TFDS like any other.
        key = Key(bytes(KEY_BYTES))
        encrypt_dataset(path, place / "cloud", key, "identity", name="many")
        decrypt_dataset(place / "cloud", place / "tfds", key)
        [plain] = (place / "tfds").iterdir()
        sources = {".npz": (str(path), None)}
        sources["TFDS"] = (f"tfds:{plain.name}", str(place / "tfds"))
        for kind in DATASET_SOURCES:
            for name in DATASET_CIPHERS:
                arguments = [*sources[kind], str(path), out, name, False]
                yield f"{what} of {kind}, one key, {name}", DATASETS, arguments


def _scaled(side, scale):
    """A side in whole blocks of any cipher; small images stay as they are."""
    return max(32, round(side * scale) // 4 * 4)


def _same(made):
    """Whether digests of pixels are equal, and losses equal up to rounding."""
    if isinstance(made[0], str):
        return len(set(made)) == 1
    return np.allclose(made, made[0], rtol=1e-3)


def _run(tree, which, what, code, arguments):
    """What the program prints in a checkout: measurements, and what is to be alike."""
    run = subprocess.run(
        [sys.executable, "-c", HEAD + code, json.dumps(arguments), which],
        cwd=tree,
        env=os.environ
        | {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(tree.resolve())},
        capture_output=True,
        text=True,
    )
    if run.returncode:
        raise TfpeError(f"{what} failed in {tree}: {run.stderr.strip()[-500:]}")
    return json.loads(run.stdout.splitlines()[-1])


def _rows(what, rounds):
    """A dict for each thing that the program measured."""
    for name in rounds["now"][0]:
        before, now = ([values[name] for values in rounds[tree]] for tree in rounds)
        factors = [a / b for a, b in zip(before, now, strict=True)]
        unit = "MB" if name == "peak" else "s" if name == "seconds" else "CPU s"
        yield {
            "what": what if name == "seconds" else f"{what}: {name}",
            "unit": unit,
            "before": short(statistics.median(before)),
            "now": short(statistics.median(now)),
            "factor": short(statistics.median(factors)),
            "lowest": short(min(factors)),
            "highest": short(max(factors)),
        }


def _commit(tree):
    """What git calls the state of a checkout: "unknown" where it is none of git's."""

    def git(*words):
        run = subprocess.run(
            ["git", "-C", str(tree), *words], capture_output=True, text=True
        )
        return run.stdout.strip()

    top = git("rev-parse", "--show-toplevel")
    if not top or pathlib.Path(top) != tree.resolve():
        return "unknown"
    return git("describe", "--always", "--dirty", "--abbrev=7", "--exclude=*")
