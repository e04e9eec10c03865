"""Batches of plain images to the bytes of TFRecord files."""

import numpy as np

from tfpe.ciphers import find_cipher
from tfpe.ciphers.cache import TransformCache
from tfpe.dataset.encrypted import HEIGHT, NUMBER, WIDTH
from tfpe.dataset.examples import frame, put_image, put_labels
from tfpe.dataset.labels import hidden_numbers
from tfpe.dataset.views import Augmentation
from tfpe.manifests.set_manifest import image_keys
from tfpe.pixels.byte_planes import dtype_of, planes_shape
from tfpe.pixels.padding import padded_size
from tfpe.pixels.png import encode_png
from tfpe.receipts.receipt import shape_of_ciphertext


class RecordEncryption:
    """Turns raw batches of a source into TFRecords; called from several threads.

    Args:
        source: a `tfpe.dataset.source.Source`.
        key: a `tfpe.Key`.
        header: of the manifest: cipher, options and so on.
    """

    def __init__(self, source, key, header):
        self.source, self.options = source, header["options"]
        self.cipher = find_cipher(header["cipher"])
        self.per_image, self.drop = header["per_image"], header["dropped"]
        self.varied = None in source.image_shape
        self.hidden = {}
        if header["hidden_labels"]:
            shown = {f: n for f, n in source.labels.items() if f not in self.drop}
            self.hidden = hidden_numbers(key, shown)
        self.transforms = TransformCache(
            self.cipher, key, self.options, image_keys(key, header)
        )
        views = header["copies"], header["augment"]
        self.augmented = Augmentation(key, source.splits, *views)
        # What is wrong with options or channels is told now, not in a thread later.
        *sides, channels = source.image_shape
        size = self.cipher.block_size(**self.options)
        shape = (*(padded_size(side or 1, size) for side in sides), channels)
        self.transforms.get(planes_shape(shape, source.depth))

    def __call__(self, batch, first):
        images, examples = self.source.decode(batch)
        images = self.augmented(images, first)
        numbers = [{} for _ in examples]
        height, width, channels = images.shape[1:]
        if self.varied:
            numbers = [{HEIGHT: height, WIDTH: width} for _ in examples]
        own = range(first, first + len(images)) if self.per_image else None
        for added, number in zip(numbers, own or (), strict=False):
            added[NUMBER] = number
        ciphertexts = self.transforms.encrypt(images, own)
        records = [
            put_image(
                put_labels(example, self.hidden, self.drop), encode_png(image), added
            )
            for example, image, added in zip(
                examples, ciphertexts, numbers, strict=True
            )
        ]
        return frame(records), len(records)

    def features(self, plain):
        """The features of the result, from those of the source."""
        import tensorflow_datasets as tfds

        shape = shape_of_ciphertext(
            self.source.image_shape, self.cipher.name, self.options
        )
        features = {name: f for name, f in plain.items() if name not in self.drop}
        features["image"] = tfds.features.Image(
            shape=shape, dtype=dtype_of(self.source.depth), encoding_format="png"
        )
        for name in self.hidden:
            count = len(self.source.labels[name])
            features[name] = tfds.features.ClassLabel(num_classes=count)
        added = [NUMBER] * bool(self.per_image) + [HEIGHT, WIDTH] * self.varied
        for name in added:
            features[name] = tfds.features.Scalar(np.int64)
        return tfds.features.FeaturesDict(features)
