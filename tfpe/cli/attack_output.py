"""What `tfpe attack` prints: the attacks there are, and how one ended."""

import json

from tfpe.cli.streams import note
from tfpe.lab.terminal import print_table


def print_attacks(attacks, options):
    """The attacks there are."""
    if options.json:
        rows = [
            {
                "attack": row.name,
                "threat_model": row.threat_model,
                "summary": row.summary,
                "evidence": row.evidence,
                "ciphers": list(row.ciphers),
                "recovers": row.recovers,
                "up_to": list(row.up_to),
                "options": {k: v for k, v in row.options.items()},
                "reference": row.reference,
            }
            for row in attacks.values()
        ]
        print(json.dumps(rows, indent=2))
        return 0
    from tfpe.lab.table import Cell, Table

    columns = {
        "attack": lambda row: row.name,
        "threat model": lambda row: Cell(row.threat_model, tone="wrap"),
        "evidence": lambda row: Cell(row.evidence, tone="wrap"),
        "ciphers": lambda row: Cell(", ".join(row.ciphers), tone="wrap"),
    }
    title = "Attacks; `tfpe attack --help` shows how to run them"
    print_table(Table.of(title, attacks.values(), columns))
    return 0


def print_summary(summary, options):
    """How an attack ended."""
    if options.json:
        print(json.dumps(summary, indent=2))
        return
    from tfpe.lab.table import Table

    evidence = summary["evidence"]
    rows = {
        "cipher": summary["cipher"],
        "evidence": f"{evidence['count']} {evidence['kind']}"
        + (f" + {evidence['verifying']}" if evidence["verifying"] else ""),
    }
    names = ("index_accuracy", "undetermined", "exact_pixels", "psnr", "ssim")
    names += (
        "opened",
        "ambiguous",
        "known_values",
        "gray_correlation",
        "edge_correlation",
        "lpips",
        "up_to",
        "scored",
        "seconds",
    )
    rows |= {name: summary.get(name) for name in names}
    rows |= summary.get("sensitivity", {})
    told = [(name, value) for name, value in rows.items() if value is not None]
    columns = {"what": lambda pair: pair[0], "value": lambda pair: _value(pair[1])}
    print_table(Table.of(summary["attack"], told, columns))


def _value(value):
    from tfpe.lab.table import Cell

    text = f"{value:z.4g}" if isinstance(value, float) else str(value)
    return Cell(text, tone="wrap")


def tell_left_out(summary):
    """What of the images given counts for nothing."""
    if other := summary.get("left_out"):
        note(f"tfpe: warning: {other} ciphertexts of other sizes are left out")
    if other := summary.get("unpaired"):
        note(
            f"tfpe: warning: {other} plain images without a ciphertext of their name "
            "and size are left out"
        )
    if reasons := summary.get("not_scored"):
        told = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
        total = sum(reasons.values()) + summary["scored"]
        note(
            f"tfpe: warning: scores are of {summary['scored']} of {total} pictures; "
            f"left out: {told}"
        )
