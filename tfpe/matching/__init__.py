"""Models for ciphertexts of one key, from models for plain images: the same logits.

Where the key keeps to the patches of a model, its first layer can take the cipher up:
the columns of the patch embedding are permuted and change their signs with the words
that they meet, and tokens are moved back. Nothing else of the model changes.
"""

import keras
import numpy as np

from tfpe.algebra.keyed import Keyed
from tfpe.algebra.structure import signed_words, source_regions, structure
from tfpe.attacks.known_model import Stem
from tfpe.errors import NetworkError
from tfpe.layers.word_layers import WordPatchEmbedding
from tfpe.matching.front import check_model, find_front
from tfpe.matching.layers import (
    MatchedPatchEmbedding,
    MatchedValueEmbedding,
    TokenOrder,
    holds_key,
)
from tfpe.matching.rotated_kernels import is_rotation, rotated_kernel


def match(model, transform):
    """Makes a model whose logits on ciphertext are those of `model` on images.

    Args:
        model: a Keras model of bytes (0 to 255, `uint8` or floats) that begins with a
            patch embedding: a Conv2D whose stride is its kernel size, or a
            `WordPatchEmbedding`; Rescaling and Normalization may stand before it.
        transform: a `Transform` of the images that the model takes, one key for all;
            or an `Orthogonal` map of them, whose `float32` ciphertexts the new model
            takes.

    Returns:
        A new model; `model` stays as it is. Its first weights hold the key, in the
        open to everybody who knows those of the plain model: it is neither saved nor
        exported but by `tfpe.export(model, path, with_key=True)`.

    Raises:
        NetworkError: the model does not begin so, or its patches do not hold what the
            key mixes; or `match` made it.
        CipherOptionError: the transform is of several keys, or its cipher substitutes.

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
    front = _front(model, transform)
    if holds_key(front.layer):
        raise NetworkError(
            "`model` should be one for images. Received: one that tfpe.match made; for "
            "two ciphers, one after the other, match a plain model to `second @ first`"
        )
    return _matched(model, front, transform, MatchedPatchEmbedding)


def unmatch(model, transform):
    """Turns a model that `match` made back into one for plain images.

    Args:
        model: what `match` gave, or what was trained from it on ciphertext.
        transform: the `Transform` or `Orthogonal` map that it was matched to.

    Returns:
        A new model that gives on images what `model` gives on ciphertext; it holds no
        key. From a model that `match` did not make, trained on ciphertext by others,
        it holds the key for those who have that model; and of one that was read from a
        file, or copied, nobody here knows what it was matched to. Then it is kept out
        of files as a matched one is.

    Raises:
        NetworkError, CipherOptionError: as of `match`; or the model was matched to
            another map, such as that of another key, or a part of it.

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
    front = _front(model, transform)
    before = front.layer.matched_to if holds_key(front.layer) else None
    known = before is not None
    if known and before != transform:
        raise NetworkError(
            "`transform` should be the one that the model was matched to. "
            f"Received: {transform!r}, another, or of another key"
        )
    embedding_class = WordPatchEmbedding if known else MatchedPatchEmbedding
    return _matched(model, front, transform.inverse, embedding_class)


def _front(model, transform):
    """The `Front` of a model that takes the images of a keyed map."""
    check_model(model)
    if not isinstance(transform, Keyed):
        raise NetworkError(
            "`transform` should be what a cipher gives for a key and the shape of the "
            "images, such as tfpe.ciphers.le(key, (32, 32, 3)). "
            f"Received: {type(transform).__name__}"
        )
    shape = tuple(model.input_shape[1:])
    if shape != transform.input_shape:
        raise NetworkError(
            f"`transform` should be of the images that the model takes, {shape}. "
            f"Received: {transform!r}"
        )
    return find_front(model)


