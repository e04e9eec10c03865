"""What a cipher costs where it is used: set-up, data pipelines, training steps."""

import io
import time
import tracemalloc

import numpy as np

from tfpe import data
from tfpe.ciphers import CIPHERS
from tfpe.errors import TfpeError
from tfpe.lab.bench.rows import short
from tfpe.lab.bench.timing import interleave, quartiles

BATCH = 256
# Long enough for the threads of a pipeline to get going: some 0.1 s from memory.
PASSES = {"memory": 32, "PNG": 4, "TFDS": 1}
TFDS_IMAGES = 8192
LARGE = 1024


def measure_setup(key, names, sizes, repeats):
    """Seconds and memory to make a transform and its program ready, by image size.

    Args:
        sizes: sides of square images, in pixels. From 1024 up they are built once.

    Returns:
        A list of dicts: `cipher`, `size`, `median`, `low` and `high` (quartiles) in
        seconds, and the peaks in bytes that NumPy and Python held: `setup_bytes`, and
        `apply_bytes` while NumPy encrypts one image, its ciphertext included.
    """
    rows = []
    for name in names:
        for size in sizes:
            shape = (size, size, 3)
            seconds = []
            for _ in range(1 if size >= LARGE else repeats):
                start = time.perf_counter()
                transform = CIPHERS[name](key, shape).prepare()
                seconds.append(time.perf_counter() - start)
                del transform
            tracemalloc.start()
            transform = CIPHERS[name](key, shape).prepare()
            _, setup = tracemalloc.get_traced_memory()
            held, _ = tracemalloc.get_traced_memory()
            image = np.zeros(shape, np.uint8)
            tracemalloc.reset_peak()
            transform(image)
            _, apply = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            rows.append(
                {
                    "cipher": name,
                    "size": size,
                    **{n: short(v) for n, v in quartiles(seconds).items()},
                    "setup_bytes": setup,
                    "apply_bytes": apply - held - image.nbytes,
                }
            )
    return rows


def measure_pipelines(key, names, images, repeats, data_dir=None):
    """Share of the throughput that a `tf.data` pipeline keeps with a cipher in it.

    Args:
        images: `uint8 (B, 32, 32, 3)`, as they come from a data set.
        data_dir: of TFDS, where cifar10 is; None leaves it out.

    Returns:
        A list of dicts: `cipher`, `source` ("memory", "PNG", "TFDS cifar10"),
        `images_per_second` with it, and `kept`: median and quartiles of the share of
        the throughput without it, in the same round.
    """
    import tensorflow as tf

    files = [_png(image) for image in images]
    sources = {
        "memory": tf.data.Dataset.from_tensor_slices(images),
        "PNG": tf.data.Dataset.from_tensor_slices(files).map(
            lambda file: tf.ensure_shape(tf.io.decode_png(file, 3), images.shape[1:]),
            num_parallel_calls=tf.data.AUTOTUNE,
        ),
    }
    if data_dir is not None:
        sources["TFDS cifar10"] = _cifar10(data_dir)
    rows = []
    for source, dataset in sources.items():
        plain = images
        if source == "TFDS cifar10":
            plain = np.stack(list(dataset.as_numpy_iterator()))
        dataset = dataset.repeat(PASSES[source.split()[0]]).batch(BATCH)
        count = PASSES[source.split()[0]] * len(plain)
        # Pipelines end in `prefetch`, and so do both that are compared.
        programs = {"plain": _consume(dataset.prefetch(2), plain, count)}
        for name in names:
            cipher = CIPHERS[name](key, plain.shape[1:]).definition(plain)
            encrypted = data.encrypt(dataset, key, name).prefetch(2)
            programs[name] = _consume(encrypted, cipher, count)
        found = interleave(programs, repeats, ["plain"])
        rows += [
            {
                "cipher": name,
                "source": source,
                "images_per_second": short(count / found[name]["median"]),
                "kept": {
                    n: short(v) for n, v in found[name]["ratios"]["plain"].items()
                },
            }
            for name in names
        ]
    return rows


def measure_step(key, names, build_model, batch_size, repeats):
    """Time of a training step, and that of each cipher's layer beside it.

    Args:
        build_model: a function that returns a model for `(32, 32, 3)` and 10 classes.

    Returns:
        A list of dicts: `cipher`, `step_seconds`, `layer_seconds` and `share` of them.
    """
    import keras
    import tensorflow as tf

    from tfpe.layers import PerceptualEncrypt

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (batch_size, 32, 32, 3)).astype(np.float32)
    labels = rng.integers(0, 10, batch_size)
    model = build_model()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, jit_compile=False)
    batch = tf.constant(images)
    programs = {"step": (lambda: model.train_on_batch(images / 255, labels), _finite)}
    for name in names:
        layer = tf.function(PerceptualEncrypt(key, name), jit_compile=True)
        cipher = CIPHERS[name](key, (32, 32, 3))(images.astype(np.uint8))
        programs[name] = (
            lambda layer=layer: layer(batch),
            lambda result, cipher=cipher: np.array_equal(result, cipher),
        )
    found = interleave(programs, repeats, ["step"])
    return [
        {
            "cipher": name,
            "step_seconds": short(found["step"]["median"]),
            "layer_seconds": short(found[name]["median"]),
            "share": short(1 / found[name]["ratios"]["step"]["median"]),
        }
        for name in names
    ]


def _cifar10(data_dir):
    """Images of CIFAR-10 as TFDS decodes them from its PNG files."""
    import tensorflow_datasets as tfds

    dataset = tfds.load(
        "cifar10", split=f"train[:{TFDS_IMAGES}]", data_dir=data_dir, download=False
    )
    return dataset.map(lambda element: element["image"])


def _consume(dataset, expected, count):
    """Reads a data set to its end; the check is of its length and its last batch.

    All batches are checked here, once, before anything is timed.
    """
    start = 0
    for batch in dataset:
        places = np.arange(start, start + len(batch)) % len(expected)
        if not np.array_equal(batch, expected[places]):
            raise TfpeError("A pipeline should give the ciphertext of the oracle")
        start += len(batch)
    if start != count:
        raise TfpeError(f"A pipeline should give {count} images. Received: {start}")
    tail = np.asarray(batch)

    def run():
        batches = 0
        for batch in dataset:  # noqa: B007
            batches += 1
        return batches, batch

    def is_right(result):
        batches, last = result
        return batches == -(-count // BATCH) and np.array_equal(last, tail)

    return run, is_right


def _finite(value):
    return bool(np.isfinite(value).all())


def _png(image):
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()
