"""Writes tests/vectors/*.json with the second implementation, never with the library.

    python tests/make_vectors.py            # new files only
    python tests/make_vectors.py --force    # and write over what is there

A release must not change them: it would no longer decrypt what an older one encrypted.
"""

import argparse
import hashlib
import itertools
import json
import math
import pathlib
import struct
import sys

import reference
import reference_keys

FOLDER = pathlib.Path(__file__).parent / "vectors"
COMMAND = "python tests/make_vectors.py"
SECRETS = tuple(
    hashlib.sha256(f"tfpe vector key {n}".encode()).digest() for n in range(3)
)
# Up to this many bytes, a case holds key material, plain and cipher image in full.
TINY = 64
MOST_MATERIAL = 2**14  # characters: a table for each place of a block takes far more
# Arguments of the ciphers that are options and not drawn from the key.
GIVEN = ("block_size", "sub_block_size", "word_bits", "fold")
SHAPES = {
    "small": ((1, 1, 3), (2, 3, 3), (30, 17, 3)),
    "blocks": ((4, 4, 3), (8, 4, 3), (32, 32, 3)),
    "gray": ((4, 4, 1),),
}
# A sequence in rational arithmetic takes a second: one shape for each set of options.
SLOW = {"logistic_sine"}


def provenance(what):
    return {
        "generated_by": COMMAND,
        "generator": f"tests/reference.py and tests/reference_keys.py: {what}",
        "confirmed_by": "tests/test_vectors.py computes every case with both the "
        "library (NumPy, permutation and mask) and that second implementation "
        "(plain Python, written from the definitions, sharing no code with it)",
        "plain_image": "byte i is floor(2654435761 * i / 128) mod 256, bytes in (row, "
        "column, channel) order",
    }


def option_cases(cipher):
    """All combinations of option values, in a fixed order."""
    table = reference.OPTION_VALUES[cipher]
    for values in itertools.product(*table.values()):
        yield dict(zip(table, values, strict=True))


def shapes_of(cipher, options):
    """Shapes that fit a cipher and its options, small ones first."""
    block_size = options.get("block_size", 1)
    gray = not options.get("channel_shuffle", False) and options.get("fold", True)
    if block_size == 8:
        return [(8, 8, 3), (8, 16, 3)]
    shapes = SHAPES["blocks" if "block_size" in options else "small"]
    return [*shapes, *(SHAPES["gray"] if gray else ())]


def cipher_cases(cipher):
    numbers = itertools.cycle(range(len(SECRETS)))
    for options in option_cases(cipher):
        shapes = shapes_of(cipher, options)
        if options.get("chaos") in SLOW:
            shapes = shapes[1:2]
        for shape in shapes:
            yield cipher_case(cipher, SECRETS[next(numbers)], shape, options)


def cipher_case(cipher, secret, shape, options):
    plain = reference.plain_image(shape)
    material = reference_keys.material(secret, cipher, shape, options)
    encrypted = written(reference.CIPHERS[cipher](plain, shape, **material))
    case = {
        "key": secret.hex(),
        "image_shape": shape,
        "options": options,
        "cipher_sha256": hashlib.sha256(encrypted).hexdigest(),
    }
    drawn = {k: v for k, v in material.items() if k not in GIVEN}
    if math.prod(shape) <= TINY and len(json.dumps(drawn)) <= MOST_MATERIAL:
        case["material"] = drawn
        case["plain"] = bytes(plain).hex()
        case["cipher"] = encrypted.hex()
    return case


def written(ciphertext):
    """Bytes as they are; real numbers in 32 bits each, little-endian."""
    if any(isinstance(value, float) for value in ciphertext):
        return struct.pack(f"<{len(ciphertext)}f", *ciphertext)
    return bytes(ciphertext)


