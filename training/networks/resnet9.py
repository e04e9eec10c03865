"""ResNet-9: a small, fast residual network, for GPUs."""

import keras
from keras import layers

from training.networks.ends import logits_of
from training.pyramidnet.unit import CHANNELS_LAST, batch_normalisation, convolution


def resnet9(num_classes=10, input_shape=(32, 32, 3), l2=None, width=64):
    """Builds a ResNet-9 on normalised images; not compiled.

    Args:
        num_classes: number of classes.
        input_shape: (height, width, channels) of an image.
        l2: weight decay, as of `pyramidnet`.
        width: channels of the first layer; the others have 2, 4 and 8 times as many.

    Returns:
        A `keras.Model` from float images to logits.

    Source: the network of the DAWNBench CIFAR-10 entries (D. Page 2018), with a second
    residual pair as in its later forms.

    Example:

    >>> resnet9(width=4).output_shape
    (None, 10)
    """
    images = keras.Input(input_shape, name="images")
    features = _unit(images, width, l2)
    features = _pooled(features, 2 * width, l2)
    features = _residual(features, 2 * width, l2)
    features = _pooled(features, 4 * width, l2)
    features = _pooled(features, 8 * width, l2)
    features = _residual(features, 8 * width, l2)
    features = layers.GlobalMaxPooling2D(data_format=CHANNELS_LAST)(features)
    return keras.Model(images, logits_of(features, num_classes, l2), name="resnet9")


def _unit(features, width, l2):
    features = convolution(width, 3, l2, None)(features)
    return layers.ReLU()(batch_normalisation(l2, None)(features))


def _pooled(features, width, l2):
    pool = layers.MaxPooling2D(2, data_format=CHANNELS_LAST)
    return pool(_unit(features, width, l2))


def _residual(features, width, l2):
    return layers.Add()([features, _unit(_unit(features, width, l2), width, l2)])
