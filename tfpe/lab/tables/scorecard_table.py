"""The scorecard as tables: what each cipher costs, and the least that breaks it."""

import dataclasses

from tfpe.ciphers import CIPHERS
from tfpe.lab.measuring_conditions import caption, machine
from tfpe.lab.records.attack_records import OUTCOMES
from tfpe.lab.records.cipher_settings import ORDER
from tfpe.lab.table import NONE, Cell, Table, number, percent_and_interval
from tfpe.lab.tables.scorecard import attacked_images, scorecard
from tfpe.lab.tables.strongest_outcomes import THREAT_MODELS

NOT_MEASURED = "not measured"
# What ciphers of one kind have in common: README shows the first of each.
KIND = ("word_bits", "moves_blocks", "negates", "substitutes", "rotates")
TITLES = {
    "chosen plaintext": "chosen images",
    "known plaintext": "known pairs",
    "ciphertext only": "ciphertexts alone",
}
TONES = dict(zip(OUTCOMES, ("bad", "fair", "good"), strict=True))
# Attacks that needed less sort first; then what was got in part, then failures.
STEP = 1e12
ATTACK_NOTES = (
    "Chosen images, known pairs and ciphertexts alone: the least that broke every key "
    "that was tried, and that no key withstood in a greater amount: of one key, or of "
    "as many as stand in brackets. Amounts rise in steps, so that fewer may do, and a "
    "further key may take a step more. Images that only verify a key are not counted; "
    "partly: the most that was seen, and from how many; not by: an attack with as many "
    "failed; or mirrored: exact, but left and right may be swapped in all pictures; no "
    "use: what is known of one image says nothing of another. No key space is larger "
    "than the 256 bits that tfpe derives all keys from. SSIM is 1 where the picture is "
    "back."
)


def scorecard_tables(records):
    """What each cipher costs, and the least that breaks it: a `Table` in a list."""
    card = scorecard(records)
    if not card.rows:
        return []
    title = "What each cipher costs, and the least evidence that breaks it"
    return [Table.of(title, card.rows, _columns(costs=True), _conditions(card))]


def summary_tables(records):
    """README's rows of the scorecard, and a note of two lines, a `Table` in a list.

    They are plain, and the first cipher in `CIPHERS` of each kind that was published:
    what words it is of, and whether it moves blocks, negates, substitutes or rotates;
    with its own options.
    """
    card, shown = scorecard(records), {"plain", *_one_of_each_kind()}
    rows = [row for row in card.rows if row.cipher in shown and row.usual]
    if not rows:
        return []
    return [Table.of("", rows, _columns(costs=True), _short_conditions(card))]


def _one_of_each_kind():
    """Names of ciphers; controls, which hide nothing of their own, left out."""
    kinds = {}
    for name, cipher in CIPHERS.items():
        if not cipher.control:
            traits = cipher.traits()
            kinds.setdefault(tuple(getattr(traits, trait) for trait in KIND), name)
    return kinds.values()


def attacks_tables(records):
    """A `Table` for each set of images: the least evidence that breaks each cipher."""
    tables = []
    for images in attacked_images(records):
        card = scorecard(records, images)
        rows = [row for row in card.rows if row.evaluated]
        title = f"The least evidence that breaks each cipher on {images}"
        notes = [attack_conditions(card)]
        tables.append(Table.of(title, rows, _columns(costs=False), notes))
    return tables


