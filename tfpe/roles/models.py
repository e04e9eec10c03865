"""The owner's side of a model that a cloud trained, and what may leave it.

The cloud trains on encrypted images and never sees the key. The owner puts the cipher
before the returned model; what is handed on again goes without it.
"""

import contextlib
import os

import keras
import numpy as np

from tfpe.checks import true_or_false
from tfpe.errors import CipherOptionError, ImageError, TfpeError
from tfpe.layers import PerceptualEncrypt
from tfpe.matching.layers import holds_key, writing_keys
from tfpe.pixels.byte_levels import words_or_bytes
from tfpe.receipts.model_images import ModelEncryption, prepared
from tfpe.receipts.settings import settle, settle_for
from tfpe.roles.encrypting_parts import encrypting_parts, without_front

BATCH_SIZE = 64


def client_model(model, key, cipher=None, *, receipt=None, value_range=None, **options):
    """Makes a model of plain images: `Sequential([PerceptualEncrypt, model])`.

    Args:
        model: a Keras model with one input, images encrypted with these settings.
        key: the `tfpe.Key` of the training images.
        cipher, value_range, **options: as in `tfpe.PerceptualEncrypt`; the cipher must
            be named here, or `receipt` tells them all.
        receipt: of the set that the model was trained on: a file, an encrypted folder
            or set, or a `tfpe.receipts.Receipt`.

    Returns:
        A `keras.Sequential`. When it is saved, the file holds no key; it refuses to be
        exported.

    Raises:
        CipherOptionError: an unknown cipher or none, an option that does not fit or
            contradicts the receipt, or a set with a key for each image, of 16 bits or
            sent as JPEG.
        WrongKeyError: the receipt is of another key.
        TfpeError: the model encrypts already.

    Example:

    >>> import keras, tfpe
    >>> trained = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    >>> model = client_model(trained, tfpe.Key.generate(), cipher="le")
    >>> model(np.zeros((2, 8, 8, 3), np.uint8)).shape
    TensorShape([2, 192])
    """
    _refuse_encrypting(model)
    cipher, options, value_range, receipt = settle(
        key, cipher, receipt, value_range, options
    )
    if receipt is not None and receipt.per_image:
        raise CipherOptionError(
            f"`receipt` should be of a set under one key: {receipt.name} has a key for "
            "each image, which tfpe.predict gives its images too. Received: that one"
        )
    if receipt is not None and receipt.depth == 16:
        raise CipherOptionError(
            f"`receipt` should be of a set of 8 bits: {receipt.name} has 16, which the "
            "layer does not take; tfpe.predict does. Received: that one"
        )
    if receipt is not None and receipt.lossy is not None:
        raise CipherOptionError(
            f"`receipt` should be of a set that was sent without a loss: "
            f"{receipt.name} was sent as {receipt.lossy}, which a layer does not do; "
            "tfpe.predict does. Received: that one"
        )
    layer = PerceptualEncrypt(key, cipher.name, value_range=value_range, **options)
    client = keras.Sequential([layer, model])
    shape = model.input_shape
    keeps_shape = layer.options.get("fold", True)
    if keeps_shape and isinstance(shape, tuple) and None not in shape[1:]:
        # What does not keep the shape stays unbuilt until images come.
        padded = layer.compute_output_shape(shape)
        if tuple(padded) == tuple(shape):
            client.build(shape)
    return client


def cloud_model(model):
    """Takes what encrypts off a model, so that it can be handed on.

    Args:
        model: what `client_model` gave, or any Sequential or functional model that
            begins with `PerceptualEncrypt` layers or, functional, with a `Transform`.

    Returns:
        The model inside, where nothing else is around it. Otherwise a new model of the
        other layers, which shares their weights. `model` itself where nothing encrypts.

    Raises:
        TfpeError: no model; a layer or Transform that cannot be taken off; or the
            model is one that `tfpe.match` made.

    Example:

    >>> import keras, tfpe
    >>> trained = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    >>> cloud_model(client_model(trained, tfpe.Key.generate(), "le")) is trained
    True
    """
    _check_model(model)
    if matched := [layer.name for layer in _layers(model) if holds_key(layer)]:
        raise TfpeError(
            "`model` should hold no key in its weights. Received: a model that "
            f"tfpe.match made, with {matched}; tfpe.unmatch(model, transform) gives "
            "the one for plain images"
        )
    return _without_encryption(model)


