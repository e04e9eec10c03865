"""The networks that a recipe can train: a row each.

A network is a function `(num_classes, input_shape, l2, **options)` that gives a
`keras.Model` from images to logits. Its row says which options it has, what it is
called in tables, and whether it takes bytes or values that the recipe normalises.
Rows are read without Keras: the command line is there at once.
"""

import dataclasses
import importlib
import numbers
from collections.abc import Callable, Mapping
from types import MappingProxyType

from tfpe.errors import NetworkError


@dataclasses.dataclass(frozen=True)
class Option:
    """An option of a network.

    Attributes:
        default: its value where none is given; its type is that of all values.
        meaning: in words, for the command line.
        choices: the values it may have; () for all.
        low: the least value of a number.
        below: what a number has to be less than; None for no bound.
    """

    default: object
    meaning: str
    choices: tuple = ()
    low: float = 0
    below: float | None = None

    def check(self, name, value):
        """`value`, or an error where it does not fit."""
        if self.choices:
            fits, expected = value in self.choices, f"one of {self.choices}"
        elif isinstance(self.default, bool):
            fits, expected = isinstance(value, bool), "True or False"
        else:
            kind = numbers.Integral if self.whole else numbers.Real
            fits = isinstance(value, kind) and not isinstance(value, bool)
            fits = fits and self.low <= value
            expected = f"a {'whole ' * self.whole}number from {self.low} up"
            if self.below is not None:
                fits = fits and value < self.below
                expected += f", less than {self.below}"
        if not fits:
            raise NetworkError(
                f"`{name}` should be {expected}. Received: {name}={value!r}"
            )
        return value

    @property
    def whole(self):
        """Whether its values are whole numbers."""
        return isinstance(self.default, int) and not isinstance(self.default, bool)


@dataclasses.dataclass(frozen=True)
class Network:
    """A row of `NETWORKS`.

    Attributes:
        name: of the network in recipes.
        builder: "module:function", imported when the network is built.
        options: name -> `Option`.
        words: what tables call it, from its options.
        takes_bytes: whether it splits bytes into words itself, from its options.
        modules: with layers that saved models of it need registered.
    """

    name: str
    builder: str
    options: Mapping
    words: Callable
    takes_bytes: Callable = lambda options: False
    modules: tuple = ()

    def check(self, **given):
        """All options, defaults filled in.

        Raises:
            NetworkError: an unknown option, or a value that does not fit.
        """
        if unknown := sorted(set(given) - set(self.options)):
            raise NetworkError(
                f"Options of {self.name} should be among {list(self.options)}. "
                f"Received: {unknown}"
            )
        defaults = {name: option.default for name, option in self.options.items()}
        return {
            name: self.options[name].check(name, value)
            for name, value in (defaults | given).items()
        }

    def build(self, num_classes, input_shape, l2=None, **options):
        """The `keras.Model`."""
        module, _, function = self.builder.partition(":")
        function = getattr(importlib.import_module(module), function)
        options = self.check(**options)
        return function(
            num_classes=num_classes, input_shape=input_shape, l2=l2, **options
        )


def _pyramidnet_words(options):
    parts = [f"PyramidNet ({options['depth']}, {options['alpha']:g})"]
    if options["stem"] == "words":
        parts.append(_stem_words(options))
    if options["adaptation"] != "none":
        parts.append(f"{options['adaptation'].upper()}-AdaptNet")
    return " with ".join(parts)


def _stem_words(options):
    tied = "one for all" if options["tied"] else "one for each"
    side = options["patch_size"]
    return f"{side} x {side} patches of {options['bits']}-bit words, {tied}"


def _tokens_words(title):
    def words(options):
        size = f"{title}-{options['width']}/{options['depth']}"
        return f"{size} on {_stem_words(options)}"

    return words


def _set_words(options):
    side, bits = options["patch_size"], options["bits"]
    tokens = {
        "blocks": f"a set of {side} x {side} blocks, turned in all ways",
        "words": f"the set of {bits}-bit words of {side} x {side} blocks",
        "multisets": f"a set of {side} x {side} blocks of sorted {bits}-bit words",
    }[options["tokens"]]
    return f"Set Transformer-{options['width']}/{options['depth']} on {tokens}"


