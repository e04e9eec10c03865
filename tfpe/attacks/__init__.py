"""Attacks on the ciphers: functions `evidence -> Transform` (or images).

`ATTACKS` is the table of them all: what each needs, what it takes and where it was
published. An attack that its evidence does not determine raises `AttackError`;
`scoring` tells how much of a key or an image was recovered.

>>> from tfpe import Key, ciphers
>>> secret = ciphers.logistic(Key.generate(), (32, 32, 3))
>>> oracle = CountingOracle(secret)
>>> chosen_plaintext(oracle, (32, 32, 3)) == secret, oracle.queries
(True, 4)
"""

from types import MappingProxyType

from tfpe.attacks.attack import (
    CHOSEN,
    CIPHERTEXT_ONLY,
    KEY_CHECK,
    KNOWN,
    Attack,
)
from tfpe.attacks.block_statistics import block_statistics, mirrored
from tfpe.attacks.chang_case import (
    chang_case_advanced,
    chang_case_basic,
    chang_case_le,
    chang_case_pbe,
)
from tfpe.attacks.chosen_plaintext import chosen_images, chosen_plaintext
from tfpe.attacks.ciphertext_only import ciphertext_only
from tfpe.attacks.jigsaw import JigsawScore, jigsaw, jigsaw_score, puzzle_of
from tfpe.attacks.key_sensitivity import (
    KeySensitivity,
    key_sensitivity,
    parameter_sensitivity,
)
from tfpe.attacks.known_plaintext import RecoveredTransform, known_plaintext
from tfpe.attacks.mode_filter import mode_filter
from tfpe.attacks.nibble_statistics import nibble_statistics
from tfpe.attacks.oracles import CountingOracle
from tfpe.attacks.pixel_chosen_plaintext import logistic_chosen_plaintext
from tfpe.attacks.repeated_blocks import (
    block_chosen_plaintext,
    block_known_plaintext,
    repeat_blocks,
)
from tfpe.attacks.scoring import (
    ImageScore,
    KeyScore,
    as_json,
    least_error,
    score_images,
    score_key,
)
from tfpe.attacks.seed_algorithm import negative_flags, seed_algorithm
from tfpe.ciphers import CIPHERS

__all__ = [
    "ATTACKS",
    "Attack",
    "CountingOracle",
    "ImageScore",
    "JigsawScore",
    "KeyScore",
    "KeySensitivity",
    "RecoveredTransform",
    "as_json",
    "block_chosen_plaintext",
    "block_known_plaintext",
    "block_statistics",
    "broken_by",
    "chang_case_advanced",
    "chang_case_basic",
    "chang_case_le",
    "chang_case_pbe",
    "chosen_images",
    "chosen_plaintext",
    "ciphertext_only",
    "jigsaw",
    "jigsaw_score",
    "key_sensitivity",
    "known_plaintext",
    "least_error",
    "logistic_chosen_plaintext",
    "mirrored",
    "mode_filter",
    "negative_flags",
    "nibble_statistics",
    "parameter_sensitivity",
    "puzzle_of",
    "repeat_blocks",
    "score_images",
    "score_key",
    "seed_algorithm",
]


def _on(*names, **attack):
    """Rows of `Attack.ciphers`: options of the attack alone."""
    return {name: {"cipher": {}, "attack": attack} for name in names}


def _on_all(trait, **attack):
    """`_on` the ciphers that have a trait by default."""
    return _on(*(n for n, row in CIPHERS.items() if trait(row.traits())), **attack)


CHANG_CASE = "Chang & Case 2020, arXiv 2004.13263"

