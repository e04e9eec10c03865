"""What every record holds, of whatever kind."""

import dataclasses
from typing import ClassVar


@dataclasses.dataclass(frozen=True, kw_only=True)
class Environment:
    """What a measurement depends on besides its settings: see `machine.environment`."""

    date: str
    cpu: str
    cores: int
    tfpe: str
    python: str | None = None
    numpy: str | None = None
    system: str | None = None
    memory_gib: float | None = None
    keras: str | None = None
    backend: str | None = None
    tensorflow: str | None = None
    jax: str | None = None
    torch: str | None = None
    sklearn: str | None = None
    gpu: list[str] | None = None


@dataclasses.dataclass(frozen=True)
class Record:
    """A record of a kind; its own dataclass says what settings and results hold.

    Attributes:
        kind: a name of `KINDS`, or of something that no table shows.
        settings: what was asked for; `settings.stated` is all of it, to compare.
        results: what came out; accuracies are fractions, times are in seconds.
        environment: an `Environment`.
    """

    # Names of settings that tell most of it; () is all of them.
    TELLING: ClassVar = ()

    kind: str
    settings: object
    results: object
    environment: Environment


@dataclasses.dataclass(frozen=True)
class Stated:
    """An object that is taken as it is in the file."""

    stated: dict[str, object]


@dataclasses.dataclass(frozen=True)
class Other(Record):
    """A record of a kind that no table shows."""

    settings: Stated
    results: Stated


def newest(records):
    """The record that was measured last; None of none."""
    return max(records, key=lambda record: record.environment.date, default=None)
