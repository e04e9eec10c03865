"""The recipes by name, and what a comparison takes under each."""

import dataclasses

from training.recipe import MATCHED, Recipe, RecipeError

# What a comparison takes by default; PER_IMAGE behind a name: a key for every image.
CIPHERS = ("plain", "le", "ele", "pbe", "logistic", "etc")
PER_IMAGE = "-per-image"
PLAIN = "plain"
# Before a name: plain images, in the network that fits that cipher.
PLAIN_AS = f"{PLAIN}-as-"


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

    Expected test accuracy on all of CIFAR-10, measured with one seed: plain 85.15, pbe
    71.62, le 68.26, logistic 63.47, etc 60.46, ele 40.68 %; with a key for each image:
    pbe-per-image 77.75, ffx-per-image 66.22, logistic-per-image 62.66, iib-per-image
    41.10 %. On all of CIFAR-100: plain 49.57, le 34.43, logistic 27.15 %. Time for a
    cipher: docs/training.md has that of 2 CPU cores (`--max-seconds` slices it); 1 to 4
    minutes on an H100 that up to 18 runs shared.

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

    Expected accuracy: that of the same network on plain images, as
    tests/test_equal_training.py shows step by step. Measured on all of CIFAR-10, means
    of two seeds: le 72.55 (plain-as-le 72.12), pbe 60.81 (plain-as-pbe 60.78), etc
    58.20 (plain-as-etc 58.28), logistic 56.86 (plain-as-logistic 57.18), ele 54.91
    (plain-as-ele 55.14) %. Time for a cipher: 1 to 6 minutes on an H100 that up to 18
    runs shared. On CPUs a step takes, with Keras on PyTorch, as long as one of `small`
    or less; TensorFlow and JAX have no record (docs/results.md).

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
