"""Padding by the last row and column, and cropping, on every framework's arrays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfpe import crop, pad_to_blocks
from tfpe.errors import ImageError
from tfpe.pixels.padding import padded_size

SIZES = st.integers(1, 12)


def same_kind(kind, array):
    """`array` as the arrays of a framework, and the way back."""
    if kind == "numpy":
        return array
    if kind == "tensorflow":
        import tensorflow as tf

        return tf.constant(array)
    if kind == "jax":
        import jax.numpy as jnp

        return jnp.asarray(array)
    torch = pytest.importorskip("torch", reason="torch is not installed")
    return torch.tensor(array)


KINDS = ("numpy", "tensorflow", "jax", "torch")


@given(SIZES, SIZES, st.sampled_from([1, 3, 4]), st.integers(1, 8), st.booleans())
def test_pad_then_crop(height, width, channels, block_size, batched):
    rng = np.random.default_rng(height * 12 + width)
    shape = (*(2 * batched * (2,))[:1], height, width, channels)
    images = rng.integers(0, 256, shape, np.uint8)
    padded = pad_to_blocks(images, block_size)
    rows, columns = -height % block_size, -width % block_size
    widths = [(0, 0)] * batched + [(0, rows), (0, columns), (0, 0)]
    assert np.array_equal(padded, np.pad(images, widths, mode="edge"))
    assert padded_size(height, block_size) == padded.shape[-3]
    assert np.array_equal(crop(padded, height, width), images)
    if not rows and not columns:
        assert padded is images


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("shape", [(5, 7, 3), (2, 5, 7, 3), (1, 1, 1), (4, 8, 3)])
def test_every_framework_pads_as_numpy_does(kind, dtype, shape, rng):
    images = rng.integers(0, 256, shape).astype(dtype)
    given_images = same_kind(kind, images)
    padded = pad_to_blocks(given_images, 4)
    assert type(padded) is type(given_images)
    assert np.array_equal(np.asarray(padded), pad_to_blocks(images, 4))
    cropped = crop(padded, *shape[-3:-1])
    assert type(cropped) is type(given_images)
    assert np.array_equal(np.asarray(cropped), images)
    assert np.asarray(cropped).dtype == dtype


def test_inside_compiled_functions(rng):
    import jax
    import tensorflow as tf

    images = rng.integers(0, 256, (2, 5, 7, 3), np.uint8)
    expected = pad_to_blocks(images, 4)
    compiled = tf.function(lambda x: pad_to_blocks(x, 4), jit_compile=True)
    assert np.array_equal(compiled(tf.constant(images)), expected)
    assert np.array_equal(jax.jit(lambda x: pad_to_blocks(x, 4))(images), expected)
    # A batch of unknown size, as Keras and tf.data have it.
    signature = [tf.TensorSpec((None, 5, 7, 3), tf.uint8)]
    traced = tf.function(lambda x: crop(pad_to_blocks(x, 4), 5, 7), signature)
    assert np.array_equal(traced(tf.constant(images)), images)


def test_a_crop_larger_than_the_image_raises():
    for height, width in ((5, 4), (4, 5), (0, 4), (4, -1)):
        with pytest.raises(ImageError, match="at most 4 and 4. Received"):
            crop(np.zeros((4, 4, 3), np.uint8), height, width)
