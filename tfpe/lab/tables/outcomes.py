"""Outcomes of attacks, as evaluation records hold them, and which of them says most."""

import dataclasses

from tfpe.errors import RecordError

THREAT_MODELS = ("chosen plaintext", "known plaintext", "ciphertext only")
EVIDENCE = {
    "queries": "chosen image",
    "pairs": "known pair",
    "ciphertexts": "ciphertext",
    "keys": "key",
}
OUTCOMES = ("recovered", "partial", "failed")
FIELDS = (
    *("options", "cipher_options", "index_accuracy", "undetermined"),
    *("exact_pixels", "psnr", "ssim"),
    *("gray_correlation", "edge_correlation", "seconds", "message", "up_to"),
)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What one attack got, a row of `attacks` in an evaluation record.

    Attributes:
        attack: a name of `tfpe.attacks.ATTACKS`.
        threat_model: as in that table.
        kind: of its evidence: "queries", "pairs", "ciphertexts" or "keys".
        count: how much of it, without what only verifies; None where not told.
        outcome: "recovered", "partial" or "failed".
        images: what was attacked, such as "cifar10".
        others: the other fields of the row, such as `ssim`, `seconds` and `message`.
    """

    attack: str
    threat_model: str
    kind: str | None
    count: int | None
    outcome: str
    images: str
    others: dict = dataclasses.field(repr=False)

    def __getattr__(self, name):
        # Any of these fields of a row may be missing or null; both read as None.
        if name not in FIELDS:
            raise AttributeError(name)
        return self.others.get(name)

    @property
    def evidence(self):
        """Its evidence in words, such as "2 chosen images"."""
        if self.kind is None or self.count is None:
            return "evidence of an amount that is not told"
        unit = EVIDENCE.get(self.kind, self.kind)
        return f"{self.count:,} {unit}{'' if self.count == 1 else 's'}"


def outcomes(record, field="attacks"):
    """The outcomes in an evaluation record, in its order.

    Args:
        record: an evaluation record.
        field: "attacks", or "variants" for those on the cipher with other options.

    Raises:
        RecordError: an outcome is none of the three.
    """
    found = []
    for row in record["results"].get(field) or ():
        if row["threat_model"] not in THREAT_MODELS:
            continue  # checks of near keys attack nothing
        if row["outcome"] not in OUTCOMES:
            raise RecordError(
                f"An outcome should be one of {OUTCOMES}. Received: {row['outcome']!r}"
            )
        evidence = row.get("evidence") or {}
        found.append(
            Outcome(
                row["attack"],
                row["threat_model"],
                evidence.get("kind"),
                evidence.get("count"),
                row["outcome"],
                record["settings"]["images"],
                row,
            )
        )
    return found


def most_telling(found, threat_model):
    """The outcome that says most about a threat model; None where none was tried.

    That is the least evidence that gave everything; where none did, the most that
    was seen of the picture; where nothing was seen, any attack that failed.

    Example:

    >>> row = {"threat_model": "known plaintext", "attack": "known_plaintext"}
    >>> rows = [
    ...     row | {"outcome": "recovered", "evidence": {"kind": "pairs", "count": n}}
    ...     for n in (5, 4)
    ... ]
    >>> record = {"settings": {"images": "cifar10"}, "results": {"attacks": rows}}
    >>> most_telling(outcomes(record), "known plaintext").evidence
    '4 known pairs'
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