def _check_model(model):
    if not isinstance(model, keras.Layer):
        raise TfpeError(
            f"`model` should be a Keras model. Received: {type(model).__name__}"
        )


def _layers(model):
    return model._flatten_layers()


def _without_encryption(model):
    parts = encrypting_parts(model)
    if not parts:
        return model
    if not isinstance(model, keras.Sequential):
        functional = isinstance(model, keras.Model) and hasattr(model, "operations")
        inner = without_front(model) if functional else None
        if inner is None or encrypting_parts(inner):
            raise TfpeError(
                "`model` should be a Sequential or functional model that begins with "
                "PerceptualEncrypt or a Transform, such as client_model gives, or hold "
                f"none. Received: a {type(model).__name__} that holds "
                f"{[part.name for part in parts]}"
            )
        return inner
    layers = list(model.layers)
    while layers and isinstance(layers[0], PerceptualEncrypt):
        layers.pop(0)
    if any(encrypting_parts(layer) for layer in layers) or not layers:
        raise TfpeError(
            "`model` should hold PerceptualEncrypt before all other layers, and others "
            f"behind it. Received: {[layer.name for layer in model.layers]}, of which "
            f"encrypt: {[part.name for part in parts]}"
        )
    if len(layers) == 1 and isinstance(layers[0], keras.Model):
        return layers[0]
    inner = keras.Sequential(layers, name=f"{model.name}_cloud")
    if model.built and model.layers[0].output.shape[1:]:
        inner.build(layers[0].input.shape)
    return inner


def export(model, path, with_key=False, **arguments):
    """Exports a model without what encrypts in it, for serving.

    `model.export()` would write the key's constants into the file, and raises
    `ExportError` (docs/security.md lists every way out that was tried).

    Args:
        model: as for `cloud_model`; the exported one takes encrypted images.
        path: as for `keras.Model.export`; one that ends in .keras is saved.
        with_key: whether a model that `tfpe.match` made may be written: its weights
            hold the key. True, and nothing that merely counts as true.
        **arguments: of `keras.Model.export`, such as `format="onnx"`.

    Example:

    >>> import pathlib, tempfile, keras, tfpe
    >>> trained = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    >>> client = client_model(trained, tfpe.Key.generate(), cipher="le")
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "model"
    >>> export(client, path, verbose=False)
    >>> (path / "saved_model.pb").exists()
    True
    """
    _check_model(model)
    model = _without_encryption(model)
    write = model.save if str(path).endswith(".keras") else model.export
    with (
        writing_keys()
        if true_or_false(with_key, "with_key")
        else contextlib.nullcontext()
    ):
        write(str(path), **arguments)


