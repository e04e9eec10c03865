"""The network for ciphers that negate values in their pixels, in two questions.

Which values of a picture were negated is told by their neighbours, but for one thing: a
picture and its negative look alike to all of them. So the network first says what the
picture is up to that, and a second one whether what came out is a negative.
"""

import keras
from keras import layers, ops

from tfpe.attacks.learned.network_parts import Expected, normalised_residual
from tfpe.attacks.learned.pixel_network import WIDTHS, choices_of_pixels, u_net

JUDGE = (32, 64, 96)  # channels of the convolutions that know negatives
SAME = 0.5 / 255  # a value is that of a choice
UNLIKELY = -1e4  # logarithm of the likelihood where no choice is right


def polarity_network(form, widths=WIDTHS):
    """Builds the network; not compiled.

    Args:
        form: a `Form` of such a cipher.
        widths: as of `pixel_network`.

    Returns:
        A `keras.Model` from bytes to `picture`, in [0, 1] and of any size, and to
        `choices`, `(B, H, W, channels, 2, K)`: for each value the logarithms of the
        likelihoods of K choices, and these.
    """
    channels = form.image_shape[2]
    images = keras.Input((None, None, channels), dtype="uint8", name="ciphertext")
    values = ops.cast(images, "float32") / 255
    values = ops.minimum(values, 1 - values)
    if form.orders_channels:
        values = ops.sort(values, axis=-1)
    choices = choices_of_pixels(form, [values, 1 - values])
    count = choices.shape[-1]
    units = channels * (count + 2)
    decided = u_net(2 * values - 1, widths, units, normalised_residual)
    logits, own = decided[..., :-channels], ops.sigmoid(decided[..., -channels:])
    shown = Expected(count)([logits, choices, own])
    judge = _judge()
    # Of a picture and its negative it says the opposite.
    negative = ops.sigmoid(judge(1 - shown) - judge(shown))[:, :, None, None]
    picture = (1 - negative) * shown + negative * (1 - shown)
    outputs = {
        "picture": layers.Identity(name="picture")(picture),
        "choices": Choices(channels, count, name="choices")([logits, choices]),
    }
    return keras.Model(images, outputs, name="polarity_network")


class Choices(layers.Layer):
    """The logarithms of the likelihoods of choices, and the choices.

    Args:
        channels: of a pixel.
        count: number K of choices that are given; there is one more, which is free.

    Input shape:
        Logits `(B, H, W, channels * (K + 1))` and choices
        `(B, H, W, channels or 1, K)`.

    Output shape:
        `(B, H, W, channels, 2, K)`.
    """

    def __init__(self, channels, count, **options):
        super().__init__(**options)
        self.channels, self.count = channels, count

    def call(self, inputs):
        logits, choices = inputs
        shape = *ops.shape(logits)[:-1], self.channels
        likely = ops.log_softmax(ops.reshape(logits, (*shape, self.count + 1)), axis=-1)
        choices = ops.broadcast_to(choices, (*shape, self.count))
        return ops.stack([likely[..., :-1], choices], axis=-2)

    def compute_output_shape(self, shapes):
        return *shapes[0][:-1], self.channels, 2, self.count


def choice_loss(plain, told):
    """How unlikely the right choices are, of the picture or of its negative.

    What an error of the mean picture tells vanishes where the network is sure of what
    is wrong, and training ends there; this does not.

    Args:
        plain: pictures in [0, 1], `(B, H, W, channels)`.
        told: the output `choices`.

    Returns:
        `(B,)`.
    """
    likely, choices = told[..., 0, :], told[..., 1, :]

    def unlikely(picture):
        right = ops.absolute(choices - picture[..., None]) < SAME
        found = ops.logsumexp(ops.where(right, likely, UNLIKELY), axis=-1)
        return -ops.mean(found, axis=(1, 2, 3))

    return ops.minimum(unlikely(plain), unlikely(1 - plain))


def _judge():
    parts = [
        layers.Conv2D(width, 4, strides=2, padding="same", activation="relu")
        for width in JUDGE
    ]
    parts.append(layers.Conv2D(JUDGE[-1], 3, padding="same", activation="relu"))
    parts += [layers.GlobalAveragePooling2D(), layers.Dense(1)]
    return keras.Sequential(parts, name="judge")
