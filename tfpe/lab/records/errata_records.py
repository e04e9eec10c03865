"""Records of what a paper prints, measured again."""

import dataclasses
from typing import ClassVar

from tfpe.lab.records.record import Record


@dataclasses.dataclass(frozen=True)
class ErrataSettings:
    """Which paper, and how much was drawn."""

    paper: str
    keys: int
    draws: int
    orbits: int
    mu_range: tuple[float, float]
    stated: dict[str, object] = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class ErrataResults:
    """Figures of the logistic map and of its cipher; `tfpe.lab.errata` words them."""

    lyapunov_low: float
    lyapunov_high: float
    sequence_claimed_bits: float
    sequence_effective_bits: float
    weak_share: float
    float32_states_median: float
    float32_states_most: int
    unchanged_share: float
    algorithm_1_flags_share: float
    algorithm_1_pbe_exact: int
    chosen_images: int
    two_chosen_images_exact: int


@dataclasses.dataclass(frozen=True)
class Errata(Record):
    """What a paper prints, measured again."""

    TELLING: ClassVar = ("paper", "keys", "draws", "orbits", "seed")
    settings: ErrataSettings
    results: ErrataResults
