"""Security cards: in plain words, from records, what breaks a cipher and how far."""

import dataclasses

from tfpe.attacks import ATTACKS
from tfpe.ciphers import CIPHERS
from tfpe.lab.measuring_conditions import grouped
from tfpe.lab.page.gallery import pictures
from tfpe.lab.records import newest, of_kind
from tfpe.lab.records.attack_records import Evaluation
from tfpe.lab.tables.attack_tables import attack_table, metrics_table
from tfpe.lab.tables.scorecard import scorecard
from tfpe.lab.tables.strongest_outcomes import THREAT_MODELS, most_telling, outcomes

# From the weakest attacker up: whoever breaks it with less is worse news.
VERDICTS = (
    ("ciphertext only", "falls to ciphertexts alone"),
    ("known plaintext", "falls to known images"),
    ("chosen plaintext", "falls to chosen images"),
)
IMAGES = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100"}


@dataclasses.dataclass(frozen=True)
class Card:
    """What the page says of one cipher.

    Attributes:
        name: of the cipher, and options other than its own.
        summary, reference: of `CIPHERS`.
        verdict, tone: in a few words, and how bad that is: "bad", "fair", "good".
        sentences: a list of (title, text).
        pictures: a list of `Picture`.
        tables: a list of `Table`: every attack, every metric.
    """

    name: str
    summary: str
    reference: str
    verdict: str
    tone: str
    sentences: list
    pictures: list
    tables: list


def cipher_cards(records):
    """A `Card` for each cipher that evaluation records tell of."""
    by_row = grouped(of_kind(records, Evaluation), lambda r: r.settings.row_name)
    by_row.sort(key=lambda group: group[0].settings.place)
    rows = {row.name: row for row in scorecard(records).rows}
    return [_card(group, records, rows) for group in by_row]


def _card(group, records, rows):
    by_images = grouped(group, lambda record: record.settings.images)
    group = [newest(again) for again in by_images]
    name = group[0].settings.row_name
    found = [one for record in group for one in outcomes(record, records)]
    sentences = [
        (model.capitalize(), _attack_sentences(found, model)) for model in THREAT_MODELS
    ]
    if name in rows:
        sentences += _cost_sentences(rows[name])
    cipher = CIPHERS[group[0].settings.cipher]
    verdict, tone = _verdict(cipher, found)
    return Card(
        name,
        cipher.summary,
        cipher.reference,
        verdict,
        tone,
        sentences,
        [picture for record in group for picture in pictures(record)],
        [
            attack_table(found),
            *_variants(group),
            *(metrics_table(record) for record in group if record.results.metrics),
        ],
    )


def _verdict(cipher, found):
    if not cipher.traits().keyed:
        return "encrypts nothing", "bad"
    for model, words in VERDICTS:
        best = most_telling(found, model)
        if best and best.outcome == "recovered":
            return words, "bad"
    if any(one.outcome == "partial" for one in found):
        return "gives way in part", "fair"
    if found:
        return "no measured attack got through", "good"
    return "no attack measured", ""


def _attack_sentences(found, model):
    """What the most telling attack of a threat model did, on each set of images."""
    by_images = grouped(found, lambda one: one.images)
    told = [most_telling(group, model) for group in by_images]
    told = [one for one in told if one]
    if not told:
        return "No attack of this kind was measured."
    return " ".join(map(_sentence, told))


def _sentence(one):
    where = f"{IMAGES.get(one.images, one.images.capitalize())}:"
    attack = one.attack.replace("_", " ")
    when = "" if one.seconds is None else f" in {in_seconds(one.seconds)}"
    if one.outcome == "failed":
        why = f", which says: {one.message.rstrip('.')}." if one.message else "."
        return f"{where} {_evidence(one)} {_are(one)} not enough for {attack}{why}"
    ssim = "" if one.ssim is None else f", SSIM {one.ssim:z.2f}"
    if one.outcome == "recovered":
        what = "the picture comes back"
        if one.exact_pixels == 1:
            what = "every pixel comes back"
        row = ATTACKS.get(one.attack)
        open_ = row.left_open if row else one.up_to
        up_to = f", up to {open_}" if open_ else ""
        return (
            f"{where} {_evidence(one)} {_are(one)} enough ({attack}): "
            f"{what}{when}{up_to}{ssim}."
        )
    gives = "gives" if _are(one) == "is" else "give"
    return f"{where} {_evidence(one)} {gives} {_part(one)} ({attack}){when}{ssim}."


def _evidence(one):
    """Its evidence in words, and how many keys fell to it where that is known."""
    return one.amount + (f" (every one of {one.keys} keys)" if one.keys > 1 else "")


def _part(one):
    """What came back of a key or, where the attack is not after one, of a picture."""
    if one.index_accuracy is None or one.exact_pixels is None:
        if one.gray_correlation is None:
            return "a part of the picture"
        return (
            f"a picture of gray correlation {one.gray_correlation:z.2f} with the plain"
        )
    key, pixels = _share(one.index_accuracy), _share(one.exact_pixels)
    return f"{key} of the key and {pixels} of the pixels"


def _share(share):
    """A share that is not whole is not rounded to 100 %."""
    return "over 99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.1f} %"


def _are(one):
    """The verb for its evidence."""
    return "is" if one.count in (1, None) else "are"


def _cost_sentences(row):
    if row.drop is not None and row.cipher != "plain":
        change = f"{abs(100 * row.drop):.1f} points " + (
            "below" if row.drop > 0 else "above"
        )
        yield (
            "Accuracy",
            f"{100 * row.accuracy:.1f} % of test images are classified rightly, "
            f"{change} plain images in the same training.",
        )
    if row.effective_bits is not None:
        claimed = row.claimed_bits
        differs = claimed is not None and round(claimed) != round(row.effective_bits)
        said = f"; claimed are {claimed:,.0f}" if differs else ""
        yield (
            "Key space",
            f"{row.effective_bits:,.0f} bits{said}. It says nothing against the "
            "attacks above, which do not search for the key.",
        )


def _variants(group):
    found = [one for record in group for one in outcomes(record, variants=True)]
    if found:
        yield attack_table(found, "The same cipher with other options")


def in_seconds(seconds):
    """A time in words.

    Example:

    >>> in_seconds(0.0123), in_seconds(2.34), in_seconds(300)
    ('12 ms', '2.3 s', '5.0 min')
    """
    if seconds < 0.001:
        return "under 1 ms"
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"
