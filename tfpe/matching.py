"""Models for ciphertexts of one key, from models for plain images: the same logits.

Where the key keeps to the patches of a model, its first layer can take the cipher up:
the columns of the patch embedding are permuted and change their signs with the words
that they meet, and tokens are moved back. Nothing else of the model changes.
"""

import keras
import numpy as np
from keras import ops

from tfpe.algebra.structure import signed_words, source_regions, structure
from tfpe.errors import NetworkError
from tfpe.layers.words import WordPatchEmbedding


def match(model, transform):
    """A model that gives on ciphertext the logits that `model` gives on images.

    Args:
        model: a Keras model of bytes (0 to 255, `uint8` or floats) that begins with a
            patch embedding: a Conv2D whose stride is its kernel size, or a
            `WordPatchEmbedding`; Rescaling and Normalization may stand before it.
        transform: a `Transform` of the images that the model takes, one key for all.

    Returns:
        A new model; `model` stays as it is. Its first weights hold the key, in the
        open to everybody who knows those of the plain model.

    Raises:
        NetworkError: the model does not begin so, or its patches do not hold what the
            key mixes.

    Source: Kiya et al. 2022 (arXiv 2207.05366) for bytes and ViT; words of 4 and 1
    bits (le, ele, logistic) are not published elsewhere.

    Example:

    >>> import keras, numpy as np, tfpe
    >>> plain = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Rescaling(
    ...     1 / 255), keras.layers.Conv2D(5, 4, 4), keras.layers.Flatten(),
    ...     keras.layers.Dense(10)])
    >>> ele = tfpe.ciphers.ele(tfpe.Key.generate(), (8, 8, 3))
    >>> images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    >>> bool(np.allclose(match(plain, ele)(ele(images)), plain(images), atol=1e-5))
    True
    """
    shape = tuple(model.input_shape) if hasattr(model, "input_shape") else None
    expected = (None, *getattr(transform, "input_shape", ()))
    if shape is None or shape[1:] != expected[1:]:
        raise NetworkError(
            f"`transform` should be of the images that the model takes, {shape}. "
            f"Received: {transform!r}"
        )
    found = structure(transform)  # refuses what is no Transform under one key
    front = _front(model)
    embedding = front.embedding()
    side = embedding.side
    words = signed_words(transform)
    words = words.refine(min(words.bits, embedding.bits))
    regions = source_regions(words, side)
    if regions is None:
        mixes = f"blocks of side {found.side}" if found.side else "the whole image"
        raise NetworkError(
            f"The patches of the model, of side {side}, should hold what the key mixes."
            f" Received: a transform that mixes {mixes}"
        )
    source, place, mask = regions
    kernel = embedding.refined(words.bits)  # (1 or patches, words, units)
    signs = np.where(mask, -1.0, 1.0)[..., None]
    if len(kernel) == 1 and (place == place[0]).all() and (mask == mask[0]).all():
        kernel = signs[:1] * kernel[:, place[0]]
    else:
        kernel = np.broadcast_to(kernel, (len(source), *kernel.shape[1:]))
        kernel = signs * np.take_along_axis(kernel[source], place[..., None], axis=1)
    layer = front.layer
    matched = WordPatchEmbedding(
        embedding.units,
        side,
        words.bits,
        tied=len(kernel) == 1,
        dtype=layer.dtype_policy,
        name=layer.name,
        **embedding.regularizers,
    )
    inputs = keras.Input(shape[1:], dtype=model.inputs[0].dtype)
    features = matched(inputs)
    matched.kernel.assign(kernel[0] if matched.tied else kernel)
    matched.bias.assign(embedding.bias)
    if (source != np.arange(len(source))).any():
        order = TokenOrder(dtype=layer.dtype_policy)
        features = order(features)
        order.sources.assign(np.argsort(source))
    if embedding.activation is not keras.activations.linear:
        features = keras.layers.Activation(embedding.activation)(features)
    for part in front.rest:
        copy = keras.models.clone_model(part)
        if copy.weights:
            copy.set_weights(part.get_weights())
        features = copy(features)
    return keras.Model(inputs, features, name=model.name)


def unmatch(model, transform):
    """The model for plain images again, of one that `match` made.

    Args:
        model: what `match` gave, or what was trained from it on ciphertext.
        transform: the `Transform` that it was matched to.

    Returns:
        A new model that gives on images what `model` gives on ciphertext.

    Raises:
        NetworkError: as of `match`.

    Example:

    >>> import keras, numpy as np, tfpe
    >>> plain = keras.Sequential(
    ...     [keras.Input((8, 8, 3)), keras.layers.Conv2D(5, 4, 4)]
    ... )
    >>> le = tfpe.ciphers.le(tfpe.Key.generate(), (8, 8, 3))
    >>> again = unmatch(match(plain, le), le)
    >>> image = np.full((1, 8, 8, 3), 200, np.uint8)
    >>> bool(np.allclose(again(image), plain(image), atol=1e-2))
    True
    """
    return match(model, transform.inverse)


@keras.saving.register_keras_serializable(package="tfpe")
class TokenOrder(keras.layers.Layer):
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


class _Front:
    """The beginning of a model: affine layers, a patch embedding, and what follows."""

    def __init__(self):
        self.affine, self.layer, self.rest = [], None, []

    def embedding(self):
        kind = _Conv if isinstance(self.layer, keras.layers.Conv2D) else _Embedded
        return kind(self.layer, self.affine)


def _front(model):
    front = _Front()
    _walk(model, front)
    if front.layer is None:
        raise NetworkError("The model should have a patch embedding. Received: none")
    return front


