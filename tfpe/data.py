"""Encryption of `tf.data` pipelines: one map, compiled by XLA unless it is an xor.

The graph of the data set holds the constants of the key: it belongs on the owner's
machines only (mind remote TPU hosts and the tf.data service).
"""

from tfpe.algebra.backends import TENSORFLOW
from tfpe.ciphers import chosen_cipher
from tfpe.errors import ImageError
from tfpe.pixels.value_ranges import BYTE_RANGE

IMAGE_NAMES = ("image", "images")


def encrypt(
    dataset,
    key,
    cipher=None,
    *,
    invert=False,
    value_range=BYTE_RANGE,
    output_size=None,
    **options,
):
    """Encrypts the images of a `tf.data.Dataset`, batched or not.

    Args:
        dataset: elements `x`, `(x, y)`, `(x, y, w)`, `{"image": x, ...}` or
            `{"images": x, ...}`; x is `(H, W, C)` or `(B, H, W, C)`, `uint8` or float,
            static but for the batch. Batch first: it is several times as fast.
        key: a `tfpe.Key`.
        cipher, invert, value_range, output_size, **options: as in
            `tfpe.PerceptualEncrypt`.

    Returns:
        A data set of the same structure; only the images differ, and they keep their
        dtype (`uint8` becomes `float32` where ciphertexts are real numbers).

    Raises:
        ImageError: no image is found in the elements, or it has another dtype or rank.
            Values that do not fit `value_range` stop the iteration, with its message in
            a tf.errors.InvalidArgumentError.
        CipherOptionError: an unknown cipher, or an option that does not fit.

    Example:

    >>> import tensorflow as tf
    >>> from tfpe import Key
    >>> images = tf.zeros((6, 32, 32, 3), tf.uint8)
    >>> ds = tf.data.Dataset.from_tensor_slices((images, tf.range(6))).batch(3)
    >>> encrypt(ds, Key.generate(), cipher="le").element_spec[0].shape
    TensorShape([None, 32, 32, 3])
    """
    import tensorflow as tf

    from tfpe.layers import PerceptualEncrypt

    if not isinstance(dataset, tf.data.Dataset):
        raise ImageError(
            f"`dataset` should be a tf.data.Dataset. Received: {type(dataset).__name__}"
        )
    row = chosen_cipher(cipher, invert)
    options = row.options(**options)
    spec = dataset.element_spec
    dtype = _image(spec).dtype
    if dtype != tf.uint8 and not dtype.is_floating:
        raise ImageError(
            f"Images should be uint8 or floats. Received: dtype {dtype.name}"
        )
    if not invert and not row.traits(**options).gives_bytes:
        dtype = dtype if dtype.is_floating else tf.float32
    layer = PerceptualEncrypt(
        key,
        row.name,
        invert,
        value_range,
        output_size,
        dtype=dtype.name,
        **options,
    )
    # Not the layer: Keras would look at the element as at a model's input.
    compiled = tf.function(layer.unguarded, jit_compile=True, autograph=False)

    def encrypt_images(images):
        alone = dtype == tf.uint8 and layer.is_one_operation(images)
        result, valid = (layer.unguarded if alone else compiled)(images)
        if valid is None:
            return result
        return TENSORFLOW.guard(result, valid, images, layer.refusal)

    @tf.autograph.experimental.do_not_convert
    def encrypt_element(*parts):
        # tf.data spreads tuples over the arguments, but not named ones.
        return _replace_image(
            parts if type(spec) is tuple else parts[0], encrypt_images
        )

    return dataset.map(encrypt_element, num_parallel_calls=tf.data.AUTOTUNE)


def decrypt(
    dataset,
    key,
    cipher=None,
    *,
    value_range=BYTE_RANGE,
    output_size=None,
    **options,
):
    """Undoes `encrypt`; `output_size`, (height, width), crops padded images.

    The cipher must be named: nothing that decrypts guesses it.

    Args, returns and errors as `encrypt`.

    Example:

    >>> import tensorflow as tf
    >>> from tfpe import Key
    >>> key, images = Key.generate(), tf.zeros((1, 30, 30, 3), tf.uint8)
    >>> ds = encrypt(tf.data.Dataset.from_tensors(images), key, cipher="le")
    >>> decrypt(ds, key, cipher="le", output_size=(30, 30)).element_spec.shape
    TensorShape([1, 30, 30, 3])
    """
    arguments = {"value_range": value_range, "output_size": output_size}
    return encrypt(dataset, key, cipher, invert=True, **arguments, **options)


def _image(spec):
    """The spec of the image in an element spec."""
    first = spec[0] if isinstance(spec, tuple) and spec else spec
    if isinstance(first, dict):
        names = [name for name in IMAGE_NAMES if name in first]
        first = first[names[0]] if len(names) == 1 else None
    if type(first).__name__ != "TensorSpec":
        raise ImageError(
            "Elements of the data set should be x, (x, y), (x, y, w) or a dict with "
            f"the key 'image' or 'images', x a dense tensor. Received: {spec}"
        )
    return first


def _replace_image(element, function):
    if isinstance(element, tuple):
        parts = (_replace_image(element[0], function), *element[1:])
        # Named tuples stay what they are.
        return type(element)(*parts) if hasattr(element, "_fields") else parts
    if isinstance(element, dict):
        name = next(name for name in IMAGE_NAMES if name in element)
        return {**element, name: function(element[name])}
    return function(element)
