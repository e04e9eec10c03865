"""Every attack and every metric of a cipher, and one attack against its evidence."""

from tfpe.attacks.evidence import KEY_CHECK
from tfpe.lab.evaluation.curves import error_of, error_title
from tfpe.lab.records.attack_records import Metric
from tfpe.lab.table import NONE, Cell, Table, decibels, number, percent
from tfpe.lab.tables.scorecard_table import TONES

METRICS = {
    "npcr": "values changed (NPCR)",
    "uaci": "mean change (UACI)",
    "psnr": "PSNR to plain, dB",
    "ssim": "SSIM to plain",
    "gray_correlation": "gray correlation with plain",
    "edge_correlation": "edge correlation with plain",
    "entropy": "entropy, bits",
    "local_entropy": "local entropy, bits",
    "histogram_chi_square": "histogram chi-square",
    "horizontal_correlation": "horizontal neighbours",
    "vertical_correlation": "vertical neighbours",
    "diagonal_correlation": "diagonal neighbours",
}
CHANGES = {
    "key_change": "one bit of the key changed",
    "pixel_change": "one plain pixel changed",
}
KEYSTREAMS = {"applied": "The mask as applied", "generated": "The generated keystream"}
NOISE_NOTE = (
    "Ideal: what uniform noise in place of the ciphertext has; one image of noise "
    "leaves the limits with probability .05. To look like noise here is no security: "
    "attacks do not care."
)


def attack_table(found, caption="Every attack measured"):
    """A `Table` of outcomes, in the order of the records."""
    return Table.of(caption, found, COLUMNS)


def terminal_attack_table(evaluation):
    """The attacks of an evaluation record as a `Table` that 80 columns hold."""
    settings, bits = evaluation.settings, evaluation.results.key_space
    caption = (
        f"{settings.cipher} on {settings.images}, "
        f"{' x '.join(map(str, settings.image_shape))}: key space "
        f"{bits.claimed_bits:.0f} bits claimed, {bits.effective_bits:.0f} effective"
    )

    def attack(one):
        options, usual = one.cipher_options or {}, settings.cipher_options or {}
        changed = [f"{k}={v}" for k, v in options.items() if usual.get(k) != v]
        return _attack(one).text + (f" ({', '.join(changed)})" if changed else "")

    columns = {"attack": attack} | {title: COLUMNS[title] for title in IN_TERMINAL}
    results = evaluation.results
    found = [*(results.attacks or ()), *(results.variants or ())]
    return Table.of(caption, found, columns)


def _attack(one):
    return Cell(one.attack.replace("_", " "))


def _outcome(one):
    if one.threat_model == KEY_CHECK:
        return NONE  # a check of near keys attacks nothing
    return Cell(one.outcome, list(TONES).index(one.outcome), TONES[one.outcome])


def _psnr(one):
    return decibels(one.psnr, equal=one.exact_pixels == 1)


def _remark(one):
    parts = [one.message]
    if one.undetermined:
        parts.append(f"{one.undetermined:,} words undetermined")
    options = {**(one.cipher_options or {}), **(one.options or {})}
    parts += [f"{name} {value}" for name, value in options.items()]
    return Cell("; ".join(filter(None, parts)), tone="long")


COLUMNS = {
    "attack": _attack,
    "images": lambda one: one.images,
    "evidence": lambda one: Cell(one.amount, one.count, "wrap"),
    "keys": lambda one: number(one.keys, "{}"),
    "to verify": lambda one: number(one.evidence and one.evidence.verifying, "{:,}"),
    "outcome": _outcome,
    "key right, %": lambda one: percent(one.index_accuracy),
    "pixels right, %": lambda one: percent(one.exact_pixels),
    "PSNR, dB": _psnr,
    "SSIM": lambda one: number(one.ssim),
    "gray correlation": lambda one: number(one.gray_correlation),
    "edge correlation": lambda one: number(one.edge_correlation),
    "seconds": lambda one: number(one.seconds),
    "remark": _remark,
}
IN_TERMINAL = (
    *("evidence", "outcome", "key right, %", "pixels right, %", "SSIM", "seconds"),
)


def metrics_table(evaluation):
    """A `Table` of the image metrics in an evaluation record."""
    metrics = evaluation.results.metrics
    named = [(title, getattr(metrics, name)) for name, title in METRICS.items()]
    for change, title in CHANGES.items():
        for name in ("npcr", "uaci"):
            found = getattr(getattr(metrics, change), name, None)
            named.append((f"{title}: {METRICS[name]}", found))
    columns = {
        "metric": lambda pair: pair[0],
        "plain": lambda pair: number(pair[1].plain, "{:.4g}"),
        "encrypted": lambda pair: number(_encrypted(pair[1]), "{:.4g}"),
        "ideal noise": lambda pair: number(pair[1].ideal, "{:.4g}"),
        "limits": lambda pair: _limits(*(pair[1].limits or (None, None))),
    }
    measured = [pair for pair in named if pair[1]]
    notes = [NOISE_NOTE, *_keystream_notes(metrics.keystream or {})]
    if metrics.jpeg:
        notes.append(_jpeg(metrics.jpeg))
    caption = f"Metrics, {evaluation.settings.images}"
    return Table.of(caption, measured, columns, notes)


def _encrypted(metric: Metric):
    """Of two images there is one value; of one image, one for each of them."""
    return metric.cipher if metric.value is None else metric.value


def _keystream_notes(keystreams):
    """How many tests of SP 800-22 each keystream passes, and which it fails."""
    notes = []
    for name, stream in keystreams.items():
        tests = {
            test.replace("_", " "): row.passed
            for test, row in (stream.statistical_tests or {}).items()
            if row.passed is not None  # too short a stream for it
        }
        if not tests:
            continue
        failed = [test for test, passed in tests.items() if not passed]
        notes.append(
            f"{KEYSTREAMS.get(name, name)} passes {len(tests) - len(failed)} of "
            f"{len(tests)} tests of SP 800-22"
            + (f"; it fails: {', '.join(failed)}." if failed else ".")
        )
    return notes


def _limits(low, high):
    if low is None and high is None:
        return NONE
    if high is None:
        return f"at least {low:.4g}"
    return f"at most {high:.4g}" if low is None else f"{low:.4g} to {high:.4g}"


def _jpeg(jpeg):
    sizes = f"{jpeg.plain_bytes:,.0f} bytes plain, {jpeg.cipher_bytes:,.0f}"
    text = f"As JPEG of quality {jpeg.quality}: {sizes} encrypted"
    if jpeg.decrypted_psnr is not None:
        text += f"; decrypted after JPEG: PSNR {jpeg.decrypted_psnr:.1f} dB"
    return f"{text}."


def points_table(curve):
    """A `Table` of the points of a curve: one attack, more and more evidence."""
    settings = curve.settings
    columns = {
        settings.evidence_kind: lambda point: str(point.evidence),
        "key": lambda point: str(point.key),
        "error": lambda p: number(error_of(settings.attack, p.stated), "{:.5g}"),
        "key right": lambda point: number(point.index_accuracy, "{:.5g}"),
        "seconds": lambda point: number(point.seconds, "{:.5g}"),
    }
    caption = (
        f"{settings.attack} on {settings.cipher}, {settings.images}: "
        f"{error_title(settings.attack)}"
    )
    return Table.of(caption, curve.results.points, columns)