ATTACKS = MappingProxyType(
    {
        row.name: row
        for row in (
            Attack(
                chosen_plaintext,
                CHOSEN,
                "3 chosen images of 32 x 32 (nibbles: 5), 4 of 224 x 224 (nibbles: 6)",
                _on_all(lambda cipher: cipher.word_bits == 8)
                | _on_all(lambda cipher: cipher.word_bits == 4, bits=4),
                "the key",
                "Jolfaei et al. 2016, IEEE TIFS 11(2), extended to masks",
                "O(n) a query",
            ),
            Attack(
                block_chosen_plaintext,
                CHOSEN,
                "1 chosen image: it holds the 3 chosen blocks of le",
                _on("le", bits=4) | _on("blockshuffle", "identity", bits=8),
                "the key",
                "chosen_plaintext, on blocks",
                "O(n)",
            ),
            Attack(
                known_plaintext,
                KNOWN,
                "pairs under one key: 1 (nothing moves), 3 (bytes) to 16 (nibbles)",
                _on_all(lambda cipher: cipher.word_bits == 8)
                | _on_all(lambda cipher: cipher.word_bits == 4, bits=4),
                "the key but for the positions that it lists as undetermined",
                "Li et al. 2008, doi 10.1016/j.image.2008.01.003, extended to masks",
                "O(N n log n) for N pairs",
            ),
            Attack(
                block_known_plaintext,
                KNOWN,
                "1 pair, now and then 2, under one key: each block is a pair",
                _on("le", bits=4) | _on("blockshuffle", "identity", bits=8),
                "the key but for the positions that it lists as undetermined",
                "known_plaintext, on blocks",
                "O(N n log n) for N pairs",
            ),
            Attack(
                logistic_chosen_plaintext,
                CHOSEN,
                "2 chosen images",
                _on_all(lambda cipher: cipher.word_bits and cipher.in_place),
                "the key",
                "not published elsewhere",
                "O(n)",
            ),
            Attack(
                seed_algorithm,
                CHOSEN,
                "1 chosen image of a constant value",
                {
                    "pbe": {"cipher": {"channel_shuffle": False}, "attack": {}},
                    **_on("negpos", "identity"),
                },
                "the key",
                "Ahmad & Shin 2022, arXiv 2203.16780, Algorithm 1",
                "O(n)",
            ),
            Attack(
                chang_case_le,
                CHOSEN,
                "16 helper blocks, which one image of 32 x 32 holds",
                {
                    "le": {"cipher": {"word_bits": 8}, "attack": {}},
                    **_on("blockshuffle", "identity"),
                },
                "the key",
                CHANG_CASE,
                "O(n)",
            ),
            Attack(
                chang_case_pbe,
                CHOSEN,
                "1 chosen image, (1, 2, 3) everywhere",
                _on("pbe", "negpos", "identity"),
                "the key",
                CHANG_CASE,
                "O(n)",
            ),
            Attack(
                chang_case_basic,
                CIPHERTEXT_ONLY,
                "1 ciphertext, any key",
                _on("pbe", "negpos"),
                "the image folded to 0 .. 127",
                CHANG_CASE,
                "O(n)",
            ),
            Attack(
                chang_case_advanced,
                CIPHERTEXT_ONLY,
                "1 ciphertext, any key, and the plain value of its first pixel",
                _on("pbe", "negpos"),
                "the image, less well behind edges",
                CHANG_CASE,
                "O(n)",
            ),
            Attack(
                ciphertext_only,
                CIPHERTEXT_ONLY,
                "25 ciphertexts or more under one key",
                _on("pbe", "logistic", "negpos", "keystream"),
                "the key, from some 400 ciphertexts on; nearly, from fewer",
                "not published elsewhere",
                "O(N n) for N images",
            ),
            Attack(
                nibble_statistics,
                CIPHERTEXT_ONLY,
                "50 ciphertexts of 32 x 32 under one key, and other, plain pictures",
                _on("le", "blockshuffle"),
                "the key",
                "not published elsewhere",
                "O(N n), and an assignment of the words of a block",
            ),
            Attack(
                block_statistics,
                CIPHERTEXT_ONLY,
                "400 ciphertexts of 32 x 32 under one key, and other, plain pictures",
                _on("le", "ele", "etc", "blockshuffle"),
                "the key, or that of mirrored pictures",
                "not published elsewhere",
                "O(N n B) for B blocks, and assignments of blocks and nibbles",
                up_to=("mirror",),
            ),
            Attack(
                mode_filter,
                CIPHERTEXT_ONLY,
                "1 ciphertext, any key",
                _on("logistic"),
                "the picture in gray",
                "not published elsewhere",
                "O(n)",
            ),
            Attack(
                jigsaw,
                CIPHERTEXT_ONLY,
                "1 ciphertext of large blocks, any key",
                {
                    name: {"cipher": {"block_size": 32}, "attack": {"block_size": 32}}
                    for name in ("etc", "etc_gray")
                },
                "the picture, as far as its blocks have edges",
                "Gallagher 2012, CVPR; Chuman et al. 2018, IEICE E101-D(1)",
                "O(N^2 B^2) for N blocks of side B",
                up_to=("orientation", "negative", "channel order"),
                per_picture=True,
                view=puzzle_of,
            ),
            Attack(
                key_sensitivity,
                KEY_CHECK,
                "a key, and the same with one bit changed",
                _on_all(lambda cipher: cipher.word_bits),
                "nothing: whether near keys are unrelated",
                "-",
                "two keys",
            ),
        )
    }
)


def broken_by(cipher):
    """The threat models under which an attack gives the key of a cipher.

    How much evidence each takes is measured: see the records in results/.

    Args:
        cipher: a row of `tfpe.CIPHERS`, taken with its default options.

    Returns:
        A tuple of threat models; none where there is no key.

    Example:

    >>> broken_by(CIPHERS["shuffle"])
    ('chosen plaintext', 'known plaintext')
    """
    if not cipher.traits().keyed:
        return ()
    found = {
        row.threat_model
        for row in ATTACKS.values()
        if cipher.name in row.ciphers
        and not row.ciphers[cipher.name]["cipher"]
        and row.recovers.startswith("the key")
    }
    return tuple(m for m in (CHOSEN, KNOWN, CIPHERTEXT_ONLY) if m in found)
