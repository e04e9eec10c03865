"""The few array operations that the library needs, on each framework's own arrays.

Not `keras.ops`: Keras runs one backend a process, while a NumPy file tool, a `tf.data`
pipeline and a JAX model meet in one program here. No framework is imported unless
the images already belong to it.
"""

import functools
import sys

import numpy as np

from tfpe.algebra.exporting import jax_constant, tensorflow_constant, torch_constant
from tfpe.errors import ImageError

CHUNK_BYTES = 2**18
CHUNK_INDICES = 2**16


class NumPyBackend:
    """NumPy, the reference; the other backends differ where their framework does.

    `take` gathers along an axis by one index for all images or, with a batch axis in
    front of it, by one for each.
    """

    xp = np
    # Dtypes in which products of matrices are summed: whole numbers below 2^31, which
    # both hold exactly, and reals.
    whole_numbers = real_numbers = "float64"

    def constant(self, array, like):
        return array

    def secret(self, array, like):
        """`constant` of key material, which no exported file may hold."""
        return self.constant(array, like)

    def take(self, images, index, axis=-1):
        if index.ndim > 1:
            return np.take_along_axis(images, index, axis=axis)
        # "clip" is faster than the check of indices, which are always inside.
        if axis != -1 or index.size <= CHUNK_INDICES:
            return np.take(images, index, axis=axis, mode="clip")
        # NumPy makes a copy of an index, eight bytes for each byte of a large image.
        moved = np.empty((*images.shape[:-1], index.size), images.dtype)
        for start in range(0, index.size, CHUNK_INDICES):
            part = slice(start, start + CHUNK_INDICES)
            moved[..., part] = np.take(images, index[part], axis=-1, mode="clip")
        return moved

    def lookup(self, table, places):
        """Entries of a flat table; places of any shape, always inside."""
        return np.take(table, places, mode="clip")

    def reshape(self, images, shape):
        return images.reshape(shape)

    def concatenate(self, parts):
        return np.concatenate(parts, axis=-1)

    def left_shift(self, images, count):
        return images << count

    def right_shift(self, images, count):
        return images >> count

    def cast(self, images, dtype):
        return images.astype(dtype)

    def round(self, values):
        return self.xp.round(values)

    def matmul(self, values, matrix):
        return self.xp.matmul(values, matrix)

    def where(self, condition, values, others):
        return self.xp.where(condition, values, others)

    def all_values(self, condition):
        """Whether `condition` holds in all of an image, with its axes kept."""
        return condition.all(axis=(-3, -2, -1), keepdims=True)

    def always(self, condition):
        """Whether `condition` holds in all values of all images, a scalar."""
        return condition.all()

    def extremes(self, images):
        """Lowest and highest value, scalars."""
        return images.min(), images.max()

    def dtype_name(self, images):
        return _name_of(images.dtype)

    def static_shape(self, images):
        return tuple(images.shape)

    def is_concrete(self, images):
        """Whether values can be looked at now, not only when a graph runs."""
        return True

    def guard(self, result, valid, images, refusal):
        """`result`, or the `Refusal` when the graph runs and not all are `valid`."""
        raise NotImplementedError("Values that are concrete need no guard.")

    def untraced(self, function):
        """`function`, kept from a compiler that would trace the NumPy code in it."""
        return function


class JaxBackend(NumPyBackend):
    """JAX arrays and tracers, inside or outside `jax.jit`."""

    # It has no numbers of 64 bits unless asked for.
    whole_numbers, real_numbers = "int32", "float32"

    @property
    def xp(self):
        import jax.numpy as jnp

        return jnp

    def constant(self, array, like):
        return self.xp.asarray(array)

    def secret(self, array, like):
        if self.is_concrete(like):
            return self.constant(array, like)
        return jax_constant(array)

    def take(self, images, index, axis=-1):
        if index.ndim == 1:
            return self.xp.take(images, index, axis=axis, mode="clip")
        return self.xp.take_along_axis(images, index, axis=axis, mode="clip")

    def lookup(self, table, places):
        return self.xp.take(table, places, mode="clip")

    def concatenate(self, parts):
        return self.xp.concatenate(parts, axis=-1)

    def matmul(self, values, matrix):
        # Accelerators would round 32 bits to 19 or 16 first.
        return self.xp.matmul(values, matrix, precision="highest")

    def is_concrete(self, images):
        import jax

        return not isinstance(images, jax.core.Tracer)

    def guard(self, result, valid, images, refusal):
        import jax

        # Behind a condition: the host is asked only where there is something to raise.
        images = jax.lax.stop_gradient(self.cast(images, "float32"))
        jax.lax.cond(
            valid.all(),
            lambda images: None,
            lambda images: jax.debug.callback(refusal.throw, *self.extremes(images)),
            images,
        )
        return result


