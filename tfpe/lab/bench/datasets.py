"""Encryption of a whole data set: images a second and memory, also as a Beam pipeline.

    python -m tfpe.lab.bench.datasets --data-dir DIR --record results/bench-dataset.json

Each run is a process of its own, and the clock runs from the call to the finished data
set, imports aside. `identity` beside the ciphers tells what reading, PNG and writing
cost. What Beam wrote is compared with what the local path wrote, byte for byte.
"""

import argparse
import dataclasses
import filecmp
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from tfpe.ciphers import find_cipher
from tfpe.errors import TfpeError
from tfpe.keys import Key
from tfpe.lab.bench.speed_report import dataset_tables
from tfpe.lab.markdown import to_markdown
from tfpe.lab.records import check_replaceable, environment, typed, write_record
from tfpe.lab.records.speed_records import DatasetRun

CIPHERS = ("identity", "le", "ele", "logistic")
BEAM_CIPHER, BEAM_WORKERS = "ele", (1, 2)
KEY_FILE, RESULT = "bench.key", "result"

LOCAL = """
import json, sys, time
source, data_dir, cipher, per_image = json.loads(sys.argv[1])
import tensorflow_datasets
from tfpe import Key
from tfpe.dataset import encrypt_dataset
key = Key.load("bench.key")
start = time.perf_counter()
done = encrypt_dataset(
    source, "result", key, cipher, data_dir=data_dir, per_image=per_image
)
print(json.dumps([time.perf_counter() - start, done.written]))
"""
BEAM = """
import json, sys, time
source, data_dir, cipher, workers = json.loads(sys.argv[1])
import tensorflow_datasets
import tfpe.dataset.beam
from apache_beam.options.pipeline_options import PipelineOptions
options = PipelineOptions(
    runner="FnApiRunner",
    direct_num_workers=workers,
    direct_running_mode="multi_processing",
)
start = time.perf_counter()
done = tfpe.dataset.beam.encrypt_dataset(
    source, "result", "bench.key", cipher, data_dir=data_dir, pipeline_options=options
)
print(json.dumps([time.perf_counter() - start, done.written]))
"""


def run_dataset_bench(
    path=None,
    *,
    source="cifar10",
    data_dir=None,
    ciphers=CIPHERS,
    repeats=2,
    beam=True,
    overwrite=False,
    progress=None,
):
    """Encrypts a data set once for each cipher and round, then with Beam.

    Args:
        path: of the record to write; None writes none.
        source, data_dir: as in `tfpe.dataset.encrypt_dataset`.
        ciphers: names in `tfpe.CIPHERS`; the others are compared with "identity".
        repeats: rounds.
        beam: whether to run Beam too, with 1 and 2 workers, once each.
        overwrite: replace a record of other settings.
        progress: called with a line after each run.

    Returns:
        The record, a dict: `runs`, a list of `engine`, `cipher`, `per_image`,
        `workers`, `seconds`, `images` and `peak_bytes`, the largest resident memory
        that one process of the run had.

    Raises:
        TfpeError: an unknown cipher, a run that failed, or Beam wrote other bytes.
        RecordError: `path` holds something else.
    """
    for cipher in ciphers:
        find_cipher(cipher)
    settings = {
        "source": str(source) if source in ("cifar10", "cifar100") else "other",
        "ciphers": list(ciphers),
        "repeats": repeats,
        "beam_workers": list(BEAM_WORKERS) if beam else [],
    }
    if path is not None:
        check_replaceable(path, "dataset", settings, overwrite)
    source = source if not os.path.exists(source) else os.path.abspath(source)
    data_dir = data_dir and os.path.abspath(data_dir)
    report, runs = progress or (lambda line: None), []
    with tempfile.TemporaryDirectory() as folder:
        Key.generate().save(pathlib.Path(folder, KEY_FILE))

        def measure(engine, code, cipher, per_image=False, workers=None):
            last = per_image if workers is None else workers
            found = _run(folder, code, [source, data_dir, cipher, last])
            run = DatasetRun(engine, cipher, per_image, workers, **found)
            runs.append(dataclasses.asdict(run))
            report(
                f"{engine}, {cipher}: {run.seconds:.1f} s, "
                f"{run.peak_bytes / 1e6:.0f} MB"
            )

        for _ in range(repeats):
            for cipher in ciphers:
                measure("local", LOCAL, cipher)
        measure("local", LOCAL, BEAM_CIPHER, per_image=True)
        if beam:
            measure("local", LOCAL, BEAM_CIPHER)
            os.rename(pathlib.Path(folder, RESULT), pathlib.Path(folder, "local"))
            for workers in BEAM_WORKERS:
                measure("beam", BEAM, BEAM_CIPHER, workers=workers)
                _require_same(pathlib.Path(folder, "local"), folder)
    record = {
        "kind": "dataset",
        "settings": settings,
        "results": {"runs": runs},
        "environment": environment(),
    }
    return record if path is None else write_record(path, record, overwrite)


def main(arguments=None):
    """Runs the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tfpe.lab.bench.datasets",
        description="Measures the encryption of a whole data set.",
    )
    parser.add_argument("--source", default="cifar10", help="default cifar10")
    parser.add_argument("--data-dir", metavar="DIR", help="where TFDS keeps it")
    parser.add_argument("--cipher", action="append", help="may be repeated")
    parser.add_argument("--repeats", type=int, default=2, help="default 2")
    parser.add_argument("--no-beam", action="store_true")
    parser.add_argument("--record", metavar="FILE", help="write a record there")
    parser.add_argument("--overwrite", action="store_true")
    options = parser.parse_args(arguments)
    try:
        record = run_dataset_bench(
            options.record,
            source=options.source,
            data_dir=options.data_dir,
            ciphers=options.cipher or CIPHERS,
            repeats=options.repeats,
            beam=not options.no_beam,
            overwrite=options.overwrite,
            progress=lambda line: print(line, file=sys.stderr, flush=True),
        )
    except TfpeError as error:
        print(f"tfpe: error: {error}", file=sys.stderr)
        return 1
    for table in dataset_tables([typed(record)]):
        print(to_markdown(table))
    return 0


def _run(folder, code, arguments):
    """Seconds, images and peak memory of a process that encrypts to `RESULT`."""
    shutil.rmtree(pathlib.Path(folder, RESULT), ignore_errors=True)
    log = pathlib.Path(folder, "log.txt")
    with open(log, "w+b") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", code, json.dumps(arguments)],
            cwd=folder,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": _path()},
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        output = process.stdout.read()
        process.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        said = log.read_text(errors="replace").strip().splitlines()
        raise TfpeError(f"A run of {arguments} failed: {said[-1] if said else ''}")
    seconds, images = json.loads(output.splitlines()[-1])
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    peak = usage.ru_maxrss * unit
    return {"seconds": seconds, "images": images, "peak_bytes": peak}


def _path():
    """Where this process found its modules, for one in another folder."""
    return os.pathsep.join(os.path.abspath(path) for path in sys.path)


def _require_same(local, folder):
    """Raises `TfpeError` unless Beam wrote the files of the local path."""
    [expected] = local.glob("*/*")
    written = pathlib.Path(folder, RESULT) / expected.relative_to(local)
    names, found = ({p.name for p in part.iterdir()} for part in (expected, written))
    equal, _, _ = filecmp.cmpfiles(expected, written, names, shallow=False)
    if found != names or set(equal) != names:
        raise TfpeError("Beam should write the files of the local path")


if __name__ == "__main__":
    sys.exit(main())
