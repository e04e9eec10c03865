"""A saved model and what it predicts on encrypted images."""

import dataclasses
import importlib
import pathlib
import zipfile

import keras

from tfpe import PerceptualEncrypt
from tfpe.errors import TfpeError
from training.encryption import encrypt_all
from training.train import predict_labels


class ModelError(TfpeError):
    """A model cannot be read, or does not fit the images, the cipher or the key."""


def load_model(path, encryption):
    """Loads a model; unlocks its encryption layer, where it has one, with the key.

    Args:
        path: a .keras file, such as `training.train` writes.
        encryption: a `training.encryption.Encryption`; None for plain images.

    Raises:
        ModelError: the file is no model of known layers, or encrypts otherwise.
        WrongKeyError: it encrypts under another key.
    """
    if not pathlib.Path(path).is_file() or not zipfile.is_zipfile(path):
        raise ModelError(
            f"`model` should be a .keras file that is there and whole. Received: {path}"
        )
    importlib.import_module("training.networks.registered")
    try:
        model = keras.saving.load_model(path, compile=False)
    except Exception as error:  # zip, h5py and Keras raise several kinds
        # Keras says what it met at the end, behind a page of configuration.
        reason = str(error).rpartition("Exception encountered: ")[2]
        reason = reason.strip().partition("\n")[0].partition(". ")[0]
        raise ModelError(f"Cannot load the model {path}: {reason}") from error
    for layer in model.layers:
        if isinstance(layer, PerceptualEncrypt):
            if encryption is None:
                raise ModelError(f"The model {path} encrypts and needs a key")
            inside = layer.cipher, layer.options
            wanted = encryption.cipher, encryption.options
            if inside != wanted or encryption.per_image:
                raise ModelError(
                    f"The cipher should be the one that the model {path} encrypts "
                    f"with, {inside}, under one key. Received: {wanted}"
                )
            layer.key = encryption.key
    return model


def predict(model, part, encryption, key=None, jpeg=0):
    """Labels that a model gives to the encrypted images of a `Part`.

    Args:
        model: as from `load_model`.
        part: a `training.splits.Part` of plain images, or of encrypted ones without
            an encryption.
        encryption: an `Encryption`, or None.
        key: another key than that of `encryption`.
        jpeg: quality of the JPEG files in which they are sent, or 0.

    Returns:
        `int64 (N,)`.
    """
    encrypts = [isinstance(layer, PerceptualEncrypt) for layer in model.layers]
    if any(encrypts):
        if key is None:
            return predict_labels(model, part.images)
        # A compiled layer keeps its key: images under another one go in behind it.
        model = keras.Sequential(
            [_input_like(model.layers[0].output)]
            + [
                layer
                for layer in model.layers
                if not isinstance(layer, PerceptualEncrypt)
            ]
        )
    if encryption is not None:
        encryption = dataclasses.replace(encryption, key=key or encryption.key)
    images = encrypt_all(encryption, part.images, part.numbers, jpeg=jpeg)
    if images.dtype == "float32" and model.inputs[0].dtype == "uint8":
        raise ModelError(
            "The model should take real numbers, as the ciphertexts are. Received: a "
            "model of bytes"
        )
    return predict_labels(model, images)


def _input_like(tensor):
    return keras.Input(tensor.shape[1:], dtype=tensor.dtype)


def confusion(labels, predicted, class_names):
    """Confusion matrix, true classes in rows: a list of lists."""
    from sklearn.metrics import confusion_matrix

    classes = range(len(class_names))
    return confusion_matrix(labels, predicted, labels=classes).tolist()
