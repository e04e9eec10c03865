"""PyramidNet: residual networks whose width grows with every unit."""

import math
from fractions import Fraction

import keras
from keras import layers

from tfpe.errors import NetworkError
from training.pyramidnet.unit import (
    CHANNELS_LAST,
    PyramidUnit,
    batch_normalisation,
    convolution,
    weight_decay,
)

STEM_WIDTH = 16
STAGES = 3
CONVOLUTIONS = {"basic": 2, "bottleneck": 3}  # in a unit
ROUNDINGS = ("ceil", "running")


def pyramidnet(
    depth=110,
    alpha=270,
    num_classes=10,
    block="basic",
    rounding="ceil",
    stem_bias=True,
    shakedrop=0.5,
    input_shape=(32, 32, 3),
    granularity="sample",
    l2=None,
    dtype=None,
    name="pyramidnet",
):
    """Builds a PyramidNet with ShakeDrop, not compiled.

    The network of the published experiments on encrypted images; the defaults are
    theirs. Images are channels last, whatever Keras is set to.

    Args:
        depth: number of layers: 6n + 2 for basic, 9n + 2 for bottleneck blocks.
        alpha: how much wider the last unit is than the stem, in channels.
        num_classes: number of classes.
        block: "basic", two 3x3 convolutions a unit, or "bottleneck", 1x1, 3x3, 1x1.
        rounding: of widths: "ceil" as in the ShakeDrop implementations, "running" as
            in the code of PyramidNet's authors.
        stem_bias: whether the first convolution has a bias (the authors' has none).
        shakedrop: drop probability of the last unit, to which those of the units
            before rise linearly; None for no ShakeDrop.
        input_shape: (height, width, channels) of an image; sizes may be None.
        granularity: of ShakeDrop, "sample" or "element".
        l2: weight decay as in the papers, added to the loss as half of it times the
            squares of all trainable variables, those of batch normalisations and
            biases included; None for none. Optimizers then need no `weight_decay`.
        dtype: a dtype or policy such as "mixed_float16"; Keras's own by default. With
            a 16-bit compute dtype the logits are still float32.
        name: of the model.

    Returns:
        A `keras.Model` from float images (batch, height, width, channels) to logits
        (batch, num_classes).

    Raises:
        NetworkError: an argument out of range.

    Source: Han et al. 2017, Deep Pyramidal Residual Networks (arXiv 1610.02915),
    additive widths (Eq. 2), with the ShakeDrop of arXiv 1802.02375.

    Example:

    >>> from training.pyramidnet import pyramidnet
    >>> model = pyramidnet(depth=20, alpha=24)
    >>> model.output_shape, len(model.layers)
    ((None, 10), 16)
    """
    images = keras.Input(input_shape, name="images")
    logits = pyramid_logits(
        images,
        depth=depth,
        alpha=alpha,
        num_classes=num_classes,
        block=block,
        rounding=rounding,
        stem_bias=stem_bias,
        shakedrop=shakedrop,
        granularity=granularity,
        l2=l2,
        dtype=dtype,
    )
    return keras.Model(images, logits, name=name)