def key_cases():
    for secret in SECRETS:
        draws = reference_keys.Draws(secret, "vector", (2, 3, 1), {"a": True, "b": 4})
        numbers = (2, 3, 6, 8, 255, 2**32 + 1, 2**63, 2**63 + 1)
        derived = reference_keys.derive
        yield {
            "key": secret.hex(),
            "fingerprint": reference_keys.fingerprint(secret),
            "derive": [
                [["client", 7], derived(secret, "client", 7).hex()],
                [["client", "7"], derived(secret, "client", "7").hex()],
                [["a", "b"], derived(secret, "a", "b").hex()],
                [['a","b'], derived(secret, 'a\\",\\"b').hex()],
            ],
            "for_image": [
                [n, derived(secret, "image", n).hex()] for n in (0, 1, 2**40)
            ],
            "tag": [
                [message.hex(), hmac_sha256(secret, message).hex()]
                for message in (b"", b"abc", bytes(200))
            ],
            "material": {"cipher": "vector", "shape": (2, 3, 1)},
            "options": {"a": True, "b": 4},
            "bytes": draws.bytes("bytes", 16),
            "bits": draws.bits("bits", 21),
            "permutation": draws.permutation("permutation", 12),
            "permutations": draws.permutations("permutations", 3, 5),
            "integers": [[k, draws.integers("integers", 10, k)] for k in numbers],
            "uniform": [
                [low, high, draws.uniform("uniform", low, high)]
                for low, high in ((0.0, 1.0), (3.57, 4.0), (0.0, 0.5))
            ],
        }


def hmac_sha256(secret, message):
    """HMAC of RFC 2104, by its definition, under the sub-key for tags."""
    subkey = reference_keys.digest(secret, reference_keys.label("tag"), 32)
    padded = subkey.ljust(64, b"\0")
    inner = bytes(b ^ 0x36 for b in padded) + message
    outer = bytes(b ^ 0x5C for b in padded) + hashlib.sha256(inner).digest()
    return hashlib.sha256(outer).digest()


CHAOS_CASES = (
    ("logistic", {"mu": 3.99, "d0": 0.1}, 3000),
    ("logistic", {"mu": 3.7, "d0": 0.654321}, 3000),
    ("logistic", {"mu": 4.0, "d0": 0.123456789}, 3000),
    ("logistic", {"mu": 3.9999, "d0": 1e-9}, 0),
    ("pwlcm", {"p": 0.3, "x0": 0.1}, 3000),
    ("pwlcm", {"p": 0.4999, "x0": 0.7}, 3000),
    ("pwlcm", {"p": 0.01, "x0": 0.987654321}, 10),
    ("logistic_sine", {"theta": 0.9, "x0": 0.3, "y0": 0.7}, 3000),
    ("logistic_sine", {"theta": 0.5, "x0": 0.111, "y0": 0.222}, 3000),
    ("logistic_sine", {"theta": 0.01, "x0": 0.999, "y0": 0.001}, 100),
)


def chaos_cases():
    for name, parameters, burn_in in CHAOS_CASES:
        sequence = reference_keys.chaotic_bytes(name, parameters, 3000, burn_in)
        yield {
            "map": name,
            "parameters": parameters,
            "burn_in": burn_in,
            "first": sequence[:16],
            "sha256_of_3000": hashlib.sha256(bytes(sequence)).hexdigest(),
        }


def documents():
    """file name -> what it holds."""
    for cipher in reference.CIPHERS:
        yield (
            f"{cipher}.json",
            {
                "provenance": provenance("the steps of the cipher, byte by byte"),
                "cipher": cipher,
                "cases": list(cipher_cases(cipher)),
            },
        )
    derivation = provenance("SHAKE-256 over secret and label, Python integers, sorted")
    maps = provenance("rational arithmetic, one rounding to double for each operation")
    del derivation["plain_image"], maps["plain_image"]
    maps["anchor"] = "the first case, 248 86 116 13 132 27 78 78, is the published one"
    yield "keys.json", {"provenance": derivation, "cases": list(key_cases())}
    yield "chaos.json", {"provenance": maps, "cases": list(chaos_cases())}


def write(path, document):
    cases = ",\n".join("    " + json.dumps(case) for case in document["cases"])
    head = {name: value for name, value in document.items() if name != "cases"}
    text = json.dumps(head, indent=2).removesuffix("\n}")
    path.write_text(f'{text},\n  "cases": [\n{cases}\n  ]\n}}\n')


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--force",
        action="store_true",
        help="write over vectors that are there, and what they pin",
    )
    force = parser.parse_args(arguments).force
    FOLDER.mkdir(exist_ok=True)
    kept = []
    for name, document in documents():
        if (FOLDER / name).exists() and not force:
            kept.append(name)
        else:
            write(FOLDER / name, document)
    if kept:
        # Vectors pin the derivation of keys for good: none is replaced unasked.
        sys.stderr.write(f"Kept as they are: {' '.join(kept)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
