"""How a keyed map is applied to images: checks, the right backend, its program."""

import math

import numpy as np

from tfpe.algebra.backends import CHUNK_BYTES, NUMPY, backend_of
from tfpe.algebra.exporting import refuse_exporters
from tfpe.errors import ImageError


class Program:
    """What runs a keyed map. It holds key material and refuses to be pickled.

    `run(images, channels, backend)` takes flat images, `(B, n)`.
    """

    # Whether NumPy runs it without large arrays in between.
    one_pass = False
    # Whether it is one operation of any framework: there is nothing to compile.
    one_operation = False

    def __reduce_ex__(self, protocol):
        raise TypeError("The program of a Transform should not be pickled.")


def apply(keyed, images):
    """What a `tfpe.algebra.keyed.Keyed` makes of images, of the kind that they are."""
    if type(images).__module__.startswith("keras."):
        import keras

        if isinstance(images, keras.Variable):
            images = images.value
        elif isinstance(images, keras.KerasTensor):
            from tfpe.algebra.symbolic import ApplyTransform

            return ApplyTransform(keyed)(images)
    backend = backend_of(images)
    if not backend.is_concrete(images):
        refuse_exporters()
    elif backend.dtype_name(images) == keyed.input_dtype == "float32":
        _refuse_infinite(images, backend)
    return backend.untraced(_apply)(keyed, images, backend)


def run_program(program, images, channels, backend, batch_size=None):
    """Runs a `Program` on flat images.

    Args:
        batch_size: number of images that have keys of their own, or None.
    """
    # NumPy: what lies between two operations stays in the cache.
    step = max(1, CHUNK_BYTES // images.shape[-1]) if backend is NUMPY else None
    whole = step is None or program.one_pass or batch_size is not None
    if whole or len(images) <= step:
        return program.run(images, channels, backend)
    result = None
    for start in range(0, len(images), step):
        part = slice(start, start + step)
        done = program.run(images[part], channels, backend)
        if result is None:
            result = np.empty((len(images), done.shape[1]), done.dtype)
        result[part] = done
    return result


def _refuse_infinite(images, backend):
    if not bool(backend.always(backend.all_values(backend.xp.abs(images) < math.inf))):
        raise ImageError(
            "Ciphertexts should be finite numbers. Received: NaN or infinite values"
        )


def _apply(keyed, images, backend):
    if backend.dtype_name(images) != keyed.input_dtype:
        raise ImageError(
            f"Images should be {keyed.input_dtype} (PerceptualEncrypt takes floats "
            f"too). Received: dtype {backend.dtype_name(images)}"
        )
    shape = backend.static_shape(images)
    rank = len(keyed.input_shape)
    lead = shape[: max(len(shape) - rank, 0)]
    if shape[len(lead) :] != keyed.input_shape or len(lead) > 1:
        raise ImageError(
            f"Images should have shape {keyed.input_shape} or "
            f"{('batch', *keyed.input_shape)}. Received: shape {shape}"
        )
    batch = keyed.batch_size
    if batch is not None and lead != (batch,):
        raise ImageError(
            f"This transform holds keys for {batch} images: batches should have that "
            "size, also before a graph runs (drop_remainder=True). "
            f"Received: shape {shape}"
        )
    flat = backend.reshape(images, (-1, math.prod(keyed.input_shape)))
    if batch is None and lead and lead[0] is None:
        lead = (-1,)
    result = run_program(keyed.program, flat, keyed.input_shape[-1], backend, batch)
    return backend.reshape(
        result, (*(batch or size for size in lead), *keyed.output_shape)
    )
