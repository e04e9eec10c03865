"""What of a keyed map, or of its program, is secret: whatever arrays it holds."""

import numpy as np

from tfpe import CIPHERS
from tfpe.ciphers import byte_ciphers

# Ciphers that move and mask words, which `structure` and `match` tell apart.
TRANSFORMS = [name for name, row in CIPHERS.items() if row.traits().word_bits]
# Those whose ciphertexts are bytes, as files and data sets hold.
BYTES = byte_ciphers()


def key_arrays(*holders):
    """The rows of all arrays in the attributes of keyed maps and programs."""
    arrays = [a for h in holders for a in vars(h).values() if isinstance(a, np.ndarray)]
    return [row for array in arrays for row in array.reshape(-1, array.shape[-1])]
