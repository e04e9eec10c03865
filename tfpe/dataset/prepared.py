"""A source whose images are prepared before anything else is done to them."""

import collections
import dataclasses

import numpy as np

from tfpe.errors import DatasetError
from tfpe.pixels.preparation import Preparation


def prepared_source(source, preparation, any_size=True):
    """The `Source` with its images prepared, or an error that says what it lacks.

    Args:
        source: a `tfpe.dataset.source.Source` of pixels that are known already.
        preparation: a `Preparation`.
        any_size: whether images may be of several sizes.

    Raises:
        DatasetError: images of several sizes, or `preparation` is about files.
    """
    aside = dataclasses.asdict(preparation) | {"size": None, "fit": None, "color": None}
    if Preparation(**aside) != Preparation():
        raise DatasetError(
            "Conversions are for files in folders: pixels of other sets are known "
            f"already. Received: {preparation.to_json()} for {source.name}"
        )
    shape = preparation.shape(source.image_shape)
    if None in shape and not any_size:
        raise DatasetError(
            f"Images of {source.name} should be of one size, or no network can take "
            "them in batches: `size` makes them so, any_size=True keeps them. "
            "Received: images whose size varies"
        )
    if preparation == Preparation():
        return source

    def decode(batch):
        images, examples = source.decode(batch)
        return np.stack([preparation.apply(image) for image in images]), examples

    # Of a size that varies nothing is known before all images are read.
    known = None not in source.image_shape
    losses = preparation.losses(source.image_shape) if known else []
    return dataclasses.replace(
        source,
        image_shape=shape,
        features=_with_shape(source.features, shape),
        decode=decode,
        preparation=preparation,
        lost=dict(collections.Counter(losses * source.total)),
    )


def _with_shape(content, shape):
    """features.json for images of another shape."""
    import tensorflow_datasets as tfds

    features = dict(tfds.features.FeatureConnector.from_json(content).items())
    features["image"] = tfds.features.Image(shape=shape, encoding_format="png")
    return tfds.features.FeaturesDict(features).to_json()
