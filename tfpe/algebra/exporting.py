"""Keeps the constants of a key out of every file that a graph is exported to.

A compiled graph carries the mask and the permutation of its cipher; no framework
tells the code that is traced what the graph is for. So each gets the constants in a
form that runs, and that whoever writes files cannot read:

- TensorFlow: tensors outside of the graph that refuse to be read into Python, as all
  that freeze, save or convert graphs do.
- JAX: a primitive that refuses to be lowered for export.
- torch: no constants at all while it traces or exports.

docs/security.md lists what this stops, and what it cannot notice.
"""

import functools
import sys

import numpy as np

from tfpe.errors import ExportError

# Keras traces before it exports: here an error still names the line that asked for it.
EXPORTERS = "keras.src.export."
LEGACY_H5 = "keras.src.legacy.saving.legacy_h5_format"
LITE = "tensorflow.lite.python.lite"
INLINED = 129  # values that TensorFlow no longer takes for a small tensor


def refuse(*_, **__):
    """Raises the `ExportError` that keeps a key out of a file."""
    error = ExportError(
        "A model or function that encrypts should not be exported: the file would hold "
        "the key. Use tfpe.export(model, path), or export tfpe.cloud_model(model), and "
        "encrypt before it. Received: an export of a graph with a PerceptualEncrypt "
        "layer or a Transform"
    )
    for frame in _frames():
        converter = frame.f_locals.get("self")
        if _module(frame) == LITE and hasattr(converter, "_keras_model"):
            # After any error TFLite tries another way, and raises what fails there.
            converter._keras_model = _Refused(error)
    raise error


def refuse_exporters(refuse=refuse, exporters=EXPORTERS):
    """Raises `ExportError` where Keras traces a graph in order to export it.

    Args:
        refuse: what raises.
        exporters: how the names of the modules begin that may not be at work.
    """
    if any(_module(frame).startswith(exporters) for frame in _frames()):
        refuse()


def tensorflow_constant(array):
    """A tensor that a graph captures, that runs, and that exporters fail to read.

    It is no vault: whoever runs an operation on it has its values.
    """
    import tensorflow as tf

    if tf.executing_eagerly():
        return tf.constant(array)
    # TensorFlow copies small tensors into the graph that captures them.
    fill = max(0, INLINED - array.size)
    # Lifted out of the graph that is being traced, so that key material is a
    # captured input of it and never part of a GraphDef, which TensorBoard writes.
    with tf.init_scope():
        held = tf.constant(np.pad(array.reshape(-1), (0, fill)) if fill else array)
    if not hasattr(held, "numpy"):
        refuse()  # a graph of TensorFlow 1, which holds all its constants
    held.numpy, held._numpy = refuse, _Unreadable
    return tf.reshape(held[: array.size], array.shape) if fill else held


def jax_constant(array):
    """A constant of a traced function: its value is in no jaxpr."""
    return _jax_primitive().bind(held=_Held(array))


def torch_constant(array, device):
    """A tensor, unless torch traces or exports."""
    import torch
    from torch.fx.experimental.proxy_tensor import get_proxy_mode

    exporting = torch.jit.is_tracing() or torch.compiler.is_exporting()
    if exporting or get_proxy_mode() is not None:
        refuse()
    # A copy: torch warns of read-only memory, which Transforms are made of.
    return torch.tensor(array, device=device)


@functools.cache
def _jax_primitive():
    import jax
    from jax.extend.core import Primitive
    from jax.interpreters import mlir

    def value(*, held):
        return jax.numpy.asarray(held.array)

    def lower(context, *, held):
        if context.module_context.lowering_parameters.for_export:
            refuse()
        return mlir.lower_fun(value, multiple_results=False)(context, held=held)

    primitive = Primitive("tfpe_constant")
    primitive.def_impl(value)
    primitive.def_abstract_eval(
        lambda *, held: jax.core.ShapedArray(held.array.shape, held.array.dtype)
    )
    mlir.register_lowering(primitive, lower)
    return primitive


class _Held:
    """An array as a parameter of a JAX equation, which prints without it."""

    def __init__(self, array):
        self.array = array

    def __repr__(self):
        return f"<{self.array.dtype}{list(self.array.shape)}>"

    def __reduce_ex__(self, protocol):
        raise TypeError("The constants of a key should not be pickled.")


class _Unreadable:
    """The value of a captured tensor for those that print it or make arrays of it."""

    __array__ = refuse

    def __repr__(self):
        return "<key material>"


class _Refused:
    """In place of a model that should not be converted."""

    def __init__(self, error):
        self._error = error

    def __getattr__(self, name):
        raise self._error


def _frames():
    frame = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back


def _module(frame):
    return frame.f_globals.get("__name__", "")
