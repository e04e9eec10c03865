"""Refuses to write the constants of a key into an exported model.

Keras has no hook by which a layer learns that a model is being exported. Two signs
remain: TensorFlow asks every object of a SavedModel for its children, and the code of
`keras.export` is on the stack while the graph to be exported is traced.
"""

import sys

from tfpe.errors import ExportError

EXPORTERS = ("keras.src.export.", "tensorflow.python.saved_model.save")


def refuse_export(name):
    """Raises `ExportError` where a model that holds the layer `name` is exported."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith(EXPORTERS):
            raise ExportError(
                f"A model with the unlocked layer {name!r} should not be exported: "
                "the file would hold the key. Use tfpe.export(model, path), or export "
                "tfpe.cloud_model(model). Received: an export"
            )
        frame = frame.f_back
