"""Layers whose weights hold a key, and keep out of files unless asked in words."""

import contextlib
import contextvars
import weakref

import keras
from keras import ops

from tfpe.algebra.exporting import LEGACY_H5, refuse_exporters
from tfpe.errors import ExportError
from tfpe.layers.word_layers import WordPatchEmbedding

# Beside the layers, in memory alone: nothing that copies or writes a layer meets it.
_matched_to = weakref.WeakKeyDictionary()
_may_write = contextvars.ContextVar("tfpe_may_write_keys", default=False)


@contextlib.contextmanager
def writing_keys():
    """Within it, matched models are written with the key in their weights."""
    token = _may_write.set(True)
    try:
        yield
    finally:
        _may_write.reset(token)


def refuse():
    """Raises the `ExportError` that keeps a matched model out of a file."""
    raise ExportError(
        "A matched model should not be saved or exported: its weights hold the key, "
        "for everybody who has the plain model. tfpe.export(model, path, "
        "with_key=True) writes it all the same; tfpe.unmatch(model, transform) gives "
        "the plain model again. Received: a model that tfpe.match made"
    )


class HoldsKey:
    """A layer whose weights are written to a file within `writing_keys` alone."""

    def save_own_variables(self, store):
        if not _may_write.get():
            refuse()
        super().save_own_variables(store)

    def get_config(self):
        # Files of .h5 take the weights from outside, after the configuration.
        if not _may_write.get():
            refuse_exporters(refuse, LEGACY_H5)
        return super().get_config()

    def _trackable_children(self, save_type="checkpoint", **arguments):
        # TensorFlow asks this of all that it writes to checkpoints and SavedModels.
        if not _may_write.get():
            refuse()
        return super()._trackable_children(save_type, **arguments)

    def __call__(self, *arguments, **options):
        if not _may_write.get():
            refuse_exporters(refuse)
        return super().__call__(*arguments, **options)


def holds_key(layer):
    """Whether the weights of a layer are key material."""
    return isinstance(layer, HoldsKey)


@keras.saving.register_keras_serializable(package="tfpe")
class MatchedPatchEmbedding(HoldsKey, WordPatchEmbedding):
    """A `WordPatchEmbedding` that `match` made: its kernel holds the key."""

    @property
    def matched_to(self):
        """The keyed map whose ciphertexts it takes; None after a way through a file."""
        return _matched_to.get(self)

    @matched_to.setter
    def matched_to(self, transform):
        _matched_to[self] = transform


@keras.saving.register_keras_serializable(package="tfpe")
class MatchedValueEmbedding(MatchedPatchEmbedding):
    """The same, of ciphertexts that are real numbers: they are taken as they are."""

    def _words(self, images):
        return ops.cast(images, self.compute_dtype)


@keras.saving.register_keras_serializable(package="tfpe")
class TokenOrder(HoldsKey, keras.layers.Layer):
    """Puts the patches of a ciphertext back into the order of the image.

    Its only weight is that order: key material, as the kernel before it is.

    Input and output shape:
        (batch, rows, columns, units).
    """

    def build(self, input_shape):
        self.sources = self.add_weight(
            shape=(input_shape[1] * input_shape[2],),
            initializer="zeros",
            dtype="int32",
            trainable=False,
            name="sources",
        )

    def call(self, features):
        _, rows, columns, units = features.shape
        tokens = ops.reshape(features, (-1, rows * columns, units))
        tokens = ops.take(tokens, self.sources, axis=1)
        return ops.reshape(tokens, (-1, rows, columns, units))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config()  # without the order
