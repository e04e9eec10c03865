"""Words: the nibbles and bits of bytes, numbered from the lowest bits up."""

import numpy as np


def split_words(data, bits):
    """Splits bytes, `uint8 (..., n)`, into words: `uint8 (..., n * 8 // bits)`.

    Example:

    >>> import numpy as np
    >>> split_words(np.array([0xA5, 0x01], np.uint8), 4).tolist()
    [5, 10, 1, 0]
    """
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    words = (data[..., None] >> shifts) & np.uint8(2**bits - 1)
    return words.reshape(*data.shape[:-1], -1)


def join_words(words, bits):
    """Joins words, `uint8 (..., n)`, into bytes; undoes `split_words`."""
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    parts = words.reshape(*words.shape[:-1], -1, len(shifts))
    return np.bitwise_or.reduce(parts << shifts, axis=-1)
