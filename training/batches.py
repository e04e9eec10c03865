"""From arrays to batches: the split, augmentation and encryption, all of it seeded.

Every draw depends on (seed, epoch, image) alone: ciphers are compared on the same
batches, and a run that was killed goes on with the batches it would have had.
"""

import dataclasses
import functools
from typing import NamedTuple

import keras
import numpy as np

from tfpe.ciphers import find_cipher
from tfpe.ciphers.cache import TransformCache
from tfpe.errors import DatasetError
from tfpe.keys import check_key
from training.images import stratified_split

IMAGE_BYTES = 2**28  # of images whose own transforms stay from epoch to epoch
SHUFFLE, CROP, FLIP = range(3)  # streams of random numbers under one (seed, epoch)


class Part(NamedTuple):
    """Images of one purpose: `uint8 (N, H, W, 3)`, labels and numbers `(N,)`.

    A number names an image among all of the data set: keys for each image hang on it.
    """

    images: np.ndarray
    labels: np.ndarray
    numbers: np.ndarray


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
        Part(x[train], y[train], train),
        Part(x[held_out], y[held_out], held_out),
        Part(image_set.x_test, image_set.y_test, len(x) + test),
    )


@dataclasses.dataclass(frozen=True, repr=False)
class Encryption:
    """A cipher under one key, or under a fresh key for every image.

    Attributes:
        key: a `tfpe.Key`.
        cipher: a name in `tfpe.CIPHERS`.
        per_image: whether image number n has the key `key.for_image(n)`; each view of
            it that augmentation makes keeps that key.
        options: of the cipher, a dict.
    """

    key: object
    cipher: str
    per_image: bool = False
    options: dict = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        check_key(self.key)
        find_cipher(self.cipher).options(**self.options)

    def output_shape(self, image_shape):
        """Shape of the ciphertext of images of `image_shape`."""
        image = np.zeros((1, *image_shape), np.uint8)
        return self(image, np.zeros(1, int)).shape[1:]

    def __call__(self, images, numbers):
        """Encrypts a batch, padded to whole blocks; `numbers` as in `Part`."""
        return self._transforms.encrypt(images, numbers if self.per_image else None)

    @functools.cached_property
    def _transforms(self):
        return TransformCache(
            *(find_cipher(self.cipher), self.key, self.options, self.key),
            image_bytes=IMAGE_BYTES,
        )

    def __reduce_ex__(self, protocol):
        raise TypeError("An Encryption holds its key and should not be pickled.")


class Batches(keras.utils.PyDataset):
    """Shuffled, augmented, encrypted training batches of one epoch after the other.

    Args:
        part: the training `Part`.
        recipe: gives `batch_size`, `order`, `crop_padding` and `flip`.
        seed: whole number.
        encryption: an `Encryption`, or None where nothing is encrypted here.
        labels: what comes with the images; the labels of `part` by default.
        shard: (number, count) where each of several processes takes its share of
            every batch.

    Attributes:
        epoch: set it before an epoch begins (`training.train` does).
        batch_size: images a step, over all shards; never more than there are.
    """

    def __init__(self, part, recipe, seed, encryption=None, labels=None, shard=(0, 1)):
        super().__init__()
        self.epoch = 0
        self._recipe, self._seed, self._shard = recipe, seed, shard
        self._encryption = encryption
        self._images, _, self._numbers = part
        self._labels = part.labels if labels is None else labels
        self.batch_size = min(recipe.batch_size, len(self._images))
        if encryption and recipe.order == "encrypt_then_augment":
            self._images = encrypt_all(encryption, self._images, self._numbers)
            self._encryption = None
        # Two: the last batches of an epoch may be read while the next one begins.
        self._draws = functools.lru_cache(2)(self._draw)

    def __len__(self):
        return len(self._images) // self.batch_size

    def __getitem__(self, step):
        order, offsets, flips = self._draws(self.epoch)
        index = order[step * self.batch_size : (step + 1) * self.batch_size]
        index = index[self._shard[0] :: self._shard[1]]
        images = crop_and_flip(
            self._images[index], offsets[index], flips[index], self._recipe.crop_padding
        )
        if self._encryption is not None:
            images = self._encryption(images, self._numbers[index])
        return images, self._labels[index]

    def _draw(self, epoch):
        """Order of the images, and offset and flip of each, in one epoch."""
        count, recipe = len(self._images), self._recipe

        def generator(stream):
            seeds = np.random.SeedSequence([self._seed, epoch, stream])
            return np.random.Generator(np.random.Philox(seeds))

        offsets = generator(CROP).integers(0, 2 * recipe.crop_padding + 1, (count, 2))
        flips = generator(FLIP).random(count) < 0.5
        return generator(SHUFFLE).permutation(count), offsets, flips & recipe.flip


