"""A second implementation of every cipher and of the key derivation.

Written from the definitions, step by step, and not from the library: plain Python
loops on lists of numbers, no NumPy, no permutation-and-mask. An image is a flat list
of bytes in (row, column, channel) order beside its shape. Vectors are made with it
(`make_vectors.py`) and the library is tested against it.
"""

import math
import operator
import struct

# Every value of each option that has finitely many, and some of the others.
OPTION_VALUES = {
    "le": {
        "block_size": (1, 2, 4),
        "reversal": ("derived", "independent"),
        "word_bits": (4, 8),
    },
    "ele": {"block_size": (1, 2, 4), "reversal": ("derived", "independent")},
    "pbe": {"channel_shuffle": (True, False)},
    "logistic": {
        "chaos": ("logistic", "pwlcm", "logistic_sine", "shake256"),
        "stream": ("per_channel", "shared"),
        "select": (True, False),
        "channel_shuffle": (True, False),
    },
    "etc": {"block_size": (1, 2, 4), "channel_shuffle": (True, False)},
    "etc_gray": {"block_size": (1, 2, 4, 8), "fold": (True, False)},
    "iib": {
        "block_size": (4, 8),
        "sub_block_size": (2, 4),
        "channel_shuffle": (True, False),
        "block_shuffle": (True, False),
        "sub_block_shuffle": (False, True),
        "turns": ("shared", "per_channel"),
    },
    "ffx": {"block_size": (1, 2, 4), "tables": ("shared", "per_place")},
    "orthogonal": {"block_size": (1, 2, 4)},
    "identity": {},
    "negpos": {},
    "shuffle": {},
    "blockshuffle": {"block_size": (1, 2, 4)},
    "keystream": {},
}


def plain_image(shape):
    """The image of the vectors: byte i is bits 7 to 14 of 2654435761 * i."""
    return [(2654435761 * i >> 7) & 255 for i in range(math.prod(shape))]


# --- blocks ---------------------------------------------------------------------


def _block_places(shape, block_size, number):
    """Places of the bytes of one block, in (row, column, channel) order."""
    _, width, channels = shape
    blocks_in_row = width // block_size
    top = number // blocks_in_row * block_size
    left = number % blocks_in_row * block_size
    return [
        ((top + row) * width + left + column) * channels + channel
        for row in range(block_size)
        for column in range(block_size)
        for channel in range(channels)
    ]


def _map_blocks(image, shape, block_size, block_order, encrypt):
    """Output block i is `encrypt(i, k, bytes of block k)` with k = block_order[i]."""
    result = list(image)
    for i, k in enumerate(block_order):
        source = [image[p] for p in _block_places(shape, block_size, k)]
        for place, value in zip(
            _block_places(shape, block_size, i), encrypt(i, k, source), strict=True
        ):
            result[place] = value
    return result


