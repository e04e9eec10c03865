"""The hybrid of compression and encryption: what it saves, how fast, in what memory.

    tfpe bench --hybrid --record results/bench-hybrid.json

Savings are of whole photographs of scikit-image, with and without the table of the
code. Speed is that of one core, every program in turn on the same photographs, beside
PNG and beside what should be used instead: zlib, and then AES-256-CTR.
"""

import dataclasses
import math
import tracemalloc
import zlib

import numpy as np

from tfpe.checks import whole_number
from tfpe.errors import TfpeError
from tfpe.hybrid import CodeTable, Container, Hybrid, split_sides
from tfpe.keys import Key
from tfpe.lab.bench.baselines import SECRET
from tfpe.lab.bench.rows import short
from tfpe.lab.bench.timing import interleave
from tfpe.lab.records import check_replaceable, environment, write_record
from tfpe.lab.records.hybrid_records import HybridMemory, HybridSaving, HybridSpeed
from tfpe.pixels.codec import decode_image
from tfpe.pixels.png import encode_png

PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket", "camera")
TIMED = ("astronaut", "coffee", "rocket")  # in colour, and large enough to be cut
TIMED_SIDES = (384, 512)
LARGE_SIDES = (3000, 4000)
ZLIB_LEVEL = 6
REFERENCE = "zlib + AES-256-CTR"
# Programs of savings that are hybrids, and of speed: their options.
HYBRIDS = {
    "single bytes": {"symbols": "bytes"},
    "pairs": {"symbols": "pairs"},
    "CRT": {},
    "CRT, pixels permuted": {"permute": "pixels"},
}
SPEEDS = {
    "hybrid": {},
    "hybrid, shake256": {"chaos": "shake256"},
    "hybrid, one orbit": {"orbits": 1},
}
PUBLIC = "CRT, public code"


def run_hybrid_bench(
    path=None,
    *,
    photographs=PHOTOGRAPHS,
    timed=TIMED,
    timed_sides=TIMED_SIDES,
    large_sides=LARGE_SIDES,
    repeats=None,
    overwrite=False,
    progress=None,
):
    """Measures savings, speed and memory of the hybrid.

    Args:
        path: of the record to write; None writes none.
        photographs: names in `skimage.data` whose savings are measured.
        timed: those whose upper left corner is timed.
        timed_sides: (height, width) of these corners.
        large_sides: (height, width) of the picture whose memory is measured.
        repeats: number of rounds; default 7.
        overwrite: replace a record of other settings.
        progress: called with (done, total, what) after each part.

    Returns:
        The record, a dict: `savings`, `speed` and `memory`, a list each.

    Raises:
        TfpeError: what a program restored is not the picture.
        RecordError: `path` holds something else.
    """
    repeats = (
        7 if repeats is None else whole_number(repeats, "repeats", error=TfpeError)
    )
    settings = {
        "photographs": list(photographs),
        "timed": list(timed),
        "timed_sides": list(timed_sides),
        "large_sides": list(large_sides),
        "repeats": repeats,
    }
    if path is not None:
        check_replaceable(path, "hybrid", settings, overwrite)
    report = progress or (lambda done, total, what: None)
    key = Key(bytes(32))  # public: what is measured depends on no key
    images = {name: _photograph(name) for name in photographs}
    savings = measure_savings(key, images)
    report(1, 3, "savings")
    corners = [_photograph(name)[: timed_sides[0], : timed_sides[1]] for name in timed]
    speed = measure_speed(key, [np.ascontiguousarray(c) for c in corners], repeats)
    report(2, 3, "speed")
    memory = measure_memory(key, _large(_photograph(timed[0]), large_sides))
    report(3, 3, "memory")
    found = {"savings": savings, "speed": speed, "memory": memory}
    record = {
        "kind": "hybrid",
        "settings": settings,
        "results": {n: [dataclasses.asdict(row) for row in found[n]] for n in found},
        "environment": environment(),
    }
    return record if path is None else write_record(path, record, overwrite)