class TorchBackend(NumPyBackend):
    """torch tensors, on the device of the images."""

    @property
    def xp(self):
        import torch

        return torch

    def constant(self, array, like):
        # A copy: torch warns of read-only memory, which Transforms are made of.
        return self.xp.tensor(array, device=like.device)

    def secret(self, array, like):
        return torch_constant(array, like.device)

    def take(self, images, index, axis=-1):
        if index.ndim == 1:
            return images.index_select(axis, index)
        return images.gather(axis, index.long())

    def lookup(self, table, places):
        return table[places.long()]

    def concatenate(self, parts):
        return self.xp.cat(parts, dim=-1)

    def left_shift(self, images, count):
        return images << count

    def right_shift(self, images, count):
        return images >> count

    def cast(self, images, dtype):
        return images.to(getattr(self.xp, dtype))

    def all_values(self, condition):
        return condition.flatten(-3).all(dim=-1)[..., None, None, None]

    def dtype_name(self, images):
        return str(images.dtype).removeprefix("torch.")

    def untraced(self, function):
        # `disable` loads the compiler, and Triton with it, which ends a process where
        # TensorFlow was loaded before. What is not loaded traces nothing.
        if "torch._dynamo" not in sys.modules:
            return function
        return self.xp.compiler.disable(function)


class TensorFlowBackend(NumPyBackend):
    """TensorFlow tensors: eager, in a `tf.function`, under XLA, in `tf.data`."""

    @property
    def xp(self):
        import tensorflow as tf

        return tf

    def constant(self, array, like):
        return self.xp.constant(array)

    def secret(self, array, like):
        return tensorflow_constant(array)

    def take(self, images, index, axis=-1):
        batch_dims = 0 if index.shape.rank == 1 else 1
        return self.xp.gather(images, index, axis=axis, batch_dims=batch_dims)

    def lookup(self, table, places):
        return self.xp.gather(table, places)

    def reshape(self, images, shape):
        return self.xp.reshape(images, shape)

    def concatenate(self, parts):
        return self.xp.concat(parts, axis=-1)

    def left_shift(self, images, count):
        return self.xp.bitwise.left_shift(images, count)

    def right_shift(self, images, count):
        return self.xp.bitwise.right_shift(images, count)

    def cast(self, images, dtype):
        return self.xp.cast(images, dtype)

    def all_values(self, condition):
        return self.xp.reduce_all(condition, axis=(-3, -2, -1), keepdims=True)

    def always(self, condition):
        return self.xp.reduce_all(condition)

    def extremes(self, images):
        return self.xp.reduce_min(images), self.xp.reduce_max(images)

    def dtype_name(self, images):
        return images.dtype.name

    def static_shape(self, images):
        if images.shape.rank is None:
            raise ImageError(
                "Images should have a known rank. Received: a tensor of unknown rank; "
                "give it its shape with `tf.ensure_shape` before it is encrypted"
            )
        return tuple(images.shape.as_list())

    def is_concrete(self, images):
        return hasattr(images, "numpy") and self.xp.executing_eagerly()

    def guard(self, result, valid, images, refusal):
        # XLA drops assertions. Elsewhere no result leaves before they have passed.
        tf = self.xp

        def say(case, lowest, highest, reason):
            parts = [refusal.opening, lowest, "to", highest, reason.text]
            # Not tf.debugging.Assert: a condition each, which costs small batches.
            tf.raw_ops.Assert(condition=~case, data=parts)

        def refuse():
            lowest, highest = self.extremes(self.cast(images, "float32"))
            unexplained = tf.constant(True)
            *special, otherwise = refusal.reasons
            for reason in special:
                case = unexplained & reason.covers(lowest, highest)
                unexplained &= ~case
                say(case, lowest, highest, reason)
            say(unexplained, lowest, highest, otherwise)  # NaN, which nothing covers
            return tf.constant(False)

        all_valid = tf.reduce_all(valid)
        passed = tf.cond(all_valid, lambda: tf.constant(True), refuse)
        with tf.control_dependencies([passed]):
            return tf.nest.map_structure(tf.identity, result)


NUMPY = NumPyBackend()
JAX = JaxBackend()
TORCH = TorchBackend()
TENSORFLOW = TensorFlowBackend()


# NumPy spells a name anew each time, which small images would notice.
_name_of = functools.cache(str)


def backend_of(images):
    """The backend of `images`, or `ImageError` where there is none for their type."""
    if isinstance(images, np.ndarray) and not isinstance(images, np.ma.MaskedArray):
        return NUMPY
    if is_tensorflow(images):
        return TENSORFLOW
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(images, torch.Tensor):
        return TORCH
    jax = sys.modules.get("jax")
    if jax is not None and isinstance(images, jax.Array):
        return JAX
    raise ImageError(
        "Images should be a dense NumPy array or tensor of TensorFlow, JAX or torch. "
        f"Received: {type(images).__name__}"
    )


def is_tensorflow(images):
    """Whether `images` is a dense TensorFlow tensor; never imports TensorFlow."""
    tensorflow = sys.modules.get("tensorflow")
    # Not `tf.is_tensor`, which takes sparse and ragged ones too.
    return tensorflow is not None and isinstance(
        images, tensorflow.Tensor | tensorflow.Variable
    )
