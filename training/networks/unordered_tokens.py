"""Tokens of a ciphertext whose set does not depend on the key of the image."""

import keras
import numpy as np
from keras import layers, ops

from tfpe.checks import one_of
from tfpe.errors import NetworkError
from tfpe.layers.byte_inputs import bytes_of
from tfpe.layers.word_layers import centred_words, patches_of

TOKENS = ("blocks", "words", "multisets")


@keras.saving.register_keras_serializable(package="training")
class UnorderedTokens(layers.Layer):
    """Embeds an image as a set of tokens.

    What each embedding does not depend on, exactly:

    - "blocks": how a block is turned, negated and its channels are ordered (etc). Every
      block in 8 turns and 2 polarities goes through one dense layer, and the mean of
      the 16 counts; channels are sorted by how far they are from gray.
    - "words": the sign of a word (le, blockshuffle). A token is one place of a block,
      as it looks in all blocks: both of its signs go through one dense layer.
    - "multisets": order and sign of the words of a block (ele): they are sorted.

    Args:
        units: length of a token.
        tokens: one of the above.
        patch_size: side of the blocks.
        bits: of a word, for "words" and "multisets".
        kernel_regularizer: of Keras.
        **options: of Keras layers.

    Input shape:
        (batch, height, width, channels), bytes.

    Output shape:
        (batch, tokens, units).
    """

    def __init__(
        self, units, tokens, patch_size=4, bits=8, kernel_regularizer=None, **options
    ):
        super().__init__(**options)
        self.autocast = False
        self.supports_jit = True
        self.units = units
        self.tokens = one_of(tokens, TOKENS, "tokens", error=NetworkError)
        self.patch_size, self.bits = patch_size, bits
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.dense = layers.Dense(
            units, kernel_regularizer=self.kernel_regularizer, dtype=self.dtype_policy
        )

    def build(self, input_shape):
        self.dense.build((None, self._sizes(input_shape)[1]))

    def call(self, images):
        if self.tokens == "blocks":
            data, sealed = bytes_of(images)
            embedded = keras.activations.gelu(self.dense(self._turned(data)))
            return sealed(ops.mean(embedded, axis=2, keepdims=True))[:, :, 0]
        words = centred_words(images, self.bits, self.compute_dtype)
        words = patches_of(words, self.patch_size)
        if self.tokens == "multisets":
            return keras.activations.gelu(
                self.dense(ops.sort(ops.absolute(words), axis=-1))
            )
        words = ops.transpose(words, (0, 2, 1))
        return sum(
            keras.activations.gelu(self.dense(sign * words)) for sign in (1.0, -1.0)
        )

    def _turned(self, images):
        """(batch, blocks, 16 variants, bytes of a block)."""
        side, channels = self.patch_size, images.shape[-1]
        whole = patches_of(2 * ops.cast(images, "int32") - 255, side)
        blocks = ops.reshape(whole, (-1, whole.shape[1], side * side, channels))
        # Whole numbers, so that a sum is the same in any order of its terms. Channels
        # as far from gray as each other differ in how they go with all three.
        key = ops.sum(blocks * blocks, axis=2)
        if side <= 8:  # more would not fit into 32 bits
            together = ops.sum(blocks * ops.sum(blocks, axis=3, keepdims=True), axis=2)
            key = key * 251 + together % 251
        order = ops.argsort(key, axis=-1)
        blocks = ops.take_along_axis(blocks, order[:, :, None, :], axis=3)
        values = ops.reshape(blocks, ops.shape(whole))
        values = ops.cast(ops.cast(values, "float32") / 255, self.compute_dtype)
        turned = ops.take(values, ops.convert_to_tensor(self._turns(channels)), axis=2)
        return ops.concatenate([turned, -turned], axis=2)

    def _turns(self, channels):
        """The 8 turns of a block as gathers of its bytes, `int32 (8, bytes)`."""
        places = np.arange(self.patch_size**2).reshape(self.patch_size, -1)
        turns = [np.rot90(places, k) for k in range(4)]
        turns += [np.fliplr(turn) for turn in turns]
        return np.stack(
            [
                (turn.reshape(-1, 1) * channels + np.arange(channels)).reshape(-1)
                for turn in turns
            ]
        ).astype(np.int32)

    def _sizes(self, shape):
        """Tokens, and values that each is embedded from."""
        _, height, width, channels = shape
        blocks = (height // self.patch_size) * (width // self.patch_size)
        bits = 8 if self.tokens == "blocks" else self.bits
        words = self.patch_size**2 * channels * 8 // bits
        return (words, blocks) if self.tokens == "words" else (blocks, words)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self._sizes(input_shape)[0], self.units)

    def get_config(self):
        return super().get_config() | {
            "units": self.units,
            "tokens": self.tokens,
            "patch_size": self.patch_size,
            "bits": self.bits,
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }
