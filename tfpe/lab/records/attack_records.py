"""Records of attacks: all of them on a cipher, and one against its evidence."""

import dataclasses
from typing import Annotated, ClassVar, Literal

from tfpe.lab.records.cipher_settings import CipherSettings
from tfpe.lab.records.reading import SOME, Count
from tfpe.lab.records.record import Record

OUTCOMES = ("recovered", "partial", "failed")
UNITS = {
    "queries": "chosen image",
    "models": "matched model",
    "pairs": "known pair",
    "ciphertexts": "ciphertext",
    "keys": "key",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluationSettings(CipherSettings):
    """What was attacked: images such as "cifar10", how many, and under which key."""

    images: str
    image_shape: list[int] | None = None
    count: int | None = None
    scored: int | None = None
    apart: bool | None = None
    note: str | None = None


@dataclasses.dataclass(frozen=True)
class Amount:
    """How much evidence an attack had, and how much of it only verified."""

    kind: str | None = None
    count: int | None = None
    verifying: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one attack got; a figure that is not defined is None.

    Attributes:
        attack: a name of `tfpe.attacks.ATTACKS`.
        threat_model: as in that table.
        outcome: "recovered", "partial" or "failed".
        evidence: an `Amount`.
        images: what was attacked; the record says it, not the row.
        keys: how many keys were tried with this amount; all fell if it "recovered".
        stated: the row as it is in the file.
    """

    attack: str
    threat_model: str
    outcome: Literal[OUTCOMES]
    evidence: Amount | None = None
    options: dict[str, object] | None = None
    cipher_options: dict[str, object] | None = None
    index_accuracy: float | None = None
    undetermined: int | None = None
    exact_pixels: float | None = None
    psnr: float | None = None
    ssim: float | None = None
    gray_correlation: float | None = None
    edge_correlation: float | None = None
    seconds: float | None = None
    message: str | None = None
    up_to: str | None = None
    images: str = ""
    keys: int = 1
    stated: dict[str, object] = dataclasses.field(repr=False)

    @property
    def count(self):
        """How much evidence, without what only verifies; None where not told."""
        return self.evidence.count if self.evidence else None

    @property
    def amount(self):
        """Its evidence in words, such as "2 chosen images"."""
        if self.count is None or self.evidence.kind is None:
            return "evidence of an amount that is not told"
        unit = UNITS.get(self.evidence.kind, self.evidence.kind)
        return f"{self.count:,} {unit}{'' if self.count == 1 else 's'}"


@dataclasses.dataclass(frozen=True)
class KeySpace:
    """Bits; None where nobody claims or counts them."""

    claimed_bits: float | None = None
    effective_bits: float | None = None


@dataclasses.dataclass(frozen=True)
class Metric:
    """Of two images one `value`; of one image one for `plain` and `cipher` each."""

    value: float | None = None
    plain: float | None = None
    cipher: float | None = None
    ideal: float | None = None
    limits: list[float | None] | None = None


@dataclasses.dataclass(frozen=True)
class Change:
    """How far ciphertexts differ after a change of one bit of the key, or one pixel."""

    npcr: Metric | None = None
    uaci: Metric | None = None


@dataclasses.dataclass(frozen=True)
class Jpeg:
    """Mean sizes of JPEG files, and what is left of an image that was one."""

    quality: int
    plain_bytes: float
    cipher_bytes: float
    decrypted_psnr: float | None = None


@dataclasses.dataclass(frozen=True)
class StatisticalTest:
    """A test of SP 800-22; None where the stream is too short for it."""

    passed: bool | None = None


@dataclasses.dataclass(frozen=True)
class Keystream:
    """Tests of a keystream, by name."""

    statistical_tests: dict[str, StatisticalTest] | None = None


@dataclasses.dataclass(frozen=True)
class Metrics:
    """The metrics of `tfpe.lab.evaluation.cipher_metrics`, where measured."""

    npcr: Metric | None = None
    uaci: Metric | None = None
    psnr: Metric | None = None
    ssim: Metric | None = None
    gray_correlation: Metric | None = None
    edge_correlation: Metric | None = None
    entropy: Metric | None = None
    local_entropy: Metric | None = None
    histogram_chi_square: Metric | None = None
    horizontal_correlation: Metric | None = None
    vertical_correlation: Metric | None = None
    diagonal_correlation: Metric | None = None
    key_change: Change | None = None
    pixel_change: Change | None = None
    keystream: dict[str, Keystream] | None = None
    jpeg: Jpeg | None = None


@dataclasses.dataclass(frozen=True)
class Shown:
    """A picture of the gallery: its name, what it shows, its PNG in base64."""

    name: str
    alt: str
    png: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class EvaluationResults:
    """All metrics and attacks; `variants` are on the cipher with other options."""

    key_space: KeySpace | None = None
    metrics: Metrics | None = None
    attacks: list[Outcome] | None = None
    variants: list[Outcome] | None = None
    left_out: list[str] | None = None
    gallery: list[Shown] | None = None


@dataclasses.dataclass(frozen=True)
class Evaluation(Record):
    """All metrics of a cipher, and all attacks on it, under one key."""

    TELLING: ClassVar = ("images", "image_shape", "count", "cipher", "seed")
    settings: EvaluationSettings
    results: EvaluationResults


@dataclasses.dataclass(frozen=True, kw_only=True)
class CurveSettings(CipherSettings):
    """An attack, and what it was measured on; `steps` of one that learns."""

    attack: str
    images: str
    image_shape: list[int] | None = None
    evidence_kind: str | None = None
    unseen: Count | None = None
    steps: Count | None = None


@dataclasses.dataclass(frozen=True)
class Point:
    """One amount of evidence under one key; `error` is None where the attack raised.

    `stated` also holds the errors up to what the attack leaves open.
    """

    evidence: Count
    key: object
    stated: dict[str, object] = dataclasses.field(repr=False)
    error: float | None = None
    ssim: float | None = None
    index_accuracy: float | None = None
    seconds: float | None = None


@dataclasses.dataclass(frozen=True)
class CurveResults:
    """Points, by evidence and key."""

    points: Annotated[list[Point], SOME]


@dataclasses.dataclass(frozen=True)
class AttackCurve(Record):
    """The error of one attack against the amount of its evidence."""

    TELLING: ClassVar = ("attack", "images", "cipher")
    settings: CurveSettings
    results: CurveResults
