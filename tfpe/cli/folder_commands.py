"""`tfpe encrypt | decrypt`: folders of images, or one image."""

import json
import os

from tfpe.cli.common import (
    add_again,
    add_cipher,
    add_command,
    add_key,
    add_output,
    add_readable,
    add_workers,
    cipher_options,
    key_path,
    load_key,
    progress_bar,
    size_of,
)
from tfpe.cli.packages import require
from tfpe.cli.preparations import add_preparation, losses_line, preparation_of
from tfpe.cli.receipts import (
    add_receipt,
    check_receipt,
    find_receipt,
    hand_receipt,
    helped_to_the_key,
)
from tfpe.cli.sizes import growth_line
from tfpe.cli.streams import note
from tfpe.cli.wording import failures

EXAMPLES = {
    "encrypt": """\
examples:
  tfpe encrypt -k owner.key --cipher ele photos -o encrypted
  tfpe encrypt -k owner.key --cipher etc --option block_size=16 photos -o encrypted
  tfpe encrypt -k owner.key --cipher ele --hide-names names.json photos -o encrypted
  tfpe encrypt -k owner.key --cipher le --size 224x224 --rgb photos -o encrypted
  tfpe encrypt -k owner.key --cipher pbe --window 40 400 scans -o encrypted
  tfpe encrypt -k owner.key --cipher etc --option block_size=16 --jpeg 90 photos -o sent
  TFPE_KEY_FILE=owner.key tfpe encrypt --cipher ele portrait.jpg -o encrypted

The same command resumes an interrupted run. Nothing is overwritten without --force.
JPEG, WebP, PNG, BMP, TIFF, GIF and DICOM are read, also gray and colour in one folder;
PNG files and manifest.json are written; with --jpeg QUALITY JPEG files of 4:4:4, for
ciphers that leave squares of 8 pixels whole: smaller, with a loss. Files that look like
pictures of other kinds are named, and the exit code is 1, unless --skip-others passes
over them.
""",
    "decrypt": """\
examples:
  tfpe decrypt -k owner.key encrypted -o decrypted
  tfpe decrypt -k owner.key --names names.json encrypted -o decrypted
  tfpe decrypt -k owner.key encrypted/cats/tom.png -o decrypted
  tfpe decrypt -k owner.key --set encrypted encrypted -o decrypted
  tfpe decrypt -k owner.key --cipher ele --size 427x640 encrypted -o decrypted

The last two commands are for a folder whose manifest.json is lost: name the set, whose
receipt lies beside the key, or give the cipher and the options that encrypted it.
Nothing then notices a wrong cipher or a changed image, so look at the pictures. Images
encrypted with --per-image are lost with manifest.json, which alone names their keys.
""",
}
SHOWN_PATHS = 10


def register(commands):
    """Adds the commands of this file."""
    command = add_command(commands, encrypt, EXAMPLES)
    add_folders(command)
    add_cipher(command, "must be given")
    command.add_argument(
        "--hide-names",
        metavar="FILE",
        help="make all names opaque; FILE, which the owner keeps, maps them back",
    )
    command.add_argument(
        "--per-image",
        action="store_true",
        help="encrypt each image under a sub-key of its own",
    )
    command.add_argument(
        "--jpeg",
        type=int,
        metavar="QUALITY",
        help="write JPEG files of this quality (1 to 100): decryption then gives back "
        "what JPEG kept",
    )
    add_preparation(command)
    add_receipt(command)
    add_again(command)

    command = add_command(commands, decrypt, EXAMPLES)
    add_folders(command)
    command.add_argument(
        "--names", metavar="FILE", help="the file that --hide-names wrote"
    )
    command.add_argument(
        "--set",
        metavar="SET",
        help="where manifest.json is lost: the set, whose receipt tells the cipher",
    )
    add_cipher(command, "only where manifest.json is lost")
    command.add_argument(
        "--size",
        type=size_of,
        metavar="HxW",
        help="size of the images before encryption; only where manifest.json is lost",
    )
    add_readable(command)


def encrypt(options):
    """Encrypts a folder or one image."""
    require("PIL", "rich")
    from tfpe.files import encrypt_folder

    chosen, preparation = cipher_options(options, needed=True), preparation_of(options)
    key = load_key(options)
    check_receipt(options, key_path(options))
    with progress_bar("Encrypting", options) as progress:
        summary = encrypt_folder(
            options.input,
            options.output,
            key,
            options.cipher,
            force=options.force,
            hide_names=options.hide_names,
            per_image=options.per_image,
            preparation=preparation,
            jpeg=options.jpeg,
            skip_others=options.skip_others,
            again=options.again,
            progress=progress,
            workers=options.workers,
            **chosen,
        )
    code = report_summary(summary, "encrypted", options)
    if options.jpeg is not None:
        note(f"Lossy: decryption gives back what JPEG of {options.jpeg} kept")
    whole_set = os.path.isdir(options.input) or options.receipt
    if whole_set and summary.written + summary.skipped:
        hand_receipt(options.output, key, key_path(options), options.receipt)
    if summary.written and (line := growth_line(options.input, options.output)):
        note(line)
    return code


def decrypt(options):
    """Decrypts a folder that `encrypt` wrote, or one image of it."""
    require("PIL", "rich")
    from tfpe.files import decrypt_folder

    chosen = cipher_options(options)
    key, file = load_key(options), key_path(options)
    with helped_to_the_key(file, key, options.set):
        receipt = options.set and find_receipt(options.set, key, file)
    with progress_bar("Decrypting", options) as progress:
        summary = decrypt_folder(
            options.input,
            options.output,
            key,
            force=options.force,
            names=options.names,
            readable=options.readable,
            progress=progress,
            workers=options.workers,
            cipher=options.cipher,
            size=options.size,
            receipt=receipt,
            **chosen,
        )
    return report_summary(summary, "decrypted", options)


def add_folders(command):
    """Adds IN, the output, the key and what each run over a folder has."""
    command.add_argument("input", metavar="IN", help="a folder, or one image")
    add_output(command)
    add_key(command)
    add_workers(command)
    command.add_argument("--force", action="store_true", help="replace existing files")
    command.add_argument(
        "--json", action="store_true", help="print the summary as JSON"
    )
    command.add_argument(
        "-q", "--quiet", action="store_true", help="show no progress bar"
    )


def report_summary(summary, verb, options):
    """Says what a run did; returns the exit code."""
    for line in failures(summary.failed, options.parser.words()):
        note(f"tfpe: {line}")
    if options.json:
        print(json.dumps(vars(summary), indent=2))
    if summary.gone:
        note(gone_line(summary.gone))
    if summary.lost:
        note(losses_line(summary.lost))
    note(
        f"{summary.written} {verb}, {summary.skipped} done before, "
        f"{len(summary.failed)} failed"
        + (f", {summary.ignored} other files ignored" if summary.ignored else "")
    )
    return 1 if summary.failed else 0


def gone_line(paths):
    """That images stay in the output which the source does not hold any more."""
    shown, rest = paths[:SHOWN_PATHS], len(paths) - SHOWN_PATHS
    more = f" and {rest} more" if rest > 0 else ""
    return (
        f"{len(paths)} encrypted images whose source is gone stay in the output: "
        f"{', '.join(shown)}{more}"
    )