def crop_and_flip(images, offsets, flips, padding):
    """Crops of zero-padded images, some of them mirrored.

    Args:
        images: `uint8 (B, H, W, C)`.
        offsets: integers `(B, 2)`, 0 to 2 * padding: top and left of each crop.
        flips: bool `(B,)`.
        padding: zero pixels on each side.

    Returns:
        `uint8 (B, H, W, C)`.

    Example:

    >>> image = np.array([[[[1], [2]], [[3], [4]]]], np.uint8)
    >>> crop_and_flip(image, np.array([[0, 1]]), np.array([True]), 1).ravel().tolist()
    [0, 0, 2, 1]
    """
    count, height, width, _ = images.shape
    sides = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    padded = np.pad(images, sides)
    rows = offsets[:, :1] + np.arange(height)
    columns = np.arange(width)
    columns = offsets[:, 1:] + np.where(flips[:, None], columns[::-1], columns)
    return padded[
        np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]
    ]


def encrypt_all(encryption, images, numbers, batch_size=1000):
    """Encrypts images once and for all; None as `encryption` leaves them plain."""
    if encryption is None:
        return images
    return np.concatenate(
        [
            encryption(images[i : i + batch_size], numbers[i : i + batch_size])
            for i in range(0, len(images), batch_size)
        ]
    )


def tf_pipeline(batches, encryption, strong="none"):
    """`Batches` as a `tf.data.Dataset`: strong augmentation, then encryption.

    Args:
        batches: `Batches` that encrypt nothing; one-hot labels where `strong` is used.
        encryption: an `Encryption` with one key, or None.
        strong: "randaugment", "cutmix", "mixup" or "gridmask", of keras-cv. Its random
            numbers are keras-cv's own: here alone a resumed run differs.

    Raises:
        DatasetError: keras-cv is not installed.
    """
    import tensorflow as tf

    import tfpe.data

    def one_epoch():
        return (batches[step] for step in range(len(batches)))

    images, labels = batches[0]
    signature = tuple(tf.TensorSpec(a.shape, a.dtype) for a in (images, labels))
    dataset = tf.data.Dataset.from_generator(one_epoch, output_signature=signature)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(batches)))
    if strong != "none":
        layer = _strong_layer(strong)

        def augment(images, labels):
            element = {
                "images": tf.cast(images, tf.float32),
                "labels": tf.cast(labels, tf.float32),
            }
            element = layer(element, training=True)
            levels = tf.round(tf.clip_by_value(element["images"], 0, 255))
            return tf.cast(levels, tf.uint8), element["labels"]

        dataset = dataset.map(augment, num_parallel_calls=1)
    if encryption is not None:
        dataset = tfpe.data.encrypt(
            dataset, encryption.key, encryption.cipher, **encryption.options
        )
    return dataset.prefetch(tf.data.AUTOTUNE)


def _strong_layer(name):
    try:
        from keras_cv import layers
    except ImportError as error:
        raise DatasetError(
            f"`strong` augmentation needs keras-cv, which cannot be imported: {error}"
        ) from error
    return {
        "randaugment": lambda: layers.RandAugment(value_range=(0, 255)),
        "cutmix": layers.CutMix,
        "mixup": layers.MixUp,
        "gridmask": layers.GridMask,
    }[name]()
