"""Networks of published learned attacks, to be trained and measured beside ours."""

import dataclasses
from collections.abc import Callable

WIDTH, SIA_WIDTH = 64, 96
SIDE = 4  # of the blocks of SIA-GAN, where a cipher has none


def itn_network(form, width=WIDTH):
    """Builds the inverse-transformation network of Sirichotedumrong & Kiya.

    Ciphers that keep values in their pixels get convolutions of 1 x 1, others one of
    the size and stride of a block, then of 1 x 1, and the pixels of a block out of one
    place. No place knows its neighbours: what it can give is the mean of what a pixel
    or block may have been. Their GAN has the same network as generator.

    Args:
        form: a `Form`.
        width: channels, in proportion to the published 64.

    Returns:
        A `keras.Model` from bytes to `picture`, in [0, 1].

    Source: Sirichotedumrong & Kiya 2021, arXiv 2010.06198; widths as in the public code
    of their laboratory, github.com/ito-hiroki/learnable_encryption_robustness.
    """
    import keras
    from keras import layers, ops

    side, channels = form.block_size, form.image_shape[2]
    shape = (None, None, channels) if form.any_size else form.image_shape
    images = keras.Input(shape, dtype="uint8", name="ciphertext")
    features = ops.cast(images, "float32") / 127.5 - 1
    if side == 1:
        widths = width, 2 * width, 4 * width
    else:
        whole = channels * side**2 * width // WIDTH
        widths = whole, whole, side**2 * (width // 2)
    for number, units in enumerate(widths):
        size = side if number == 0 else 1
        features = convolution(units, size, strides=size, padding="valid")(features)
        features = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(features)
        features = layers.ReLU()(features)
    if side > 1:
        features = pixels_of_places(features, side)
    return _as_picture(convolution(channels, 1)(features), images, "itn")


def sia_network(form, width=SIA_WIDTH):
    """Builds the generator of SIA-GAN: blocks adapted one by one, a residual decoder.

    Where blocks move or have keys of their own, each has weights of its own: with one
    key for all images these can become that key. The decoder of 3 x 3 convolutions
    then sees the whole picture.

    Args:
        form: a `Form`.
        width: channels of the decoder.

    Returns:
        A `keras.Model` from bytes to `picture`, in [0, 1].

    Source: Madono, Tanaka, Onishi, Ogawa, SIA-GAN: Scrambling Inversion Attack Using
    Generative Adversarial Network, IEEE Access 2021. Widths are ours, so that it has
    the published 1.1 million weights at 32 x 32 with blocks of 4.
    """
    import keras
    from keras import layers, ops

    from tfpe.attacks.learned.network_parts import residual, words_of_blocks

    side, (height, across, channels) = form.block_size, form.image_shape
    if side == 1:
        side = next(s for s in (SIDE, 2, 1) if not (height % s or across % s))
    images = keras.Input(form.image_shape, dtype="uint8", name="ciphertext")
    blocks = words_of_blocks(images, side, 8)
    count, values = blocks.shape[1:]
    if form.blocks_alike:
        blocks = layers.Dense(values, activation="relu")(blocks)
    else:
        blocks = layers.EinsumDense(
            "bnv,nvw->bnw", (count, values), activation="relu", bias_axes="nw"
        )(blocks)
    features = ops.reshape(blocks, (-1, height // side, across // side, values))
    features = convolution(side**2 * width, 1)(features)
    features = layers.ReLU()(pixels_of_places(features, side))
    for _ in range(5):
        features = residual(features)
    shown = layers.Conv2D(channels, 3, padding="same")(features)
    return _as_picture(shown, images, "sia_gan")


def convolution(units, size, padding="same", **options):
    """A convolution whose weights begin as those of DCGAN."""
    import keras

    start = keras.initializers.RandomNormal(stddev=0.02)
    return keras.layers.Conv2D(
        units, size, padding=padding, kernel_initializer=start, **options
    )


def pixels_of_places(features, side):
    """Channels `(B, h, w, side * side * C)` as pixels `(B, h * side, w * side, C)`."""
    from keras import ops

    _, height, width, channels = features.shape
    places = (-1, height, width, side, side, channels // side**2)
    values = ops.transpose(ops.reshape(features, places), (0, 1, 3, 2, 4, 5))
    return ops.reshape(values, (-1, height * side, width * side, channels // side**2))


def _as_picture(values, images, name):
    import keras

    picture = keras.layers.Rescaling(0.5, 0.5)(keras.ops.tanh(values))
    picture = keras.layers.Identity(name="picture")(picture)
    return keras.Model(images, {"picture": picture}, name=name)


def compile_itn(model, rate):
    """Compiles as published: squared error of values -1 to 1, gradient descent."""
    import keras

    descent = keras.optimizers.SGD(rate, momentum=0.9, weight_decay=5e-4)
    model.compile(descent, loss={"picture": centred_error})
    model.optimizer.build(model.trainable_variables)


def centred_error(plain, shown):
    """Mean squared error, of values from -1 to 1."""
    import keras

    return keras.ops.mean(keras.ops.square(2 * (plain - shown)), axis=(1, 2, 3))


@dataclasses.dataclass(frozen=True)
class Published:
    """A published attack: its network, and how it is trained.

    Attributes:
        build: `(form, width)` to the `keras.Model` that opens ciphertexts.
        epochs, batch_size, rate: as published, where it is known.
        judge: for a GAN, the name of its discriminator in `players.JUDGES`.
        width: of network and discriminator.
        any_size: whether it takes pictures of any size where the cipher lets it.
    """

    build: Callable
    epochs: int
    batch_size: int
    rate: float
    judge: str | None = None
    width: int = WIDTH
    any_size: bool = True


PUBLISHED = {
    "itn": Published(itn_network, 50, 128, 0.01),
    "gan": Published(itn_network, 25, 64, 2e-4, judge="dcgan"),
    "sia-gan": Published(
        sia_network, 100, 64, 2e-4, judge="sia", width=SIA_WIDTH, any_size=False
    ),
}
