"""Which outcome of the attacks on a cipher says most, over all keys that were tried."""

import dataclasses

from tfpe.attacks.evidence import KEY_CHECK
from tfpe.lab.evaluation.curves import error_of
from tfpe.lab.records import of_kind
from tfpe.lab.records.attack_records import OUTCOMES, AttackCurve

THREAT_MODELS = ("chosen plaintext", "known plaintext", "ciphertext only")


def outcomes(evaluation, records=(), variants=False):
    """The outcomes in an evaluation record, over all keys, in its order.

    Args:
        evaluation: an `Evaluation`, of one key.
        records: of all kinds; the curves among them tried the same attacks on more
            keys. What gave everything then counts as much evidence as every key fell
            to, and to any greater amount that was tried.
        variants: those on the cipher with other options.
    """
    results, curves = evaluation.results, of_kind(records, AttackCurve)
    found = results.variants if variants else results.attacks
    images = evaluation.settings.images
    return [
        _over_keys(dataclasses.replace(one, images=images), evaluation, curves)
        for one in found or ()
        if one.threat_model != KEY_CHECK  # checks of near keys attack nothing
    ]


def _over_keys(one, evaluation, curves):
    if one.outcome != "recovered" or one.count is None:
        return one
    options = one.cipher_options or evaluation.settings.cipher_options
    wanted = _what(one.attack, evaluation.settings, options)
    points = [
        point
        for curve in curves
        if _what(curve.settings.attack, curve.settings) == wanted
        for point in curve.results.points
    ]
    if not points:
        return one
    stood = [p.evidence for p in points if error_of(one.attack, p.stated) != 0]
    enough = [p.evidence for p in points if p.evidence > max(stood, default=0)]
    keys = 1 + len({point.key for point in points})
    count = max(one.count, min(enough, default=max(stood, default=0)))
    return dataclasses.replace(
        one,
        outcome="recovered" if enough else "partial",
        evidence=dataclasses.replace(one.evidence, count=count),
        keys=keys,
    )


def _what(attack, settings, options=None):
    """What was attacked with what."""
    options = settings.cipher_options if options is None else options
    return attack, settings.images, settings.image_shape, settings.cipher, options


def most_telling(found, threat_model):
    """The outcome that says most about a threat model; None where none was tried.

    That is the least evidence that gave everything; where none did, the most that
    was seen of the picture; where nothing was seen, any attack that failed.
    """
    found = [one for one in found if one.threat_model == threat_model]
    return min(found, key=_rank, default=None)


def most_seen(found):
    """The outcome after which the picture is nearest to the plain one, by its SSIM."""
    seen = [one for one in found if one.ssim is not None]
    return max(seen, key=lambda one: one.ssim, default=None)


def without_shared_key(found):
    """What is left of the attacks where every image has a key of its own.

    One ciphertext alone is the only evidence that such an owner ever gives; pairs,
    chosen images and other ciphertexts tell of other keys.
    """
    return [
        one for one in found if one.threat_model == "ciphertext only" and one.count == 1
    ]


def _rank(one):
    """Sorts by what it says: outcome, then least evidence or most of the picture."""
    place = OUTCOMES.index(one.outcome)
    seen = one.ssim if one.ssim is not None else -1
    count = one.count if one.count is not None else float("inf")
    return (place, count, -seen) if place == 0 else (place, -seen, count)
