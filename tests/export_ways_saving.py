"""`WAYS` of pipelines, checkpoints, saved models and prints; see export_ways.py."""

import contextlib
import copy
import io
import json
import pickle
import traceback

import keras
import numpy as np
import pytest
import tensorflow as tf
from export_ways import (
    HOLDS,
    IMAGES,
    KEY,
    NOTHING,
    SHAPE,
    TRANSFORM,
    UNSAVED,
    lambda_model,
    layer_model,
    transform_model,
    way,
)

import tfpe

# Pipelines


def pipeline():
    return tfpe.data.encrypt(tf.data.Dataset.from_tensors(IMAGES), KEY, cipher="ele")


@way(NOTHING)
def dataset_files(folder):
    pipeline().save(str(folder / "set"))
    list(pipeline().cache(str(folder / "cache")))
    iterator = iter(pipeline())
    tf.train.Checkpoint(iterator=iterator).write(str(folder / "iterator"))


@way(HOLDS)
def dataset_graph(folder):
    # What the tf.data service sends to its workers.
    return pipeline()._as_serialized_graph().numpy()


@way(HOLDS)
def saved_model_dataset(folder):
    holder = tf.Module()
    holder.pipeline = pipeline()
    holder.first = tf.function(lambda: next(iter(holder.pipeline)), input_signature=[])
    tf.saved_model.save(holder, folder / "out")


# Checkpoints


@way(NOTHING)
def checkpoints(folder):
    model = layer_model()
    callbacks = [
        keras.callbacks.ModelCheckpoint(folder / "check.keras"),
        keras.callbacks.BackupAndRestore(folder / "backup", delete_checkpoint=False),
    ]
    model.fit(IMAGES, np.zeros((2, 2)), callbacks=callbacks, verbose=0)


@way(NOTHING)
def checkpoint_of_tensorflow(folder):
    for model in (layer_model(), transform_model()):
        checkpoint = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
        checkpoint.write(str(folder / model.name))


@way(NOTHING)
def weights(folder):
    for model in (layer_model(), transform_model()):
        model.save_weights(folder / f"{model.name}.weights.h5")


# Saved and copied models


@way(NOTHING)
def keras_files_layer(folder):
    layer_model().save(folder / "model.keras")
    layer_model().save(folder / "model.h5")
    return layer_model().to_json() + json.dumps(layer_model().get_config())


@way(UNSAVED)
def keras_file_transform(folder):
    transform_model().save(folder / "model.keras")


@way(UNSAVED)
def h5_file_transform(folder):
    transform_model().save(folder / "model.h5")


@way(UNSAVED)
def json_transform(folder):
    return transform_model().to_json()


@way(UNSAVED)
def keras_file_lambda(folder):
    lambda_model().save(folder / "model.keras")


@way(NOTHING)
def copies_layer(folder):
    copies = keras.models.clone_model(layer_model()), copy.deepcopy(layer_model())
    assert all(model.layers[0].locked for model in copies)
    return b"".join(pickle.dumps(model) for model in (*copies, layer_model()))


@way(UNSAVED)
def clone_transform(folder):
    keras.models.clone_model(transform_model())


@way(UNSAVED)
def pickle_transform(folder):
    return pickle.dumps(transform_model())


@way(UNSAVED)
def cloudpickle_function(folder):
    cloudpickle = pytest.importorskip("cloudpickle", reason="no cloudpickle")
    transform = TRANSFORM
    return cloudpickle.dumps(lambda images: transform(images))


@way(UNSAVED)
def joblib_module(folder):
    joblib = pytest.importorskip("joblib", reason="joblib is not installed")
    joblib.dump({"encrypt": TRANSFORM}, folder / "encrypt.joblib")


@way(NOTHING)
def prints(folder):
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        for model in (layer_model(), transform_model()):
            model.summary()
            print(repr(model), vars(model.layers[0]))
            with pytest.raises(ValueError) as caught:
                model(IMAGES[..., :2])
            traceback.print_exception(caught.value)
        print(repr(TRANSFORM), TRANSFORM.program, pipeline())
    return text.getvalue()


@way(HOLDS)
def traceback_with_locals(folder):
    # As rich, pytest -l and Sentry show them.
    with pytest.raises(ValueError) as caught:
        TRANSFORM.program.run(None, SHAPE[-1], tfpe.algebra.backends.TENSORFLOW)
    shown = traceback.TracebackException.from_exception(
        caught.value, capture_locals=True
    )
    with np.printoptions(threshold=10**6):
        return "".join(shown.format())
