"""Every attack and every metric of a cipher, as tables of the page."""

from tfpe.lab.markdown import NONE
from tfpe.lab.page.cells import Cell, Table, number, percent
from tfpe.lab.page.scorecard_section import TONES

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
    "the attacks above do not care."
)


def attack_table(found, caption="Every attack measured"):
    """A `Table` of outcomes, in the order of the records."""
    return Table(
        caption,
        [
            "attack",
            "images",
            "evidence",
            "to verify",
            "outcome",
            "key right, %",
            "pixels right, %",
            "PSNR, dB",
            "SSIM",
            "gray correlation",
            "edge correlation",
            "seconds",
            "remark",
        ],
        [_attack(one) for one in found],
    )


def _attack(one):
    return [
        Cell(one.attack.replace("_", " ")),
        Cell(one.images),
        Cell(one.evidence, one.count, "wrap"),
        number((one.others.get("evidence") or {}).get("verifying"), "{:,}"),
        Cell(one.outcome, list(TONES).index(one.outcome), TONES[one.outcome]),
        percent(one.index_accuracy),
        percent(one.exact_pixels),
        _psnr(one),
        number(one.ssim),
        number(one.gray_correlation),
        number(one.edge_correlation),
        number(one.seconds),
        Cell(_remark(one), tone="long"),
    ]


def _psnr(one):
    # JSON has no infinity: that of equal images is null in the record.
    if one.psnr is None and one.exact_pixels == 1:
        return Cell("infinite", float("inf"))
    return number(one.psnr, "{:.1f}")


def _remark(one):
    parts = [one.message]
    if one.undetermined:
        parts.append(f"{one.undetermined:,} words undetermined")
    options = {**(one.cipher_options or {}), **(one.options or {})}
    parts += [f"{name} {value}" for name, value in options.items()]
    return "; ".join(filter(None, parts))


def metrics_table(record):
    """A `Table` of the image metrics in an evaluation record."""
    metrics, settings = record["results"]["metrics"], record["settings"]
    rows = [
        _metric(title, metrics[name])
        for name, title in METRICS.items()
        if isinstance(metrics.get(name), dict)
    ]
    rows += [
        _metric(f"{title}: {METRICS[name]}", metrics[change][name])
        for change, title in CHANGES.items()
        for name in ("npcr", "uaci")
        if name in (metrics.get(change) or {})
    ]
    notes = [NOISE_NOTE, *_keystream_notes(metrics.get("keystream") or {})]
    if jpeg := metrics.get("jpeg"):
        notes.append(_jpeg(jpeg))
    return Table(
        f"Metrics, {settings['images']}",
        ["metric", "plain", "encrypted", "ideal noise", "limits"],
        rows,
        notes,
    )


def _keystream_notes(keystreams):
    """How many tests of SP 800-22 each keystream passes, and which it fails."""
    notes = []
    for name, stream in keystreams.items():
        tests = {
            test: row
            for test, row in (stream.get("statistical_tests") or {}).items()
            if row.get("passed") is not None  # too short a stream for it
        }
        if not tests:
            continue
        failed = [test.replace("_", " ") for test in tests if not tests[test]["passed"]]
        notes.append(
            f"{KEYSTREAMS.get(name, name)} passes {len(tests) - len(failed)} of "
            f"{len(tests)} tests of SP 800-22"
            + (f"; it fails: {', '.join(failed)}." if failed else ".")
        )
    return notes


def _metric(title, row):
    # Of two images there is one value; of one image, one for plain and encrypted each.
    values = (None, row["value"]) if "value" in row else (row["plain"], row["cipher"])
    cells = [number(value, "{:.4g}") for value in (*values, row.get("ideal"))]
    return [Cell(title), *cells, Cell(_limits(*(row.get("limits") or (None, None))))]


def _limits(low, high):
    if low is None and high is None:
        return NONE
    if high is None:
        return f"at least {low:.4g}"
    return f"at most {high:.4g}" if low is None else f"{low:.4g} to {high:.4g}"


def _jpeg(jpeg):
    sizes = f"{jpeg['plain_bytes']:,.0f} bytes plain, {jpeg['cipher_bytes']:,.0f}"
    text = f"As JPEG of quality {jpeg['quality']}: {sizes} encrypted"
    if jpeg.get("decrypted_psnr") is not None:
        text += f"; decrypted after JPEG: PSNR {jpeg['decrypted_psnr']:.1f} dB"
    return f"{text}."
