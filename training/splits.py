"""Training, validation and test images: who is where, stratified and seeded."""

from typing import NamedTuple

import numpy as np

from tfpe.errors import DatasetError


class Part(NamedTuple):
    """Images of one purpose: `uint8 (N, H, W, 3)`, labels and numbers `(N,)`.

    A number names an image among all of the data set: keys for each image hang on it.
    `views` are the same images again, augmented by their owner before encryption.
    """

    images: np.ndarray
    labels: np.ndarray
    numbers: np.ndarray
    views: tuple = ()


class Parts(NamedTuple):
    """The three `Part`s of a data set."""

    train: Part
    validation: Part
    test: Part


def split(image_set, recipe, seed):
    """Takes validation images from the training images, stratified and seeded.

    Args:
        image_set: a `training.images.ImageSet`.
        recipe: gives `validation_fraction`, and `train_images` to take fewer: then
            there are fewer validation images in proportion.
        seed: whole number.

    Returns:
        `Parts`; the test images are all of them, always.

    Raises:
        DatasetError: the images are too few for `train_images`, or for a class.

    Example:

    >>> from training.recipes import find_recipe
    >>> from training.images import load
    >>> parts = split(load("digits"), find_recipe("tiny"), seed=0)
    >>> [len(part.labels) for part in parts]
    [1293, 144, 360]
    """
    x, y = image_set.x_train, image_set.y_train
    chosen = np.arange(len(x))
    validation = round(len(x) * recipe.validation_fraction)
    if recipe.train_images:
        total = round(recipe.train_images / (1 - recipe.validation_fraction))
        validation = total - recipe.train_images
        if total > len(x):
            raise DatasetError(
                f"`train_images` should leave room for {validation} validation images "
                f"among {len(x)}. Received: train_images={recipe.train_images}"
            )
        if total < len(x):
            chosen = stratified_split(y, total, seed)[1]
    first, second = stratified_split(y[chosen], validation, seed)
    train, held_out = chosen[first], chosen[second]
    test = np.arange(len(image_set.x_test))
    return Parts(
        Part(x[train], y[train], train, tuple(view[train] for view in image_set.views)),
        Part(x[held_out], y[held_out], held_out),
        Part(image_set.x_test, image_set.y_test, len(x) + test),
    )


def stratified_split(labels, second, seed):
    """Two sorted index arrays that share out the images, each class alike.

    Args:
        labels: `(N,)`.
        second: fraction or number of images in the second array.
        seed: whole number.

    Returns:
        Index arrays, first and second part.

    Raises:
        DatasetError: too few images of a class for both parts.

    Example:

    >>> stratified_split([0, 0, 0, 1, 1, 1], 2, seed=0)[1].tolist()
    [0, 4]
    """
    from sklearn.model_selection import train_test_split

    try:
        parts = train_test_split(
            np.arange(len(labels)),
            test_size=second,
            random_state=seed,
            stratify=labels,
        )
    except ValueError as error:
        raise DatasetError(f"The images cannot be split by class: {error}") from error
    return tuple(np.sort(part) for part in parts)
