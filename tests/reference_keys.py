"""A second implementation of what is drawn from a key, and of the chaotic maps.

Written from the definitions, in Python integers: SHAKE-256 over secret and label, and
rational arithmetic with one rounding to a double after each operation. (`n / d` of two
Python integers is the double nearest to the quotient, as is `float(Fraction(n, d))`.)
"""

import functools
import hashlib
import math
import operator

import reference
from scipy.special import ndtri


def canonical(value):
    """JSON without spaces and with sorted names, written out."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + value + '"'
    if isinstance(value, dict):
        pairs = (f"{canonical(k)}:{canonical(value[k])}" for k in sorted(value))
        return "{" + ",".join(pairs) + "}"
    return "[" + ",".join(canonical(item) for item in value) + "]"


def digest(secret, label, size):
    return hashlib.shake_256(secret + label.encode()).digest(size)


def label(*parts):
    return canonical(["tfpe", 1, *parts])


def fingerprint(secret):
    return digest(secret, label("fingerprint"), 8).hex()


def derive(secret, *labels):
    return digest(secret, label("derive", list(labels)), 32)


class Draws:
    """The streams of one cipher under one key, as lists of Python numbers."""

    def __init__(self, secret, cipher, shape, options):
        self.secret = secret
        self.label = label("cipher", cipher, list(shape), options)

    def bytes(self, name, count):
        return list(digest(self.secret, self.label + label(name), count))

    def words(self, name, count):
        data = bytes(self.bytes(name, 8 * count))
        return [int.from_bytes(data[8 * i : 8 * i + 8], "little") for i in range(count)]

    def bits(self, name, count):
        data = self.bytes(name, (count + 7) // 8)
        return [(data[i // 8] >> i % 8) & 1 for i in range(count)]

    def permutation(self, name, length):
        words = self.words(name, length)
        return sorted(range(length), key=lambda i: (words[i], i))

    def permutations(self, name, count, length):
        words = self.words(name, count * length)
        return [
            sorted(range(length), key=lambda i: (words[k * length + i], i))
            for k in range(count)
        ]

    def integers(self, name, count, below):
        # Far more words than rejection can use up, for any `below` but the largest.
        whole_runs = 2**64 // below * below
        words = self.words(name, 4 * count + 100)
        return [word % below for word in words if word < whole_runs][:count]

    def uniform(self, name, low, high):
        twice = 2 * (self.words(name, 1)[0] // 2**12) + 1
        return add(low, multiply(subtract(high, low), twice / 2**53))


# --- the explicit key material of every cipher ---------------------------------------


def material(secret, cipher, shape, options):
    """The arguments of `reference.CIPHERS[cipher]` after image and shape."""
    if shape[2] == 1 and "channel_shuffle" in options:
        options = options | {"channel_shuffle": False}  # gray: there is none to order
    draws = Draws(secret, cipher, shape, options)
    size = math.prod(shape)
    blocks = sizes = None
    if "block_size" in options:
        blocks = reference.block_count(shape, options["block_size"])
        sizes = options["block_size"] ** 2 * shape[2]
    own = {k: options[k] for k in ("block_size", "word_bits", "fold") if k in options}
    independent = options.get("reversal") == "independent"
    if cipher == "le":
        words = sizes * 8 // options["word_bits"]
        order = draws.permutation("order", words)
        mask = draws.bits("reversal", words) if independent else None
        return {"order": order, "mask": mask, **own}
    if cipher == "ele":
        words = 2 * sizes
        flat = draws.bits("reversals", blocks * words)
        masks = [flat[k * words : k * words + words] for k in range(blocks)]
        return {
            "orders": draws.permutations("orders", blocks, words),
            "block_order": draws.permutation("block_order", blocks),
            "masks": masks if independent else None,
            **own,
        }
    if cipher in ("etc", "etc_gray"):
        if cipher == "etc_gray":
            blocks *= shape[2]
        drawn = {
            "block_order": draws.permutation("block_order", blocks),
            "orientation": draws.integers("orientation", blocks, 8),
            "negate": draws.bits("negate", blocks),
        }
        if options.get("channel_shuffle"):
            drawn["channel_order"] = draws.integers("channel_order", blocks, 6)
        return drawn | own
    if cipher == "iib":
        parts = (options["block_size"] // options["sub_block_size"]) ** 2
        codes = parts * (shape[2] if options["turns"] == "per_channel" else 1)
        flat = draws.integers("orientation", blocks * codes, 8)
        if options["turns"] == "per_channel":
            flat = [flat[k : k + shape[2]] for k in range(0, len(flat), shape[2])]
        drawn = {
            "block_order": list(range(blocks)),
            "orientation": [flat[k * parts : k * parts + parts] for k in range(blocks)],
            "negate": draws.bits("negate", blocks),
        }
        if options["block_shuffle"]:
            drawn["block_order"] = draws.permutation("block_order", blocks)
        if options["channel_shuffle"]:
            drawn["channel_order"] = draws.integers("channel_order", blocks, 6)
        if options["sub_block_shuffle"]:
            drawn["sub_block_order"] = draws.permutations(
                "sub_block_order", blocks, parts
            )
        return drawn | own | {"sub_block_size": options["sub_block_size"]}
    if cipher == "ffx":
        count = 1 if options["tables"] == "shared" else sizes
        return {
            "tables": draws.permutations("tables", count, 256),
            "places": sorted(draws.permutation("places", sizes)[: -(-sizes // 2)]),
            **own,
        }
    if cipher == "orthogonal":
        return {"matrix": _orthogonal(draws.words("gaussian", sizes**2), sizes), **own}
    if cipher == "blockshuffle":
        return {"perm": draws.permutation("perm", sizes), **own}
    if cipher == "shuffle":
        return {"perm": draws.permutation("perm", size)}
    if cipher == "keystream":
        return {"stream": draws.bytes("stream", size)}
    if cipher == "identity":
        return {}
    if cipher == "negpos":
        return {"negate": draws.bits("negate", size)}
    drawn = {}
    if options["channel_shuffle"]:
        drawn["channel_order"] = draws.integers("channel_order", shape[0] * shape[1], 6)
    if cipher == "pbe":
        return drawn | {"negate": draws.bits("negate", size)}
    planes = shape[2] if options["stream"] == "per_channel" else 1
    length = shape[0] * shape[1] * planes
    if options["chaos"] == "shake256":
        sequence = draws.bytes("sequence", length)
    else:
        parameters = draw_parameters(options["chaos"], draws)
        sequence = chaotic_bytes(options["chaos"], parameters, length)
    return drawn | {
        "sequence": reference.spread_sequence(sequence, shape, options["stream"]),
        "select": draws.bits("select", size) if options["select"] else [1] * size,
    }


def _orthogonal(words, size):
    """Gram-Schmidt, once and again, on Gaussian numbers that are rounded to 2^-12."""
    numbers = [
        round(float(ndtri((2 * (word // 2**12) + 1) / 2**53)) * 2**12) for word in words
    ]
    rows = []
    for start in range(0, size * size, size):
        row = numbers[start : start + size]
        for _ in range(2):
            for other in rows:
                shared = math.fsum(map(operator.mul, row, other))
                row = [a - shared * b for a, b in zip(row, other, strict=True)]
        length = math.hypot(*row)
        rows.append([value / length for value in row])
    return [[round(value / (255 / 2**22)) for value in row] for row in rows]


def encrypt(secret, cipher, shape, options, image):
    arguments = material(secret, cipher, shape, options)
    return reference.CIPHERS[cipher](image, shape, **arguments)


# --- chaotic maps ---------------------------------------------------------------


def add(a, b):
    (n, d), (m, e) = a.as_integer_ratio(), b.as_integer_ratio()
    return (n * e + m * d) / (d * e)


def subtract(a, b):
    (n, d), (m, e) = a.as_integer_ratio(), b.as_integer_ratio()
    return (n * e - m * d) / (d * e)


def multiply(a, b):
    (n, d), (m, e) = a.as_integer_ratio(), b.as_integer_ratio()
    return (n * m) / (d * e)


def divide(a, b):
    (n, d), (m, e) = a.as_integer_ratio(), b.as_integer_ratio()
    return (n * e) / (d * m)


def _logistic(mu, d0):
    d = d0
    while True:
        yield d
        d = multiply(multiply(mu, d), subtract(1.0, d))


def _pwlcm(p, x0):
    x = x0
    while True:
        yield x
        if x >= 0.5:
            x = subtract(1.0, x)
        x = divide(x, p) if x < p else divide(subtract(x, p), subtract(0.5, p))


def _pi_digits():
    """pi to some 70 digits, by Machin's formula in integers of 1/10^80."""
    unit = 10**80

    def arctangent(inverse):
        term = total = unit // inverse
        n = 3
        while term:
            term = -(term // inverse**2) if term > 0 else (-term) // inverse**2
            total += term // n if term > 0 else -(-term // n)
            n += 2
        return total

    return 4 * (4 * arctangent(5) - arctangent(239)), unit


def _cosine_coefficients():
    """(-1)^k pi^(2k) / (2k)! for k = 12 down to 0, each rounded once."""
    pi, unit = _pi_digits()
    return [
        (-1) ** k * pi ** (2 * k) / (unit ** (2 * k) * math.factorial(2 * k))
        for k in range(12, -1, -1)
    ]


COSINE = _cosine_coefficients()


def sin_pi(t):
    u = subtract(t, 0.5)
    square = multiply(u, u)
    value = 0.0
    for coefficient in COSINE:
        value = add(multiply(value, square), coefficient)
    return value


def _logistic_sine(theta, x0, y0):
    four_theta, rest = multiply(4.0, theta), subtract(1.0, theta)

    def argument(own, other):
        bent = multiply(multiply(four_theta, own), subtract(1.0, own))
        return add(bent, multiply(rest, sin_pi(other)))

    x, y = x0, y0
    while True:
        yield x
        x = sin_pi(argument(x, y))
        y = sin_pi(argument(y, x))


ORBITS = {"logistic": _logistic, "pwlcm": _pwlcm, "logistic_sine": _logistic_sine}
INTERVALS = {
    "logistic": {"mu": (3.57, 4.0), "d0": (0.0, 1.0)},
    "pwlcm": {"p": (0.0, 0.5), "x0": (0.0, 1.0)},
    "logistic_sine": {"theta": (0.0, 1.0), "x0": (0.0, 1.0), "y0": (0.0, 1.0)},
}


def chaotic_bytes(name, parameters, length, burn_in=3000):
    # As many as the check of weak ones wants, so that both need them only once.
    orbit = _orbit_bytes(name, tuple(parameters.items()), max(length, 1500), burn_in)
    return list(orbit[:length])


@functools.lru_cache(maxsize=16)
def _orbit_bytes(name, parameters, length, burn_in):
    orbit = ORBITS[name](**dict(parameters))
    for _ in range(burn_in):
        next(orbit)
    next(orbit)  # each value advances the map once, the first one too
    return [
        math.floor(multiply(divide(next(orbit), 2.0), 1e14)) % 256
        for _ in range(length)
    ]


def draw_parameters(name, draws):
    """The first attempt whose 1,500 bytes hold at least 200 distinct ones."""
    attempt = 0
    while True:
        parameters = {
            parameter: draws.uniform(f"{parameter}/{attempt}", low, high)
            for parameter, (low, high) in INTERVALS[name].items()
        }
        if len(set(chaotic_bytes(name, parameters, 1500))) >= 200:
            return parameters
        attempt += 1