def _walk(model, front):
    """Follows the images through `model` until the patch embedding."""
    if isinstance(model, keras.Sequential):
        layers = list(model.layers)
        for number, layer in enumerate(layers):
            if _step(layer, front):
                rest = layers[number + 1 :]
                if rest:
                    front.rest.append(_sequential(rest, layer.output))
                return
        return
    tensor = model.inputs[0]
    while True:
        nodes = [
            node
            for operation in model.operations
            for node in operation._inbound_nodes
            if any(one is tensor for one in node.input_tensors)
        ]
        if len(nodes) != 1 or len(model.inputs) != 1:
            raise NetworkError(
                "The images should go into a patch embedding and nowhere else. "
                f"Received: model {model.name!r}, in which they go to "
                f"{[node.operation.name for node in nodes]}"
            )
        tensor = nodes[0].output_tensors[0]
        if _step(nodes[0].operation, front):
            if not any(tensor is output for output in model.outputs):
                front.rest.append(keras.Model(tensor, model.output))
            return


def _sequential(layers, tensor):
    return keras.Sequential(
        [keras.Input(tensor.shape[1:], dtype=tensor.dtype), *layers]
    )


def _step(layer, front):
    """Takes one layer up; True where the patch embedding was found in it."""
    if isinstance(layer, keras.layers.InputLayer):
        return False
    if isinstance(layer, keras.layers.Rescaling | keras.layers.Normalization):
        front.affine.append(layer)
        return False
    if isinstance(layer, keras.Sequential) or type(layer).__name__ == "Functional":
        _walk(layer, front)
        return front.layer is not None
    if isinstance(layer, WordPatchEmbedding):
        if front.affine:
            raise NetworkError(
                "A WordPatchEmbedding should take bytes. Received: "
                f"{front.affine[-1].name!r} before it"
            )
    elif not _is_patch_convolution(layer):
        raise NetworkError(
            "The model should begin with a patch embedding, a Conv2D with strides = "
            "kernel size or a WordPatchEmbedding, behind Rescaling or Normalization at "
            f"most. Received: {type(layer).__name__} {layer.name!r}"
        )
    front.layer = layer
    return True


def _is_patch_convolution(layer):
    if type(layer) is not keras.layers.Conv2D:
        return False
    size = layer.kernel_size
    shape = layer.input.shape
    return (
        size[0] == size[1]
        and tuple(layer.strides) == tuple(size)
        and tuple(layer.dilation_rate) == (1, 1)
        and layer.groups == 1
        and layer.data_format == "channels_last"
        and None not in shape[1:]
        and shape[1] % size[0] == shape[2] % size[1] == 0
    )


class _Conv:
    """A patch convolution behind affine layers, as one on centred bytes."""

    bits = 8
    regularizers = {}  # those of other numbers

    def __init__(self, layer, affine):
        self.side, self.units = layer.kernel_size[0], layer.filters
        self.activation = layer.activation
        kernel = np.asarray(ops.convert_to_numpy(layer.kernel), np.float64)
        channels = kernel.shape[2]
        scale, offset = np.ones(channels), np.zeros(channels)
        for one in affine:
            factor, shift = _affine(one, channels)
            scale, offset = scale * factor, offset * factor + shift
        bias = np.zeros(self.units)
        if layer.use_bias:
            bias += np.asarray(ops.convert_to_numpy(layer.bias), np.float64)
        # byte = 127.5 * (centred + 1)
        moved = kernel * (127.5 * scale + offset)[:, None]
        self.bias = bias + moved.sum((0, 1, 2))
        self._kernel = kernel * (127.5 * scale)[:, None]

    def refined(self, bits):
        """The kernel on words of `bits` bits, `float64 (1, words, units)`."""
        return _refined(self._kernel.reshape(1, -1, self.units), 8, bits)


class _Embedded:
    """A `WordPatchEmbedding`."""

    activation = staticmethod(keras.activations.linear)

    def __init__(self, layer, affine):
        self.regularizers = {
            name: getattr(layer, name)
            for name in ("kernel_regularizer", "bias_regularizer")
        }
        self.side, self.units, self.bits = layer.patch_size, layer.units, layer.bits
        self.bias = ops.convert_to_numpy(layer.bias)
        kernel = np.asarray(ops.convert_to_numpy(layer.kernel), np.float64)
        self._kernel = kernel[None] if layer.tied else kernel

    def refined(self, bits):
        """As of `_Conv`, with an axis of patches where they are not tied."""
        return _refined(self._kernel, self.bits, bits)


def _affine(layer, channels):
    """A layer as factor and shift of each channel."""
    if isinstance(layer, keras.layers.Rescaling):
        # As the layer rounds them: a number goes through 32 bits even on its way to 64.
        factor, shift = (
            ops.convert_to_numpy(ops.cast(value, layer.compute_dtype))
            for value in (layer.scale, layer.offset)
        )
    else:
        mean, variance = (
            np.asarray(ops.convert_to_numpy(value), np.float64)
            for value in (layer.mean, layer.variance)
        )
        # As Keras does: never divide by nothing.
        deviation = np.maximum(np.sqrt(variance), keras.config.epsilon())
        factor, shift = 1 / deviation, -mean / deviation
        if layer.invert:
            factor, shift = deviation, mean
    return tuple(
        np.broadcast_to(np.asarray(v, np.float64).reshape(-1), channels)
        for v in (factor, shift)
    )


def _refined(kernel, bits, finer):
    """A kernel on centred words of `bits` bits as one on words of `finer` bits."""
    shifts = np.arange(0, bits, finer)
    weights = 2.0**shifts * (2**finer - 1) / (2**bits - 1)
    kernel = kernel[:, :, None] * weights[:, None]
    return kernel.reshape(len(kernel), -1, kernel.shape[-1])
