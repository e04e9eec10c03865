"""Refinement: the key under which pixels are what their neighbours predict.

Neighbours predict a pixel within a Gaussian whose scale varies from place to place.
The likelihood of a key is then quadratic in its signs: weighted moments of bits and
predictions hold all of it, and 6 orders x 256 key bytes are searched by products.
"""

import numpy as np

from tfpe.attacks.statistics.growth import own_costs
from tfpe.attacks.statistics.moments import KEY_WEIGHTS, signed_bits
from tfpe.attacks.statistics.pixel_keys import channel_orders
from tfpe.attacks.statistics.prediction import (
    MIDDLE,
    fit_model,
    neighbours_of,
    padded,
)

# Student's t: places that a prediction misses by far lose their weight.
DEGREES_OF_FREEDOM = 5
# Rounds over the channels for one order: later ones change next to nothing.
ROUNDS = 3


def refine(ciphertexts, keys, sweeps):
    """Improves `keys` in place, until nothing changes or for `sweeps` sweeps.

    Each sweep fits the model of neighbours to the images as they are now, takes from
    the keys of all pixels how common each key byte and order is (half of logistic's
    bytes are 0, all of pbe's are 0 or 255), and solves every pixel anew: first those of
    even row and column, then the other three quarters, so that neighbours stand still.

    Args:
        ciphertexts: `uint8 (B, H, W, C)`.
        keys: `PixelKeys`, nearly right.
        sweeps: the most sweeps, 0 or more.
    """
    for _ in range(sweeps):
        plain = keys.decrypt(ciphertexts)
        model = fit_model(plain)
        costs = _prior_costs(keys)
        changed = 0
        for first_row, first_column in np.ndindex(2, 2):
            around = padded(plain)
            for row in range(first_row, plain.shape[1], 2):
                place = (row, slice(first_column, None, 2))
                rows = around[:, row : row + 3]
                changed += _solve(ciphertexts, keys, plain, place, rows, model, costs)
        if not changed:
            break


def _prior_costs(keys):
    """-2 log of how common key bytes and orders are: `(256,)` and `(C!,)`."""
    counts = np.bincount(keys.key.ravel(), minlength=256).astype(np.float32)
    same = keys.source[..., None, :] == channel_orders(keys.source.shape[-1])
    orders = same.all(axis=-1).sum(axis=(0, 1)).astype(np.float32)
    # Half of the belief stays with "all alike": counts of a stream are chance.
    return [-2 * np.log(c / c.sum() + 1 / c.size) for c in (counts, orders)]


def _solve(ciphertexts, keys, plain, place, rows, model, prior_costs):
    """Solves some pixels of one row; returns how many changed."""
    row, columns = place
    prediction, variance = model.predict(neighbours_of(rows, columns))
    received = ciphertexts[:, row, columns]
    error = plain[:, row, columns] - MIDDLE - prediction
    distance = ((error @ model.precision) * error).sum(axis=-1) / variance
    channels = received.shape[-1]
    weight = (DEGREES_OF_FREEDOM + channels) / (DEGREES_OF_FREEDOM + distance)
    weight /= variance
    # One matrix product a pixel, images are the inner axis.
    bits = signed_bits(received.swapaxes(0, 1))
    weighted = (bits * weight.T[..., None]).swapaxes(-1, -2)
    square = weighted @ bits
    linear = weighted @ (prediction @ model.precision).swapaxes(0, 1)
    old = keys.source[row, columns], keys.key[row, columns]
    source, key = _most_likely(square, linear, model.precision, *old, *prior_costs)
    changed = ((old[0] != source) | (old[1] != key)).sum()
    keys.source[row, columns], keys.key[row, columns] = source, key
    plain[:, row, columns] = np.take_along_axis(received, source[None], axis=-1) ^ key
    return changed


def _most_likely(square, linear, precision, source, key, key_costs, order_costs):
    """The likeliest order and key bytes of P pixels.

    For a given order, one channel after the other takes the best of 256 key bytes.

    Args:
        square: weighted moments of the bits, `(P, 8C, 8C)`.
        linear: of the bits with the predictions times `precision`, `(P, 8C, C)`.
        precision: `(C, C)`.
        source, key: to start from, `(P, C)`.
        key_costs, order_costs: `(256,)` and `(C!,)`.

    Returns:
        source, key: `(P, C)`.
    """
    pixels, _, channels = linear.shape
    own = own_costs(square)
    linear = linear.reshape(pixels, channels, 8, channels)
    square = square.reshape(pixels, channels, 8, channels, 8)
    # Key bytes by ciphertext channel: an order to try starts with those found.
    byte = np.take_along_axis(key, np.argsort(source, axis=-1), axis=-1)
    best = np.full(pixels, np.inf, np.float32)
    source, key = source.copy(), key.copy()
    for order, order_cost in zip(channel_orders(channels), order_costs, strict=True):
        tried = byte[:, order]
        signs = KEY_WEIGHTS[tried]
        for _ in range(ROUNDS):
            before = tried.copy()
            for c, a in enumerate(order):
                pull = linear[:, a, :, c]
                for other in range(channels):
                    if other != c:
                        moments = square[:, a, :, order[other]]
                        shared = (moments @ signs[:, other, :, None])[..., 0]
                        pull = pull - precision[c, other] * shared
                costs = precision[c, c] * own[:, a] - 2 * pull @ KEY_WEIGHTS.T
                costs += key_costs
                tried[:, c] = costs.argmin(axis=1)
                signs[:, c] = KEY_WEIGHTS[tried[:, c]]
            if (tried == before).all():
                break
        total = _joint_cost(square, linear, precision, order, signs)
        total += key_costs[tried].sum(axis=1) + order_cost
        better = total < best
        best[better], source[better], key[better] = total[better], order, tried[better]
    return source, key.astype(np.uint8)


def _joint_cost(square, linear, precision, order, signs):
    """Weighted squares of the errors of all channels, less a constant, `(P,)`."""
    total = np.zeros(len(signs), np.float32)
    for c, a in enumerate(order):
        pull = 2 * linear[:, a, :, c]
        for other, b in enumerate(order):
            shared = (square[:, a, :, b] @ signs[:, other, :, None])[..., 0]
            pull = pull - precision[c, other] * shared
        total -= (pull * signs[:, c]).sum(axis=-1)
    return total
