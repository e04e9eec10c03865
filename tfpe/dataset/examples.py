"""TFRecord files and the `tf.train.Example`s in them, as bytes.

Serialisation is deterministic, so that the same images give the same files.
"""

import itertools

from tfpe.errors import DatasetError

IMAGE = "image"
_names = itertools.count()


def make_example(label):
    """A serialised example that holds a label and no image."""
    example = _example()
    example.features.feature["label"].int64_list.value.append(label)
    return example.SerializeToString(deterministic=True)


def take_image(record):
    """(bytes of the image file, the serialised example without it) of a record."""
    example = _example(record)
    [image] = example.features.feature[IMAGE].bytes_list.value
    del example.features.feature[IMAGE]
    return image, example.SerializeToString(deterministic=True)


def put_image(example, image, numbers):
    """A record: a serialised example with an image file and whole numbers added."""
    example = _example(example)
    feature = example.features.feature
    feature[IMAGE].bytes_list.value.append(image)
    for name, number in numbers.items():
        feature[name].int64_list.value.append(number)
    return example.SerializeToString(deterministic=True)


def put_labels(example, new, drop=()):
    """A serialised example with other labels, less the features to drop.

    Args:
        example: serialised.
        new: feature -> sequence of new labels; those below 0 (no label) stay.
        drop: names of features.
    """
    example = _example(example)
    feature = example.features.feature
    for name in drop:
        if name in feature:
            del feature[name]
    for name, numbers in new.items():
        values = feature[name].int64_list.value
        values[:] = [numbers[old] if old >= 0 else old for old in values]
    return example.SerializeToString(deterministic=True)


def read_numbers(example, names):
    """Name -> whole number, for those of `names` that an example holds."""
    feature = _example(example).features.feature
    return {n: feature[n].int64_list.value[0] for n in names if n in feature}


def decode_image(data, image_shape):
    """The pixels that `tfds.load` gives for an image, `uint8 (H, W, C)`."""
    import tensorflow as tf

    # TensorFlow, not Pillow: the two decode JPEG to different pixels.
    with tf.device("CPU"):
        image = tf.io.decode_image(data, image_shape[-1], expand_animations=False)
    sizes = zip(image_shape, image.shape, strict=True)
    if any(expected not in (None, size) for expected, size in sizes):
        raise DatasetError(
            f"Images of the source should have shape {image_shape}. "
            f"Received: {tuple(image.shape)}"
        )
    return image.numpy()


def read_records(file, skip, size):
    """Lists of at most `size` records of a TFRecord file, from number `skip` on."""
    import tensorflow as tf

    dataset = tf.data.TFRecordDataset(str(file)).skip(skip).batch(size)
    try:
        for batch in dataset.as_numpy_iterator():
            yield list(batch)
    except tf.errors.OpError as error:
        raise DatasetError(f"Cannot read {file}: {error.message}") from error


def frame(records):
    """The bytes of a TFRecord file that holds `records`."""
    import tensorflow as tf

    # TensorFlow writes this format to files only; this one is in memory.
    name = f"ram://tfpe/{next(_names)}"
    try:
        with tf.io.TFRecordWriter(name) as writer:
            for record in records:
                writer.write(record)
        with tf.io.gfile.GFile(name, "rb") as file:
            return file.read()
    finally:
        tf.io.gfile.remove(name)


def _example(data=b""):
    from tensorflow.core.example.example_pb2 import Example

    return Example.FromString(data)
