"""The kinds of learned attacks, and pictures for them."""

import numpy as np
from image_folders import CHINA, FLOWER

from tfpe.attacks.learned.forms import BLOCKS, MULTISETS, PIXELS, POLARITIES, WORDS

SHAPE = (16, 16, 3)
FAMILIES = {
    **dict.fromkeys(("logistic", "ffx", "keystream"), PIXELS),
    **dict.fromkeys(("pbe", "negpos"), POLARITIES),
    **dict.fromkeys(("le", "blockshuffle"), WORDS),
    **dict.fromkeys(("etc", "iib"), BLOCKS),
    "ele": MULTISETS,
}
OPTIONS = [
    *((name, {}) for name in FAMILIES),
    ("pbe", {"channel_shuffle": False}),
    ("logistic", {"select": False, "stream": "shared"}),
    ("le", {"word_bits": 8}),
    ("le", {"reversal": "independent"}),
    ("ele", {"reversal": "independent"}),
    ("etc", {"block_size": 8, "channel_shuffle": False}),
    ("iib", {"block_shuffle": False}),
    ("iib", {"sub_block_shuffle": True, "turns": "per_channel"}),
    ("ffx", {"tables": "per_place"}),
]


def pieces():
    """2,080 pieces of two photographs, shuffled."""
    whole = [photo[:416, :640].reshape(26, 16, 40, 16, 3) for photo in (CHINA, FLOWER)]
    found = np.concatenate([w.swapaxes(1, 2).reshape(-1, *SHAPE) for w in whole])
    return np.random.default_rng(0).permutation(found)
