"""`tfpe bench`: how fast the ciphers are, beside real cryptography, in one run.

    python -m tfpe.bench --record results/bench-speed.json
    python -m tfpe.bench --quick

Programs that are compared run in turn, and every timed result is checked against
`tfpe.lowering.oracle`. Machines differ and are shared: trust the ratios.
"""

import os

import numpy as np

from tfpe.bench.baselines import (
    AES,
    AES_ALL_CORES,
    FIELD,
    baselines,
    field_le,
    usable_cores,
)
from tfpe.bench.pipelines import measure_pipelines, measure_setup, measure_step
from tfpe.bench.runners import as_images, runners
from tfpe.bench.timing import interleave
from tfpe.ciphers import CIPHERS, find_cipher, le_transform
from tfpe.errors import TfpeError
from tfpe.keys import Key
from tfpe.lowering import oracle
from tfpe.records import check_replaceable, environment, write_record

SIZES = {
    "256x32x32x3": (256, 32, 32, 3),
    "2048x32x32x3": (2048, 32, 32, 3),
    "64x224x224x3": (64, 224, 224, 3),
    "1x2048x2048x3": (1, 2048, 2048, 3),
}
# Images of CIFAR, and the nibbles of one block of 4 x 4 pixels.
FIELD_SHAPE = (32, 32, 3)
FIELD_WORDS = 96


def run_bench(
    path=None,
    *,
    quick=False,
    ciphers=None,
    sizes=None,
    repeats=None,
    cores=None,
    overwrite=False,
    progress=None,
):
    """Measures throughput, set-up, pipelines and training steps.

    Args:
        path: of the record to write, by custom `results/bench-NAME.json`; None writes
            none.
        quick: the smallest size, few repeats, no training step: seconds, not minutes.
        ciphers: names in `tfpe.CIPHERS`; default all.
        sizes: names in `SIZES`; default all.
        repeats: rounds of each comparison; default 7, or 3 with `quick`.
        cores: processor cores to use, from 1 up; default all. It stays so for the
            process, and does all only before TensorFlow starts.
        overwrite: replace a record of other settings.
        progress: called with (done, total, what), after each group.

    Returns:
        The record, a dict.

    Raises:
        TfpeError: an unknown cipher or size, or a result that is not the oracle's.
        RecordError: `path` holds something else.
    """
    names = list(ciphers or CIPHERS)
    for name in names:
        find_cipher(name)
    sizes = list(sizes or (list(SIZES)[:1] if quick else SIZES))
    for size in sizes:
        if size not in SIZES:
            raise TfpeError(
                f"`sizes` should be among {list(SIZES)}. Received: {size!r}"
            )
    repeats = (3 if quick else 7) if repeats is None else repeats
    if isinstance(repeats, bool) or not isinstance(repeats, int) or repeats < 1:
        raise TfpeError(
            f"`repeats` should be a whole number from 1 up. Received: {repeats!r}"
        )
    use_cores(cores)
    settings = {
        "ciphers": names,
        "sizes": sizes,
        "repeats": repeats,
        "cores": usable_cores(),
        "quick": quick,
    }
    if path is not None and not overwrite:
        check_replaceable(path, "bench", settings)
    key = Key(bytes(range(32)))
    total, done = len(sizes) * len(names) * 2 + 3, 0

    def report(what):
        nonlocal done
        done += 1
        if progress:
            progress(done, total, what)

    throughput = []
    for size in sizes:
        for name in names:
            for direction in ("encrypt", "decrypt"):
                rows = measure_throughput(key, name, SIZES[size], direction, repeats)
                throughput += [{"size": size, **row} for row in rows]
                report(f"{name}, {direction}, {size}")
    setup = measure_setup(key, names, (32, 224) if quick else (32, 224, 2048), 1)
    report("set-up")
    images = photographs(256 if quick else 2048)
    pipelines = measure_pipelines(key, names, images, repeats)
    report("tf.data")
    step = [] if quick else _step(key, names)
    report("training step")
    record = {
        "kind": "bench",
        "settings": settings,
        "results": {
            "throughput": throughput,
            "setup": setup,
            "pipelines": pipelines,
            "step": step,
        },
        "environment": environment(),
    }
    if path is not None:
        record = write_record(path, record, overwrite)
    return record


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
        A list of dicts, one for each runner and baseline: `cipher`, `direction`,
        `runner`, `bytes`, times and `ratios` as in `tfpe.bench.timing.interleave`.
    """
    images = noise(shape)
    transform, found = runners(key, name, images, direction, wanted)
    expected = oracle(transform, images)

    def is_right(result):
        return np.array_equal(as_images(result, expected.shape), expected)

    programs = {runner: (run, is_right) for runner, run in found.items()}
    programs |= baselines(images)
    if shape[1:] == FIELD_SHAPE:
        order = np.random.default_rng(1).permutation(FIELD_WORDS)
        field = oracle(le_transform(order, shape[1:]), images)
        programs[FIELD] = (
            lambda: field_le(images, order),
            lambda result: np.array_equal(result, field),
        )
    timed = interleave(programs, repeats, [AES, AES_ALL_CORES, FIELD])
    return [
        {
            "cipher": name,
            "direction": direction,
            "runner": runner,
            "bytes": images.nbytes,
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
    if isinstance(cores, bool) or not isinstance(cores, int) or cores < 1:
        raise TfpeError(
            f"`cores` should be a whole number from 1 up. Received: cores={cores!r}"
        )
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
        from training.pyramidnet import pyramidnet
    except ImportError:
        return []
    return measure_step(key, names, lambda: pyramidnet(depth=20, alpha=24), 128, 3)
