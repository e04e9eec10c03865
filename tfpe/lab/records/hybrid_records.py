"""Records of the hybrid of compression and encryption."""

import dataclasses
from typing import Annotated, ClassVar

from tfpe.lab.records.reading import SOME, Count
from tfpe.lab.records.record import Record
from tfpe.lab.records.speed_records import Quartiles


@dataclasses.dataclass(frozen=True)
class HybridSettings:
    """Which photographs, those timed, and the sides of what is timed and weighed."""

    photographs: list[str]
    timed: list[str]
    timed_sides: list[int]
    stated: dict[str, object] = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class HybridSaving:
    """The bytes of a photograph, raw and as a coder writes it, its table included."""

    photograph: str
    image_shape: list[int]
    raw_bytes: Count
    coder: str
    coded_bytes: Count
    table_bytes: int | None = None

    @property
    def saved(self):
        """The share that it saves."""
        return 1 - self.coded_bytes / self.raw_bytes

    @property
    def saved_without_table(self):
        """The same without its table; None where it has none."""
        if not self.table_bytes:
            return None
        return self.saved + self.table_bytes / self.raw_bytes


@dataclasses.dataclass(frozen=True)
class HybridSpeed:
    """Raw megabytes a second, and how many times as fast as the reference."""

    program: str
    direction: str
    megabytes_per_second: Quartiles
    to_reference: Quartiles | None


@dataclasses.dataclass(frozen=True)
class HybridMemory:
    """The most bytes held while a large picture is packed or unpacked."""

    direction: str
    image_shape: list[int]
    peak_bytes: Count


@dataclasses.dataclass(frozen=True)
class HybridResults:
    """Savings of each photograph and coder; speed of each program; memory."""

    savings: Annotated[list[HybridSaving], SOME]
    speed: list[HybridSpeed]
    memory: list[HybridMemory]


@dataclasses.dataclass(frozen=True)
class HybridBench(Record):
    """What the hybrid saves and costs."""

    TELLING: ClassVar = ("photographs", "timed", "timed_sides", "repeats")
    settings: HybridSettings
    results: HybridResults
