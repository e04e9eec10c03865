"""Records of speed: of the ciphers, and of the encryption of whole data sets."""

import dataclasses
from typing import Annotated, ClassVar

from tfpe.lab.records.reading import SOME, Bound, Positive
from tfpe.lab.records.record import Record


@dataclasses.dataclass(frozen=True)
class BenchSettings:
    """Which ciphers, on how many cores; `quick` is a sketch that no table shows."""

    ciphers: list[str]
    stated: dict[str, object] = dataclasses.field(repr=False)
    cores: int | None = None
    quick: bool = False


@dataclasses.dataclass(frozen=True)
class Quartiles:
    """The median of several rounds, and the quartiles beside it."""

    median: float
    low: float
    high: float


@dataclasses.dataclass(frozen=True)
class Setup:
    """Making a transform for square images: seconds, and peaks of memory."""

    cipher: str
    size: int
    median: float
    setup_bytes: float
    apply_bytes: float


@dataclasses.dataclass(frozen=True)
class Pipeline:
    """A `tf.data` pipeline, and its share of the throughput without a cipher."""

    cipher: str
    source: str
    images_per_second: float
    kept: Quartiles


@dataclasses.dataclass(frozen=True)
class Step:
    """The layer in a training step."""

    cipher: str
    layer_seconds: float
    share: float


# Bytes of a file for each byte of the pixels, and MB/s that one core writes and reads.
Coding = Annotated[list[float], Bound("a list of 3", lambda n: len(n) == 3)]


@dataclasses.dataclass(frozen=True)
class Photograph:
    """CPU seconds of a cipher of 12 megapixels: its making, its inverse, its images.

    `files` are those of ciphertexts of smaller photographs, by the way of coding.
    """

    cipher: str
    setup: float
    inverse: float
    first: float
    image: float
    held_bytes: float
    files: dict[str, Coding] | None = None


@dataclasses.dataclass(frozen=True)
class OwnKeys:
    """Images a CPU second, where each has a key of its own."""

    cipher: str
    images_per_second: float


@dataclasses.dataclass(frozen=True)
class FolderRun:
    """Encryption of a folder, and its share of the throughput of a plain loop."""

    folder: str
    cipher: str
    seconds: float
    kept: float


@dataclasses.dataclass(frozen=True)
class Peak:
    """Memory of a process that encrypts one large photograph."""

    cipher: str
    megapixels: float
    peak_bytes: float


# Rounds, a median and quartiles, and those beside AES and beside the field.
Numbers = Annotated[list[float | None], Bound("a list of 10", lambda n: len(n) == 10)]
Packed = dict[str, dict[str, dict[str, dict[str, Numbers]]]]


@dataclasses.dataclass(frozen=True)
class BenchResults:
    """Parts, each measured or not; `tfpe.lab.bench.rows` unpacks throughput.

    `dates` says when each part was measured; one without is as old as the record.
    """

    throughput: Packed | None = None
    one_core: Packed | None = None
    setup: list[Setup] | None = None
    pipelines: list[Pipeline] | None = None
    step: list[Step] | None = None
    photographs: list[Photograph] | None = None
    own_keys: list[OwnKeys] | None = None
    folders: list[FolderRun] | None = None
    peaks: list[Peak] | None = None
    dates: dict[str, str] | None = None


@dataclasses.dataclass(frozen=True)
class Bench(Record):
    """How fast the ciphers are."""

    TELLING: ClassVar = ("cores", "repeats", "sizes", "quick")
    settings: BenchSettings
    results: BenchResults


@dataclasses.dataclass(frozen=True)
class TreesSettings:
    """Which commits were measured, in how many rounds; `scale` 1 is no sketch."""

    before: str
    now: str
    repeats: int
    stated: dict[str, object] = dataclasses.field(repr=False)
    scale: float = 1.0


@dataclasses.dataclass(frozen=True)
class TreesRow:
    """One measurement of two checkouts: medians, and how many times less it is now."""

    what: str
    unit: str
    before: float
    now: float
    factor: Positive
    lowest: Positive
    highest: Positive


@dataclasses.dataclass(frozen=True)
class TreesResults:
    """All measurements, in their order."""

    rows: Annotated[list[TreesRow], SOME]


@dataclasses.dataclass(frozen=True)
class TreesBench(Record):
    """What users wait for, in an earlier checkout and in a later one."""

    settings: TreesSettings
    results: TreesResults


@dataclasses.dataclass(frozen=True)
class DatasetSettings:
    """Which data set."""

    source: str
    stated: dict[str, object] = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class DatasetRun:
    """One encryption of it, locally or with so many workers of Beam."""

    engine: str
    cipher: str
    per_image: bool
    workers: int | None
    seconds: Positive
    images: int
    peak_bytes: float

    @property
    def way(self):
        """What runs that are repeated have in common."""
        return self.engine, self.cipher, self.per_image, self.workers


@dataclasses.dataclass(frozen=True)
class DatasetResults:
    """All runs, in their order."""

    runs: Annotated[list[DatasetRun], SOME]


@dataclasses.dataclass(frozen=True)
class DatasetBench(Record):
    """How fast whole data sets are encrypted."""

    settings: DatasetSettings
    results: DatasetResults


@dataclasses.dataclass(frozen=True)
class ThroughputSettings:
    """Which ciphers were in the layer, on which backend, on how many images a call.

    In each of `repeats` rounds a program is called `calls` times.
    """

    backend: str
    ciphers: list[str]
    images: int
    image_shape: list[int]
    repeats: int
    calls: int
    stated: dict[str, object] = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class ThroughputRow:
    """A cipher on the device: medians and quartiles; `to_copy` beside a copy."""

    cipher: str
    images_per_second: float
    images_per_second_range: tuple[float, float]
    to_copy: float
    to_copy_range: tuple[float, float]


@dataclasses.dataclass(frozen=True)
class ThroughputResults:
    """A row for each cipher."""

    rows: list[ThroughputRow]


@dataclasses.dataclass(frozen=True)
class CipherThroughput(Record):
    """How fast the layer encrypts on the device of a machine."""

    TELLING: ClassVar = ("backend", "ciphers", "images", "image_shape", "repeats")
    settings: ThroughputSettings
    results: ThroughputResults
