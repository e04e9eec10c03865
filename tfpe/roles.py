"""The owner's side of a model that a cloud trained, and what may leave it.

The cloud trains on encrypted images and never sees the key. The owner puts the cipher
before the returned model; what is handed on again goes without it.
"""

import pathlib

import keras
import numpy as np

from tfpe.ciphers import chosen_cipher
from tfpe.encrypting_parts import encrypting_parts, without_front
from tfpe.errors import ImageError, ImageFileError, TfpeError
from tfpe.layers import PerceptualEncrypt
from tfpe.levels import BYTE_RANGE, check_value_range, from_bytes

BATCH_SIZE = 64


def client_model(model, key, cipher=None, *, value_range=BYTE_RANGE, **options):
    """The model that takes plain images: `Sequential([PerceptualEncrypt, model])`.

    Args:
        model: a Keras model with one input, images encrypted with these settings.
        key: a `tfpe.Key`.
        cipher, value_range, **options: as in `tfpe.PerceptualEncrypt`.

    Returns:
        A `keras.Sequential`. Saved, it holds no key; exporting it is refused.

    Raises:
        CipherOptionError: an unknown cipher, or an option that does not fit.
        TfpeError: the model encrypts already.

    Example:

    >>> import keras, tfpe
    >>> trained = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    >>> model = client_model(trained, tfpe.Key.generate(), cipher="le")
    >>> model(np.zeros((2, 8, 8, 3), np.uint8)).shape
    TensorShape([2, 192])
    """
    cipher = chosen_cipher(cipher, invert=True).name
    _refuse_encrypting(model)
    layer = PerceptualEncrypt(key, cipher, value_range=value_range, **options)
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
    """The model without what encrypts in it: fit to be handed on.

    Args:
        model: what `client_model` gave, or any Sequential or functional model that
            begins with `PerceptualEncrypt` layers or, functional, with a `Transform`.

    Returns:
        The model inside, where nothing else is around it; else a new model of the
        other layers, which shares their weights. `model` where nothing encrypts.

    Raises:
        TfpeError: a layer or Transform stands where it cannot be taken off.

    Example:

    >>> import keras, tfpe
    >>> trained = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    >>> cloud_model(client_model(trained, tfpe.Key.generate(), "le")) is trained
    True
    """
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


def export(model, path, **arguments):
    """Exports a model without what encrypts in it, for serving.

    `model.export()` would write the key's constants into the file, and raises
    `ExportError` (docs/security.md lists every way out that was tried).

    Args:
        model: as for `cloud_model`; the exported one takes encrypted images.
        path: as for `keras.Model.export`.
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
    cloud_model(model).export(str(path), **arguments)


def predict(model, images, key, cipher=None, *, value_range=BYTE_RANGE, **options):
    """What a model that was trained on encrypted images says of plain ones.

    Args:
        model: a Keras model, or the path of a .keras file.
        images: `uint8 (B, H, W, C)`.
        key: the `tfpe.Key` of the training images.
        cipher, **options: those of the training images.
        value_range: lowest and highest value of the images that the model takes.

    Returns:
        The model's outputs, an array `(B, ...)`.

    Raises:
        ImageError: images of another dtype or rank, or that do not fit the model.
        CipherOptionError: `value_range` is not (lowest, highest).
        TfpeError: the model cannot be loaded, has several outputs, or encrypts.

    Example:

    >>> import keras, tfpe
    >>> trained = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    >>> images = np.zeros((2, 8, 8, 3), np.uint8)
    >>> predict(trained, images, tfpe.Key.generate(), cipher="le").shape
    (2, 192)
    """
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4:
        raise ImageError(
            "`images` should be uint8 of shape (batch, height, width, channels). "
            f"Received: {images.dtype} of shape {images.shape}"
        )
    check_value_range(value_range)
    cipher = chosen_cipher(cipher, invert=True).name
    model = _load_model(model)
    _refuse_encrypting(model)
    if not isinstance(model.output_shape, tuple):
        raise TfpeError(
            f"`model` should have one output. Received: {model.output_shape}"
        )
    # In bytes up to the last moment: levels of a float range need not be checked.
    layer = PerceptualEncrypt(key, cipher, dtype="uint8", **options)
    expected = tuple(layer.compute_output_shape(images.shape))[1:]
    shape = model.input_shape
    fits = isinstance(shape, tuple) and len(shape) == 4
    if not fits or _differ(shape[1:], expected):
        raise ImageError(
            f"Images should give ciphertext of the shape that the model takes, {shape}."
            f" Received: ciphertext of shape {expected}"
        )
    outputs = []
    for start in range(0, len(images), BATCH_SIZE):
        batch = keras.ops.convert_to_numpy(layer(images[start : start + BATCH_SIZE]))
        batch = from_bytes(batch, None, "float32", value_range)
        outputs.append(model.predict_on_batch(batch))
    return np.concatenate(outputs)


def load_images(path):
    """Images of one size, with their names and, where known, labels.

    Args:
        path: a folder of images, an image file, or an .npz file with x_test (and
            y_test).

    Returns:
        `uint8 (B, H, W, C)`, B names, and labels `(B,)` or None.

    Raises:
        ImageFileError: missing, damaged, or images of several sizes.
        DatasetError: an .npz file that is missing, damaged, or holds something else.

    Example:

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "images.npz"
    >>> np.savez(path, x_test=np.zeros((2, 8, 8, 3), np.uint8), y_test=[3, 1])
    >>> images, names, labels = load_images(path)
    >>> images.shape, names, labels.tolist()
    ((2, 8, 8, 3), ['0', '1'], [3, 1])
    """
    from tfpe.dataset.npz import read_npz
    from tfpe.files.images import decode_image
    from tfpe.files.sources import find_images, read_bytes

    if str(path).endswith(".npz"):
        images, labels = read_npz(path, ("test",), with_labels=False)["test"]
        return images, [str(number) for number in range(len(images))], labels
    if not pathlib.Path(path).exists():
        raise ImageFileError(f"IMAGES should exist. Received: {path}")
    found = find_images(path)
    if found.refused or not found.images:
        name, problem = (found.refused or [("", "It holds no images")])[0]
        raise ImageFileError(f"{path}/{name}: {problem}")
    images = [decode_image(read_bytes(file)) for file in found.images.values()]
    if len({image.shape for image in images}) > 1:
        raise ImageFileError(
            f"Images in {path} should be of one size and kind. Received: "
            f"{sorted({image.shape for image in images})}"
        )
    return np.stack(images), list(found.images), None


def _load_model(model):
    if isinstance(model, keras.Model):
        return model
    try:
        return keras.saving.load_model(model, compile=False)
    except Exception as error:  # zip, JSON, registry: a dozen kinds
        reason = str(error).strip().partition("\n")[0]
        raise TfpeError(
            f"Cannot load model {model}: {reason} (Layers of its own need their module "
            "imported first: tfpe predict --import MODULE)"
        ) from error


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
