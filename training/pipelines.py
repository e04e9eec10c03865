"""Batches as a `tf.data` pipeline: strong augmentation, then encryption."""

from tfpe.errors import DatasetError


def tf_pipeline(batches, encryption, strong="none"):
    """`Batches` as a `tf.data.Dataset`: strong augmentation, then encryption.

    Args:
        batches: `Batches` that encrypt nothing; one-hot labels where `strong` is used.
        encryption: an `Encryption` with one key, or None.
        strong: "randaugment", "cutmix", "mixup" or "gridmask", of keras-cv. Its random
            numbers are keras-cv's own: here alone a resumed run differs.

    Raises:
        DatasetError: keras-cv is not installed.
    """
    import tensorflow as tf

    import tfpe.data

    def one_epoch():
        return (batches[step] for step in range(len(batches)))

    images, labels = batches[0]
    signature = tuple(tf.TensorSpec(a.shape, a.dtype) for a in (images, labels))
    dataset = tf.data.Dataset.from_generator(one_epoch, output_signature=signature)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(batches)))
    if strong != "none":
        layer = _strong_layer(strong)

        def augment(images, labels):
            element = {
                "images": tf.cast(images, tf.float32),
                "labels": tf.cast(labels, tf.float32),
            }
            element = layer(element, training=True)
            levels = tf.round(tf.clip_by_value(element["images"], 0, 255))
            return tf.cast(levels, tf.uint8), element["labels"]

        dataset = dataset.map(augment, num_parallel_calls=1)
    if encryption is not None:
        dataset = tfpe.data.encrypt(
            dataset, encryption.key, encryption.cipher, **encryption.options
        )
    return dataset.prefetch(tf.data.AUTOTUNE)


def _strong_layer(name):
    try:
        from keras_cv import layers
    except ImportError as error:
        raise DatasetError(
            f"`strong` augmentation needs keras-cv, which cannot be imported: {error}"
        ) from error
    return {
        "randaugment": lambda: layers.RandAugment(value_range=(0, 255)),
        "cutmix": layers.CutMix,
        "mixup": layers.MixUp,
        "gridmask": layers.GridMask,
    }[name]()
