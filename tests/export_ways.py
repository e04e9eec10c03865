"""Every way that was tried to get a key out of a graph, and what came of it.

`WAYS[name]` is a function that gets an empty folder, writes into it or returns what it
would send, and the outcome. docs/security.md shows the table.
"""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfpe
from tfpe import Key, PerceptualEncrypt
from tfpe.errors import ExportError

REFUSED, UNSAVED = "refused, ExportError", "refused, TypeError"
NOTHING, HOLDS = "holds nothing", "holds the key"
RAISES = {REFUSED: ExportError, UNSAVED: TypeError}

KEY = Key(bytes(range(101, 133)))
SHAPE = (8, 8, 3)
SPEC = tf.TensorSpec((2, *SHAPE), tf.uint8)
IMAGES = np.random.default_rng(0).integers(0, 256, (2, *SHAPE), np.uint8)
TRANSFORM = tfpe.ciphers.ele(KEY, SHAPE)
WAYS = {}


def way(outcome):
    def enter(function):
        WAYS[function.__name__] = (function, outcome)
        return function

    return enter


@functools.cache
def layer_model():
    layer = PerceptualEncrypt(KEY, "ele")
    layers = [layer, keras.layers.Flatten(), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input(SHAPE), *layers])
    model.compile(loss="mse")
    model(IMAGES.astype(np.float32))  # Keras exports to ONNX what was called before
    return model


@functools.cache
def transform_model():
    inputs = keras.Input(SHAPE, dtype="uint8")
    dense = keras.layers.Dense(2)(keras.layers.Flatten()(TRANSFORM(inputs)))
    model = keras.Model(inputs, dense)
    model.compile(loss="mse")
    model(IMAGES)
    return model


def lambda_model():
    transform = TRANSFORM
    layer = keras.layers.Lambda(lambda x: transform(x), output_shape=SHAPE)
    return keras.Sequential([keras.Input(SHAPE, dtype="uint8"), layer])


class Module(tf.Module):
    """A function that was traced long before anybody exports it."""

    def __init__(self):
        super().__init__()
        self.encrypt = tf.function(TRANSFORM, input_signature=[SPEC])
        self.concrete = self.encrypt.get_concrete_function()
        self.concrete(tf.constant(IMAGES))


module = functools.cache(Module)


# SavedModels and what is made of one


@way(REFUSED)
def export_layer(folder):
    layer_model().export(folder / "out", verbose=False)


@way(REFUSED)
def export_transform(folder):
    transform_model().export(folder / "out", verbose=False)


@way(REFUSED)
def export_lambda(folder):
    lambda_model().export(folder / "out", verbose=False)


@way(REFUSED)
def export_archive(folder):
    archive = keras.export.ExportArchive()
    archive.track(transform_model())
    archive.add_endpoint("serve", transform_model().call, input_signature=[SPEC])
    archive.write_out(folder / "out", verbose=False)


@way(NOTHING)
def export_by_tfpe(folder):
    tfpe.export(transform_model(), folder / "out", verbose=False)


@way(REFUSED)
def saved_model_layer(folder):
    tf.saved_model.save(layer_model(), folder / "out")


@way(REFUSED)
def saved_model_transform(folder):
    tf.saved_model.save(transform_model(), folder / "out")


@way(REFUSED)
def saved_model_module(folder):
    tf.saved_model.save(module(), folder / "out")


@way(NOTHING)
def saved_model_numpy_function(folder):
    holder = tf.Module()
    holder.encrypt = tf.function(
        lambda images: tf.numpy_function(TRANSFORM, [images], tf.uint8),
        input_signature=[SPEC],
    )
    tf.saved_model.save(holder, folder / "out")


@way(REFUSED)
def frozen_graph(folder):
    from tensorflow.python.framework import convert_to_constants

    convert_to_constants.convert_variables_to_constants_v2(module().concrete)


@way(REFUSED)
def tflite_keras_layer(folder):
    return tf.lite.TFLiteConverter.from_keras_model(layer_model()).convert()


@way(REFUSED)
def tflite_keras_transform(folder):
    return tf.lite.TFLiteConverter.from_keras_model(transform_model()).convert()


@way(REFUSED)
def tflite_concrete_functions(folder):
    functions = [module().concrete]
    return tf.lite.TFLiteConverter.from_concrete_functions(functions).convert()


@way(REFUSED)
def tflite_saved_model(folder):
    tf.saved_model.save(module(), folder / "out")
    return tf.lite.TFLiteConverter.from_saved_model(folder / "out").convert()


@way(REFUSED)
def tflite_export(folder):
    transform_model().export(folder / "m.tflite", format="litert", verbose=False)


@way(REFUSED)
def onnx_export(folder):
    pytest.importorskip("tf2onnx", reason="tf2onnx is not installed")
    transform_model().export(folder / "m.onnx", format="onnx", verbose=False)


@way(REFUSED)
def onnx_tf2onnx(folder):
    tf2onnx = pytest.importorskip("tf2onnx", reason="tf2onnx is not installed")
    tf2onnx.convert.from_function(module().encrypt, [SPEC])


# Graphs of TensorFlow


@way(NOTHING)
def graph_def(folder):
    return module().concrete.graph.as_graph_def().SerializeToString()


@way(NOTHING)
def write_graph(folder):
    graph = module().concrete.graph
    tf.io.write_graph(graph, str(folder), "graph.pb", as_text=False)
    tf.io.write_graph(graph, str(folder), "graph.pbtxt")


@way(REFUSED)
def write_graph_of_tensorflow_1(folder):
    with tf.Graph().as_default() as graph:
        TRANSFORM(tf.compat.v1.placeholder(tf.uint8, (2, *SHAPE)))
    tf.io.write_graph(graph, str(folder), "graph.pb", as_text=False)


@way(NOTHING)
def captured_tensors(folder):
    captured = module().concrete.captured_inputs
    for read in (tf.get_static_value, lambda tensor: tensor.numpy()):
        with pytest.raises(ExportError):
            read(captured[0])
    return f"{captured} {captured[0]}"


@way(NOTHING)
def compiled_hlo(folder):
    compiled = tf.function(TRANSFORM, jit_compile=True)
    return compiled.experimental_get_compiler_ir(tf.constant(IMAGES))(stage="hlo")


@way(NOTHING)
def tensorboard(folder):
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    board = keras.callbacks.TensorBoard(folder, write_graph=True)
    for model in (layer_model(), transform_model()):
        model.fit(IMAGES, np.zeros((2, 2)), callbacks=[board], verbose=0)


@way(NOTHING)
def trace_export(folder):
    writer = tf.summary.create_file_writer(str(folder))
    tf.summary.trace_on(graph=True)
    tf.function(TRANSFORM)(tf.constant(IMAGES))
    with writer.as_default():
        tf.summary.trace_export("graph", step=0)
    writer.close()