def _matched(model, front, transform, embedding_class):
    if is_rotation(transform):
        return _rotated(model, front, transform, embedding_class)
    found = structure(transform)  # refuses what is no Transform under one key
    embedding = front.embedding()
    side = embedding.side
    if isinstance(front.layer, MatchedValueEmbedding):
        raise NetworkError(
            "The model should take bytes. Received: one that is matched to an "
            "orthogonal cipher; tfpe.unmatch gives the plain one"
        )
    words = signed_words(transform)
    words = words.refine(min(words.bits, embedding.bits))
    regions = source_regions(words, side)
    if regions is None:
        mixes = "mixes the whole image"
        if found.side:
            does = "moves" if found.moved else "mixes"
            mixes = f"{does} {found.region}s of side {found.side}, also between patches"
        raise NetworkError(
            f"The patches of the model, of side {side}, should hold what the key mixes."
            f" Received: a transform that {mixes}"
        )
    source, place, mask = regions
    kernel = embedding.refined(words.bits)  # (1 or patches, words, units)
    signs = np.where(mask, -1.0, 1.0)[..., None]
    if len(kernel) == 1 and (place == place[0]).all() and (mask == mask[0]).all():
        kernel = signs[:1] * kernel[:, place[0]]
    else:
        kernel = np.broadcast_to(kernel, (len(source), *kernel.shape[1:]))
        kernel = signs * np.take_along_axis(kernel[source], place[..., None], axis=1)
    sources = np.argsort(source)
    if front.order is not None:
        sources = sources[keras.ops.convert_to_numpy(front.order.sources)]
    dtype = model.inputs[0].dtype
    return _with_front(
        model, front, transform, embedding_class, kernel, words.bits, dtype, sources
    )


def _rotated(model, front, transform, embedding_class):
    """`_matched` for an `Orthogonal` map, or the inverse of one."""
    embedding, forth = front.embedding(), transform.output_dtype != "uint8"
    if forth == isinstance(front.layer, MatchedValueEmbedding) or embedding.bits != 8:
        raise NetworkError(
            "The model should take bytes, whole, to be matched to real ciphertexts, "
            f"and be one so matched to be unmatched. Received: {model.name!r}, whose "
            f"{type(front.layer).__name__} takes words of {embedding.bits} bits"
        )
    kernel = rotated_kernel(embedding.refined(8), embedding.side, transform)
    if forth:
        embedding_class = MatchedValueEmbedding
    sources = None
    if front.order is not None:
        sources = keras.ops.convert_to_numpy(front.order.sources)
    return _with_front(
        model, front, transform, embedding_class, kernel, 8, "float32", sources
    )


def _with_front(model, front, transform, embedding_class, kernel, bits, dtype, sources):
    """A model that begins with another patch embedding.

    Args:
        model, front: as `find_front` takes and gives them.
        transform: the map whose ciphertexts it takes.
        embedding_class: of the new first layer.
        kernel: its, `(1 or patches, words, units)`.
        bits: of its words.
        dtype: of the images.
        sources: the patch at each place of the tokens, or None for each its own.
    """
    embedding, layer = front.embedding(), front.layer
    matched = embedding_class(
        embedding.units,
        embedding.side,
        bits,
        tied=len(kernel) == 1,
        dtype=layer.dtype_policy,
        name=layer.name,
        trainable=layer.trainable,
        **embedding.regularizers,
    )
    inputs = keras.Input(model.input_shape[1:], dtype=dtype)
    features = matched(inputs)
    matched.kernel.assign(kernel[0] if matched.tied else kernel)
    matched.bias.assign(embedding.bias)
    if holds_key(matched):
        matched.matched_to = transform
    if sources is not None and (sources != np.arange(len(sources))).any():
        order = TokenOrder(dtype=layer.dtype_policy)
        features = order(features)
        order.sources.assign(sources)
    if embedding.activation is not keras.activations.linear:
        features = keras.layers.Activation(embedding.activation)(features)
    for part in front.rest:
        copy = _copied(part)
        if copy.weights:
            copy.set_weights(part.get_weights())
        features = copy(features)
    return keras.Model(inputs, features, name=model.name)


def _copied(part):
    """The layers behind the patch embedding, anew.

    Raises:
        NetworkError: Keras cannot copy one of them.
    """
    try:
        return keras.models.clone_model(part)
    except (NotImplementedError, TypeError, ValueError) as error:
        raise NetworkError(
            "The layers behind the patch embedding should be such as Keras can copy, "
            "with get_config where they are your own. Received: "
            f"{[layer.name for layer in part.layers]}; Keras says: "
            f"{str(error).strip().partition(chr(10))[0]}"
        ) from error


def stem_of(model):
    """The first layer of a model of patches, as `tfpe.attacks.known_model` takes it.

    Args:
        model: as of `match`, plain or matched.

    Returns:
        A `tfpe.attacks.Stem`.

    Raises:
        NetworkError: the model does not begin with a patch embedding.

    Example:

    >>> import keras
    >>> model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(5, 4, 4)])
    >>> stem_of(model).kernel.shape
    (1, 48, 5)
    """
    front = find_front(model)
    embedding, order = front.embedding(), front.order
    return Stem(
        embedding.refined(embedding.bits),
        embedding.side,
        None if order is None else keras.ops.convert_to_numpy(order.sources),
    )
