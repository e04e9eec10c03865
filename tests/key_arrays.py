"""What of a keyed map, or of its program, is secret: whatever arrays it holds."""

import numpy as np

from tfpe import CIPHERS

# Ciphers that move and mask words, which `structure` and `match` tell apart.
TRANSFORMS = [name for name, row in CIPHERS.items() if row.traits().word_bits]


def key_arrays(*holders):
    """The rows of all arrays in the attributes of keyed maps and programs."""
    arrays = [a for h in holders for a in vars(h).values() if isinstance(a, np.ndarray)]
    return [row for array in arrays for row in array.reshape(-1, array.shape[-1])]
