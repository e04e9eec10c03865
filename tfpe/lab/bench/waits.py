"""What users wait for: photographs, keys for each image, folders of files, memory."""

import concurrent.futures
import hashlib
import io
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

from tfpe.ciphers import CIPHERS
from tfpe.ciphers.cache import TransformCache
from tfpe.errors import TfpeError
from tfpe.files import encrypt_folder
from tfpe.keys import Key
from tfpe.lab.bench.codings import measure_codings
from tfpe.lab.bench.oracle_samples import require_file, require_oracle
from tfpe.lab.bench.rows import short

PHOTOGRAPH = (3000, 4000, 3)
BATCH = 256
CHECKED = 32  # of a batch with a key for each image, each so manieth is checked
# Folders: number of files, height and width, number of sizes, format.
FOLDERS = {
    "5000 PNG of 32x32": (5000, 32, 32, 1, "PNG"),
    "20 JPEG of 4000x3000": (20, 3000, 4000, 1, "JPEG"),
    "200 JPEG of 1200x900, 40 sizes": (200, 900, 1200, 40, "JPEG"),
}
LOOP_THREADS = 4
MANY_FILES = 1000


def measure_photographs(key, names, shape=PHOTOGRAPH):
    """CPU seconds of what a photograph of 12 megapixels takes, in NumPy.

    Args:
        key: a `tfpe.Key`.
        names: of ciphers.
        shape: of the photograph.

    Returns:
        A list of dicts: `cipher`, and CPU seconds of `setup`, of the `inverse` from it,
        of the `first` image and of an `image` after it; `held_bytes` between images;
        and `files`, as `tfpe.lab.bench.codings` measures them on real photographs.
    """
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    rows = []
    for name in names:
        setup, transform = _timed(lambda name=name: CIPHERS[name](key, shape).prepare())
        first, cipher = _timed(lambda: transform(image))  # noqa: B023
        again, _ = _timed(lambda: transform(image))  # noqa: B023
        held = transform.held_bytes
        inverse, back = _timed(lambda: transform.inverse.prepare())  # noqa: B023
        require_oracle(name, transform, image, cipher)
        if not np.array_equal(back(cipher), image):
            raise TfpeError(f"{name} should give the photograph back")
        seconds = {"setup": setup, "first": first, "image": again, "inverse": inverse}
        row = {"cipher": name, "held_bytes": held} | _short(seconds)
        rows.append(row | {"files": measure_codings(key, name)})
    return rows


def measure_own_keys(key, names, repeats, count=BATCH):
    """Images a CPU second where each has a key of its own, in batches of 32x32.

    Returns:
        A list of dicts: `cipher` and `images_per_second`, the median.
    """
    images = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), np.uint8)
    rows = []
    for name in names:
        cache = TransformCache(CIPHERS[name], key, {}, key)
        seconds = []
        for round_ in range(repeats):
            first = round_ * count
            numbers = range(first, first + count)
            taken, ciphers = _timed(lambda n=numbers: cache.encrypt(images, n))  # noqa: B023
            seconds.append(taken)
            for place in range(0, count, CHECKED):
                own = CIPHERS[name](key.for_image(first + place), images.shape[1:])
                if not np.array_equal(ciphers[place], own.definition(images[place])):
                    raise TfpeError(f"{name} should give the ciphertext of the oracle")
        speed = short(count / statistics.median(seconds))
        rows.append({"cipher": name, "images_per_second": speed})
    return rows


def measure_folders(key, names, repeats, folders=None, scale=1.0, keep=None):
    """Encryption of folders beside a plain loop that decodes and encodes as PNG.

    Args:
        key: a `tfpe.Key`.
        names: of ciphers.
        repeats: number of rounds; in each, everything runs once, in turn.
        folders: names in `FOLDERS`; default all.
        scale: of the numbers of files, for a sketch.
        keep: called with the rows so far, after each folder.

    Thousands of small files stay until the end: half a million with all ciphers and 7
    rounds, 2 GB.

    Returns:
        A list of dicts: `folder`, `cipher`, `seconds` and `kept`, the share of the
        throughput of the loop of the same round: medians.
    """
    rows = []
    for folder in folders or FOLDERS:
        with tempfile.TemporaryDirectory() as place:
            place = pathlib.Path(place)
            make_folder(place / "plain", *FOLDERS[folder], scale)
            loops, runs, digests = [], {name: [] for name in names}, {}
            for round_ in range(repeats):
                start = time.perf_counter()
                _loop(place / "plain", place / f"loop{round_}")
                loops.append(time.perf_counter() - start)
                _clear(place / f"loop{round_}")
                for name in names:
                    out = place / f"{name}{round_}"
                    start = time.perf_counter()
                    encrypt_folder(place / "plain", out, key, cipher=name)
                    runs[name].append(time.perf_counter() - start)
                    _check(key, name, place / "plain", out, digests)
                    _clear(out)
            for name, seconds in runs.items():
                kept = [a / b for a, b in zip(loops, seconds, strict=True)]
                medians = {
                    "seconds": statistics.median(seconds),
                    "kept": statistics.median(kept),
                }
                rows.append({"folder": folder, "cipher": name} | _short(medians))
        if keep:
            keep(rows)
    return rows