def scorecard_json(records):
    """The rows of the scorecard, ready for JSON."""
    return [
        {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
        | {
            "evidence": {model: _as_json(one) for model, one in row.evidence.items()},
            "best": _as_json(row.best),
        }
        for row in scorecard(records).rows
    ]


def _as_json(outcome):
    if outcome is None:
        return None
    found = dataclasses.asdict(outcome)
    return found.pop("stated") | found


def _columns(costs):
    """Titles, and what makes the cells of a `Row`; those of costs are left out."""
    columns = {"cipher": name_cell}
    if costs:
        columns["test accuracy, % (95 %)"] = accuracy_cell
        columns["drop"] = drop_cell
        columns["GB/s (x AES)"] = speed_cell
    columns["key space, bits: claimed / effective"] = key_space_cell
    for model in THREAT_MODELS:
        columns[TITLES[model]] = lambda row, model=model: evidence_cell(row, model)
    return columns | {"SSIM: encrypted → attacked": ssim_cell}


def name_cell(row):
    """The name of a row, in the order of `CIPHERS`."""
    known = row.name == row.cipher != "plain"
    place = ORDER.index(row.cipher) + (0.5 if row.name != row.cipher else 0)
    return Cell(row.name, place, "code" if known else "")


def accuracy_cell(row):
    """Test accuracy in percent with its interval."""
    if row.accuracy is None:
        return NOT_MEASURED
    return percent_and_interval(row.accuracy, row.interval)


def drop_cell(row):
    """Accuracy lost against plain, in percentage points."""
    if row.cipher == "plain" or row.accuracy is None:
        return NONE
    return NOT_MEASURED if row.drop is None else number(100 * row.drop, "{:.2f}")


def speed_cell(row):
    """GB/s, and in brackets times as fast as AES."""
    if row.cipher == "plain" or row.per_image:
        return NONE
    if row.speed is None:
        return NOT_MEASURED
    ratio = "" if row.speed_to_aes is None else f" ({row.speed_to_aes:.2f}x)"
    return Cell(f"{row.speed:.2f}{ratio}", row.speed)


def key_space_cell(row):
    """Claimed and effective bits."""
    bits = row.claimed_bits, row.effective_bits
    if row.cipher == "plain":
        return NONE
    if bits == (None, None):
        return NOT_MEASURED
    text = " / ".join(number(b, "{:,.0f}").text for b in bits)
    return Cell(text, row.effective_bits)


def evidence_cell(row, threat_model):
    """The least evidence that breaks a cipher under a threat model, in short."""
    if row.cipher == "plain":
        return NONE
    if not row.evaluated:
        return NOT_MEASURED
    found = row.evidence.get(threat_model)
    if found is None:
        shared = row.per_image and threat_model != "ciphertext only"
        return "no use" if shared else "none tried"
    text = "?" if found.count is None else f"{found.count:,}"
    if found.outcome == "partial":
        text = f"partly: {text}"
    elif found.outcome == "failed":
        text = f"not by {text}"
    else:
        text += f" ({found.keys} keys)" * (found.keys > 1)
        text += ", or mirrored" * bool(found.up_to)
    value = (found.count or 0) + STEP * OUTCOMES.index(found.outcome)
    return Cell(text, value, TONES[found.outcome])


def ssim_cell(row):
    """SSIM to the plain image, before and after the best attack."""
    if row.cipher == "plain":
        return NONE
    if not row.evaluated:
        return NOT_MEASURED
    after = row.best.ssim if row.best else None
    texts = (number(v, "{:.2f}").text for v in (row.cipher_ssim, after))
    return Cell(" → ".join(texts), after, _tone(after))


def _tone(ssim):
    """By how much of the picture is back: noise has an SSIM of about 0."""
    if ssim is None:
        return ""
    return "bad" if ssim >= 0.9 else "fair" if ssim >= 0.3 else "good"


def _short_conditions(card):
    """The least that README's table needs to be read; docs/results.md has the rest."""
    sentences = []
    if card.trainings:
        settings, results = card.trainings[0].settings, card.trainings[0].results
        sentences.append(
            f"Accuracy: {settings.dataset}, recipe {settings.recipe}, "
            f"{results.train_images:,} training images."
        )
    if card.bench:
        sentences.append(f"GB/s: {card.bench.settings.cores} cores.")
    if card.evaluations:
        sentences.append(
            f"Attacks: {card.images}, the least that broke every key tried (one, or as "
            "many as in brackets); partly: not all of the picture; not by: failed; "
            "mirrored: left and right may be swapped."
        )
    return sentences


def _conditions(card):
    """What the figures of a scorecard hold for, a list of sentences."""
    sentences = []
    if card.trainings:
        sentences.append(
            f"{caption(card.trainings)[:-1]}; at the best validation epoch. "
            "Drop: percentage points below plain."
        )
    if card.bench:
        sentences.append(
            f"GB/s: {card.bench.settings.cores} cores, batches of 2,048 images "
            "of 32 x 32 x 3, XLA, in brackets against AES-256-CTR on one core; "
            f"{machine([card.bench])}."
        )
    if card.evaluations:
        sentences.append(attack_conditions(card))
    return sentences


def attack_conditions(card):
    """What the attacks of a scorecard were measured on, in sentences."""
    settings = [record.settings for record in card.evaluations]
    shapes = {" x ".join(map(str, one.image_shape or ())) for one in settings}
    counts = sorted({one.count for one in settings if one.count is not None})
    counts = " to ".join(f"{n:,}" for n in dict.fromkeys([*counts[:1], *counts[-1:]]))
    notes = dict.fromkeys(one.note for one in settings if one.note)
    noted = f" ({'; or '.join(notes)})" if notes else ""
    return (
        f"Attacks: {card.images}, {counts or 'some'} images of "
        f"{', '.join(sorted(filter(None, shapes))) or 'unknown size'}{noted}, one key "
        "for all of them but where a row says otherwise; "
        f"{machine(card.evaluations)}. {ATTACK_NOTES}"
    )
