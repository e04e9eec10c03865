"""The cipher that mixes the values of a block into real numbers: orthogonal."""

import numpy as np

from tfpe import checks
from tfpe.algebra.orthogonal import UNIT, Orthogonal
from tfpe.ciphers.blocks import block_indices
from tfpe.ciphers.keyspace import KeySpace
from tfpe.errors import CipherOptionError
from tfpe.keys import check_key

MOST_SIDE = 16  # of a block: its matrix then has 768 rows
GAUSSIAN_UNIT = 2.0**-12
FAR = 0.01  # from orthogonal


def orthogonal(key, image_shape, block_size=4):
    """A secret orthogonal matrix times the centred bytes of each block.

    A byte v stands for (2 v - 255) / 255; the values x of a block become y = Q x, real
    numbers about 0, with one Q for all blocks. Lengths and angles stay, so a network
    whose first layer is a patch embedding loses nothing (`tfpe.match`). The ciphertext
    is `float32` and no picture: layers, `tf.data`, training and arrays take it, PNG
    files and data sets of images refuse it.

    Args:
        key: a `tfpe.Key`.
        image_shape: (height, width, channels), height and width divisible by
            `block_size`; 1 or 3 channels.
        block_size: side of a block in pixels, 16 at most.

    Returns:
        The `Orthogonal` map that encrypts images of `image_shape`.

    Raises:
        ImageError: `image_shape` does not fit.
        CipherOptionError: `block_size` does not fit.

    Source: Aso, Chuman, Kiya et al. 2023, A Privacy Preserving Method with a Random
    Orthogonal Matrix for ConvMixer Models, arXiv 2301.03843.

    Example:

    >>> import numpy as np
    >>> from tfpe import Key
    >>> encrypt = orthogonal(Key(bytes(32)), (4, 4, 3))
    >>> image = np.full((4, 4, 3), 200, np.uint8)
    >>> encrypt(image).dtype, round(float((encrypt(image) ** 2).sum()), 3)
    (dtype('float32'), 15.521)
    >>> bool((encrypt.inverse(encrypt(image)) == image).all())
    True
    """
    block_size = _side(block_size)
    shape = checks.image_shape_of(image_shape, block_size)
    material = check_key(key).material("orthogonal", shape, block_size=block_size)
    size = block_size**2 * shape[2]
    return _rotated(
        _drawn(material.words("gaussian", size**2), size), shape, block_size
    )


def orthogonal_transform(matrix, image_shape, block_size=4):
    """orthogonal from explicit material.

    Args:
        matrix: floats, `(n, n)` for the n = B * B * C bytes of a block in (row, column,
            channel) order: an orthogonal matrix. Entries are rounded to multiples of
            255 / 2^22, 6e-5.
        image_shape: (height, width, channels).
        block_size: B, side of a block in pixels.

    Returns:
        An `Orthogonal` map.

    Raises:
        CipherOptionError: the matrix has another shape, or is not orthogonal.
        ImageError: the image shape does not fit.

    Example:

    >>> import numpy as np
    >>> negative = orthogonal_transform(-np.eye(3), (1, 1, 3), block_size=1)
    >>> negative(np.array([[[255, 0, 255]]], np.uint8)).ravel().round(3).tolist()
    [-1.0, 1.0, -1.0]
    """
    block_size = _side(block_size)
    shape = checks.image_shape_of(image_shape, block_size)
    size = block_size**2 * shape[2]
    matrix = checks.as_array(matrix, "matrix")
    if matrix.dtype.kind not in "iuf" or matrix.shape != (size, size):
        raise CipherOptionError(
            f"`matrix` should be of numbers, of shape {(size, size)}. "
            f"Received: dtype {matrix.dtype}, shape {matrix.shape}"
        )
    matrix = matrix.astype(np.float64)
    apart = np.abs(matrix @ matrix.T - np.eye(size)).max()
    if not apart < FAR:
        raise CipherOptionError(
            "`matrix` should be orthogonal: its product with its transpose is 1. "
            f"Received: one that is {apart:.2g} away"
        )
    return _rotated(np.rint(matrix / UNIT), shape, block_size)


def orthogonal_key_space(image_shape, block_size=4):
    """15 bits for each of the n (n - 1) / 2 dimensions of the orthogonal matrices."""
    size = block_size**2 * image_shape[2]
    bits = 15.0 * (size * (size - 1) // 2) + 1  # and turned or mirrored
    return KeySpace(bits, bits)


def _side(block_size):
    block_size = checks.block_size_of(block_size)
    if block_size > MOST_SIDE:
        raise CipherOptionError(
            f"`block_size` should be at most {MOST_SIDE}. "
            f"Received: block_size={block_size}"
        )
    return block_size


def _drawn(words, size):
    """A uniform orthogonal matrix in units of `UNIT`, from a word for each entry.

    The same on every machine. Gaussian numbers are the only ones here that a library
    of mathematics computes, which may differ in the last of 53 bits: they are rounded
    to 2^-12, where that is not seen but once in a million million. The rest is +, -, *,
    / and square roots, which IEEE 754 fixes, in one order: no BLAS, whose order of
    summation is its own. At the end entries are rounded to 6e-5, so that another
    implementation may take another way to the same numbers.
    """
    from statistics import NormalDist  # as exact as SciPy's, imported in a hundredth

    uniform = ((words >> np.uint64(12)) + 0.5) * 2.0**-52
    gaussian = np.array(list(map(NormalDist().inv_cdf, uniform.tolist())))
    rest = np.rint(gaussian / GAUSSIAN_UNIT).reshape(size, size).T
    rows = np.empty((size, size))
    for number in range(size):
        length = np.sqrt(_in_order(rest[:, :1] * rest[:, :1]))
        row = rest[:, :1] / length
        rows[number] = row[:, 0]
        # Gram-Schmidt, modified: the others lose what they share with this row.
        rest = rest[:, 1:] - row * _in_order(row * rest[:, 1:])
    return np.rint(rows / UNIT)


def _in_order(terms):
    """Sums of columns, from the first term to the last."""
    if terms.shape[1] > 1:  # row is added to row, three times as fast
        return np.add.reduce(terms, axis=0, keepdims=True)
    return np.add.accumulate(terms, axis=0)[-1:]


def _rotated(matrix, image_shape, block_size):
    return Orthogonal(matrix, block_indices(image_shape, block_size), image_shape)
