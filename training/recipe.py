"""A recipe: every knob of a training run, in one frozen dataclass.

Any field, and any option of the network, can be overridden on the command line
(`--epochs 30 --depth 38`). Records and resumed runs hold the result, so that two runs
are compared only where they agree.
"""

import dataclasses
import itertools

from tfpe.errors import NetworkError, TfpeError
from training.networks import NETWORKS, find_network

# The fields that are words, and what each may be.
CHOICES = {
    "network": (*NETWORKS, "matched"),
    "optimizer": ("sgd", "adamw"),
    "order": ("augment_then_encrypt", "encrypt_then_augment"),
    "encrypt_in": ("numpy", "tf.data", "model"),
    "strong": ("none", "randaugment", "cutmix", "mixup", "gridmask"),
    "schedule": ("step", "one_cycle"),
    "normalization": ("unit", "centered", "folded"),
    "precision": ("float32", "mixed_float16", "mixed_bfloat16"),
    "strategy": ("none", "mirrored", "tpu", "data-parallel"),
}
# The fields, and options of the network, on which a single step depends.
STEP_FIELDS = (
    *("depth", "alpha", "shakedrop", "batch_size", "learning_rate", "momentum"),
    *("weight_decay", "precision", "jit_compile"),
)
MATCHED = "matched"


