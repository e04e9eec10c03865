"""Every attack of the table on one cipher: what it takes, and what it gives.

Where an attack needs several images, the least number that gives the key is looked for
among those of its ladder; the row says how many that were, and which were tried. Fewer
may do.
"""

import dataclasses
import functools

import numpy as np

from tfpe.algebra.transform import Transform
from tfpe.attacks import ATTACKS, Evidence, as_json, attempt
from tfpe.attacks.attack import CHANGES, PICTURES

REFERENCES = 1_000
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
        model: a `tfpe.attacks.InverseNetwork` trained for the cipher, or None.
    """

    cipher: str
    options: dict
    secret: Transform
    seed: bytes
    pictures: object
    model: object | None = None

    @property
    def scored(self):
        """The plain pictures that attacks are scored on."""
        return self.pictures.scored

    def encrypted(self):
        """Their ciphertexts."""
        return self.secret(self.scored)

    def evidence(self, attack, plain, reference=None):
        """What an attacker has of plain pictures, an `Evidence`."""
        known = {"cipher": self.cipher, "options": self.options, "model": self.model}
        return evidence_of(attack, self.secret, plain, reference, self.seed, **known)


def evidence_of(attack, secret, plain, reference=None, seed=None, **known):
    """What an attacker has of plain pictures, as far as an attack takes it.

    Args:
        attack: a row of `ATTACKS`.
        secret: the `Transform` that encrypts them.
        plain: `uint8 (N, H, W, C)`.
        reference: other plain pictures.
        seed: the 32 bytes of the key.
        **known: of the cipher: `cipher`, `options`, and a `model` trained for it.
    """
    cipher = secret(plain) if {"ciphertexts", "pairs"} & {*attack.takes} else None
    return Evidence(
        ciphertexts=cipher,
        pairs=(plain, cipher),
        oracle=secret,
        reference=reference,
        first_pixel=plain[:, 0, 0],
        stems=stems_of(secret) if "stems" in attack.takes else None,
        secret=seed,
        shape=plain.shape[1:],
        **known,
    )


def stems_of(secret, units=64):
    """First layers of a random plain model and of the one matched to a transform.

    Args:
        secret: the `Transform`.
        units: of the layer.
    """
    import keras

    import tfpe
    from tfpe.matching import stem_of

    shape, found = secret.input_shape, tfpe.structure(secret)
    side = found.side or shape[0]
    # Where the key keeps to pixels, any patches do: the smaller, the less to tell.
    plain = keras.Sequential(
        [keras.Input(shape), keras.layers.Conv2D(units, side, side)]
    )
    return stem_of(plain), stem_of(tfpe.match(plain, secret))


def try_attack(attack, case):
    """Tries an attack on a case.

    Args:
        attack: a row of `ATTACKS`.
        case: a `Case`.

    Returns:
        `(row, recovered)`: the row of the record, and the recovered pictures or None.
    """
    row = {
        "attack": attack.name,
        "threat_model": attack.threat_model,
        "evidence": {"kind": attack.unit, "count": 0, "verifying": 0},
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
    if attack.learned:
        row["learned"] = case.model.settings
    climbs = attack.rungs(case.pictures.shape, **row["options"])
    finding, plain = (_climb if climbs else _once)(attack, case, row)
    row |= {"evidence": finding.evidence, "seconds": finding.seconds}
    if not climbs and attack.unit == "ciphertexts":
        # Each picture is attacked alone.
        row["evidence"]["count"], row["seconds"] = 1, finding.seconds / len(plain)
    if finding.error is not None:
        row["message"] = str(finding.error)
        return row, None
    if attack.returns == CHANGES:
        row["options"] = {n: v for n, v in attack.options.items() if n != "cipher"}
        row["sensitivity"] = finding.changes._asdict()
        row["message"] = "A check of near keys, which recovers nothing"
        return row, None
    if attack.per_picture:
        row["image_shape"] = list(case.pictures.shape)
    if attack.own_score and finding.keys:
        row[attack.name] = _own_score(attack, finding, case)
    recovered = finding.pictures
    if finding.key is not None:
        score = attack.score_key(finding.key, case.secret)
        row["index_accuracy"] = score.index_accuracy
        row["undetermined"] = finding.undetermined
        plain = case.scored
        recovered = finding.key.inverse(case.encrypted())
    recovered = attack.aligned(recovered, plain, case.cipher)
    _score(attack, row, recovered, plain, case)
    return row, recovered


def _own_score(attack, finding, case):
    """The attack's own score of the first picture."""
    secret = case.secret
    if attack.view:
        view = functools.partial(attack.view, case.cipher)
        secret = view(secret.output_shape) @ secret @ view(secret.input_shape).inverse
    return attack.own_score(finding.keys[0], secret, **finding.options)._asdict()


