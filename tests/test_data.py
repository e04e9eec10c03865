"""`tfpe.data`: every element structure, and only the image changes."""

import collections

import numpy as np
import pytest
import tensorflow as tf

from tfpe import CIPHERS, Key
from tfpe.data import decrypt, encrypt
from tfpe.errors import CipherOptionError, ImageError, TfpeError

KEY = Key(bytes(range(32)))
IMAGES = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 3), np.uint8)
CIPHER = CIPHERS["le"](KEY, (8, 8, 3))(IMAGES)
# Not whole and beyond float16: a label that any cast would change.
LABELS = np.arange(7) + 70000.125
WEIGHTS = np.linspace(0, 1, 7)

STRUCTURES = {
    "x": (lambda x: x, lambda e: (e,)),
    "(x,)": (lambda x: (x,), lambda e: e),
    "(x, y)": (lambda x: (x, LABELS), lambda e: e),
    "(x, y, w)": (lambda x: (x, LABELS, WEIGHTS), lambda e: e),
    "image": (
        lambda x: {"image": x, "label": LABELS},
        lambda e: (e["image"], e["label"]),
    ),
    "images": (
        lambda x: {"images": x, "labels": LABELS, "weights": WEIGHTS},
        lambda e: (e["images"], e["labels"], e["weights"]),
    ),
    "({image}, y)": (lambda x: ({"image": x}, LABELS), lambda e: (e[0]["image"], e[1])),
}


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("name", STRUCTURES)
def test_structures(name, batched):
    build, parts = STRUCTURES[name]
    ds = tf.data.Dataset.from_tensor_slices(build(IMAGES))
    ds = ds.batch(3) if batched else ds
    encrypted = encrypt(ds, KEY, "le")
    tf.nest.assert_same_structure(ds.element_spec, encrypted.element_spec)
    join = np.concatenate if batched else np.stack
    columns = zip(*(parts(e) for e in encrypted.as_numpy_iterator()), strict=True)
    images, *others = (join(column) for column in columns)
    assert images.dtype == np.uint8 and np.array_equal(images, CIPHER)
    for other, expected in zip(others, (LABELS, WEIGHTS), strict=False):
        assert np.array_equal(other, expected)
    undone = decrypt(encrypted, KEY, "le")
    assert np.array_equal(join([parts(e)[0] for e in undone]), IMAGES)


def test_named_tuples_stay():
    Pair = collections.namedtuple("Pair", ["picture", "label"])
    ds = encrypt(tf.data.Dataset.from_tensors(Pair(IMAGES, LABELS)), KEY, "le")
    (element,) = ds
    assert type(element).__name__ == "Pair"
    assert np.array_equal(element.picture, CIPHER)


@pytest.mark.parametrize("dtype", ["uint8", "float16", "bfloat16", "float32"])
def test_the_dtype_stays(dtype):
    ds = tf.data.Dataset.from_tensors(tf.cast(IMAGES, dtype))
    (images,) = encrypt(ds, KEY, "le")
    assert images.dtype == dtype
    assert np.array_equal(tf.cast(images, tf.uint8), CIPHER)


@pytest.mark.parametrize("name, compiled", [("negpos", 0), ("keystream", 0), ("le", 1)])
def test_what_is_one_operation_is_not_compiled(name, compiled, monkeypatch):
    calls, function = [], tf.function

    def counting(*arguments, **options):
        made = function(*arguments, **options)
        return lambda images: calls.append(name) or made(images)

    monkeypatch.setattr(tf, "function", counting)
    for invert, images in (
        (False, IMAGES),
        (True, CIPHERS[name](KEY, (8, 8, 3))(IMAGES)),
    ):
        (found,) = encrypt(
            tf.data.Dataset.from_tensors(images), KEY, name, invert=invert
        )
        keyed = CIPHERS[name](KEY, (8, 8, 3))
        assert np.array_equal(found, (keyed.inverse if invert else keyed)(images))
    assert bool(calls) == bool(compiled)


def test_range_of_one():
    ds = tf.data.Dataset.from_tensors((IMAGES / 255).astype(np.float32))
    (images,) = encrypt(ds, KEY, "le", value_range=(0, 1))
    assert np.array_equal(images, (CIPHER / 255).astype(np.float32))


