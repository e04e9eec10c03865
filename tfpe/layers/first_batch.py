"""A look at the first batch of `fit` and `evaluate`, before XLA compiles the step.

A step that XLA compiled cannot raise. Keras has no hook for this either: found on the
stack are its trainer, the model and the data, and the model runs on one batch up to
the layer that asks. Where Keras changes, nothing is found and images that do not fit
become NaN.
"""

import sys
import weakref

import keras

from tfpe.errors import ImageError

TRAINERS = "keras.src.backend."
STEPS = {"fit": "train_step", "evaluate": "test_step"}


class FirstBatch:
    """Checks one batch of each `fit` and `evaluate` for one layer."""

    def __init__(self):
        self._checked = None
        self._checking = False

    def check(self):
        """Raises `ImageError` where `fit` has just begun with images that do not fit.

        To be called from the property `metrics` of the layer.
        """
        frame = _trainer_frame(sys._getframe(2))
        if frame is None or self._checking:
            return
        epochs = frame.f_locals.get("epoch_iterator")
        if epochs is None or (self._checked and self._checked() is epochs):
            return
        self._checked = weakref.ref(epochs)
        model = frame.f_locals["self"]
        step = getattr(type(model), STEPS[frame.f_code.co_name])
        # Other steps than Keras's own may prepare images before the model sees them.
        if not step.__module__.startswith(TRAINERS):
            return
        self._checking = True
        try:
            data = frame.f_locals.get("x")
            images = _first_images(data, epochs.data_adapter, model.jit_compile)
            if images is not None:
                training = {"training": False} if model._call_has_training_arg else {}
                model(images, **training)
        except ImageError:
            raise
        except Exception:  # ReachedLayer, or what `fit` itself will say better
            return
        finally:
            self._checking = False

    def pass_through(self):
        """Called by the layer once images fit: the rest of the model need not run."""
        if self._checking:
            raise ReachedLayer


class ReachedLayer(Exception):
    """The layer has seen the first batch."""


def _trainer_frame(frame):
    """The frame of `fit` or `evaluate` that resets the metrics, or None."""
    while frame is not None and frame.f_code.co_name in ("metrics", "reset_metrics"):
        frame = frame.f_back
    if frame is None or frame.f_code.co_name not in STEPS:
        return None
    return frame if frame.f_globals["__name__"].startswith(TRAINERS) else None


def _first_images(x, adapter, compiled):
    """The inputs of one batch; None where looking would take the batch away.

    Data sets, which may be slow to begin, only where the graph itself cannot raise.
    """
    kind = type(adapter).__name__
    if kind == "ArrayDataAdapter":
        return keras.tree.map_structure(lambda a: a[: adapter.batch_size], x)
    if kind == "TFDatasetAdapter" and compiled:
        batch = next(iter(x.take(1)))
    elif kind == "PyDatasetAdapter":
        batch = x[0]
    elif kind == "GeneratorDataAdapter":
        batch = adapter._first_batches[0]  # Keras has looked, and kept it
    else:
        return None
    return keras.utils.unpack_x_y_sample_weight(batch)[0]
