"""Records of attacks that learned, scored on what they did not learn from."""

import dataclasses
from typing import ClassVar

from tfpe.lab.records.cipher_settings import CipherSettings
from tfpe.lab.records.reading import Count, NotNegative, Positive
from tfpe.lab.records.record import Record

OURS = "inverse_network"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Network:
    """What is not as usual of a network; `published` names that of a paper."""

    published: str | None = None
    stated: dict[str, object] = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, kw_only=True)
class LearnedAttackSettings(CipherSettings):
    """A training: see `tfpe.attacks.learned.learning.learn`.

    Attributes:
        image_shape: (height, width, channels) of the pictures.
        network: a `Network`.
        pictures: that it learned from, in words: a data set and its split.
        count: of them.
        steps: of the training, of `batch_size` pairs or pictures each.
        ciphertexts: whether it learned from ciphertexts of others, under one key.
    """

    image_shape: list[int]
    network: Network
    pictures: str
    count: Count
    steps: Count
    batch_size: Count
    ciphertexts: bool = False

    @property
    def source(self):
        """The pictures without their split, such as "cifar10"."""
        return self.pictures.partition(",")[0]

    @property
    def attack(self):
        """The name of a published network, or of ours."""
        return self.network.published or OURS


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scores:
    """How near pictures are to the plain ones; None: not scored."""

    ssim: float | None = None
    psnr: float | None = None
    lpips: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class LearnedAttackResults(Scores):
    """Scores on `count` pictures and keys that it did not learn from.

    Attributes:
        count: of the pictures; 0 where nobody can score.
        constant: the same scores of the best constant picture.
        seconds: that the training took on the machine of the record.
    """

    count: NotNegative
    constant: Scores
    seconds: Positive | None = None

    @property
    def minutes(self):
        """Of the training; None where it was not timed."""
        return None if self.seconds is None else self.seconds / 60


@dataclasses.dataclass(frozen=True)
class LearnedAttack(Record):
    """One trained attack, scored on what was held out of its training."""

    TELLING: ClassVar = ("cipher", "image_shape", "pictures", "steps", "seed")
    settings: LearnedAttackSettings
    results: LearnedAttackResults
