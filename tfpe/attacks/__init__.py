"""Attacks on the ciphers: functions `evidence -> Transform` (or images).

`ATTACKS` is the table of them all: what each takes, which traits of a cipher it needs
and where it was published; `run` runs any of them on an `Evidence`. An attack that its
evidence does not determine raises `AttackError`; `scoring` tells how much of a key or
an image was recovered.

>>> from tfpe import Key, ciphers
>>> secret = ciphers.logistic(Key.generate(), (32, 32, 3))
>>> oracle = CountingOracle(secret)
>>> chosen_plaintext(oracle, (32, 32, 3)) == secret, oracle.queries
(True, 4)
"""

from tfpe.attacks.attack import Attack
from tfpe.attacks.attack_table import ATTACKS, broken_by
from tfpe.attacks.block_statistics import block_statistics, mirrored
from tfpe.attacks.chang_case import (
    chang_case_advanced,
    chang_case_basic,
    chang_case_le,
    chang_case_pbe,
)
from tfpe.attacks.chosen_plaintext import chosen_images, chosen_plaintext
from tfpe.attacks.ciphertext_only import ciphertext_only
from tfpe.attacks.evidence import Evidence
from tfpe.attacks.hybrid_chosen_plaintext import hybrid_chosen_plaintext
from tfpe.attacks.hybrid_form import HybridForm
from tfpe.attacks.hybrid_known_plaintext import hybrid_known_plaintext
from tfpe.attacks.hybrid_lengths import hybrid_lengths
from tfpe.attacks.inverse_network import inverse_network
from tfpe.attacks.jigsaw import JigsawScore, jigsaw, jigsaw_score, puzzle_of
from tfpe.attacks.key_sensitivity import (
    KeySensitivity,
    key_sensitivity,
    parameter_sensitivity,
)
from tfpe.attacks.known_model import Stem, known_model
from tfpe.attacks.known_plaintext import RecoveredTransform, known_plaintext
from tfpe.attacks.learned.inverse import InverseNetwork
from tfpe.attacks.least_squares import orthogonal_known_plaintext
from tfpe.attacks.mode_filter import mode_filter
from tfpe.attacks.nibble_statistics import nibble_statistics
from tfpe.attacks.oracles import CountingOracle
from tfpe.attacks.pixel_chosen_plaintext import logistic_chosen_plaintext
from tfpe.attacks.repeated_blocks import (
    block_chosen_plaintext,
    block_known_plaintext,
    repeat_blocks,
)
from tfpe.attacks.running import Finding, attempt, run
from tfpe.attacks.scoring import (
    ImageScore,
    KeyScore,
    as_json,
    least_error,
    score_images,
    score_key,
)
from tfpe.attacks.seed_algorithm import negative_flags, seed_algorithm
from tfpe.attacks.table_statistics import substitution_statistics
from tfpe.attacks.value_tables import (
    RecoveredSubstitution,
    substitution_chosen_plaintext,
    substitution_known_plaintext,
)

__all__ = [
    "ATTACKS",
    "Attack",
    "CountingOracle",
    "Evidence",
    "Finding",
    "HybridForm",
    "ImageScore",
    "InverseNetwork",
    "JigsawScore",
    "KeyScore",
    "KeySensitivity",
    "RecoveredSubstitution",
    "RecoveredTransform",
    "Stem",
    "as_json",
    "attempt",
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
    "hybrid_chosen_plaintext",
    "hybrid_known_plaintext",
    "hybrid_lengths",
    "inverse_network",
    "jigsaw",
    "jigsaw_score",
    "key_sensitivity",
    "known_model",
    "known_plaintext",
    "least_error",
    "logistic_chosen_plaintext",
    "mirrored",
    "mode_filter",
    "negative_flags",
    "nibble_statistics",
    "orthogonal_known_plaintext",
    "parameter_sensitivity",
    "puzzle_of",
    "repeat_blocks",
    "run",
    "score_images",
    "score_key",
    "seed_algorithm",
    "substitution_chosen_plaintext",
    "substitution_known_plaintext",
    "substitution_statistics",
]
