"""Recipes: every knob of a training run, in one frozen dataclass and four settings.

Any field, and any option of the network, can be overridden on the command line
(`--epochs 30 --depth 38`); records and
resumed runs hold the result, so that two runs are compared only where they agree.
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
# What a comparison takes by default; PER_IMAGE behind a name: a key for every image.
CIPHERS = ("plain", "le", "ele", "pbe", "logistic", "etc")
PER_IMAGE = "-per-image"
PLAIN = "plain"
# Before a name: plain images, in the network that fits that cipher.
PLAIN_AS = f"{PLAIN}-as-"


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


def paper():
    """PyramidNet-110, alpha 270, ShakeDrop, 300 epochs: the published experiments.

    Expected test accuracy on CIFAR-10 / CIFAR-100, published, not measured here: plain
    96.70 / 83.59, le 94.94 / 78.25, etc 85.94 / 61.90, ele 67.10 / 43.05 % (Madono et
    al. 2020, at the best *test* epoch and with all 50,000 training images; here 45,000
    and the best validation epoch). Time: not measured; a GPU is needed.

        KERAS_BACKEND=jax python -m training compare --dataset cifar10 --recipe paper
    """
    return Recipe()


def fast():
    """PyramidNet (38, 60), 30 epochs in mixed precision: a first look on a GPU.

    Expected accuracy and time: not measured yet.

        KERAS_BACKEND=jax python -m training compare --dataset cifar10 --recipe fast
    """
    return Recipe(
        name="fast",
        options={"depth": 38, "alpha": 60},
        epochs=30,
        precision="mixed_bfloat16",
    )


def small():
    """PyramidNet (20, 24) of 146,353 parameters, 8 epochs: an evening on 2 CPU cores.

    No ShakeDrop, which 20 layers and 8 epochs do not need, and a rate that rises and
    falls once.

    Expected accuracy: not measured yet; the records in results/ are of the recipe of
    this name before, whose conditions they state. Time: not measured on a quiet
    machine; `--max-seconds` slices it.

        python -m training compare --dataset cifar10 --recipe small
    """
    return Recipe(
        name="small",
        options={"depth": 20, "alpha": 24, "shakedrop": 0},
        epochs=8,
        learning_rate=0.2,
        schedule="one_cycle",
        normalization="centered",
    )


def tiny():
    """PyramidNet (8, 24) on the embedded digits: proves the chain, not the ranking.

    Without XLA, so that so short a run need not wait for its compilation.

        python -m training compare
    """
    return Recipe(
        name="tiny",
        options={"depth": 8, "alpha": 24, "shakedrop": 0.1},
        epochs=15,
        batch_size=32,
        weight_decay=1e-4,
        crop_padding=2,
        flip=False,
        jit_compile=False,
    )


def matched():
    """The network that fits each cipher: what a key costs those who know how.

    Expected accuracy: not measured yet; that of the same network on plain images
    (`plain-as-le` and the like), as tests/test_equal_training.py shows step by step.

        python -m training compare --dataset cifar10 --recipe matched \\
            --ciphers le,plain-as-le,ele,plain-as-ele
    """
    return Recipe(
        name="matched",
        network=MATCHED,
        epochs=8,
        optimizer="adamw",
        learning_rate=2e-3,
        weight_decay=0.05,
        schedule="one_cycle",
        normalization="centered",
    )


RECIPES = {recipe.__name__: recipe for recipe in (paper, fast, small, matched, tiny)}


def default_ciphers(recipe):
    """What a comparison takes where nobody says: each cipher, and what it is beside.

    Example:

    >>> default_ciphers(find_recipe("small"))[:2]
    ('plain', 'le')
    >>> default_ciphers(find_recipe("matched"))[:4]
    ('plain-as-le', 'le', 'plain-as-ele', 'ele')
    """
    if recipe.network != MATCHED:
        return CIPHERS
    names = CIPHERS[1:]
    return tuple(part for name in names for part in (PLAIN_AS + name, name))


def find_recipe(name, **overrides):
    """The recipe called `name`, with other values for some of its fields.

    Args:
        name: of a recipe in `RECIPES`.
        **overrides: other values for fields of `Recipe` or options of its network.

    Returns:
        A `Recipe`.

    Raises:
        RecipeError: an unknown name, or a value out of range.

    Example:

    >>> find_recipe("small", epochs=5).epochs
    5
    """
    if name not in RECIPES:
        raise RecipeError(
            f"`recipe` should be one of {list(RECIPES)}. Received: recipe={name!r}"
        )
    recipe = RECIPES[name]()
    fields = {field.name for field in dataclasses.fields(Recipe)}
    options = {k: v for k, v in overrides.items() if k not in fields}
    overrides = {k: v for k, v in overrides.items() if k in fields}
    same = overrides.get("network", recipe.network) == recipe.network
    # Another network has its own defaults.
    kept = recipe.options if same else {}
    return dataclasses.replace(recipe, **overrides, options=kept | options)
