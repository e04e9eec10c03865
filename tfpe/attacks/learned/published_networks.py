"""Networks of published learned attacks, to be trained and measured beside ours."""

WIDTH, DEPTH = 128, 4  # not stated where this was read; ours
SGD_RATE = 0.01


def itn_network(form, width=WIDTH, depth=DEPTH):
    """Builds the inverse-transformation network of Sirichotedumrong & Kiya.

    Ciphers that keep values in their pixels get convolutions of 1 x 1, others one of
    the size and stride of a block, then of 1 x 1, and the pixels of a block out of one
    place. It is trained by the squared error and plain gradient descent of rate 0.01.
    No place knows its neighbours: what it can give is the mean of what a pixel or block
    may have been.

    Args:
        form: a `Form`.
        width: channels.
        depth: layers of 1 x 1.

    Returns:
        A `keras.Model` from bytes to `picture`, in [0, 1].

    Source: Sirichotedumrong & Kiya 2021, arXiv 2010.06198. It learns there from an
    owner's own images under other keys; here from public ones under fresh keys. Widths
    and depth are ours.
    """
    import keras
    from keras import layers, ops

    side, channels = form.block_size, form.image_shape[2]
    shape = (None, None, channels) if form.any_size else form.image_shape
    images = keras.Input(shape, dtype="uint8", name="ciphertext")
    features = ops.cast(images, "float32") / 255
    features = layers.Conv2D(width, side, strides=side, activation="relu")(features)
    for _ in range(depth):
        features = layers.Conv2D(width, 1, activation="relu")(features)
    # A transposed convolution whose windows do not meet is 1 x 1 and a pixel shuffle.
    picture = layers.Conv2DTranspose(
        channels, side, strides=side, activation="sigmoid", name="picture"
    )(features)
    return keras.Model(images, {"picture": picture}, name="itn")


def compile_itn(model):
    """Compiles as published: squared error, gradient descent."""
    import keras

    model.compile(keras.optimizers.SGD(SGD_RATE), loss={"picture": "mse"})
    model.optimizer.build(model.trainable_variables)


PUBLISHED = {"itn": (itn_network, compile_itn)}
