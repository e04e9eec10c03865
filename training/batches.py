"""Batches of training images: shuffled, augmented, encrypted, all of it seeded.

Every draw depends on (seed, epoch, image) alone: ciphers are compared on the same
batches, and a run that was killed goes on with the batches it would have had.
"""

import functools

import keras
import numpy as np

from training.encryption import encrypt_all

SHUFFLE, CROP, FLIP = range(3)  # streams of random numbers under one (seed, epoch)


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
