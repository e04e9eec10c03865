"""What neighbours cannot tell: polarity and the names of the channels.

A negative of a channel, or an order of the channels throughout, is as smooth as the
right one. What is known of pictures settles it: channels go together, light comes from
above, dark is more common than bright, and the sky is blue.
"""

import numpy as np

# Standard deviations by which one count of key bytes must exceed the other.
SURE = 6
# Share of the pixels that must share a channel order for it to be none.
ONE_ORDER = 0.9


def resolve(ciphertexts, keys):
    """Settles polarity and channel order of `keys` in place."""
    plain = keys.decrypt(ciphertexts)
    keys.complement_channels(opposite_channels(plain))
    if _negative_by_keys(keys.key, keys.decrypt(ciphertexts)):
        keys.complement_channels(np.ones(plain.shape[-1], bool))
    if plain.shape[-1] == 3:
        keys.rename_channels(_names(keys, keys.decrypt(ciphertexts)))


def opposite_channels(plain):
    """Which channels are negatives of the first: bool `(C,)`."""
    deviations = plain - plain.mean(axis=0, dtype=np.float32)
    products = [(deviations[..., 0] * d).mean() for d in np.moveaxis(deviations, -1, 0)]
    return np.array(products) < 0


def is_negative(plain):
    """Whether images look like negatives, in gray.

    The top quarter of pictures is brighter than the bottom quarter by about 0.25
    standard deviations, and their values are skewed by about 0.24 towards the bright
    (CIFAR-10). The sum is right in 95 % of the draws of 16 images, in 99.5 % of 25 and
    in all (of 200) of 50.
    """
    luminance = plain.mean(axis=-1, dtype=np.float32)
    deviation = luminance - luminance.mean()
    unit = deviation.std()
    quarter = -(-plain.shape[1] // 4)
    contrast = deviation[:, :quarter].mean() - deviation[:, -quarter:].mean()
    return contrast / unit + (deviation**3).mean() / unit**3 < 0


def red_green_blue(plain):
    """The channels that are red, green and blue: `(3,)`, for right polarity.

    Green is the middle of the spectrum: the differences of red and blue are greatest
    (taken between neighbours: right in all draws of 16 images of CIFAR-10). Blue
    prevails over red at the top more than at the bottom (97 % of 16, all of 25).
    """
    steps = np.diff(plain.astype(np.float32), axis=2)
    differences = [
        (np.roll(steps, -1, -1) - np.roll(steps, 1, -1))[..., c].var() for c in range(3)
    ]
    green = int(np.argmax(differences))
    red, blue = (c for c in range(3) if c != green)
    quarter = -(-plain.shape[1] // 4)
    cold = plain[..., blue].astype(np.float32) - plain[..., red]
    if cold[:, :quarter].mean() < cold[:, -quarter:].mean():
        red, blue = blue, red
    return np.array([red, green, blue])


def _negative_by_keys(key, plain):
    """Whether the plain images are negatives, by their keys where these tell.

    A cipher that leaves values as they are has many key bytes 0, and 255 as a negative.
    """
    left, negated = np.count_nonzero(key == 0), np.count_nonzero(key == 255)
    if abs(left - negated) > SURE * np.sqrt(left + negated):
        return negated > left
    return is_negative(plain)


def _names(keys, plain):
    orders, counts = np.unique(keys.source.reshape(-1, 3), axis=0, return_counts=True)
    if counts.max() > ONE_ORDER * counts.sum():
        # The cipher has no channel step: channels are where they were.
        return np.argsort(orders[counts.argmax()])
    return red_green_blue(plain)