def _score(attack, row, recovered, plain, case):
    """Scores pictures, and decides on the outcome."""
    scores = as_json(attack.score_images(recovered, plain, case.cipher))
    row |= {name: value for name, value in scores.items() if name in row}
    if scores["exact_pixels"] == 1 and row["index_accuracy"] in (None, 1):
        row["outcome"] = "recovered"
        return
    others = {"ciphertext": case.secret(plain)}
    if attack.learned:
        from tfpe.attacks.learned.learning import constant_picture

        # A network that learned nothing of a cipher shows what all pictures look like.
        constant = constant_picture(case.pictures.evidence)
        others["one picture for all"] = np.broadcast_to(constant, plain.shape)
    names = ("ssim", "gray_correlation", "edge_correlation")
    for name, images in others.items():
        before = as_json(attack.score_images(images, plain, case.cipher))
        gains = [(scores[n] or 0) - (before[n] or 0) for n in names]
        if sorted(gains)[-2] < GAIN:
            row["message"] = (
                f"What it shows is no nearer to the pictures than {name} is"
            )
            return
    row["outcome"] = "partial"


def _once(attack, case, row):
    """The finding where more images do not help, and the pictures it is of."""
    plain = case.scored[: attack.budget]
    evidence = case.pictures.evidence
    return attempt(attack, case.evidence(attack, plain, evidence[:REFERENCES])), plain


def _climb(attack, case, row):
    """The finding from as few images as give the key, or from the most there are."""
    evidence, reference = case.pictures.evidence, None
    ladder = attack.rungs(case.pictures.shape, **row["options"])
    if "reference" in attack.takes:
        # What is no evidence on the largest rung is the reference.
        ladder = [n for n in ladder if 2 * n <= len(evidence)] or [len(evidence) // 2]
        reference = evidence[ladder[-1] :][:REFERENCES]
        evidence, row["reference"] = evidence[: ladder[-1]], len(reference)
    best, row["tried"] = None, []
    for count in [n for n in ladder if n <= len(evidence)] or [len(evidence)]:
        finding = attempt(
            attack,
            case.evidence(attack, evidence[:count], reference),
            **attack.all_of(count),
        )
        row["tried"].append(count)
        if best is None or best.error is not None or finding.error is None:
            best = finding
        if finding.error is None and _is_exact(attack, finding, case, evidence[:count]):
            break
    return best, evidence[: best.count]


def _is_exact(attack, finding, case, plain):
    if attack.returns == PICTURES:
        return (
            attack.score_images(finding.pictures, plain, case.cipher).exact_pixels == 1
        )
    return attack.score_key(finding.key, case.secret).index_accuracy == 1


def applicable(cipher, image_shape):
    """The rows of `ATTACKS` for a cipher and images, in the order of the table."""
    return [
        row
        for row in ATTACKS.values()
        if cipher in row.ciphers
        and (row.largest is None or max(image_shape[:2]) <= row.largest)
    ]


def variants(case):
    """(attack, options) for forms of the cipher that an attack is for and others not.

    Options that the case has anyway are left out.
    """
    forms = [
        (attack, attack.form_of(case.cipher, **case.options))
        for attack in applicable(case.cipher, case.pictures.shape)
    ]
    return [(attack, form) for attack, form in forms if form != case.options]
