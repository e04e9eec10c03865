"""The settings of the frontier: ciphers, options, keys, and networks that fit them."""

import dataclasses
from types import MappingProxyType

from training.recipes import PER_IMAGE

FIXED, FRESH = "fixed", "fresh"
CNN, FITTING = "small", "matched"  # recipes


@dataclasses.dataclass(frozen=True)
class Setting:
    """A setting of the frontier.

    Attributes:
        name: on the command line.
        cipher: a name in `tfpe.CIPHERS`, or "plain".
        keys: "fixed", one for all images, or "fresh", one for each.
        options: of the cipher, those that are not as usual.
        recipe: of the network: "matched" where one fits, else "small", a PyramidNet.
        meaning: in words.
    """

    name: str
    cipher: str
    keys: str = FRESH
    options: dict = dataclasses.field(default_factory=dict)
    recipe: str = FITTING
    meaning: str = ""

    @property
    def per_image(self):
        """Whether each image has a key of its own."""
        return self.keys == FRESH and self.cipher != "plain"

    @property
    def trained_as(self):
        """The cipher as a training names it."""
        return self.cipher + PER_IMAGE * self.per_image


def _settings():
    yield Setting("plain", "plain", recipe=CNN)
    for name in ("le", "ele", "etc", "pbe", "logistic", "blockshuffle"):
        yield Setting(f"{name}-fixed", name, FIXED)
    yield Setting("pbe-fixed-cnn", "pbe", FIXED, recipe=CNN)
    yield Setting("ffx-fixed", "ffx", FIXED, recipe=CNN)
    yield Setting("iib-fixed", "iib", FIXED, recipe=CNN)
    for size in (2, 4, 8):
        options = {} if size == 4 else {"block_size": size}
        yield Setting(f"etc-{size}", "etc", options=options)
        yield Setting(f"le-{size}", "le", options=options)
        yield Setting(f"ele-{size}", "ele", options=options)
    yield Setting("etc-4-gray", "etc", options={"channel_shuffle": False})
    yield Setting("blockshuffle-4", "blockshuffle")
    yield Setting("pbe-folded", "pbe", meaning="min(v, 255 - v), channels sorted")
    yield Setting("pbe-cnn", "pbe", recipe=CNN)
    yield Setting("pbe-gray", "pbe", options={"channel_shuffle": False})
    yield Setting("logistic", "logistic", recipe=CNN)
    yield Setting("logistic-all", "logistic", options={"select": False}, recipe=CNN)
    yield Setting("ffx", "ffx", recipe=CNN)
    yield Setting("iib", "iib", recipe=CNN)
    yield Setting("iib-still", "iib", options={"block_shuffle": False}, recipe=CNN)
    yield Setting("keystream", "keystream", recipe=CNN, meaning="as AES-CTR would")


SETTINGS = MappingProxyType({one.name: one for one in _settings()})