def block_count(shape, block_size):
    return (shape[0] // block_size) * (shape[1] // block_size)


def _le_block(data, order, mask, word_bits):
    half, words = len(data), list(data)
    top = 255
    if word_bits == 4:
        words, top = [v % 16 for v in data] + [v // 16 for v in data], 15
    count = len(words)
    rho = [2 * order[j] > count for j in range(count)] if mask is None else mask
    reversed_ = [top - words[j] if rho[j] else words[j] for j in range(count)]
    shuffled = [reversed_[order[j]] for j in range(count)]
    if mask is None:  # the published code reverses a second time
        shuffled = [top - shuffled[j] if rho[j] else shuffled[j] for j in range(count)]
    if word_bits == 8:
        return shuffled
    return [16 * shuffled[half + i] + shuffled[i] for i in range(half)]


def le(image, shape, order, block_size=4, mask=None, word_bits=4):
    blocks = range(block_count(shape, block_size))
    return _map_blocks(
        image,
        shape,
        block_size,
        blocks,
        lambda i, k, data: _le_block(data, order, mask, word_bits),
    )


def ele(image, shape, orders, block_order, block_size=4, masks=None):
    def encrypt(i, k, data):
        return _le_block(data, orders[k], None if masks is None else masks[k], 4)

    return _map_blocks(image, shape, block_size, block_order, encrypt)


def _turn(square):
    """A quarter turn counter-clockwise: the last column becomes the first row."""
    size = len(square)
    return [[square[c][size - 1 - r] for c in range(size)] for r in range(size)]


def _recolour(pixel, code):
    """Table I: 0 RGB, 1 RBG, 2 GRB, 3 GBR, 4 BRG, 5 BGR."""
    red, green, blue = pixel
    return {
        0: [red, green, blue],
        1: [red, blue, green],
        2: [green, red, blue],
        3: [green, blue, red],
        4: [blue, red, green],
        5: [blue, green, red],
    }[code]


def etc(
    image, shape, block_order, orientation, negate, channel_order=None, block_size=4
):
    channels = shape[2]

    def encrypt(i, k, data):
        pixels = [data[p : p + channels] for p in range(0, len(data), channels)]
        rows = [pixels[p : p + block_size] for p in range(0, len(pixels), block_size)]
        for _ in range(orientation[i] % 4):
            rows = _turn(rows)
        if orientation[i] >= 4:
            rows = [row[::-1] for row in rows]
        pixels = [pixel for row in rows for pixel in row]
        if negate[i]:
            pixels = [[255 - value for value in pixel] for pixel in pixels]
        if channel_order is not None:
            pixels = [_recolour(pixel, channel_order[i]) for pixel in pixels]
        return [value for pixel in pixels for value in pixel]

    return _map_blocks(image, shape, block_size, block_order, encrypt)


def etc_gray(image, shape, block_order, orientation, negate, block_size=8, fold=True):
    height, width, channels = shape
    planes = [
        image[(row * width + column) * channels + channel]
        for row in range(height)
        for channel in range(channels)
        for column in range(width)
    ]
    gray_shape = (height, channels * width, 1)
    gray = etc(planes, gray_shape, block_order, orientation, negate, None, block_size)
    if not fold:
        return gray
    return [
        gray[row * channels * width + channel * width + column]
        for row in range(height)
        for column in range(width)
        for channel in range(channels)
    ]


def iib(
    image,
    shape,
    block_order,
    orientation,
    negate,
    channel_order=None,
    sub_block_order=None,
    block_size=4,
    sub_block_size=2,
):
    """`orientation[i][j]`: a code, or a list of one for each channel of the output."""
    channels, side = shape[2], block_size // sub_block_size

    def part(data, j, channel):
        """Rows of one channel of sub-block j of a block."""
        top, left = j // side * sub_block_size, j % side * sub_block_size
        return [
            [
                data[(row * block_size + column) * channels + channel]
                for column in range(left, left + sub_block_size)
            ]
            for row in range(top, top + sub_block_size)
        ]

    def encrypt(i, k, data):
        result = list(data)
        for j in range(side * side):
            source = j if sub_block_order is None else sub_block_order[i][j]
            planes = [part(data, source, channel) for channel in range(channels)]
            if channel_order is not None:
                planes = _recolour(planes, channel_order[i])
            codes = orientation[i][j]
            codes = codes if isinstance(codes, list) else [codes] * channels
            for channel, (rows, code) in enumerate(zip(planes, codes, strict=True)):
                for _ in range(code % 4):
                    rows = _turn(rows)
                if code >= 4:
                    rows = [row[::-1] for row in rows]
                for row, values in enumerate(rows, j // side * sub_block_size):
                    for column, v in enumerate(values, j % side * sub_block_size):
                        place = (row * block_size + column) * channels + channel
                        result[place] = 255 - v if negate[i] else v
        return result

    return _map_blocks(image, shape, block_size, block_order, encrypt)


def blockshuffle(image, shape, perm, block_size=4):
    blocks = range(block_count(shape, block_size))
    return _map_blocks(
        image, shape, block_size, blocks, lambda i, k, data: [data[p] for p in perm]
    )


def ffx(image, shape, tables, places, block_size=4):
    """`places`: where a block is substituted; `tables`: one of all, or one of each."""

    def substitute(i, k, data):
        return [
            tables[place % len(tables)][value] if place in places else value
            for place, value in enumerate(data)
        ]

    blocks = range(block_count(shape, block_size))
    return _map_blocks(image, shape, block_size, blocks, substitute)


def orthogonal(image, shape, matrix, block_size=4):
    """`matrix`: rows of whole numbers, in units of 255 / 2^22; gives 32 bits each."""

    def multiply(i, k, data):
        centred = [2 * value - 255 for value in data]
        sums = [sum(map(operator.mul, row, centred)) for row in matrix]
        return [_single(number) / 2**22 for number in sums]

    blocks = range(block_count(shape, block_size))
    return _map_blocks(image, shape, block_size, blocks, multiply)


def _single(number):
    """The nearest number of 32 bits."""
    return struct.unpack("<f", struct.pack("<f", number))[0]


# --- pixels ---------------------------------------------------------------------


def _recolour_pixels(values, shape, channel_order):
    if channel_order is None:
        return values
    return [
        value
        for p in range(shape[0] * shape[1])
        for value in _recolour(values[3 * p : 3 * p + 3], channel_order[p])
    ]


def pbe(image, shape, negate, channel_order=None):
    values = [255 - v if n else v for v, n in zip(image, negate, strict=True)]
    return _recolour_pixels(values, shape, channel_order)


def logistic(image, shape, sequence, select, channel_order=None):
    """`sequence` and `select` as flat lists in the order of the image's bytes."""
    values = [
        v ^ s if chosen else v
        for v, s, chosen in zip(image, sequence, select, strict=True)
    ]
    return _recolour_pixels(values, shape, channel_order)


def spread_sequence(sequence, shape, stream):
    """The flat list of S at each byte, from the sequence channel after channel."""
    pixels = shape[0] * shape[1]
    return [
        sequence[pixel + (channel * pixels if stream == "per_channel" else 0)]
        for pixel in range(pixels)
        for channel in range(shape[2])
    ]


def identity(image, shape):
    return list(image)


def negpos(image, shape, negate):
    return [255 - v if n else v for v, n in zip(image, negate, strict=True)]


def shuffle(image, shape, perm):
    return [image[p] for p in perm]


def keystream(image, shape, stream):
    return [v ^ s for v, s in zip(image, stream, strict=True)]


CIPHERS = {
    function.__name__: function
    for function in (
        *(le, ele, pbe, logistic, etc, etc_gray, iib, ffx, orthogonal),
        *(identity, negpos, shuffle, blockshuffle, keystream),
    )
}
