"""`tfpe ciphers | demo`: what there is, and what it looks like."""

import json
import os
import sys

from tfpe.cli.common import add_command, progress_bar, size_of
from tfpe.cli.packages import require
from tfpe.cli.streams import note
from tfpe.lab.terminal import print_table

EXAMPLES = {
    "ciphers": """\
examples:
  tfpe ciphers
  tfpe ciphers --size 224x224 --json
""",
    "demo": """\
examples:
  tfpe demo out        then open out/gallery.png and out/attacks.png

Encrypts two photographs with every cipher, decrypts them and compares, and shows what
attackers see. No download.
""",
}

EVIDENCE = {
    "known model": "a model matched to the key",
    "chosen plaintext": "chosen images",
    "known plaintext": "known images",
    "ciphertext only": "ciphertexts alone",
}


def register(commands):
    """Adds the commands of this file."""
    command = add_command(commands, ciphers, EXAMPLES)
    command.add_argument(
        "--size",
        type=size_of,
        default=(32, 32),
        metavar="HxW",
        help="size of the images (default: 32x32)",
    )
    command.add_argument("--json", action="store_true", help="print JSON")

    command = add_command(commands, demo, EXAMPLES)
    command.add_argument("output", metavar="OUT", help="a folder")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.add_argument(
        "-q", "--quiet", action="store_true", help="show no progress bar"
    )


def ciphers(options):
    """Lists the ciphers: key space in bits, and what breaks them."""
    require(*([] if options.json else ["rich"]))
    from tfpe.ciphers import CIPHERS
    from tfpe.lab.table import Cell, Table, number
    from tfpe.pixels.padding import padded_size

    rows = []
    for name, cipher in CIPHERS.items():
        shape = [padded_size(s, cipher.block_size()) for s in options.size]
        claimed, effective = cipher.key_space((*shape, 3))
        rows.append(
            {
                "cipher": name,
                "summary": cipher.summary,
                "key_space_claimed_bits": round(claimed, 1),
                "key_space_effective_bits": round(effective, 1),
                "broken_by": _broken_by(cipher),
                "options": cipher.defaults,
                "reference": cipher.reference,
            }
        )
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    height, width = options.size
    columns = {
        "cipher": lambda row: row["cipher"],
        "what it does": lambda row: Cell(row["summary"], tone="wrap"),
        "claimed": lambda row: number(row["key_space_claimed_bits"], "{:,.0f}"),
        "effective": lambda row: number(row["key_space_effective_bits"], "{:,.0f}"),
        "broken by": lambda row: Cell(row["broken_by"], tone="wrap"),
    }
    title = f"Ciphers, key space at {height} x {width} x 3 in bits"
    print_table(Table.of(title, rows, columns))
    print(
        "No keyed cipher has more than the 256 bits of its key. A large key space says "
        "nothing against the attacks in the last column.",
        file=sys.stderr,
    )


def _broken_by(cipher):
    """The evidence that breaks a cipher, in the words of those who list them."""
    from tfpe.attacks import broken_by

    if not cipher.traits().keyed:
        return "nothing: it has no key"
    words = [EVIDENCE[model] for model in broken_by(cipher)]
    return ", ".join(words) or "no attack of the table"


def demo(options):
    """Runs every cipher on two photographs."""
    require("rich", "PIL", "sklearn", "skimage", "matplotlib")
    from tfpe.lab.demo import run_demo

    with progress_bar("Ciphers", options) as progress:
        record = run_demo(options.output, progress)
    if options.json:
        print(json.dumps(record, indent=2))
    else:
        from tfpe.lab.demo import print_demo

        print_demo(record)
    pictures = (
        os.path.join(options.output, f"{n}.png") for n in ("gallery", "attacks")
    )
    note(f"Pictures: {', '.join(pictures)}")
