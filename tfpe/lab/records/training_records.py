"""Records of training: accuracies of one cipher and seed, of SVMs, and of its speed."""

import dataclasses
from typing import ClassVar

from tfpe.errors import TfpeError
from tfpe.lab.records.cipher_settings import CipherSettings
from tfpe.lab.records.reading import Count, Share
from tfpe.lab.records.record import Record


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """What is said of a network; older records have PyramidNets only."""

    network_words: str | None = None
    depth: int | None = None
    alpha: float | None = None

    @property
    def network(self):
        """The network in words."""
        if self.network_words is not None or self.alpha is None:
            return self.network_words or "a network that is not stated"
        return f"PyramidNet ({self.depth}, {self.alpha:g})"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingSettings(NetworkSettings, CipherSettings):
    """What was trained, and on what; `stated` holds every knob of the recipe.

    Example:

    >>> from tfpe.lab.records.reading import read
    >>> settings = {"dataset": "cifar10", "recipe": "small", "cipher": "le"}
    >>> settings |= {"cipher_options": {"block_size": 8}, "encrypted_beforehand": True}
    >>> read(TrainingSettings, settings, "settings").row_name
    'le, block_size 8, encrypted beforehand'
    """

    dataset: str
    recipe: str
    per_image: bool = False
    encrypted_beforehand: bool = False
    adaptation: str | None = None
    matched: bool = False
    views: int = 0
    jpeg: int = 0

    def unusual(self):
        """What is not as usual, a list of texts."""
        return [
            *super().unusual(),
            *(["a key for each image"] if self.per_image else []),
            *(["encrypted beforehand"] if self.encrypted_beforehand else []),
            *(
                [f"{self.views} view{'s' * (self.views > 1)} of each image"]
                if self.views
                else []
            ),
            *([f"JPEG of quality {self.jpeg}"] if self.jpeg else []),
            *([f"{self.adaptation.upper()}-AdaptNet"] if self.adaptation else []),
            *([self.network] if self.matched else []),
        ]


@dataclasses.dataclass(frozen=True)
class Epoch:
    """Accuracies after an epoch; `train_accuracy` while learning, on augmented ones."""

    epoch: int
    train_accuracy: Share
    validation_accuracy: Share
    test_accuracy: Share
    test_interval: tuple[Share, Share] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingResults:
    """What training on a cipher gave.

    Attributes:
        last, best_validation: an `Epoch` each.
        wrong_key_accuracy: on test images under another key; None for plain.
        plain_model_accuracy: of the plain-trained model on these images; None for
            plain, and where there is none.
        train_images, validation_images, test_images, epochs: how many.
        seconds, images_per_second, parameters: of training, of the network.
        confusion, class_names: true classes in rows, at the best validation epoch.
        history: name -> a value for each epoch.
    """

    last: Epoch
    best_validation: Epoch
    wrong_key_accuracy: Share | None = None
    plain_model_accuracy: Share | None = None
    train_images: int
    validation_images: int
    test_images: Count
    epochs: int
    seconds: float | None = None
    images_per_second: float | None = None
    parameters: int | None = None
    confusion: list[list[int]] | None = None
    class_names: list[str] | None = None
    history: dict[str, list[float]] | None = None


@dataclasses.dataclass(frozen=True)
class Training(Record):
    """One cipher and seed, trained and tested."""

    TELLING: ClassVar = (
        *("dataset", "recipe", "epochs", "train_images", "cipher", "seed"),
    )
    settings: TrainingSettings
    results: TrainingResults


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepSettings:
    """What the steps were, and on which backend."""

    backend: str
    precision: str
    jit_compile: bool
    steps: int
    rounds: int
    batch_size: int
    stated: dict[str, object] = dataclasses.field(repr=False)

    @property
    def compiled(self):
        """Whether XLA compiled the steps: JAX does always, torch never."""
        return {"jax": True, "torch": False}.get(self.backend, self.jit_compile)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingSpeedSettings(NetworkSettings, StepSettings):
    """What the steps were, and in which network."""


@dataclasses.dataclass(frozen=True)
class TrainingSpeedResults:
    """Medians over the rounds; those of PyTorch are None where it is not installed."""

    parameters: int
    keras_images_per_second: float
    torch_images_per_second: float | None = None
    keras_to_torch: float | None = None
    keras_to_torch_range: tuple[float, float] | None = None

    def __post_init__(self):
        ratios = (self.keras_to_torch, self.keras_to_torch_range)
        if self.torch_images_per_second is not None and None in ratios:
            raise TfpeError(
                "`keras_to_torch` and its range should stand beside the speed of "
                f"PyTorch. Received: {ratios}"
            )


@dataclasses.dataclass(frozen=True)
class TrainingSpeed(Record):
    """Steps of training, beside plain PyTorch."""

    settings: TrainingSpeedSettings
    results: TrainingSpeedResults


@dataclasses.dataclass(frozen=True, kw_only=True)
class MatchedSpeedSettings(StepSettings):
    """`beside` is the recipe whose step is the measure."""

    beside: str
    ciphers: list[str]


@dataclasses.dataclass(frozen=True)
class MatchedSpeedRow:
    """A network and what it is for, a cipher or plain: medians over the rounds.

    `to_beside` is the time of a step, where that of the recipe `beside` is 1.
    """

    name: str
    network: str
    parameters: int
    images_per_second: float
    to_beside: float
    to_beside_range: tuple[float, float]


@dataclasses.dataclass(frozen=True)
class MatchedSpeedResults:
    """First the recipe that the others stand beside."""

    rows: list[MatchedSpeedRow]


@dataclasses.dataclass(frozen=True)
class MatchedSpeed(Record):
    """Steps of training in the network that fits each cipher."""

    TELLING: ClassVar = (
        *("backend", "precision", "jit_compile", "batch_size", "ciphers", "steps"),
    )
    settings: MatchedSpeedSettings
    results: MatchedSpeedResults


@dataclasses.dataclass(frozen=True, kw_only=True)
class SvmSettings:
    """What the support vector machines were trained on.

    `source` is how the images were stored, as of `training.images.ImageSet`: sources of
    one set differ in order, and so does the part that is chosen of them. None: not
    known.
    """

    dataset: str
    source: str | None = None
    train_images: int
    test_images: Count
    C: float
    gamma: float
    stated: dict[str, object] = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class SvmRow:
    """One cipher and kernel; whether the cipher keeps distances between images."""

    cipher: str
    kernel: str
    test_accuracy: Share
    predictions_equal_plain: int
    isometry: bool | None = None
    seconds: float | None = None


@dataclasses.dataclass(frozen=True)
class SvmResults:
    """The shape of the images, and a row for each cipher and kernel."""

    image_shape: list[int]
    rows: list[SvmRow]

    def __post_init__(self):
        found = {(row.cipher, row.kernel) for row in self.rows}
        ciphers, kernels = ({pair[k] for pair in found} for k in (0, 1))
        if len(found) != len(ciphers) * len(kernels):
            raise TfpeError(
                "`rows` should hold every kernel of every cipher. "
                f"Received: {len(found)} of {len(ciphers) * len(kernels)}"
            )


@dataclasses.dataclass(frozen=True)
class Svm(Record):
    """Kernel SVMs on encrypted images."""

    TELLING: ClassVar = ("dataset", "train_images", "test_images")
    settings: SvmSettings
    results: SvmResults
