"""The network for ciphers that do the same to the words of each block: le."""

import math

import numpy as np

from tfpe.attacks.learned.network_parts import (
    Queries,
    attention,
    picture_of_blocks,
    words_of_blocks,
)

WIDTH, DEPTH = 96, 3


def word_network(form, width=WIDTH, depth=DEPTH):
    """Builds the network; not compiled.

    A token is one word of the cipher as it looks in all blocks, and its negative is
    another; tokens have no order. For each word of a plain block the network says how
    likely each token is that word. The picture is the mean over these.

    Args:
        form: a `Form` of such a cipher.
        width: of a token.
        depth: layers of attention.

    Returns:
        A `keras.Model` from bytes to a dict: `words`, the logits, `(B, words, tokens)`,
        and `picture`, in [0, 1].
    """
    import keras
    from keras import layers, ops

    side, bits = form.block_size, form.bits
    images = keras.Input(form.image_shape, dtype="uint8", name="ciphertext")
    words = ops.transpose(words_of_blocks(images, side, bits), (0, 2, 1))
    count, blocks = words.shape[1:]
    tokens = ops.concatenate([words, -words], axis=1)
    features = layers.Dense(2 * width, activation="gelu")(tokens)
    features = attention(layers.Dense(width)(features), depth)
    queries = Queries(count, width)(features)
    queries = layers.Dense(width)(attention(queries, 2, context=features))
    keys = layers.Dense(width)(features)
    logits = ops.einsum("bqd,btd->bqt", queries, keys) / math.sqrt(width)
    outputs = {
        "picture": layers.Identity(name="picture")(opened_words(logits, tokens, form)),
        "words": layers.Identity(name="words")(logits),
    }
    return keras.Model(images, outputs, name="word_network")


def opened_words(logits, tokens, form):
    """The mean picture over which token each word of a plain block may be.

    Args:
        logits: `(B, words, tokens)`.
        tokens: centred words of the ciphertext and their negatives, `(B, tokens, N)`,
            as they are in each of the N blocks.
        form: a `Form`.

    Returns:
        `(B, H, W, C)`, from 0 to 1.
    """
    from keras import ops

    bits, (count, blocks) = form.bits, (tokens.shape[1] // 2, tokens.shape[2])
    plain = ops.einsum("bqt,btn->bqn", ops.softmax(logits), tokens)
    # Words of a byte stand side by side, the lowest first.
    parts = ops.reshape(plain, (-1, count * bits // 8, 8 // bits, blocks))
    scale = [2**shift * (2**bits - 1) / 2 / 255 for shift in range(0, 8, bits)]
    scale = ops.convert_to_tensor(np.array(scale, np.float32)[:, None])
    values = ops.transpose(ops.sum((parts + 1) * scale, axis=2), (0, 2, 1))
    return picture_of_blocks(values, form.image_shape, form.block_size)
