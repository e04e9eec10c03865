"""`tfpe bench`: how fast the ciphers are, beside real cryptography, in one run.

    tfpe bench --record results/bench-speed.json
    tfpe bench --quick

Programs that are compared run in turn, and every timed result is checked against
`definition`. Machines differ and are shared: trust the ratios.
"""

import contextlib
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from tfpe.checks import whole_number
from tfpe.ciphers import byte_ciphers, find_cipher, le_transform
from tfpe.errors import RecordError, TfpeError
from tfpe.keys import Key
from tfpe.lab.bench.baselines import (
    AES,
    FIELD,
    baselines,
    field_le,
    usable_cores,
)
from tfpe.lab.bench.costs_in_use import measure_pipelines, measure_setup, measure_step
from tfpe.lab.bench.rows import pack
from tfpe.lab.bench.runners import as_images, runners
from tfpe.lab.bench.timing import interleave
from tfpe.lab.bench.waits import (
    measure_folders,
    measure_own_keys,
    measure_peaks,
    measure_photographs,
)
from tfpe.lab.records import (
    check_replaceable,
    environment,
    read_record,
    typed,
    write_record,
)

SIZES = {
    "256x32x32x3": (256, 32, 32, 3),
    "2048x32x32x3": (2048, 32, 32, 3),
    "64x224x224x3": (64, 224, 224, 3),
    "1x2048x2048x3": (1, 2048, 2048, 3),
}
# Images of CIFAR, and the nibbles of one block of 4 x 4 pixels.
FIELD_SHAPE = (32, 32, 3)
FIELD_WORDS = 96


DIRECTIONS = ("encrypt", "decrypt")
ONE_CORE_SIZE = "2048x32x32x3"
PARTS = (
    *("throughput", "one_core", "setup", "pipelines", "step"),
    *("photographs", "own_keys", "folders", "peaks"),
)
QUICK_PARTS = ("throughput", "setup", "pipelines")
# Seconds of a program in one comparison, after which it has run often enough.
BUDGET = 0.4


def run_bench(
    path=None,
    *,
    parts=PARTS,
    quick=False,
    ciphers=None,
    sizes=None,
    directions=DIRECTIONS,
    repeats=None,
    cores=None,
    data_dir=None,
    overwrite=False,
    progress=None,
):
    """Measures throughput, and what users wait for: `PARTS`.

    Args:
        path: of the record to write, by custom `results/bench-NAME.json`; None writes
            none. It is written after each part, so that an interrupted run keeps what
            it has; parts that are not measured now stay as they are in it, and `dates`
            says when each was measured.
        parts: some of `PARTS`; default all.
        quick: the smallest size, few repeats, no training step: seconds, not minutes.
        ciphers: names in `tfpe.CIPHERS`; default all of bytes.
        sizes: names in `SIZES`; default all.
        directions: "encrypt", "decrypt" or both.
        repeats: rounds of each comparison; default 7, or 3 with `quick`.
        cores: processor cores to use, from 1 up; default all. It stays so for the
            process, and does all only before TensorFlow starts.
        data_dir: of TFDS, where cifar10 is, for a pipeline that decodes its files.
        overwrite: replace a record of other settings, all of it.
        progress: called with (done, total, what), after each group.

    Returns:
        The record, a dict; its rows of throughput are packed, as `rows` says.

    Raises:
        TfpeError: an unknown part, cipher or size, or a result that is not the
            oracle's.
        RecordError: `path` holds something else.
    """
    names = list(ciphers or byte_ciphers())
    for name in names:
        find_cipher(name).require_bytes("The bench, which compares with AES,")
    sizes = list(sizes or (list(SIZES)[:1] if quick else SIZES))
    for values, known, name in (
        (sizes, list(SIZES), "sizes"),
        (parts, PARTS, "parts"),
        (directions, DIRECTIONS, "directions"),
    ):
        for value in values:
            if value not in known:
                raise TfpeError(
                    f"`{name}` should be among {list(known)}. Received: {value!r}"
                )
    repeats = (3 if quick else 7) if repeats is None else repeats
    repeats = whole_number(repeats, "repeats", error=TfpeError)
    use_cores(cores)
    settings = {
        "ciphers": names,
        "sizes": sizes,
        "directions": list(directions),
        "repeats": repeats,
        "cores": usable_cores(),
        "quick": quick,
        "threads": {
            "NumPy, AES-256-CTR, ChaCha20": 1,
            "XLA, JAX, TF graph, Keras layer, AES-256-CTR, all cores": usable_cores(),
            "one_core": 1,
        },
    }
    results = {}
    if path is not None:
        check_replaceable(path, "bench", settings, overwrite)
        if Path(path).exists():
            # One of other settings is overwritten whole, where that may be.
            with contextlib.suppress(RecordError):
                check_replaceable(path, "bench", settings)
                there = read_record(path)
                typed(there)  # what is kept is written again
                results, date = there["results"], there["environment"]["date"]
                dates = dict.fromkeys(results.keys() - {"dates"}, date)
                results["dates"] = dates | results.get("dates", {})
    key = Key(bytes(range(32)))
    groups = len(sizes) * len(names) * len(directions)
    parts = [part for part in PARTS if part in parts]
    if quick:
        parts = [part for part in parts if part in QUICK_PARTS]
    total, done = len(parts) + ("throughput" in parts) * (groups - 1), 0

    def report(what):
        nonlocal done
        done += 1
        if progress:
            progress(done, total, what)

    def measure(part):
        if part == "throughput":
            rows = []
            for size in sizes:
                for name in names:
                    for direction in directions:
                        shape = SIZES[size]
                        found = measure_throughput(key, name, shape, direction, repeats)
                        rows += [{"size": size, **row} for row in found]
                        report(f"{name}, {direction}, {size}")
            return pack(rows)
        if part == "one_core":
            return measure_one_core(names, repeats)
        if part == "setup":
            sides = (32, 224) if quick else (32, 224, 2048)
            return measure_setup(key, names, sides, repeats)
        if part == "pipelines":
            images = photographs(256 if quick else 2048)
            return measure_pipelines(key, names, images, repeats, data_dir)
        if part == "photographs":
            return measure_photographs(key, names)
        if part == "own_keys":
            return measure_own_keys(key, names, repeats)
        if part == "folders":
            return measure_folders(key, names, repeats, keep=keep_folders)
        if part == "peaks":
            return measure_peaks(names)
        return _step(key, names)

    def keep(part, found):
        nonlocal record
        record["environment"] = environment()
        record["results"][part] = found
        record["results"].setdefault("dates", {})[part] = record["environment"]["date"]
        if path is not None:
            record = write_record(path, record, overwrite)

    def keep_folders(rows):
        # Those of an earlier run stay until the same folder is measured again.
        done = {row["folder"] for row in rows}
        earlier = [row for row in before if row["folder"] not in done]
        keep("folders", rows + earlier)

    before = results.get("folders", [])
    record = {"kind": "bench", "settings": settings, "results": results}
    for part in parts:
        keep(part, measure(part))
        if part != "throughput":
            report(part)
    return record


def measure_one_core(names, repeats):
    """Throughput on one core, packed: another process, before whose threads start."""
    command = [sys.executable, "-m", "tfpe", "bench", "--json", "--cores", "1"]
    command += ["--part", "throughput", "--size", ONE_CORE_SIZE]
    command += ["--direction", "encrypt", "--repeats", str(repeats)]
    for name in names:
        command += ["--cipher", name]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise TfpeError(f"The benchmark on one core failed: {run.stderr[-500:]}")
    return json.loads(run.stdout)["results"]["throughput"]


def measure_throughput(key, name, shape, direction, repeats, wanted=None):
    """Times every runner of one cipher beside the baselines.

    Args:
        key: a `tfpe.Key`.
        name: a name in `tfpe.CIPHERS`.
        shape: (images, height, width, 3).
        direction: "encrypt" or "decrypt".
        repeats: number of rounds.
        wanted: names of runners to keep; None keeps all.

    Returns:
        A list of dicts, one for each runner and baseline: `cipher` (None of a
        baseline), `direction`, `runner`, and what `timing.interleave` gives.
    """
    images = noise(shape)
    transform, found = runners(key, name, images, direction, wanted)
    expected = transform.definition(images)

    def is_right(result):
        return np.array_equal(as_images(result, expected.shape), expected)

    programs = {runner: (run, is_right) for runner, run in found.items()}
    programs |= baselines(images)
    if shape[1:] == FIELD_SHAPE:
        order = np.random.default_rng(1).permutation(FIELD_WORDS)
        field = le_transform(order, shape[1:]).definition(images)
        programs[FIELD] = (
            lambda: field_le(images, order),
            lambda result: np.array_equal(result, field),
        )
    timed = interleave(programs, repeats, [AES, FIELD], BUDGET)
    return [
        {
            "cipher": name if runner in found else None,
            "direction": direction,
            "runner": runner,
            **values,
        }
        for runner, values in timed.items()
    ]


def noise(shape):
    """Seeded random images: no program's time depends on the values."""
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def photographs(count, size=32):
    """Seeded crops of scikit-learn's two photographs, `uint8 (count, size, size, 3)`.

    For PNG files, whose time to decode does depend on the values.
    """
    from sklearn.datasets import load_sample_images

    rng = np.random.default_rng(0)
    crops = np.empty((count, size, size, 3), np.uint8)
    sources = load_sample_images().images
    for number, crop in enumerate(crops):
        source = sources[number % len(sources)]
        top, left = (rng.integers(n - size + 1) for n in source.shape[:2])
        crop[:] = source[top : top + size, left : left + size]
    return crops


def use_cores(cores):
    """Keeps this process to the first `cores` processor cores; None keeps all."""
    if cores is None:
        return
    cores = whole_number(cores, "cores", error=TfpeError)
    if not hasattr(os, "sched_setaffinity"):
        raise TfpeError("`cores` needs a system with sched_setaffinity, such as Linux")
    available = sorted(os.sched_getaffinity(0))
    if cores > len(available):
        raise TfpeError(
            f"`cores` should be at most {len(available)}. Received: cores={cores}"
        )
    os.sched_setaffinity(0, available[:cores])


def _step(key, names):
    """Of PyramidNet-20, where `training` is there: it is not in the wheel."""
    try:
        # By name: what measures the library needs no training, which may be absent.
        networks = importlib.import_module("training.pyramidnet")
    except ImportError:
        return []

    def build():
        return networks.pyramidnet(depth=20, alpha=24)

    return measure_step(key, names, build, 128, 3)
