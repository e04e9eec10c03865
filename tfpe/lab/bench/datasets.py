"""Encryption of a whole data set: images a second and memory, also as a Beam pipeline.

    python -m tfpe.lab.bench.datasets --data-dir DIR --npz FILE \\
        --record results/bench-dataset.json

Each run is a process of its own, and the clock runs from the call to the finished data
set, imports aside. In each round everything runs once, in turn: a plain loop that reads
with TFDS, encodes PNG in `tf.data` and writes examples, then each cipher. `identity`
beside the ciphers tells what reading, PNG and writing cost. What Beam wrote is compared
with what the local path wrote, byte for byte.
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

from tfpe.checks import whole_number
from tfpe.ciphers import find_cipher
from tfpe.errors import TfpeError
from tfpe.keys import Key
from tfpe.lab.bench.speed_report import LOOP, dataset_tables
from tfpe.lab.markdown import to_markdown
from tfpe.lab.records import check_replaceable, environment, typed, write_record
from tfpe.lab.records.speed_records import DatasetRun

CIPHERS = ("identity", "le", "ele", "logistic")
NPZ_CIPHERS = ("le", "ele")
OWN_KEY_CIPHERS = ("pbe", "etc", "le", "ele")
BEAM_CIPHER, BEAM_WORKERS = "ele", (1, 2)
KEY_FILE, RESULT = "bench.key", "result"

LOCAL = """
import json, sys, time
source, data_dir, cipher, per_image = json.loads(sys.argv[1])
import tensorflow  # which TFDS imports late: not in the time that is measured
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
# What anyone would write who has no cipher: the same splits, images and labels.
LOOP_CODE = """
import json, os, sys, time
source, data_dir, _, _ = json.loads(sys.argv[1])
import tensorflow as tf
import tensorflow_datasets as tfds
start, written = time.perf_counter(), 0
os.mkdir("result")
builder = tfds.builder(source, data_dir=data_dir)
for split in builder.info.splits:
    examples = builder.as_dataset(split).map(
        lambda example: (tf.io.encode_png(example["image"]), example["label"]),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    with tf.io.TFRecordWriter(f"result/{split}.tfrecord") as writer:
        for image, label in examples.prefetch(64).as_numpy_iterator():
            features = {
                "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image])),
                "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
            }
            features = tf.train.Features(feature=features)
            example = tf.train.Example(features=features)
            writer.write(example.SerializeToString())
            written += 1
print(json.dumps([time.perf_counter() - start, written]))
"""
BEAM = """
import json, sys, time
source, data_dir, cipher, workers = json.loads(sys.argv[1])
import tensorflow
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
    npz=None,
    ciphers=CIPHERS,
    own_keys=OWN_KEY_CIPHERS,
    repeats=5,
    beam=True,
    overwrite=False,
    progress=None,
):
    """Encrypts a data set once for each cipher and round, beside a plain loop.

    Args:
        path: of the record to write; None writes none.
        source, data_dir: as in `tfpe.dataset.encrypt_dataset`; the plain loop runs
            where `source` is the bare name of a TFDS set.
        npz: the same images as an .npz file, encrypted too; None leaves it out.
        ciphers: names in `tfpe.CIPHERS`; the others are compared with "identity".
        own_keys: names of ciphers that run with a key for each image too.
        repeats: rounds.
        beam: whether to run Beam too, with 1 and 2 workers, in each round.
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
    for cipher in (*ciphers, *own_keys):
        find_cipher(cipher)
    repeats = whole_number(repeats, "repeats", error=TfpeError)
    if npz is not None and not os.path.isfile(npz):
        raise TfpeError(f"`npz` should be a file. Received: {npz}, which is none")
    settings = {
        "source": str(source) if source in ("cifar10", "cifar100") else "other",
        "npz": npz is not None,
        "ciphers": list(ciphers),
        "own_keys": list(own_keys),
        "repeats": repeats,
        "beam_workers": list(BEAM_WORKERS) if beam else [],
    }
    if path is not None:
        check_replaceable(path, "dataset", settings, overwrite)
    is_file = os.path.exists(source)
    has_loop = not is_file and ":" not in str(source)
    source = os.path.abspath(source) if is_file else source
    npz = npz and os.path.abspath(npz)
    data_dir = data_dir and os.path.abspath(data_dir)
    report, runs = progress or (lambda line: None), []
    record = {"kind": "dataset", "settings": settings, "results": {"runs": runs}}
    written = record
    with tempfile.TemporaryDirectory() as folder:
        Key.generate().save(pathlib.Path(folder, KEY_FILE))
        local = pathlib.Path(folder, "local")
        if beam:
            _run(folder, LOCAL, [source, data_dir, BEAM_CIPHER, False])
            os.rename(pathlib.Path(folder, RESULT), local)

        def measure(engine, code, cipher, own_key=False, workers=None, data=source):
            how = own_key if workers is None else workers
            found = _run(folder, code, [data, data_dir, cipher, how])
            run = DatasetRun(engine, cipher, own_key, workers, **found)
            runs.append(dataclasses.asdict(run))
            report(
                f"{engine}, {cipher}: {run.seconds:.1f} s, "
                f"{run.peak_bytes / 1e6:.0f} MB"
            )

        for _ in range(repeats):
            if has_loop:
                measure(LOOP, LOOP_CODE, "none")
            for cipher in ciphers:
                measure("local", LOCAL, cipher)
            for cipher in NPZ_CIPHERS if npz else ():
                measure("local, from .npz", LOCAL, cipher, data=npz)
            for cipher in own_keys:
                measure("local", LOCAL, cipher, own_key=True)
            for workers in BEAM_WORKERS if beam else ():
                measure("beam", BEAM, BEAM_CIPHER, workers=workers)
                _require_same(local, folder)
            record["environment"] = environment()
            if path is not None:
                written = write_record(path, record, overwrite)
    return written


def main(arguments=None):
    """Runs the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tfpe.lab.bench.datasets",
        description="Measures the encryption of a whole data set.",
    )
    parser.add_argument("--source", default="cifar10", help="default cifar10")
    parser.add_argument("--data-dir", metavar="DIR", help="where TFDS keeps it")
    parser.add_argument("--npz", metavar="FILE", help="the same images as .npz")
    parser.add_argument("--cipher", action="append", help="may be repeated")
    parser.add_argument(
        "--own-keys",
        action="append",
        metavar="CIPHER",
        help=f"a key for each image; may be repeated (default: {OWN_KEY_CIPHERS})",
    )
    parser.add_argument("--repeats", type=int, default=5, help="default 5")
    parser.add_argument("--no-beam", action="store_true")
    parser.add_argument("--record", metavar="FILE", help="write a record there")
    parser.add_argument("--overwrite", action="store_true")
    options = parser.parse_args(arguments)
    try:
        record = run_dataset_bench(
            options.record,
            source=options.source,
            data_dir=options.data_dir,
            npz=options.npz,
            ciphers=options.cipher or CIPHERS,
            own_keys=options.own_keys or OWN_KEY_CIPHERS,
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