class RecipeError(TfpeError):
    """A recipe is unknown, or one of its fields is out of range."""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How to train: by default as Madono et al. did.

    Attributes:
        name: of the recipe that this one is, or was made of.
        network: a name of `training.networks.NETWORKS`, or "matched": the one that fits
            each cipher, as `tfpe.structure` tells.
        options: a complete dict of the options of the network; "matched" has none,
            since it chooses them.
        epochs: number of whole passes over the training images.
        batch_size: images in a step, over all devices; the last, smaller batch of an
            epoch is left out (it has other images in each epoch).
        optimizer: "sgd" with Nesterov momentum, or "adamw", decoupled weight decay.
        learning_rate, momentum: parameters of the optimizer; the rate is the highest of
            the run, and "adamw" has no such momentum.
        schedule: "step" falls to a tenth at each of the milestones; "one_cycle" rises
            linearly in the first fifth of the run and falls to 0 as half a cosine.
        milestones: fractions of the run after which the rate falls, for "step".
        label_smoothing: share of each label that is spread over all classes.
        weight_decay: factor of L2: (weight_decay / 2) * sum(w^2) over all trainable
            variables is added to the loss, as in the papers; for "adamw" it is the
            decoupled decay.
        normalization: what the network gets for a byte x: "unit", x / 255 as in the
            papers, "centered", (x - 127.5) / 64, or "folded", min(x, 255 - x) with the
            channels of each pixel sorted: for pbe with a key for each image.
        order: whether the owner augments before the encryption, or the cloud after it.
        encrypt_in: where to encrypt: in "numpy" batches, in a "tf.data" map or in the
            first layer of the "model".
        crop_padding: number of zero pixels around the image before the random crop.
        flip: whether half of the images are mirrored.
        views: number of fixed views of each image, epoch e taking view e mod `views`,
            as an encrypted set with `--copies` holds them: view 0 is the image itself.
            0 draws a fresh view in every epoch.
        jpeg: quality, 1 to 100, of the JPEG files (4:4:4) in which the owner sends what
            is encrypted, test images too; the network learns from what the cloud
            decodes. 0 sends them as they are.
        strong: an augmentation of keras-cv beside those; needs encrypt_in="tf.data".
        validation_fraction: the part of the training images that validates, stratified
            by class and seeded.
        train_images: number of training images to use, stratified; 0 for all.
        precision: a policy of `keras.config.set_dtype_policy`.
        strategy: "mirrored" and "tpu" of tf.distribute, "data-parallel" on JAX.
        jit_compile: whether XLA compiles the step.
        deterministic: whether TensorFlow runs deterministic kernels only: slower, and
            never under XLA, so that `jit_compile` becomes False.

    Source: Madono et al. 2020, Block-wise Scrambled Image Recognition Using Adaptation
    Network (arXiv 2001.07761); its text says 300 epochs and batch 128, its code 305
    and 512.
    """

    name: str = "paper"
    network: str = "pyramidnet"
    options: dict = dataclasses.field(default_factory=dict)
    epochs: int = 300
    batch_size: int = 128
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.9
    schedule: str = "step"
    milestones: tuple = (0.5, 0.75)
    label_smoothing: float = 0.0
    weight_decay: float = 5e-4
    normalization: str = "unit"
    order: str = "augment_then_encrypt"
    encrypt_in: str = "numpy"
    crop_padding: int = 4
    flip: bool = True
    views: int = 0
    jpeg: int = 0
    strong: str = "none"
    validation_fraction: float = 0.1
    train_images: int = 0
    precision: str = "float32"
    strategy: str = "none"
    jit_compile: bool = True
    deterministic: bool = False

    def __post_init__(self):
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                self._refuse(name, f"one of {allowed}")
        object.__setattr__(self, "options", self._checked_options())
        if self.deterministic:
            # Keras takes XLA away from deterministic runs; the record should say so.
            object.__setattr__(self, "jit_compile", False)
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                self._refuse(name, "1 or more")
        for name in ("weight_decay", "crop_padding", "views", "train_images"):
            if not getattr(self, name) >= 0:
                self._refuse(name, "0 or more")
        if not 0 <= self.jpeg <= 100:
            self._refuse("jpeg", "from 0 to 100")
        if not self.learning_rate > 0:
            self._refuse("learning_rate", "more than 0")
        for name in ("momentum", "label_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                self._refuse(name, "at least 0 and less than 1")
        if not 0 < self.validation_fraction < 1:
            self._refuse("validation_fraction", "between 0 and 1")
        if not all(
            low < high for low, high in itertools.pairwise((0, *self.milestones, 1))
        ):
            self._refuse("milestones", "rising fractions between 0 and 1")
        if self.encrypt_in != "numpy" and self.order != "augment_then_encrypt":
            self._refuse("order", "'augment_then_encrypt' where not NumPy encrypts")
        if self.jpeg and self.encrypt_in != "numpy":
            self._refuse("encrypt_in", "'numpy' where `jpeg` is used")
        if self.strong != "none" and self.encrypt_in != "tf.data":
            self._refuse("encrypt_in", "'tf.data' where `strong` is used")

    def _checked_options(self):
        if self.network == MATCHED:
            if self.options:
                raise RecipeError(
                    "The network 'matched' chooses its options itself. Received: "
                    f"{sorted(self.options)}"
                )
            return {}
        try:
            return find_network(self.network).check(**self.options)
        except NetworkError as error:
            raise RecipeError(str(error)) from None

    @property
    def network_words(self):
        """The network in words, as tables name it."""
        if self.network == MATCHED:
            return "the network that fits"
        row = find_network(self.network)
        words = row.words(self.options)
        if self.normalization == "folded" and not row.takes_bytes(self.options):
            words += " on folded pixels"
        return words

    @property
    def settings(self):
        """What a record states of the recipe, one level deep."""
        settings = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in ("name", "options")
        }
        for name in ("views", "jpeg"):  # older runs and records have none
            if not settings[name]:
                del settings[name]
        options = dict(self.options)
        if options.get("stem") == "convolution":
            # No words, so nothing to say of them.
            for name in ("stem", "patch_size", "bits", "tied"):
                del options[name]
        if options.get("adaptation") == "none":
            del options["adaptation"]
        settings |= options
        settings |= {
            "recipe": self.name,
            "network_words": self.network_words,
            "milestones": list(self.milestones),
        }
        return settings

    def _refuse(self, name, expected):
        raise RecipeError(
            f"`{name}` should be {expected}. Received: {name}={getattr(self, name)!r}"
        )