def measure_savings(key, images):
    """Bytes that each coder makes of each picture.

    Args:
        key: a `tfpe.Key`.
        images: name -> `uint8 (H, W, C)`.

    Returns:
        A list of `HybridSaving`.
    """
    rows = []
    for name, image in images.items():
        others = [one for other, one in images.items() if other != name]
        options = HYBRIDS | {PUBLIC: {"table": CodeTable.public(others)}}
        sizes = {
            "PNG": (len(encode_png(image)), None),
            "zlib": (len(zlib.compress(image.tobytes(), ZLIB_LEVEL)), None),
        }
        for coder, chosen in options.items():
            data = Hybrid(key, **chosen)(image)
            _, _, table = split_sides(Container.from_bytes(data))
            sizes[coder] = len(data), len(table)
        rows += [
            HybridSaving(name, list(image.shape), image.nbytes, coder, *size)
            for coder, size in sizes.items()
        ]
    return rows


def measure_speed(key, images, repeats):
    """Seconds to pack and to unpack pictures, of all programs in turn.

    Args:
        key: a `tfpe.Key`.
        images: a list of `uint8 (H, W, C)`.
        repeats: number of rounds.

    Returns:
        A list of `HybridSpeed`.
    """
    rows = []
    size = sum(image.nbytes for image in images)
    pairs = _programs(key)
    packed = {n: [pack(image) for image in images] for n, (pack, _) in pairs.items()}
    for direction in ("pack", "unpack"):
        programs = {}
        for name, (pack, unpack) in pairs.items():
            function, given = (pack, images), (unpack, packed[name])
            function, given = function if direction == "pack" else given
            expected = packed[name] if direction == "pack" else images
            programs[name] = (
                lambda function=function, given=given: list(map(function, given)),
                lambda found, expected=expected: all(
                    map(np.array_equal, found, expected)
                ),
            )
        for name, values in interleave(programs, repeats, [REFERENCE]).items():
            seconds = {n: values[n] for n in ("median", "low", "high")}
            rate = {"low": seconds["high"], "high": seconds["low"]} | {
                "median": seconds["median"]
            }
            rows.append(
                HybridSpeed(
                    *(name, direction),
                    {n: short(size / 1e6 / rate[n]) for n in seconds},
                    {
                        n: short(v)
                        for n, v in values["ratios"].get(REFERENCE, {}).items()
                    }
                    or None,
                )
            )
    return rows


def measure_memory(key, image):
    """Peaks of what NumPy and Python hold, the picture included.

    Returns:
        A list of `HybridMemory`, to pack and to unpack.
    """
    hybrid, rows = Hybrid(key), []
    given = image
    for direction, function in (("pack", hybrid), ("unpack", hybrid.inverse)):
        tracemalloc.start()
        result = function(given)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        given_bytes = len(given) if direction == "unpack" else given.nbytes
        rows.append(HybridMemory(direction, list(image.shape), peak + given_bytes))
        given = result
    if not np.array_equal(given, image):
        raise TfpeError("A large picture should come back as it was")
    return rows


def _programs(key):
    """Name -> functions from a picture to bytes, and back."""
    shapes = {}

    def deflated(image):
        data = zlib.compress(image.tobytes(), ZLIB_LEVEL)
        shapes[len(data)] = image.shape
        return _aes(data)

    def inflated(data):
        plain = np.frombuffer(zlib.decompress(_aes(data)), np.uint8)
        return plain.reshape(shapes[len(data)])

    found = {}
    for name, options in SPEEDS.items():
        hybrid = Hybrid(key, **options)
        found[name] = hybrid, hybrid.inverse
    return found | {"PNG": (encode_png, decode_image), REFERENCE: (deflated, inflated)}


def _aes(data):
    """AES-256-CTR by OpenSSL; the same backwards."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    return Cipher(algorithms.AES(SECRET), modes.CTR(bytes(16))).encryptor().update(data)


def _photograph(name):
    from skimage import data

    image = getattr(data, name)()
    return image if image.ndim == 3 else image[..., None]


def _large(image, sides):
    """A picture of these sides, of copies of another."""
    copies = [
        math.ceil(side / own) for side, own in zip(sides, image.shape, strict=False)
    ]
    return np.tile(image, (*copies, 1))[: sides[0], : sides[1]].copy()