def predict(
    model, images, key, cipher=None, *, receipt=None, value_range=None, **options
):
    """Predicts plain images with a model that was trained on encrypted ones.

    Cipher, options and value range come from `receipt`, from the receipt that the file
    of a model carries (`python -m training` leaves one in it), or from the arguments.
    Nothing is guessed. With a receipt, gray images for a set of three channels get
    three equal ones. Ciphertexts of one channel go three times into a model of three,
    as Keras reads gray files. Where the set has a key for each image, each new image
    gets a key of its own too; where it was sent as JPEG, ciphertexts are coded alike.

    Args:
        model: a Keras model, or the path of a .keras file.
        images: `uint8 (B, H, W, C)` or `uint16 (B, H, W, 1)`; a list of pictures of any
            size where the receipt says how they were prepared.
        key: the `tfpe.Key` of the training images.
        cipher, **options: those of the training images.
        receipt: of their set: a file, an encrypted folder or set, or a
            `tfpe.receipts.Receipt`.
        value_range: lowest and highest value of the images that the model takes;
            by default (0, 255), or 0 to 65,535 for images of 16 bits.

    Returns:
        The model's outputs, an array `(B, ...)`.

    Raises:
        ImageError: images of another dtype or rank, or that do not fit the model.
        CipherOptionError: no cipher and no receipt, what contradicts the receipt, or
            `value_range` is not (lowest, highest).
        WrongKeyError: the receipt is of another key.
        TfpeError: the model cannot be loaded, has several outputs, or encrypts.

    Example:

    >>> import keras, tfpe
    >>> trained = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    >>> images = np.zeros((2, 8, 8, 3), np.uint8)
    >>> predict(trained, images, tfpe.Key.generate(), cipher="le").shape
    (2, 192)
    """
    settings = settle_for(model, key, cipher, receipt, value_range, options)
    images = prepared(images, settings.receipt)
    inside = settings.receipt is not None and not isinstance(model, keras.Model)
    model = load_model(model)
    if inside and (parts := encrypting_parts(model)):
        _require_same(parts, settings, key)
        model = cloud_model(model)  # it encrypts as its receipt says: here, instead
    _refuse_encrypting(model)
    if not isinstance(model.output_shape, tuple):
        raise TfpeError(
            f"`model` should have one output. Received: {model.output_shape}"
        )
    encryption = ModelEncryption(key, settings)
    expected, shape = encryption.shape(images.shape), model.input_shape
    fits = isinstance(shape, tuple) and len(shape) == 4
    thrice = settings.receipt and fits and (expected[2], shape[3]) == (1, 3)
    expected = (*expected[:2], 3) if thrice else expected
    if not fits or _differ(shape[1:], expected):
        raise ImageError(
            f"Images should give ciphertext of the shape that the model takes, {shape}."
            f" Received: ciphertext of shape {expected}"
        )
    outputs = []
    for start in range(0, len(images), BATCH_SIZE):
        batch = encryption(images[start : start + BATCH_SIZE], start)
        batch = batch.repeat(3, axis=-1) if thrice else batch
        # In bytes up to here: levels of a float range need not be checked.
        batch = words_or_bytes(batch, settings.value_range)
        outputs.append(model.predict_on_batch(batch))
    return np.concatenate(outputs)


def load_model(model):
    if isinstance(model, keras.Model):
        return model
    try:
        return keras.saving.load_model(model, compile=False)
    except Exception as error:  # zip, JSON, registry: a dozen kinds
        reason = str(error).strip().partition("\n")[0]
        if os.path.isfile(model) and "File not found" in reason:
            reason = "it is damaged, or no .keras file"  # Keras looks for a zip file
        raise TfpeError(
            f"Cannot load model {model}: {reason} (Layers of its own need their module "
            "imported first: tfpe predict --import MODULE)"
        ) from error


def _require_same(parts, settings, key):
    """Raises where layers of a model encrypt otherwise than its receipt says."""
    options = settings.cipher.options(**settings.options)
    wanted = settings.cipher.name, options, tuple(settings.value_range)
    for part in parts:
        if not isinstance(part, PerceptualEncrypt):
            continue
        key.require(part.fingerprint, f"the layer {part.name} of the model")
        found = part.cipher, part.options, tuple(part.value_range)
        if found != wanted or part.invert:
            raise CipherOptionError(
                f"The layer {part.name} of the model should encrypt as the receipt "
                f"says: {wanted}. Received: {found}" + ", inverted" * part.invert
            )


def _refuse_encrypting(model):
    parts = encrypting_parts(model)
    if parts:
        raise TfpeError(
            "`model` should take encrypted images: tfpe.cloud_model takes off what "
            f"encrypts. Received: a model with {[part.name for part in parts]}"
        )


def _differ(shape, expected):
    pairs = zip(shape, expected, strict=True)
    return any(size not in (None, other) for size, other in pairs)
