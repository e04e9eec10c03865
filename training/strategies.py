"""Several devices: tf.distribute on TensorFlow, keras.distribution on JAX.

One process drives all devices of its machine. Several processes, on one or more,
work with JAX alone (tf.distribute's multi-worker strategy fails in Keras 3): each runs
the same command, with Keras's own environment variables to tell them apart and with one
folder that all of them see. Process 0 alone writes.

    export KERAS_BACKEND=jax KERAS_DISTRIBUTION_JOB_ADDRESSES=10.0.0.1:1234
    export KERAS_DISTRIBUTION_NUM_PROCESSES=2
    KERAS_DISTRIBUTION_PROCESS_ID=0 python -m training compare --strategy data-parallel
    KERAS_DISTRIBUTION_PROCESS_ID=1 python -m training compare --strategy data-parallel
"""

import contextlib
import os

import keras

from tfpe.errors import TfpeError

PROCESSES = "KERAS_DISTRIBUTION_NUM_PROCESSES"


class StrategyError(TfpeError):
    """A strategy does not fit the backend, the devices or the batches."""


def check_backend(strategy):
    """Raises `StrategyError` where the Keras backend does not have `strategy`."""
    backend = keras.backend.backend()
    needed = "jax" if strategy == "data-parallel" else "tensorflow"
    if strategy != "none" and backend != needed:
        raise StrategyError(
            f"`strategy` {strategy} needs KERAS_BACKEND={needed}. Received: {backend}"
        )


def connect(strategy):
    """Joins this process to the others, before JAX computes anything.

    Does nothing unless the environment variable says that there are others.
    """
    if int(os.environ.get(PROCESSES, 1)) == 1:
        return
    if strategy != "data-parallel":
        raise StrategyError(
            "`strategy` should be data-parallel (on KERAS_BACKEND=jax) where "
            f"{PROCESSES} is more than 1. Received: strategy={strategy!r}"
        )
    check_backend(strategy)
    keras.distribution.initialize()


def process(strategy):
    """`(number, count)`: which of how many processes this one is."""
    if strategy != "data-parallel" or keras.backend.backend() != "jax":
        return 0, 1
    import jax

    return jax.process_index(), jax.process_count()


def check_batches(strategy, **sizes):
    """Raises `StrategyError` where the devices cannot share out each batch evenly.

    tf.distribute can; keras.distribution wants whole shares.
    """
    if strategy != "data-parallel":
        return
    devices = keras.distribution.list_devices()
    for name, size in sizes.items():
        if size % len(devices):
            raise StrategyError(
                f"The {name} should be a multiple of the number of devices, "
                f"{len(devices)}. Received: {size}"
            )


def scope(strategy):
    """A context in which a model is built, compiled and trained.

    Raises:
        StrategyError: the backend lacks it, or there is no such device.
    """
    check_backend(strategy)
    if strategy == "none":
        return contextlib.nullcontext()
    if strategy == "data-parallel":
        return keras.distribution.DataParallel(auto_shard_dataset=False).scope()
    import tensorflow as tf

    if strategy == "mirrored":
        # By default it takes all GPUs, but only one of several (virtual) CPUs.
        devices = tf.config.list_logical_devices("GPU")
        devices = devices or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([d.name for d in devices]).scope()
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except Exception as error:  # ValueError, NotFoundError, network errors ...
        reason = str(error).strip().splitlines()[0]
        raise StrategyError(f"`strategy` tpu finds no TPU: {reason}") from error
    return tf.distribute.TPUStrategy(resolver).scope()


@contextlib.contextmanager
def local():
    """Inside, new variables belong to this process alone.

    Keras makes one when it saves; shared, it would wait for the processes that do not.
    """
    shared = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(shared)
