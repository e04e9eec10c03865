"""One oracle, many skins: every way to apply a cipher equals NumPy bit for bit."""

import subprocess
import sys

import numpy as np
import pytest
from key_arrays import BYTES
from PIL import Image
from sklearn.datasets import load_sample_images

from tfpe import CIPHERS, Key, PerceptualEncrypt, Transform, crop, pad_to_blocks
from tfpe.algebra.lowering import Gather, Select, WordGather, Xor
from tfpe.data import decrypt, encrypt
from tfpe.errors import ImageError
from tfpe.files import encrypt_folder

KEY = Key(bytes(range(32)))
SIZES = [(32, 32), (30, 30), (33, 47), (224, 224), (1, 1)]
PHOTOGRAPHS = load_sample_images().images


def images_of(height, width, seed=0):
    """Two crops of real photographs and one image of noise, `(3, H, W, 3)`."""
    rng = np.random.default_rng(seed)
    crops = []
    for photograph in PHOTOGRAPHS:
        top = rng.integers(photograph.shape[0] - height + 1)
        left = rng.integers(photograph.shape[1] - width + 1)
        crops.append(photograph[top : top + height, left : left + width])
    noise = rng.integers(0, 256, (height, width, 3), np.uint8)
    return np.stack([*crops, noise])


def expected(name, images):
    """The ciphertexts by the definition, padded as the skins pad, and the transform."""
    padded = pad_to_blocks(images, CIPHERS[name].block_size())
    transform = CIPHERS[name](KEY, padded.shape[1:])
    return transform.definition(padded), padded, transform


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("name", CIPHERS)
def test_every_skin_equals_the_oracle(name, size):
    import jax
    import tensorflow as tf

    images = images_of(*size)
    cipher, padded, transform = expected(name, images)
    tensor = tf.constant(padded)
    layer = PerceptualEncrypt(KEY, cipher=name, dtype=transform.output_dtype)
    labels = np.arange(len(images))
    batched = tf.data.Dataset.from_tensor_slices((images, labels)).batch(3)
    single = tf.data.Dataset.from_tensor_slices({"image": images, "label": labels})
    skins = {
        "NumPy": transform(padded),
        "NumPy, one by one": np.stack([transform(image) for image in padded]),
        "TF eager": transform(tensor),
        "tf.function": tf.function(transform)(tensor),
        "XLA": tf.function(transform, jit_compile=True)(tensor),
        "JAX": jax.jit(transform)(jax.numpy.asarray(padded)),
        "layer": layer(images),
        "tf.data batched": next(iter(encrypt(batched, KEY, name)))[0],
        "tf.data unbatched": np.stack([e["image"] for e in encrypt(single, KEY, name)]),
    }
    for skin, result in skins.items():
        assert np.array_equal(np.asarray(result), cipher), skin
    assert np.array_equal(transform.inverse(cipher), padded)
    ciphertexts = tf.data.Dataset.from_tensors(cipher)
    (plain,) = decrypt(ciphertexts, KEY, name, output_size=size)
    assert np.array_equal(plain, images)


@pytest.mark.parametrize("name", BYTES)
def test_the_file_tool_equals_the_oracle(name, tmp_path):
    images = {size: images_of(*size)[0] for size in SIZES}
    for (height, width), image in images.items():
        write_image(tmp_path / "plain" / f"{height}x{width}.png", image)
    assert not encrypt_folder(tmp_path / "plain", tmp_path / "out", KEY, name).failed
    for (height, width), image in images.items():
        cipher, _, _ = expected(name, image[None])
        written = read_image(tmp_path / "out" / f"{height}x{width}.png")
        assert np.array_equal(written, cipher[0])


def write_image(path, image):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(image).save(path)


def read_image(path):
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.parametrize("name", CIPHERS)
def test_torch_equals_the_oracle(name):
    torch = pytest.importorskip("torch", reason="torch is in no extra: see README")
    for size in SIZES:
        cipher, padded, transform = expected(name, images_of(*size))
        assert np.array_equal(transform(torch.tensor(padded)).numpy(), cipher)
        assert np.array_equal(transform.inverse(torch.tensor(cipher)).numpy(), padded)


