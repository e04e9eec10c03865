"""What a cipher leaves to be guessed, and the network that guesses it."""

import dataclasses
import importlib
from collections.abc import Mapping

import numpy as np

from tfpe.algebra.structure import signed_words, source_regions
from tfpe.attacks.learned.fresh_keys import fresh_keys
from tfpe.attacks.learned.published_networks import PUBLISHED
from tfpe.ciphers import find_cipher
from tfpe.ciphers.block_moves import orientations, sub_pixels
from tfpe.ciphers.channels import CHANNEL_ORDERS
from tfpe.errors import AttackError

PIXELS, POLARITIES = "pixels", "polarities"
WORDS, BLOCKS, MULTISETS = "words", "blocks", "multisets"
# Steps of 32 pairs of a training, as many as an evening on two cores holds for all.
STEPS = {PIXELS: 2000, POLARITIES: 2000, WORDS: 1200, BLOCKS: 2000, MULTISETS: 1500}
RATES = dict.fromkeys(STEPS, 1e-3) | {PIXELS: 2e-3}
BUILDERS = {
    PIXELS: "pixel_network:pixel_network",
    POLARITIES: "polarity_network:polarity_network",
    WORDS: "word_network:word_network",
    BLOCKS: "block_network:block_network",
    MULTISETS: "block_network:multiset_network",
}


@dataclasses.dataclass(frozen=True)
class Form:
    """A cipher with its options on images of one shape, as a network sees it.

    Attributes:
        cipher, options: its name, and all options.
        image_shape: (height, width, channels).
        family: the kind of network, a key of `BUILDERS`.
        bits: of its words.
        block_size, sub_block_size: sides in pixels; 1 where it has no blocks.
        negates: whether words are at most negated.
        orders_channels: whether channels change places.
        moved: whether blocks change places.
    """

    cipher: str
    options: Mapping
    image_shape: tuple
    family: str
    bits: int
    block_size: int
    sub_block_size: int
    negates: bool
    orders_channels: bool
    moved: bool

    @property
    def any_size(self):
        """Whether one network serves pictures of any size."""
        return self.family in (PIXELS, POLARITIES)

    @property
    def blocks_alike(self):
        """Whether a key does the same to all blocks of an image."""
        return self.family == WORDS

    def build(self, published=None, **sizes):
        """The `keras.Model` from ciphertexts to a dict with `picture`.

        Args:
            published: a name in `published_networks.PUBLISHED`, or None for ours.
            **sizes: of the network.
        """
        if published is not None:
            return PUBLISHED[published].build(self, **sizes)
        module, _, name = BUILDERS[self.family].partition(":")
        module = importlib.import_module(f"tfpe.attacks.learned.{module}")
        return getattr(module, name)(self, **sizes)

    def keys(self, rng, count, image_shape=None):
        """Fresh keys of this cipher, as `fresh_keys` gives them."""
        shape = image_shape or self.image_shape
        return fresh_keys(self.cipher, rng, count, shape, **self.options)

    def targets(self, keys):
        """What the network should say of each image beside its picture.

        Args:
            keys: of `self.keys`.

        Returns:
            A dict from the name of an output to whole numbers, `(B, ...)`.
        """
        if self.any_size or (self.family == MULTISETS and not self.moved):
            return {}
        blocks = self.image_shape[0] * self.image_shape[1] // self.block_size**2
        source, place, mask = source_regions(signed_words(keys), self.block_size)
        if self.family == WORDS:
            place, negated = place[::blocks], mask[::blocks] > 0
            tokens = np.argsort(place, axis=1)
            negated = np.take_along_axis(negated, tokens, axis=1)
            return {"words": (tokens + place.shape[1] * negated).astype(np.int32)}
        targets = {}
        if self.moved:
            targets["place"] = source.reshape(-1, blocks) % blocks
        if self.family == BLOCKS:
            channels = self.image_shape[2]
            turns, orders = block_codes(
                place, self.block_size, self.sub_block_size, channels
            )
            targets["turn"] = turns.reshape(-1, blocks, turns.shape[1])
            targets["polarity"] = (mask[:, 0] > 0).reshape(-1, blocks)
            if self.orders_channels:
                targets["colours"] = orders.reshape(-1, blocks)
        return {name: values.astype(np.int32) for name, values in targets.items()}


def has_network(traits):
    """Whether a network here is for ciphers of these traits.

    Example:

    >>> from tfpe import CIPHERS
    >>> [has_network(CIPHERS[name].traits()) for name in ("pbe", "shuffle")]
    [True, False]
    """
    return _family(traits) is not None


def _family(traits):
    """The kind of network, as far as traits tell it; None for none."""
    if not (traits.gives_bytes and traits.keeps_shape and traits.keyed):
        return None
    if traits.in_place:
        return POLARITIES if traits.negates and traits.word_bits == 8 else PIXELS
    if traits.tied and traits.negates and not traits.moves_blocks:
        return WORDS
    return MULTISETS if traits.region == "block" and traits.negates else None


def form_of(cipher, image_shape, **options):
    """The `Form` of a cipher, read off its traits and a map under some key.

    Args:
        cipher: a name in `tfpe.CIPHERS`.
        image_shape: (height, width, channels).
        **options: of the cipher.

    Raises:
        AttackError: no network here is for it.

    Example:

    >>> [form_of(name, (32, 32, 3)).family for name in ("pbe", "le", "etc", "ele")]
    ['polarities', 'words', 'blocks', 'multisets']
    """
    row = find_cipher(cipher)
    options = row.check(image_shape[2], **options)
    traits, size = row.traits(**options), row.block_size(**options)
    family, bits = _family(traits), traits.word_bits or 8
    sub_size = options.get("sub_block_size", size)
    moved, orders = traits.moves_blocks, traits.moves_words
    if family == MULTISETS and bits == 8:
        keys = fresh_keys(cipher, np.random.default_rng(0), 2, image_shape, **options)
        _, place, _ = source_regions(signed_words(keys), size)
        codes = block_codes(place, size, sub_size, image_shape[2])
        if codes is not None:
            family, orders = BLOCKS, bool(codes[1].any())
    if family is None:
        raise AttackError(
            "A network is for ciphers that keep values in their pixels or words in "
            f"their blocks, and give bytes. Received: {cipher} {options}"
        )
    return Form(
        cipher,
        options,
        tuple(image_shape),
        family,
        bits,
        size,
        sub_size,
        traits.negates,
        orders and image_shape[2] == 3,
        moved,
    )


def block_codes(place, side, sub, channels):
    """How sub-blocks are turned and channels ordered.

    Args:
        place: for each byte of each block the one that it comes from,
            `(blocks, side * side * channels)`.
        side, sub: of blocks and of their sub-blocks, in pixels.
        channels: of a pixel.

    Returns:
        Codes of the turns, `(blocks, sub-blocks)`, and of the channel orders,
        `(blocks,)`; None where blocks change otherwise.
    """
    pixel, channel = np.divmod(place.reshape(len(place), -1, channels), channels)
    if (pixel != pixel[..., :1]).any() or (channel != channel[:, :1]).any():
        return None
    inside = sub_pixels(side, sub)
    turned = inside[:, orientations(sub)]  # (parts, 8, pixels of a sub-block)
    same = (pixel[:, inside, 0][:, :, None] == turned).all(-1)
    orders = np.zeros(len(place), int)
    if channels == 3:
        orders = (channel[:, 0, None] == CHANNEL_ORDERS).all(-1).argmax(-1)
    return (same.argmax(-1), orders) if same.any(-1).all() else None