def measure_peaks(names, height=7000, width=9000):
    """Peak memory of a process that encrypts one photograph of 63 megapixels.

    Returns:
        A list of dicts: `cipher`, `megapixels` and `peak_bytes`.
    """
    rows = []
    for name in names:
        with tempfile.TemporaryDirectory() as place:
            place = pathlib.Path(place)
            make_folder(place / "plain", 1, height, width, 1, "JPEG", 1)
            code = PEAK_CODE + _PEAK
            command = [sys.executable, "-c", code, str(place), name]
            run = subprocess.run(command, capture_output=True, text=True)
            if run.returncode:
                raise TfpeError(f"{name} failed: {run.stderr[-500:]}")
            images = place / "plain/00000.jpeg", place / "out/00000.png"
            require_file(name, Key(bytes(range(32))), *images)
            row = {"cipher": name, "megapixels": height * width / 1e6}
            rows.append(row | {"peak_bytes": int(run.stdout)})
    return rows


def _clear(folder):
    """Makes room; thousands of files stay until all is measured.

    File systems keep the places of files that were removed free for a while: ext4 then
    takes a millisecond to find one for each new file.
    """
    if sum(1 for _ in folder.iterdir()) < MANY_FILES:
        shutil.rmtree(folder)
    if hasattr(os, "sync"):  # what waits for the disk is no work of the next run
        os.sync()


def _check(key, name, plain, out, digests):
    """First and last image are the oracle's; all files the same in all rounds."""
    targets = sorted(out.glob("*.png"))
    digest = hashlib.sha256(b"".join(target.read_bytes() for target in targets))
    digest = digest.digest()
    if name not in digests:
        for target in (targets[0], targets[-1]):
            [source] = plain.glob(f"{target.stem}.*")
            require_file(name, key, source, target)
    if digests.setdefault(name, digest) != digest:
        raise TfpeError(f"{name} should give the same files each time")


# Linux hands the peak of getrusage on from the process that started this one. A program
# and not a function: checkouts without this file run it too.
PEAK_CODE = """
import pathlib, re, resource

def peak_bytes():
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text())[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
"""
_PEAK = """
import sys, tfpe
place, name = sys.argv[1:]
key = tfpe.Key(bytes(range(32)))
summary = tfpe.files.encrypt_folder(f"{place}/plain", f"{place}/out", key, cipher=name)
assert summary.written == 1
print(peak_bytes())
"""


def make_folder(folder, count, height, width, sizes, kind, scale):
    """Files of smooth seeded pictures, which compress as photographs do."""
    from PIL import Image, ImageChops

    folder.mkdir()
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (height // 16 + 1, width // 16 + 1, 3), np.uint8)
    picture = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
    for number in range(max(1, round(count * scale))):
        place = 4 * (number % sizes)
        one = ImageChops.offset(picture, 5 * number)  # no two alike
        one = one.crop((0, 0, width - place, height - place))
        one.save(folder / f"{number:05d}.{kind.lower()}", kind)


def _loop(folder, out):
    from PIL import Image

    out.mkdir()

    def one(file):
        pixels, data = np.asarray(Image.open(file)), io.BytesIO()
        Image.fromarray(pixels).save(data, "PNG", compress_level=1)
        (out / f"{file.stem}.png").write_bytes(data.getvalue())

    with concurrent.futures.ThreadPoolExecutor(LOOP_THREADS) as pool:
        list(pool.map(one, sorted(folder.iterdir())))


def _timed(run):
    start = time.process_time()
    result = run()
    return time.process_time() - start, result


def _short(values):
    return {name: short(value) for name, value in values.items()}
