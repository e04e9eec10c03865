"""The kinds of learned attacks, pictures for them, and steps that are not compiled."""

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


def eagerly(compile_model):
    """`compile_model` whose steps stay uncompiled: few of them are done sooner so."""

    def in_steps(model, *arguments):
        compile_model(model, *arguments)
        model.run_eagerly = True

    return in_steps