def pyramid_logits(
    features,
    depth=110,
    alpha=270,
    num_classes=10,
    block="basic",
    rounding="ceil",
    stem_bias=True,
    shakedrop=0.5,
    granularity="sample",
    l2=None,
    dtype=None,
    stem=True,
):
    """Puts a PyramidNet behind a tensor of a functional model.

    Args:
        features: Keras tensor (batch, height, width, channels).
        stem: whether the 3x3 convolution comes first, or `features` are its output.
        depth, alpha, num_classes, block, rounding, stem_bias, shakedrop, granularity,
            l2, dtype: as of `pyramidnet`.

    Returns:
        The logits, a Keras tensor (batch, num_classes).

    Raises:
        NetworkError: an argument out of range.
    """
    units = count_units(depth, block)
    widths = unit_widths(units, alpha, rounding)
    drops = (
        [None] * units if shakedrop is None else drop_probabilities(units, shakedrop)
    )
    if not isinstance(num_classes, int) or num_classes < 1:
        raise NetworkError(
            "`num_classes` should be a positive int. "
            f"Received: num_classes={num_classes}"
        )
    if len(features.shape) != 4 or features.shape[-1] is None:
        raise NetworkError(
            "The input should have shape (batch, height, width, channels), channels "
            f"known. Received: shape {features.shape}"
        )
    policy = keras.dtype_policies.get(dtype or keras.config.dtype_policy())
    if stem:
        features = convolution(
            STEM_WIDTH, 3, l2, policy, use_bias=stem_bias, name="stem"
        )(features)
    features = batch_normalisation(l2, policy, name="stem_norm")(features)
    for index, (width, drop) in enumerate(zip(widths, drops, strict=True)):
        stage, position = divmod(index, units // STAGES)
        features = PyramidUnit(
            width,
            stride=2 if stage and position == 0 else 1,
            block=block,
            drop_probability=drop,
            granularity=granularity,
            l2=l2,
            dtype=policy,
            name=f"stage{stage + 1}_unit{position + 1}",
        )(features)
    features = batch_normalisation(l2, policy, name="head_norm")(features)
    features = layers.ReLU(dtype=policy, name="head_relu")(features)
    features = layers.GlobalAveragePooling2D(
        data_format=CHANNELS_LAST, dtype=policy, name="head_pool"
    )(features)
    head = layers.Dense(
        num_classes,
        # torch.nn.Linear: uniform between -1/sqrt(inputs) and 1/sqrt(inputs).
        kernel_initializer=keras.initializers.VarianceScaling(
            1 / 3, "fan_in", "uniform"
        ),
        kernel_regularizer=weight_decay(l2),
        bias_regularizer=weight_decay(l2),
        dtype=policy.variable_dtype,
        name="logits",
    )
    return head(features)


def count_units(depth, block="basic"):
    """Number of residual units of a network, three stages together.

    Args:
        depth: 6n + 2 for basic, 9n + 2 for bottleneck blocks, n at least 1.
        block: "basic" or "bottleneck".

    Returns:
        3n.

    Raises:
        NetworkError: another block, or a depth that is not of that form.

    Example:

    >>> count_units(110), count_units(20)
    (54, 9)
    """
    if block not in CONVOLUTIONS:
        raise NetworkError(
            f"`block` should be one of {tuple(CONVOLUTIONS)}. Received: block={block!r}"
        )
    layers_of_n = STAGES * CONVOLUTIONS[block]
    if (
        not isinstance(depth, int)
        or depth < layers_of_n + 2
        or (depth - 2) % layers_of_n
    ):
        raise NetworkError(
            f"`depth` should be {layers_of_n}n + 2 for {block} blocks, n at least 1. "
            f"Received: depth={depth}"
        )
    return (depth - 2) // CONVOLUTIONS[block]


def unit_widths(units, alpha, rounding="ceil"):
    """Widths of the residual units, in channels, before a bottleneck's expansion.

    Args:
        units: their number.
        alpha: total widening, in channels; not negative.
        rounding: "ceil" rounds 16 + alpha * u / units up for unit u; "running" rounds
            the float sum of the steps to the nearest, as the authors' code does.

    Returns:
        List of ints.

    Raises:
        NetworkError: an unknown rounding, or a negative alpha.

    Example:

    >>> from training.pyramidnet import unit_widths
    >>> unit_widths(3, 4), unit_widths(3, 4, "running")
    ([18, 19, 20], [17, 19, 20])
    """
    if rounding not in ROUNDINGS:
        raise NetworkError(
            f"`rounding` should be one of {ROUNDINGS}. Received: rounding={rounding!r}"
        )
    if not 0 <= alpha < math.inf:
        raise NetworkError(f"`alpha` should not be negative. Received: alpha={alpha}")
    if rounding == "ceil":
        # In fractions: a float product may lie just above a whole number.
        step = Fraction(alpha) / units
        return [STEM_WIDTH + math.ceil(step * unit) for unit in range(1, units + 1)]
    widths, width = [], float(STEM_WIDTH)
    for _ in range(units):
        width += alpha / units
        widths.append(round(width))
    return widths


def drop_probabilities(units, last=0.5):
    """Drop probabilities of the residual units: linear, `last` at the last.

    Args:
        units: their number.
        last: drop probability of the last unit, in [0, 1].

    Returns:
        List of floats.

    Source: arXiv 1802.02375, section 3.4 (linear decay rule of stochastic depth).

    Example:

    >>> from training.pyramidnet import drop_probabilities
    >>> drop_probabilities(4)
    [0.125, 0.25, 0.375, 0.5]
    """
    return [last * unit / units for unit in range(1, units + 1)]
