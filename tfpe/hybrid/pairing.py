"""Planes of an image, and adjacent values of a plane as one symbol.

The Chinese remainder theorem numbers the pair (a, b) by the x below 257 * 258 with
x mod 257 = a and x mod 258 = b. As for any numbering that is one-to-one, an entropy
coder gains from the pairs and nothing from their numbers, which only order the code.
"""

import functools
import math

import numpy as np

SYMBOLS = ("crt", "pairs", "bytes")
NEIGHBOURS = ("horizontal", "vertical", "channels")
MODULI = 257, 258
VALUES = 256


def crt_number(a, b):
    """The number below 257 * 258 that leaves a modulo 257 and b modulo 258.

    Args:
        a, b: whole numbers below 257 and 258, or arrays of them.

    Source: Ahmad, Lee & Shin, ICOIN 2020, doi 10.1109/ICOIN48656.2020.9016442.

    Example:

    >>> x = crt_number(200, 7)
    >>> int(x), int(x) % 257, int(x) % 258
    (49801, 200, 7)
    """
    first, second = MODULI
    return a + first * ((a - np.asarray(b, np.int64)) % second)


@functools.cache
def numbers_of(symbols):
    """The numbers by which symbols are in order, for each value of a symbol."""
    if symbols == "bytes":
        return np.arange(VALUES)
    values = np.arange(VALUES**2)
    return crt_number(*np.divmod(values, VALUES)) if symbols == "crt" else values


def arranged_shape(image_shape, symbols, neighbours):
    """The shape (planes, rows, columns) of `arrange`, columns padded."""
    height, width, channels = image_shape
    planes, rows, columns = {
        "horizontal": (channels, height, width),
        "vertical": (channels, width, height),
        "channels": (1, height, width * channels),
    }[neighbours]
    return planes, rows, columns + (columns % 2 if symbols != "bytes" else 0)


def arrange(image, symbols, neighbours):
    """The planes of an image, with those values side by side that are paired.

    Args:
        image: `uint8 (H, W, C)`.
        symbols: a name in `SYMBOLS`: pairs of values, or single "bytes".
        neighbours: a name in `NEIGHBOURS`: which values are a pair.

    Returns:
        `uint8 (planes, rows, columns)`; the last column twice where that makes pairs.

    Example:

    >>> arrange(np.arange(6, dtype=np.uint8).reshape(1, 2, 3), "crt", "channels")
    array([[[0, 1, 2, 3, 4, 5]]], dtype=uint8)
    """
    shape = arranged_shape(image.shape, symbols, neighbours)
    if neighbours == "channels":
        planes = image.reshape(1, len(image), -1)
    else:
        planes = image.transpose((2, 0, 1) if neighbours == "horizontal" else (2, 1, 0))
    if planes.shape[2] < shape[2]:
        planes = np.concatenate([planes, planes[..., -1:]], axis=2)
    return np.ascontiguousarray(planes)


def rearrange(planes, image_shape, neighbours):
    """The image of `image_shape` whose planes `arrange` gave."""
    height, width, channels = image_shape
    if neighbours == "channels":
        return planes[0, :, : width * channels].reshape(image_shape).copy()
    if neighbours == "vertical":
        return np.ascontiguousarray(planes[:, :, :height].transpose(2, 1, 0))
    return np.ascontiguousarray(planes[:, :, :width].transpose(1, 2, 0))


def to_symbols(planes, symbols):
    """Symbols `(planes, n)` of planes: 256 a + b for a pair (a, b), `uint16`."""
    flat = np.ascontiguousarray(planes).reshape(len(planes), -1)
    return flat if symbols == "bytes" else flat.view(">u2").astype(np.uint16)


def to_planes(found, shape, symbols):
    """The planes of `shape` whose symbols `to_symbols` gave."""
    found = found if symbols == "bytes" else found.astype(">u2")
    return np.ascontiguousarray(found).view(np.uint8).reshape(shape)


def unit_shape(shape, permute, symbols):
    """(units, bytes of a unit) in a plane: what a permutation of planes moves."""
    _, rows, columns = shape
    pair = 1 if symbols == "bytes" else 2
    size = {"pairs": pair, "rows": columns, "pixels": 1}[permute]
    return math.prod(shape[1:]) // size, size
