"""Where and how a step of training runs, in words: what was chosen unless asked."""

import os

import keras


def placement(recipe):
    """One line on the device, the compiler and the precision of a recipe.

    Args:
        recipe: a `training.recipe.Recipe`.

    Example:

    >>> from training.recipes import find_recipe
    >>> print(placement(find_recipe("tiny")))  # doctest: +SKIP
    tensorflow on 2 CPU cores, float32, without XLA; batches are prepared on another \
thread
    """
    backend, accelerator = keras.backend.backend(), _accelerator()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    where = accelerator or f"{cores or os.cpu_count()} CPU cores"
    compiled = backend == "jax" or (backend == "tensorflow" and recipe.jit_compile)
    xla = "with XLA" if compiled else "without XLA"
    line = (
        f"{backend} on {where}, {recipe.precision}, {xla}; batches are prepared on "
        "another thread"
    )
    if backend == "jax" and accelerator is None:
        line += ". On CPUs KERAS_BACKEND=tensorflow trains faster"
    return line


def _accelerator():
    """What the backend computes on beside CPUs, or None."""
    match keras.backend.backend():
        case "jax":
            import jax

            device = jax.devices()[0]
            return None if device.platform == "cpu" else device.device_kind
        case "tensorflow":
            import tensorflow as tf

            # Not the logical ones, which could no longer be set up after that.
            found = tf.config.list_physical_devices()
            kinds = {device.device_type for device in found} - {"CPU"}
            return ", ".join(sorted(kinds)) or None
        case "torch":
            import torch

            return torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return None
