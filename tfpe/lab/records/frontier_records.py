"""Records of the frontier: what a setting keeps of accuracy, and what it leaks."""

import dataclasses
from typing import ClassVar

from tfpe.lab.records.cipher_settings import CipherSettings
from tfpe.lab.records.reading import Count, Share
from tfpe.lab.records.record import Record

DISTANCES = {"lpips"}  # scores that are least where all is right


@dataclasses.dataclass(frozen=True, kw_only=True)
class FrontierSettings(CipherSettings):
    """A setting: a cipher with its options, its keys, and the network that is trained.

    Attributes:
        dataset: of the pictures.
        name: of the setting, as `python -m training frontier --settings` takes it.
        per_image: whether each image has a key of its own.
        command: what measures it again.
    """

    dataset: str
    name: str
    per_image: bool = False
    command: str | None = None

    @property
    def row_name(self):
        """The name of its row."""
        keys = ["a key for each image"] if self.per_image else []
        return ", ".join([self.cipher, *self.unusual(), *keys])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reconstruction:
    """How near pictures are to the plain ones; None where a score is not defined.

    Attributes:
        attack: a name of `tfpe.attacks.ATTACKS`, "ciphertext" for what anyone sees, or
            a baseline.
        evidence: what it had, in words.
        identification_rate: the share that finds its picture among `gallery` ones.
        classifier_accuracy: of a network trained on plain pictures.
        lpips: 0 for equal pictures; None also where its weights were not installed.
    """

    attack: str
    evidence: str | None = None
    ssim: float | None = None
    psnr: float | None = None
    ms_ssim: float | None = None
    lpips: float | None = None
    identification_rate: Share | None = None
    classifier_accuracy: Share | None = None
    seconds: float | None = None
    message: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class FrontierResults:
    """What a setting costs and leaks.

    Attributes:
        accuracy: of the network that fits, on test images; `accuracy_interval` of 95 %.
        plain_accuracy: the best of any network here on plain images.
        chance: of a guess.
        network: in words.
        recognised: the share of ciphertexts that are told to be of their picture among
            `gallery` known ones, by what no key changes, with no reconstruction.
        attacks: a `Reconstruction` each.
        baselines: the best constant picture, and the mean picture of the class.
        scored, gallery: pictures that were attacked, and among which they are looked
            for.
    """

    accuracy: Share
    accuracy_interval: tuple[Share, Share]
    plain_accuracy: Share | None = None
    chance: Share
    network: str
    recognised: Share | None = None
    attacks: list[Reconstruction]
    baselines: list[Reconstruction]
    scored: Count
    gallery: Count
    parameters: int | None = None
    train_images: int | None = None
    epochs: int | None = None

    @property
    def kept(self):
        """The share of plain accuracy that is kept, of what is above chance."""
        if self.plain_accuracy is None or self.plain_accuracy <= self.chance:
            return None
        return (self.accuracy - self.chance) / (self.plain_accuracy - self.chance)

    def strongest(self, score):
        """The reconstruction with the best score of a name; None of none."""
        found = [one for one in self.attacks if getattr(one, score) is not None]
        best = min if score in DISTANCES else max
        return best(found, key=lambda one: getattr(one, score), default=None)


@dataclasses.dataclass(frozen=True)
class Frontier(Record):
    """One setting: accuracy, and leakage under each attack that there is."""

    TELLING: ClassVar = ("dataset", "name", "seed")
    settings: FrontierSettings
    results: FrontierResults