def test_torch_tensors_need_no_compiler(torch):
    # Loaded after TensorFlow, the Triton of torch's compiler ends the process.
    code = """if True:
        import sys, tensorflow, torch, tfpe
        transform = tfpe.ciphers.le(tfpe.Key(bytes(32)), (8, 8, 3))
        plain = torch.zeros((2, 8, 8, 3), dtype=torch.uint8)
        assert (transform.inverse(transform(plain)) == plain).all()
        sys.exit("torch._dynamo" in sys.modules)"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def transforms_of_every_program():
    """A transform for each program of the lowering, shared and per image."""
    rng = np.random.default_rng(1)
    shape, size = (4, 6, 3), 72

    def shuffled(bits):
        words = size * 8 // bits
        mask = rng.integers(0, 2**bits, words)
        return Transform(rng.permutation(words), mask, bits, shape)

    names = {"negpos": Xor, "logistic": Select, "shuffle": Gather}
    table = {name: (CIPHERS[name](KEY, shape), kind) for name, kind in names.items()}
    table["nibbles"] = shuffled(4), WordGather
    table["bits"] = shuffled(1), WordGather
    for name, (_, kind) in list(table.items()):
        if name in names:
            stack = CIPHERS[name].per_image(KEY, shape, range(3))
        else:
            bits = table[name][0].bits
            stack = Transform.stack([shuffled(bits) for _ in range(3)])
        table[f"{name}, per image"] = stack, kind
    return table


@pytest.mark.parametrize("name", transforms_of_every_program())
def test_every_program_on_every_framework(name):
    import jax
    import tensorflow as tf

    transform, kind = transforms_of_every_program()[name]
    assert type(transform.program) is kind
    images = np.random.default_rng(2).integers(0, 256, (3, 4, 6, 3), np.uint8)
    cipher = transform.definition(images)
    assert np.array_equal(transform(images), cipher)
    assert np.array_equal(transform(tf.constant(images)), cipher)
    compiled = tf.function(transform, jit_compile=True)
    assert np.array_equal(compiled(tf.constant(images)), cipher)
    assert np.array_equal(jax.jit(transform)(jax.numpy.asarray(images)), cipher)
    assert np.array_equal(transform.inverse(cipher), images)


@pytest.mark.parametrize(
    "name", [name for name in transforms_of_every_program() if "per image" in name]
)
def test_per_image_keys_need_their_batch(name):
    import keras
    import tensorflow as tf

    transform, _ = transforms_of_every_program()[name]
    images = np.zeros((4, 4, 6, 3), np.uint8)
    unknown = [tf.TensorSpec((None, 4, 6, 3), tf.uint8)]
    for call in (
        lambda: transform(images),
        lambda: transform(images[0]),
        lambda: tf.function(transform, input_signature=unknown).get_concrete_function(),
        lambda: transform(keras.Input((4, 6, 3), dtype="uint8")),
    ):
        with pytest.raises(ImageError, match="keys for 3 images"):
            call()


@pytest.mark.parametrize("name", transforms_of_every_program())
def test_every_program_lowers_for_tpu_and_cuda(name):
    import jax

    transform, _ = transforms_of_every_program()[name]
    images = jax.ShapeDtypeStruct((3, 4, 6, 3), np.uint8)
    traced = jax.jit(transform).trace(images)
    lowered = traced.lower(lowering_platforms=("tpu", "cuda", "cpu"))
    assert lowered.out_info.shape == (3, 4, 6, 3)


def test_padding_is_cropped_away():
    images = images_of(33, 47)
    cipher, padded, transform = expected("le", images)
    assert cipher.shape == (3, 36, 48, 3)
    assert np.array_equal(crop(transform.inverse(cipher), 33, 47), images)
