"""Every attack of the table on one cipher: what it takes, and what it gives.

Where an attack needs several images, the least number that gives the key is looked for
among `PAIRS`, `CIPHERTEXTS` or a few multiples of what the attack wants at least; the
row says how many that were, and which were tried. Fewer may do.
"""

import dataclasses
import time

from tfpe.algebra.transform import Transform
from tfpe.attacks import (
    ATTACKS,
    CountingOracle,
    as_json,
    jigsaw_score,
    puzzle_of,
)
from tfpe.attacks.ciphertext_only import FEWEST_IMAGES
from tfpe.ciphers import CIPHERS
from tfpe.errors import AttackError, ImageError

PAIRS = (1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
CIPHERTEXTS = (50, 100, 200, 400)
KINDS = {
    "chosen plaintext": "queries",
    "known plaintext": "pairs",
    "ciphertext only": "ciphertexts",
    "key check": "keys",
}
# Blocks that `nibble_statistics` wants at least.
NIBBLE_BLOCKS = 2_000
REFERENCES = 1_000
BLOCK_STATISTICS = (100, 200, 400, 800, 1_600)
# What counts as nearer to the plain image than the ciphertext is: in two of three
# scores, since pictures turned to fit the truth gain a little in one by chance.
GAIN = 0.05


@dataclasses.dataclass(frozen=True, repr=False)
class Case:
    """A cipher under one key, and the pictures to attack it on.

    Attributes:
        cipher, options: name, and all options.
        secret: the `Transform`.
        seed: the 32 bytes of the key, for checks of near keys. They come from a number
            that is no secret.
        pictures: a `Pictures` in whole blocks.
    """

    cipher: str
    options: dict
    secret: Transform
    seed: bytes
    pictures: object

    @property
    def scored(self):
        """The plain pictures that attacks are scored on."""
        return self.pictures.scored

    def encrypted(self):
        """Their ciphertexts."""
        return self.secret(self.scored)


def try_attack(attack, case, stop=None):
    """Tries an attack on a case.

    Args:
        attack: a row of `ATTACKS`.
        case: a `Case`.
        stop: of the ladder, the most images; default all there are.

    Returns:
        `(row, recovered)`: the row of the record, and the recovered pictures or None.
    """
    row = {
        "attack": attack.name,
        "threat_model": attack.threat_model,
        "evidence": {"kind": KINDS[attack.threat_model], "count": 0, "verifying": 0},
        "options": attack.options_for(case.cipher, **case.options),
        "cipher_options": case.options,
        "outcome": "failed",
        "message": None,
        "index_accuracy": None,
        "undetermined": None,
        "exact_pixels": None,
        "psnr": None,
        "ssim": None,
        "gray_correlation": None,
        "edge_correlation": None,
        "seconds": None,
        "recovers": attack.recovers,
    }
    if attack.up_to:
        row["up_to"] = attack.left_open
    run = _SPECIAL.get(attack.name) or _BY_THREAT_MODEL[attack.threat_model]
    try:
        recovered = run(attack, case, row, stop)
    except (AttackError, ImageError) as error:
        row["message"] = str(error)
        return row, None
    if recovered is None:
        return row, None
    if isinstance(recovered, Transform):
        row["index_accuracy"] = attack.score_key(recovered, case.secret).index_accuracy
        if (undetermined := getattr(recovered, "undetermined", None)) is not None:
            row["undetermined"] = int(undetermined.size)
        recovered = recovered.inverse(case.encrypted())
    recovered = attack.aligned(recovered, case.scored[: len(recovered)], case.cipher)
    _score(attack, row, recovered, case)
    return row, recovered


def _score(attack, row, recovered, case):
    """Scores pictures, and decides on the outcome."""
    plain = case.scored[: len(recovered)]
    scores = as_json(attack.score_images(recovered, plain, case.cipher))
    row |= {name: value for name, value in scores.items() if name in row}
    if scores["exact_pixels"] == 1 and row["index_accuracy"] in (None, 1):
        row["outcome"] = "recovered"
        return
    before = case.encrypted()[: len(recovered)]
    before = as_json(attack.score_images(before, plain, case.cipher))
    names = ("ssim", "gray_correlation", "edge_correlation")
    gains = [(scores[n] or 0) - (before[n] or 0) for n in names]
    if sorted(gains)[-2] >= GAIN:
        row["outcome"] = "partial"
    else:
        row["message"] = "What it shows is no nearer to the pictures than ciphertext is"


def _chosen(attack, case, row, stop):
    """Counts the queries that verify apart, also where the attack raises."""
    oracle = CountingOracle(case.secret)
    start = time.perf_counter()
    try:
        return attack(oracle, case.pictures.shape, **row["options"])
    finally:
        row["seconds"] = time.perf_counter() - start - oracle.seconds
        asking = CountingOracle(case.secret)
        try:
            attack(asking, case.pictures.shape, **row["options"], verify=False)
        except AttackError:
            pass
        row["evidence"]["count"] = asking.queries
        row["evidence"]["verifying"] = oracle.queries - asking.queries


def _known(attack, case, row, stop):
    return _climb(
        PAIRS,
        attack,
        case,
        row,
        stop,
        lambda plain, cipher: attack(plain, cipher, **row["options"]),
    )


def _ciphertext_only(attack, case, row, stop):
    return _climb(
        CIPHERTEXTS,
        attack,
        case,
        row,
        stop,
        lambda plain, cipher: attack(
            cipher, images=max(len(cipher), FEWEST_IMAGES), **row["options"]
        ),
    )


def _nibble_statistics(attack, case, row, stop):
    height, width, _ = case.pictures.shape
    size = row["options"].get("block_size", 4)
    least = -(-NIBBLE_BLOCKS * size**2 // (height * width))
    ladder = [max(least, 2) * factor for factor in (1, 2, 4, 8)]
    return _climb_with_reference(ladder, attack, case, row)


def _block_statistics(attack, case, row, stop):
    return _climb_with_reference(BLOCK_STATISTICS, attack, case, row)


def _climb_with_reference(ladder, attack, case, row):
    # What is no ciphertext of the largest rung is the reference.
    evidence = case.pictures.evidence
    ladder = [n for n in ladder if 2 * n <= len(evidence)] or [len(evidence) // 2]
    reference = evidence[ladder[-1] :][:REFERENCES]
    row["reference"] = len(reference)
    return _climb(
        ladder,
        attack,
        case,
        row,
        ladder[-1],
        lambda plain, cipher: attack(cipher, reference, **row["options"]),
    )


def _climb(ladder, attack, case, row, stop, run):
    """The result from as few images as give the key, or from the most there are."""
    evidence = case.pictures.evidence[:stop]
    counts = [n for n in ladder if n <= len(evidence)] or [len(evidence)]
    last, row["tried"] = None, []
    for count in counts:
        plain = evidence[:count]
        cipher = case.secret(plain)
        start = time.perf_counter()
        try:
            recovered, message = run(plain, cipher), None
        except AttackError as error:
            recovered, message = None, error
        seconds = time.perf_counter() - start
        row["tried"].append(count)
        if recovered is not None or last is None:
            last = recovered
            row["evidence"]["count"], row["seconds"] = count, seconds
        if recovered is not None and _is_key(attack, recovered, case):
            break
    if last is None:
        raise message
    return last


def _is_key(attack, recovered, case):
    return attack.score_key(recovered, case.secret).index_accuracy == 1


def _one_each(attack, case, row, stop):
    """Attacks on one ciphertext, of any key: each scored picture is attacked alone."""
    cipher = case.encrypted()
    row["evidence"]["count"] = 1
    arguments = [cipher]
    if attack.name == "chang_case_advanced":
        arguments.append(case.scored[:, 0, 0])
    start = time.perf_counter()
    recovered = attack(*arguments, **row["options"])
    row["seconds"] = (time.perf_counter() - start) / len(cipher)
    return recovered


def _jigsaw(attack, case, row, stop):
    """The first scored picture as a puzzle."""
    cipher, size = case.encrypted()[:1], row["options"]["block_size"]
    planes = puzzle_of(case.cipher, case.pictures.shape)
    row["evidence"]["count"] = 1
    row["image_shape"] = list(case.pictures.shape)
    start = time.perf_counter()
    solved = attack(planes(cipher[0]), size)
    row["seconds"] = time.perf_counter() - start
    secret = planes @ case.secret @ planes.inverse
    row["jigsaw"] = jigsaw_score(solved, secret, size)._asdict()
    return planes.inverse(solved.inverse(planes(cipher)))


def _key_check(attack, case, row, stop):
    row["evidence"]["count"] = 2
    start = time.perf_counter()
    changed = attack(case.seed, case.pictures.shape, case.cipher, **case.options)
    row["seconds"] = time.perf_counter() - start
    row["options"] = {"bit": 0}
    row["sensitivity"] = changed._asdict()
    row["message"] = "A check of near keys, which recovers nothing"
    return None


_BY_THREAT_MODEL = {
    "chosen plaintext": _chosen,
    "known plaintext": _known,
    "ciphertext only": _one_each,
    "key check": _key_check,
}
_SPECIAL = {
    "ciphertext_only": _ciphertext_only,
    "nibble_statistics": _nibble_statistics,
    "block_statistics": _block_statistics,
    "jigsaw": _jigsaw,
}


def applicable(cipher):
    """The rows of `ATTACKS` for a cipher, in the order of the table."""
    return [row for row in ATTACKS.values() if cipher in row.ciphers]


def variants(case):
    """(attack, options) for forms of the cipher that an attack is for and others not.

    Options that the case has anyway are left out.
    """
    defaults = CIPHERS[case.cipher].options(**case.options)
    return [
        (attack, defaults | attack.ciphers[case.cipher]["cipher"])
        for attack in applicable(case.cipher)
        if defaults | attack.ciphers[case.cipher]["cipher"] != defaults
    ]