WORD_STEM = {
    "patch_size": Option(4, "side of the patches of a word stem", low=1),
    "bits": Option(8, "of the words of a word stem", choices=(8, 4, 1)),
    "tied": Option(True, "whether all patches of a word stem share one kernel"),
}
NETWORKS = MappingProxyType(
    {
        row.name: row
        for row in (
            Network(
                "pyramidnet",
                "training.networks.pyramid:pyramid_network",
                {
                    "depth": Option(
                        110, "of the PyramidNet: 6n + 2, bottleneck 9n + 2", low=1
                    ),
                    "alpha": Option(270.0, "channels it gains from first unit to last"),
                    "block": Option(
                        "basic",
                        "what a unit is made of",
                        choices=("basic", "bottleneck"),
                    ),
                    "rounding": Option(
                        "ceil",
                        "of widths, running as the authors of PyramidNet do",
                        choices=("ceil", "running"),
                    ),
                    "shakedrop": Option(
                        0.5, "largest drop probability, of the last unit", below=1
                    ),
                    "adaptation": Option(
                        "none",
                        "network in front of the PyramidNet",
                        choices=("none", "le", "ele", "pixel"),
                    ),
                    "stem": Option(
                        "convolution",
                        "first layer: a 3x3 convolution, or patches of words",
                        choices=("convolution", "words"),
                    ),
                }
                | WORD_STEM,
                _pyramidnet_words,
                lambda options: options["stem"] == "words",
                ("training.networks.adaptation", "training.pyramidnet"),
            ),
            Network(
                "convmixer",
                "training.networks.convmixer:convmixer",
                {
                    "width": Option(128, "channels of each token", low=1),
                    "depth": Option(8, "number of blocks", low=1),
                    "kernel_size": Option(5, "of the depthwise convolutions", low=1),
                }
                | WORD_STEM,
                _tokens_words("ConvMixer"),
                lambda options: True,
            ),
            Network(
                "mlp_mixer",
                "training.networks.mlp_mixer:mlp_mixer",
                {
                    "width": Option(128, "channels of each token", low=1),
                    "depth": Option(8, "number of blocks", low=1),
                    "token_units": Option(64, "of the token-mixing layers", low=1),
                    "channel_units": Option(512, "of the others", low=1),
                }
                | WORD_STEM,
                _tokens_words("MLP-Mixer"),
                lambda options: True,
            ),
            Network(
                "vit",
                "training.networks.vit:vit",
                {
                    "width": Option(192, "channels of each token", low=1),
                    "depth": Option(6, "number of blocks", low=1),
                    "heads": Option(3, "of the attention; divides the width", low=1),
                    "mlp_units": Option(768, "of the hidden dense layers", low=1),
                    "dropout": Option(0.0, "of the blocks", below=1),
                }
                | WORD_STEM,
                _tokens_words("ViT"),
                lambda options: True,
            ),
            Network(
                "set_transformer",
                "training.networks.set_transformer:set_transformer",
                {
                    "width": Option(128, "channels of each token", low=1),
                    "depth": Option(4, "number of blocks", low=1),
                    "heads": Option(4, "of the attention; divides the width", low=1),
                    "mlp_units": Option(256, "of the hidden dense layers", low=1),
                    "tokens": Option(
                        "blocks",
                        "without order: blocks however turned, words of all blocks, "
                        "or sorted words of each",
                        choices=("blocks", "words", "multisets"),
                    ),
                    "patch_size": WORD_STEM["patch_size"],
                    "bits": WORD_STEM["bits"],
                },
                _set_words,
                lambda options: True,
            ),
            Network(
                "resnet9",
                "training.networks.resnet9:resnet9",
                {"width": Option(64, "channels of the first layer", low=1)},
                lambda options: f"ResNet-9, width {options['width']}",
            ),
        )
    }
)


def find_network(name):
    """The row of `NETWORKS`, or a `NetworkError` that lists the names.

    Example:

    >>> find_network("convmixer").check(width=64)["depth"]
    8
    """
    if name not in NETWORKS:
        raise NetworkError(
            f"`network` should be one of {list(NETWORKS)}. Received: network={name!r}"
        )
    return NETWORKS[name]
