"""The scorecard as tables of README and docs/, and its cells in words."""

from tfpe.lab.conditions import caption, machine
from tfpe.lab.markdown import NONE, markdown
from tfpe.lab.tables.outcomes import THREAT_MODELS
from tfpe.lab.tables.scorecard import attacked_images, scorecard

NOT_MEASURED = "not measured"
SUMMARY = ("plain", "le", "ele", "pbe", "logistic", "etc", "etc_gray")
COLUMNS = {
    "chosen plaintext": "chosen images",
    "known plaintext": "known pairs",
    "ciphertext only": "ciphertexts alone",
}


def scorecard_table(records):
    """The table of all rows: what each cipher costs, and what breaks it."""
    card = scorecard(records)
    return _table(card.rows, COSTS | attack_columns(), conditions_of(card))


def summary_table(records):
    """README's table: the rows of the published ciphers, and a short caption."""
    card = scorecard(records)
    rows = [row for row in card.rows if row.cipher in SUMMARY]
    return _table(rows, COSTS | attack_columns(), _short_conditions(card))


def attacks_tables(records):
    """One table for each set of images: the least evidence that breaks each cipher."""
    tables = []
    for images in attacked_images(records):
        card = scorecard(records, images)
        rows = [row for row in card.rows if row.evaluated]
        tables.append(_table(rows, attack_columns(), [attack_conditions(card)]))
    return "\n\n".join(tables)


def _table(rows, columns, sentences):
    if not rows:
        return ""
    body = [
        [
            f"`{row.name}`" if row.name == row.cipher != "plain" else row.name,
            *(text(row) for text in columns.values()),
        ]
        for row in rows
    ]
    return f"{markdown(['cipher', *columns], body)}\n\n{' '.join(sentences)}"


def accuracy_text(row):
    """Test accuracy in percent with its interval."""
    if row.accuracy is None:
        return NOT_MEASURED
    low, high = row.interval
    return f"{100 * row.accuracy:.2f} ({100 * low:.1f} to {100 * high:.1f})"


def drop_text(row):
    """Accuracy lost against plain, in percentage points."""
    if row.cipher == "plain" or row.accuracy is None:
        return NONE
    return NOT_MEASURED if row.drop is None else f"{100 * row.drop:z.2f}"


def speed_text(row):
    """GB/s, and in brackets times as fast as AES."""
    if row.cipher == "plain" or row.per_image:
        return NONE
    if row.speed is None:
        return NOT_MEASURED
    ratio = "" if row.speed_to_aes is None else f" ({row.speed_to_aes:.2f}x)"
    return f"{row.speed:.2f}{ratio}"


def key_space_text(row):
    """Claimed and effective bits."""
    if row.cipher == "plain":
        return NONE
    bits = row.claimed_bits, row.effective_bits
    if bits == (None, None):
        return NOT_MEASURED
    return " / ".join(NONE if b is None else f"{b:,.0f}" for b in bits)


def evidence_text(row, threat_model):
    """The least evidence that breaks a cipher under a threat model, in short."""
    if row.cipher == "plain":
        return NONE
    if not row.evaluated:
        return NOT_MEASURED
    found = row.evidence.get(threat_model)
    if found is None:
        if row.per_image and threat_model != "ciphertext only":
            return "no use"
        return "none tried"
    count = "?" if found.count is None else f"{found.count:,}"
    if found.outcome == "recovered":
        return f"{count}, or mirrored" if found.up_to else count
    return f"partly: {count}" if found.outcome == "partial" else f"not by {count}"


def ssim_text(row):
    """SSIM to the plain image, before and after the best attack."""
    if row.cipher == "plain":
        return NONE
    if not row.evaluated:
        return NOT_MEASURED
    after = row.best.ssim if row.best else None
    values = row.cipher_ssim, after
    return " → ".join(NONE if v is None else f"{v:z.2f}" for v in values)


# Titles of columns, and what makes the text of their cells.
COSTS = {
    "test accuracy, % (95 %)": accuracy_text,
    "drop": drop_text,
    "GB/s (x AES)": speed_text,
}


def attack_columns():
    """Titles of the columns on attacks, and what makes the text of their cells."""
    columns = {"key space, bits: claimed / effective": key_space_text}
    for model in THREAT_MODELS:
        columns[COLUMNS[model]] = lambda row, model=model: evidence_text(row, model)
    return columns | {"SSIM: encrypted → attacked": ssim_text}


def conditions_of(card):
    """What the figures of a scorecard hold for, a list of sentences."""
    sentences = []
    if card.training:
        sentences.append(
            f"{caption(card.training)[:-1]}; at the best validation epoch. "
            "Drop: percentage points below plain."
        )
    if card.bench:
        sentences.append(
            f"GB/s: {card.bench['settings']['cores']} cores, batches of 2,048 images "
            "of 32 x 32 x 3, XLA, in brackets against AES-256-CTR on one core; "
            f"{machine([card.bench])}."
        )
    if card.evaluations:
        sentences.append(attack_conditions(card))
    return sentences


def _short_conditions(card):
    """The least that README's table needs to be read; docs/results.md has the rest."""
    parts = []
    if card.training:
        settings, results = (card.training[0][part] for part in ("settings", "results"))
        parts.append(
            f"Accuracy: {settings['dataset']}, recipe {settings['recipe']}, "
            f"{results['train_images']:,} training images."
        )
    if card.bench:
        parts.append(f"GB/s: {card.bench['settings']['cores']} cores.")
    if card.evaluations:
        parts.append(
            f"Attacks: {card.images}, one key; partly: not all of the picture; not by: "
            "an attack with as many failed; mirrored: left and right of all pictures "
            "may be swapped."
        )
    return parts


def attack_conditions(card):
    """What the attacks of a scorecard were measured on, in sentences."""
    evaluations = card.evaluations
    settings = [record["settings"] for record in evaluations]
    shapes = {" x ".join(map(str, one.get("image_shape") or ())) for one in settings}
    counts = sorted({one["count"] for one in settings if one.get("count") is not None})
    counts = " to ".join(f"{n:,}" for n in dict.fromkeys([*counts[:1], *counts[-1:]]))
    notes = dict.fromkeys(one["note"] for one in settings if one.get("note"))
    noted = f" ({'; or '.join(notes)})" if notes else ""
    where = (
        f"Attacks: {settings[0]['images']}, {counts or 'some'} images of "
        f"{', '.join(sorted(filter(None, shapes))) or 'unknown size'}{noted}"
    )
    return (
        f"{where}, one key for all of them but where a row says otherwise. Images that "
        "only verify a key are not counted; partly: the most that was seen, and from "
        "how many; not by: an attack with as many failed; or mirrored: exact, but left "
        "and right may be swapped in all pictures; no use: what is known of one image "
        "says nothing of another. Counts are the first of a few steps that "
        "broke this one key: fewer may do, and another key may take a step more. No "
        "key space is larger than the 256 bits that tfpe derives all keys from. SSIM "
        "is 1 where the picture is back; "
        f"{machine(evaluations)}."
    )
