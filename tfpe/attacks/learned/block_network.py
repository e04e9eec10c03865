"""The networks for ciphers of blocks without order: etc and iib, and ele."""

import math

import numpy as np

from tfpe.attacks.learned.network_parts import (
    attention,
    picture_of_blocks,
    placed,
    words_of_blocks,
)
from tfpe.ciphers.block_moves import orientations, sub_pixels
from tfpe.ciphers.channels import CHANNEL_ORDERS

WIDTH, DEPTH = 128, 4


def block_network(form, width=WIDTH, depth=DEPTH):
    """Builds the network for blocks that are turned, negated and recoloured.

    A token is a block; tokens have no order. For each the network says how likely each
    place is, each turn of each sub-block, the negative and each channel order, and the
    picture is the mean over these.

    Args:
        form: a `Form` of such a cipher.
        width: of a token.
        depth: layers of attention.

    Returns:
        A `keras.Model` from bytes to a dict of logits `place`, `turn`, `polarity` and
        `colours`, as far as the cipher changes these, and `picture`, in [0, 1].
    """
    import keras
    from keras import layers

    side, sub = form.block_size, form.sub_block_size
    channels, parts = form.image_shape[2], (side // sub) ** 2
    images = keras.Input(form.image_shape, dtype="uint8", name="ciphertext")
    values = words_of_blocks(images, side, 8)
    count = values.shape[1]
    features = layers.Dense(width)(layers.Dense(width, activation="gelu")(values))
    features = features + _however_turned(values, side, channels, width)
    features = attention(_in_place(features, form), depth)

    guesses = {
        "turn": _head(features, (count, parts, 8), "turn"),
        "polarity": _head(features, (count, 2), "polarity"),
    }
    if form.orders_channels:
        guesses["colours"] = _head(features, (count, 6), "colours")
    if form.moved:
        guesses["place"] = _head(features, (count, count), "place")
    picture = layers.Identity(name="picture")(opened_blocks(guesses, values, form))
    return keras.Model(images, guesses | {"picture": picture}, name="block_network")


def opened_blocks(guesses, values, form):
    """The mean picture over what the guesses of a network say of each block.

    Args:
        guesses: logits by name, of each block: `turn`, `(B, N, sub-blocks, 8)`,
            `polarity`, `(B, N, 2)`, and, where the cipher does that, `colours`,
            `(B, N, 6)`, and `place`, `(B, N, N)`.
        values: of the blocks of the ciphertext, -1 to 1, `(B, N, side * side * C)`.
        form: a `Form`.

    Returns:
        `(B, H, W, C)`, from 0 to 1.
    """
    from keras import ops

    side, sub, channels = form.block_size, form.sub_block_size, form.image_shape[2]
    count, parts = values.shape[1], (side // sub) ** 2
    likely = {name: ops.softmax(logits) for name, logits in guesses.items()}
    sign = likely["polarity"][..., 0] - likely["polarity"][..., 1]
    values = values * sign[..., None]
    values = ops.reshape(values, (-1, count, side * side, channels))
    if form.orders_channels:
        mixed = ops.einsum("bno,oij->bnij", likely["colours"], _colour_moves())
        values = ops.einsum("bnij,bnpj->bnpi", mixed, values)
    inside = sub_pixels(side, sub).ravel()
    values = ops.take(values, ops.convert_to_tensor(inside), axis=2)
    values = ops.reshape(values, (-1, count, parts, sub * sub, channels))
    moves = ops.einsum("bnso,oij->bnsij", likely["turn"], _turn_moves(sub))
    values = ops.einsum("bnsij,bnsjc->bnsic", moves, values)
    values = ops.reshape(values, (-1, count, side * side, channels))
    back = ops.convert_to_tensor(np.argsort(inside).astype(np.int32))
    values = ops.reshape(
        ops.take(values, back, axis=2), (-1, count, side * side * channels)
    )
    if form.moved:
        values = placed(guesses["place"], values)
    return picture_of_blocks((values + 1) / 2, form.image_shape, side)


def multiset_network(form, width=96, depth=3):
    """Builds the network for blocks whose words keep neither order nor sign.

    What is left of a block is how many words have each distance from the middle: its
    words are sorted. The network says where each block is and how it looks on average.

    Args:
        form: a `Form` of such a cipher.
        width: of a token.
        depth: layers of attention.

    Returns:
        A `keras.Model` from bytes to a dict: the logits `place`, where blocks move, and
        `picture`, in [0, 1].
    """
    import keras
    from keras import layers, ops

    side = form.block_size
    images = keras.Input(form.image_shape, dtype="uint8", name="ciphertext")
    words = ops.sort(ops.absolute(words_of_blocks(images, side, form.bits)), axis=-1)
    count = words.shape[1]
    features = layers.Dense(width)(layers.Dense(2 * width, activation="gelu")(words))
    features = attention(_in_place(features, form), depth)
    size, outputs = side * side * form.image_shape[2], {}
    values = layers.Dense(size, activation="sigmoid")(features)
    if form.moved:
        outputs["place"] = _head(features, (count, count), "place")
        values = placed(outputs["place"], values)
    picture = picture_of_blocks(values, form.image_shape, side)
    outputs["picture"] = layers.Identity(name="picture")(picture)
    return keras.Model(images, outputs, name="multiset_network")


def _in_place(features, form):
    """Tokens of blocks that stay are told where they are."""
    from keras import layers, ops

    if form.moved:
        return features
    count, width = features.shape[1:]
    places = layers.Embedding(count, width)(ops.arange(count))
    return features + places


def _head(features, shape, name):
    """Logits of a guess for each block: `shape` begins with their number."""
    from keras import layers

    units = layers.Dense(math.prod(shape[1:]))(features)
    return layers.Reshape(shape, name=name)(units)


def _however_turned(values, side, channels, width):
    """What a block is in all 8 turns and both polarities: features of no pose."""
    from keras import layers, ops

    turned = orientations(side)[..., None] * channels + np.arange(channels)
    turned = turned.reshape(8, -1).astype(np.int32)
    turned = ops.take(values, ops.convert_to_tensor(turned), axis=2)
    dense = layers.Dense(width)
    both = ops.gelu(dense(turned)) + ops.gelu(dense(-turned))
    return layers.Dense(width)(ops.mean(both, axis=2))


def _turn_moves(sub):
    """Matrices from turned pixels back, `float32 (8, sub * sub, sub * sub)`."""
    turned = orientations(sub)
    return (np.arange(sub * sub)[:, None] == turned[:, None]).astype(np.float32)


def _colour_moves():
    """Matrices from reordered channels back, `float32 (6, 3, 3)`."""
    return (np.arange(3)[:, None] == CHANNEL_ORDERS[:, None]).astype(np.float32)
