"""Batches of training images: shuffled, augmented, encrypted, all of it seeded.

Every draw depends on (seed, epoch, image) alone: ciphers are compared on the same
batches, and a run that was killed goes on with the batches it would have had.
"""

import functools
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

from tfpe.pixels.augmentation import crop_and_flip
from tfpe.pixels.jpeg_coding import coded, sent_as_jpeg
from training.encryption import encrypt_all

VIEW_NUMBERS = 2**32  # from the number of an image to that of its next view
SHUFFLE, CROP, FLIP = range(3)  # streams of random numbers under one (seed, epoch)


class Batches(keras.utils.PyDataset):
    """Shuffled, augmented, encrypted training batches of one epoch after the other.

    Args:
        part: the training `Part`; epoch e takes view e mod K of its K views.
        recipe: gives `batch_size`, `order`, `crop_padding`, `flip`, `views`, `jpeg`.
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
        self._encryption, self._lossy = encryption, sent_as_jpeg(recipe.jpeg)
        self._views, self._numbers = (part.images, *part.views), part.numbers
        self._labels = part.labels if labels is None else labels
        self.batch_size = min(recipe.batch_size, len(part.images))
        if recipe.order == "encrypt_then_augment":
            self._views = [
                encrypt_all(
                    encryption, images, self._view_numbers(view), jpeg=recipe.jpeg
                )
                for view, images in enumerate(self._views)
            ]
            self._encryption, self._lossy = None, None
        # Two: the last batches of an epoch may be read while the next one begins.
        self._draws = functools.lru_cache(2)(self._draw)
        self._worker, self._ahead = ThreadPoolExecutor(1), ((None, None), None)

    def __len__(self):
        return len(self._numbers) // self.batch_size

    def __getitem__(self, step):
        epoch, (key, ahead) = self.epoch, self._ahead
        batch = ahead.result() if key == (epoch, step) else self._batch(epoch, step)
        if step + 1 < len(self):
            # On another thread, while the device computes: only TensorFlow reads ahead.
            following = self._worker.submit(self._batch, epoch, step + 1)
            self._ahead = (epoch, step + 1), following
        return batch

    def _batch(self, epoch, step):
        order, offsets, flips = self._draws(epoch)
        index = order[step * self.batch_size : (step + 1) * self.batch_size]
        index = index[self._shard[0] :: self._shard[1]]
        images = self._views[epoch % len(self._views)][index]
        images = crop_and_flip(
            images, offsets[index], flips[index], self._recipe.crop_padding
        )
        if self._encryption is not None:
            views = self._recipe.views or len(self._views)
            numbers = self._view_numbers(epoch % views)
            images = self._encryption(images, numbers[index])
        return coded(images, self._lossy), self._labels[index]

    def _draw(self, epoch):
        """Order of the images, and offset and flip of each, in one epoch."""
        count, recipe = len(self._numbers), self._recipe

        def generator(stream, epoch=epoch):
            seeds = np.random.SeedSequence([self._seed, epoch, stream])
            return np.random.Generator(np.random.Philox(seeds))

        order = generator(SHUFFLE).permutation(count)
        view = epoch % recipe.views if recipe.views else epoch
        if recipe.views and not view:  # the images themselves
            return (
                order,
                np.full((count, 2), recipe.crop_padding),
                np.zeros(count, bool),
            )
        offsets = generator(CROP, view).integers(
            0, 2 * recipe.crop_padding + 1, (count, 2)
        )
        flips = generator(FLIP, view).random(count) < 0.5
        return order, offsets, flips & recipe.flip

    def _view_numbers(self, view):
        """Numbers of the images as a view: each view has keys of its own."""
        return self._numbers + view * VIEW_NUMBERS