def test_sizes_that_blocks_do_not_divide():
    ds = tf.data.Dataset.from_tensor_slices(IMAGES[:, :7, :6]).batch(2)
    encrypted = encrypt(ds, KEY, "ele")
    assert encrypted.element_spec.shape == (None, 8, 8, 3)
    plain = decrypt(encrypted, KEY, "ele", output_size=(7, 6))
    assert np.array_equal(np.concatenate(list(plain)), IMAGES[:, :7, :6])


def test_floats_between_levels_are_rounded():
    floats = np.clip(IMAGES + np.float32(0.375), 0, 255)
    (images,) = encrypt(tf.data.Dataset.from_tensors(floats), KEY, "le")
    assert np.array_equal(images, CIPHER)


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("wrong", [np.nan, 256, -1, "scaled"])
def test_images_that_do_not_fit_stop_the_iteration(wrong, batched):
    floats = IMAGES.astype(np.float32)
    if wrong == "scaled":
        floats /= 255
    else:
        floats[5, 0, 0, 0] = wrong
    ds = tf.data.Dataset.from_tensor_slices({"image": floats, "label": LABELS})
    ds = encrypt(ds.batch(3) if batched else ds, KEY, "le")
    words = "in value_range=.*Received: values from"
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        list(ds)
    kept = sum(len(e["label"]) if batched else 1 for e in ds.ignore_errors())
    assert kept == (0 if wrong == "scaled" else 4 if batched else 6)


@pytest.mark.parametrize("wrong", [7.5, "scaled"])
def test_damaged_ciphertext_is_not_decrypted(wrong):
    floats = CIPHER.astype(np.float32)
    if wrong == "scaled":
        floats /= 255
    else:
        floats[2, 0, 0, 0] = wrong
    ds = decrypt(tf.data.Dataset.from_tensors(floats), KEY, "le")
    with pytest.raises(tf.errors.InvalidArgumentError, match="Ciphertexts should hold"):
        list(ds)


def of(*specs):
    """An empty data set with these elements."""
    spec = specs[0] if len(specs) == 1 else specs
    return tf.data.Dataset.from_generator(lambda: iter(()), output_signature=spec)


def image_spec(*shape, dtype=tf.uint8):
    return tf.TensorSpec(shape, dtype)


WRONG = {
    "no image in a dict": (of({"x": image_spec(8, 8, 3)}), {}, ImageError, "'image'"),
    "two images in a dict": (
        of({"image": image_spec(8, 8, 3), "images": image_spec(8, 8, 3)}),
        {},
        ImageError,
        "'image'",
    ),
    "text": (of(image_spec(8, 8, 3, dtype=tf.string)), {}, ImageError, "string"),
    "int64": (of(image_spec(8, 8, 3, dtype=tf.int64)), {}, ImageError, "int64"),
    "rank 2": (of(image_spec(8, 8)), {}, ImageError, "height"),
    "unknown rank": (of(tf.TensorSpec(None, tf.uint8)), {}, ImageError, "rank"),
    "unknown size": (of(image_spec(None, None, 3)), {}, ImageError, "static"),
    "unknown channels": (of(image_spec(8, 8, None)), {}, ImageError, "static"),
    "ragged": (
        of(tf.RaggedTensorSpec([None, None, None, 3], tf.uint8)),
        {},
        ImageError,
        "Received",
    ),
    "sparse": (of(tf.SparseTensorSpec([8, 8, 3], tf.uint8)), {}, ImageError, "dense"),
    "a second image inside": (
        of((image_spec(8, 8, 3), image_spec(8, 8, 3)), image_spec()),
        {},
        ImageError,
        "Received",
    ),
    "two channels": (of(image_spec(8, 8, 2)), {}, ImageError, "channels"),
    "unknown cipher": (
        of(image_spec(8, 8, 3)),
        {"cipher": "des"},
        CipherOptionError,
        "des",
    ),
    "an option of the layer": (
        of(image_spec(8, 8, 3)),
        {"dtype": "uint8"},
        CipherOptionError,
        "dtype",
    ),
    "an array": (IMAGES, {}, ImageError, "ndarray"),
    "no key": (of(image_spec(8, 8, 3)), {"key": b"k"}, TfpeError, "bytes"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_data_sets(name):
    ds, arguments, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        encrypt(ds, **{"key": KEY, **arguments})
