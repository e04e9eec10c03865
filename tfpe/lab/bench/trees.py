"""What users wait for, before and after: two checkouts of tfpe in one run, in turn.

    git worktree add ../before COMMIT
    tfpe bench --before ../before --record results/bench-before-after.json

Each measurement is a process of its own, which runs in both checkouts in each round, so
that noise meets both alike. Both have to give the same pixels, and some of each are
compared with the oracle's.
"""

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
from tfpe.lab.bench.rows import short
from tfpe.lab.bench.waits import PEAK_CODE, make_folder
from tfpe.lab.records import (
    check_replaceable,
    environment,
    read_record,
    write_record,
)

AFTER = pathlib.Path(__file__).parents[3]
PARTS = ("photographs", "own_keys", "folders", "pipelines")
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
OWN_KEY_IMAGES = 2000
PIPELINE_CIPHERS = ("le", "ele", "etc", "shuffle", "pbe", "logistic")
PIPELINE_IMAGES, PIPELINE_REPEATS = 2048, 16

# Programs in words that both checkouts understand; each prints its measurements and a
# digest of the pixels that it made.
HEAD = """
import hashlib, json, pathlib, sys, time
import numpy as np
import tfpe
from tfpe.files import encrypt_folder
checks_oracle = sys.argv[2] == "now"  # the other's pixels are compared with these
key = tfpe.Key(bytes(range(32)))
arguments = json.loads(sys.argv[1])
clock = time.process_time

def digest_of(pixels):
    return hashlib.sha256(np.ascontiguousarray(pixels)).hexdigest()

def timed(run):
    start = clock()
    result = run()
    return clock() - start, result
"""
PHOTOGRAPH = """
from tfpe.ciphers import CIPHERS
name, shape = arguments
image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
ready = lambda transform: getattr(transform, "prepare", lambda: transform)()
setup, transform = timed(lambda: ready(CIPHERS[name](key, shape)))
first, cipher = timed(lambda: transform(image))
again, _ = timed(lambda: transform(image))
inverse, back = timed(lambda: ready(transform.inverse))
undone, plain = timed(lambda: back(cipher))
assert np.array_equal(plain, image)
if checks_oracle:
    from tfpe.lab.bench.oracle_samples import require_oracle
    require_oracle(name, transform, image, cipher)
seconds = {"set-up": setup, "set-up and first image": setup + first}
seconds |= {"each image": again, "inverse and its first image": inverse + undone}
print(json.dumps([seconds, digest_of(cipher)]))
"""
FOLDER = """
from PIL import Image
source, out, name = arguments
clock = time.perf_counter
encrypt = lambda: encrypt_folder(source, out, key, cipher=name)
seconds, _ = timed(encrypt)
files = sorted(pathlib.Path(out).glob("*.png"))
assert len(files) == len(list(pathlib.Path(source).iterdir()))
found = {"seconds": seconds, "peak": peak_bytes() / 1e6}
if checks_oracle:
    from tfpe.lab.bench.oracle_samples import require_file
    for file in (files[0], files[-1]):
        [plain] = pathlib.Path(source).glob(file.stem + ".*")
        require_file(name, key, plain, file)
digests = [digest_of(np.asarray(Image.open(file))) for file in files]
print(json.dumps([found, digest_of(np.frombuffer("".join(digests).encode(), "u1"))]))
"""
OWN_KEYS = """
import tensorflow  # which TFDS imports late: not in the time that is measured
import tensorflow_datasets as tfds
from tfpe.dataset import encrypt_dataset
source, out, name = arguments
clock = time.perf_counter
run = lambda: encrypt_dataset(source, out, key, name, per_image=True)
seconds, done = timed(run)
assert done.written
[info] = pathlib.Path(out).glob("*/*/dataset_info.json")
found = tfds.builder_from_directory(info.parent).as_dataset("train")
examples = list(found.as_numpy_iterator())
if checks_oracle:
    from tfpe.ciphers import CIPHERS
    from tfpe.dataset.encrypted import NUMBER
    from tfpe.manifests.set_manifest import image_keys, read_manifest
    keys = image_keys(key, read_manifest(info.parent, key))
    with np.load(source) as file:
        plain = file["x_train"]
    for example in examples[:8]:
        own = keys.for_image(int(example[NUMBER]))
        oracle = CIPHERS[name](own, plain.shape[1:]).definition
        assert np.array_equal(example["image"], oracle(plain[example[NUMBER]]))
pixels = [example["image"] for example in examples]
print(json.dumps([{"seconds": seconds}, digest_of(pixels)]))
"""
# Both programs run once before they are timed: to compile takes longer than to encrypt.
PIPELINES = """
import tensorflow as tf
from tfpe import data
from tfpe.ciphers import CIPHERS
name, shape, repeated = arguments
images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
transform = CIPHERS[name](key, tuple(shape[1:]))
program, batch = tf.function(transform, jit_compile=True), tf.constant(images)
batches = tf.data.Dataset.from_tensor_slices(images).repeat(repeated).batch(256)
stream = data.encrypt(batches, key, name)
cipher = program(batch).numpy()
streamed = np.concatenate(list(stream.as_numpy_iterator()))
assert np.array_equal(streamed, np.concatenate([cipher] * repeated))
if checks_oracle:
    assert np.array_equal(cipher, transform.definition(images))
compiled, _ = timed(lambda: [program(batch).numpy() for _ in range(repeated)])
through, _ = timed(lambda: sum(1 for _ in stream))
seconds = {f"{repeated} times through XLA": compiled}
seconds |= {f"{repeated} times through tf.data": through}
print(json.dumps([seconds, digest_of(cipher)]))
"""


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
        parts: some of `PARTS`.
        repeats: rounds.
        scale: of the numbers of files and images and of the sides of photographs, for
            a sketch.
        overwrite: replace a record of other settings.
        progress: called with (done, total, what), after each measurement.

    Returns:
        The record, a dict. `results` holds `rows`: `what` was measured, its `unit`, the
        medians of `before` and `now`, and of `factor`, the one over the other in the
        same round, with `lowest` and `highest`.

    Raises:
        TfpeError: `before` is no checkout, a run failed, or both gave other pixels.
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
        for done, (what, code, arguments) in enumerate(found, 1):
            rounds = {name: [] for name in trees}
            digests = set()
            for round_ in range(repeats):
                # Either of them goes first in turn.
                for name in list(trees)[:: 1 if round_ % 2 else -1]:
                    values, digest = _run(trees[name], name, what, code, arguments)
                    shutil.rmtree(pathlib.Path(place, "out"), ignore_errors=True)
                    rounds[name].append(values)
                    digests.add(digest)
            if len(digests) != 1:
                raise TfpeError(f"Both checkouts should give the same pixels: {what}")
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
    if "own_keys" in parts:
        rng = np.random.default_rng(0)
        count = max(1, round(OWN_KEY_IMAGES * scale))
        images = rng.integers(0, 256, (count, 32, 32, 3), np.uint8)
        source = place / "images.npz"
        np.savez(source, x_train=images, y_train=np.arange(count) % 10)
        for name in OWN_KEY_CIPHERS:
            what = f"{count:,} images of 32 x 32, a key for each, {name}"
            yield what, OWN_KEYS, [str(source), str(place / "out"), name]
    count = max(1, round(PIPELINE_IMAGES * scale))
    for name in PIPELINE_CIPHERS if "pipelines" in parts else ():
        what = f"{count:,} images of 32 x 32, {name}"
        yield what, PIPELINES, [name, (count, 32, 32, 3), PIPELINE_REPEATS]


def _scaled(side, scale):
    """A side in whole blocks of any cipher; small images stay as they are."""
    return max(32, round(side * scale) // 4 * 4)


def _run(tree, which, what, code, arguments):
    """What the program prints in a checkout: measurements, and a digest."""
    run = subprocess.run(
        [sys.executable, "-c", HEAD + PEAK_CODE + code, json.dumps(arguments), which],
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
