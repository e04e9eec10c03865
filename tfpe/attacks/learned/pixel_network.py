"""The network for ciphers that keep every value in its pixel: a U-Net that chooses."""

from tfpe.attacks.learned.network_parts import Expected, Roughness, residual

WIDTHS = (64, 96, 128)
LEVELS = 16  # of a soft histogram of the values of a pixel


def pixel_network(form, widths=WIDTHS):
    """Builds the network; not compiled.

    It does not paint: for each value of a pixel it says how likely each value of the
    ciphertext there is, or one of its own making. The picture is the mean, so that
    what it knows is exact.

    Args:
        form: a `Form` of such a cipher.
        widths: channels of the levels, from the finest to the coarsest.

    Returns:
        A `keras.Model` from bytes to pictures in [0, 1], of any size.
    """
    import keras
    from keras import layers, ops

    channels = form.image_shape[2]
    images = keras.Input((None, None, channels), dtype="uint8", name="ciphertext")
    values = ops.cast(images, "float32") / 255
    if form.orders_channels:
        values = ops.sort(values, axis=-1)
    features = [2 * values - 1, _histogram(values)]
    if form.block_size > 1:
        features.append(Roughness(form.block_size)(values))
    features = layers.Concatenate()(features)
    choices = choices_of_pixels(form, [values])
    count = choices.shape[-1]
    decided = u_net(features, widths, channels * (count + 2))
    logits, own = decided[..., :-channels], ops.sigmoid(decided[..., -channels:])
    picture = Expected(count, name="picture")([logits, choices, own])
    return keras.Model(images, {"picture": picture}, name="pixel_network")


def choices_of_pixels(form, candidates):
    """What each channel of a pixel may be, `(B, H, W, channels or 1, K)`.

    Args:
        form: a `Form`; where it orders channels, any value may be any channel.
        candidates: tensors `(B, H, W, channels)`.
    """
    from keras import ops

    if form.orders_channels:
        return ops.concatenate(candidates, axis=-1)[..., None, :]
    return ops.stack(candidates, axis=-1)


def u_net(features, widths, units, residual=residual):
    """`units` numbers for each pixel, of features `(B, H, W, F)`.

    Args:
        features: a tensor of any height and width, whole in strides of the network.
        widths: channels of the levels, from the finest to the coarsest.
        units: of the output.
        residual: adds to features what convolutions make of them.
    """
    from keras import layers, ops

    # Four pixels are one place: as much is seen with a quarter of the places.
    features = layers.Conv2D(widths[0], 4, strides=2, padding="same")(features)
    skipped = []
    for width in widths[1:]:
        features = residual(features)
        skipped.append(features)
        features = layers.Conv2D(width, 2, strides=2)(features)
    features = residual(features)
    # What the whole picture says, for all parts.
    whole = ops.mean(features, axis=(1, 2), keepdims=True)
    features = features + layers.Dense(widths[-1])(ops.relu(whole))
    for width, skip in zip(widths[-2::-1], skipped[::-1], strict=True):
        features = layers.Conv2DTranspose(width, 2, strides=2)(features)
        features = residual(features + skip)
    return layers.Conv2DTranspose(units, 2, strides=2)(features)


def _histogram(values):
    """How many channels of a pixel are near each of 16 levels: any order is alike."""
    from keras import ops

    levels = ops.linspace(0.0, 1.0, LEVELS)
    near = ops.relu(1 - (LEVELS - 1) * ops.absolute(values[..., None] - levels))
    return ops.sum(near, axis=-2)
