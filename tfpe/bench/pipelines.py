"""What a cipher costs where it is used: set-up, data pipelines, training steps."""

import io
import tracemalloc

import numpy as np

from tfpe import data
from tfpe.bench.timing import interleave
from tfpe.ciphers import CIPHERS
from tfpe.errors import TfpeError
from tfpe.lowering import oracle

BATCH = 256
PASSES = 8


def measure_setup(key, names, sizes, repeats):
    """Seconds and memory to make a transform and its program ready, by image size.

    Returns:
        A list of dicts: `cipher`, `size` (of the square image, in pixels), `median`,
        `low` and `high` in seconds, and `peak_bytes` that NumPy and Python held.
    """
    rows = []
    for name in names:
        for size in sizes:
            shape = (size, size, 3)

            def build(name=name, shape=shape):
                transform = CIPHERS[name](key, shape)
                return transform.program

            programs = {name: (build, lambda program: program is not None)}
            found = interleave(programs, repeats)[name]
            tracemalloc.start()
            build()
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            seconds = {name: found[name] for name in ("median", "low", "high")}
            rows.append({"cipher": name, "size": size, **seconds, "peak_bytes": peak})
    return rows


def measure_pipelines(key, names, images, repeats):
    """Share of the throughput that a `tf.data` pipeline keeps with a cipher in it.

    Args:
        images: `uint8 (B, 32, 32, 3)`, as they come from a data set.

    Returns:
        A list of dicts: `cipher`, `source` ("memory" or "PNG"), `seconds` with it, and
        `kept`: median and quartiles of the share of the throughput without it, in the
        same round.
    """
    import tensorflow as tf

    files = [_png(image) for image in images]
    from_png = tf.data.Dataset.from_tensor_slices(files).map(
        lambda file: tf.ensure_shape(tf.io.decode_png(file, 3), images.shape[1:]),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    from_memory = tf.data.Dataset.from_tensor_slices(images)
    rows = []
    for source, dataset in (("memory", from_memory), ("PNG", from_png)):
        dataset = dataset.repeat(PASSES).batch(BATCH)
        programs = {"plain": _consume(dataset, images)}
        for name in names:
            cipher = oracle(CIPHERS[name](key, images.shape[1:]), images)
            programs[name] = _consume(data.encrypt(dataset, key, name), cipher)
        found = interleave(programs, repeats, ["plain"])
        rows += [
            {
                "cipher": name,
                "source": source,
                "seconds": found[name]["median"],
                "kept": found[name]["ratios"]["plain"],
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
            "step_seconds": found["step"]["median"],
            "layer_seconds": found[name]["median"],
            "share": 1 / found[name]["ratios"]["step"]["median"],
        }
        for name in names
    ]


def _consume(dataset, expected):
    """Reads a data set to its end; the check is of its length and its last batch.

    Kept batches would cost memory that has nothing to do with the cipher, so all of
    them are checked here, once, before anything is timed.
    """
    everything = np.concatenate([np.asarray(batch) for batch in dataset])
    if not np.array_equal(everything, np.tile(expected, (PASSES, 1, 1, 1))):
        raise TfpeError("A pipeline should give the ciphertext of the oracle")
    count, tail = -(-len(everything) // BATCH), everything[-BATCH:].copy()
    del everything

    def run():
        batches = 0
        for batch in dataset:  # noqa: B007
            batches += 1
        return batches, batch

    def is_right(result):
        batches, last = result
        return batches == count and np.array_equal(last, tail[-len(last) :])

    return run, is_right


def _finite(value):
    return bool(np.isfinite(value).all())


def _png(image):
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()
