"""The skins of the library as functions without arguments, ready to be timed."""

import importlib.util

import numpy as np

from tfpe.ciphers import CIPHERS

DATA_BATCH = 256


def runners(key, name, images, direction, wanted=None):
    """Every way to apply a cipher to one batch.

    Args:
        key: a `tfpe.Key`.
        name: a name in `tfpe.CIPHERS`.
        images: `uint8 (B, H, W, 3)`, H and W divisible by the cipher's block size.
        direction: "encrypt" or "decrypt".
        wanted: names of runners to keep; None keeps all.

    Returns:
        The `Transform`, and a dict from the name of a runner to a function that
        returns the result as one array, or as a list of them for its parts.

    Example:

    >>> from tfpe import Key
    >>> images = np.zeros((2, 8, 8, 3), np.uint8)
    >>> _, found = runners(Key.generate(), "le", images, "encrypt", ["NumPy"])
    >>> found["NumPy"]().shape
    (2, 8, 8, 3)
    """
    import tensorflow as tf

    from tfpe import data, layers

    invert = direction == "decrypt"
    transform = CIPHERS[name](key, images.shape[1:])
    if invert:
        transform = transform.inverse
    tensor = tf.constant(images)
    graph = tf.function(transform)
    compiled = tf.function(transform, jit_compile=True)
    layer = layers.PerceptualEncrypt(key, name, invert, dtype="uint8")
    compiled_layer = tf.function(layer, jit_compile=True)
    apply = data.decrypt if invert else data.encrypt
    dataset = tf.data.Dataset.from_tensor_slices(images)
    batched = apply(dataset.batch(min(DATA_BATCH, len(images))), key, name)
    unbatched = apply(dataset, key, name)
    found = {
        "NumPy": lambda: transform(images),
        "TF graph": lambda: graph(tensor),
        "XLA": lambda: compiled(tensor),
        "Keras layer": lambda: compiled_layer(tensor),
        "tf.data batched": lambda: list(batched),
        "tf.data unbatched": lambda: list(unbatched),
    }
    if importlib.util.find_spec("jax"):
        import jax

        array, compiled_jax = jax.numpy.asarray(images), jax.jit(transform)
        found["JAX"] = lambda: compiled_jax(array).block_until_ready()
    return transform, {n: f for n, f in found.items() if wanted is None or n in wanted}


def as_images(result, shape):
    """The result of a runner as one array of `shape`."""
    if isinstance(result, list):
        return np.concatenate([np.asarray(r).reshape(-1, *shape[1:]) for r in result])
    return np.asarray(result)
