"""`tfpe encrypt | decrypt`: folders of images, or one image."""

import dataclasses
import json

from tfpe.cli.common import (
    add_cipher,
    add_command,
    add_key,
    add_output,
    cipher_options,
    load_key,
    progress_bar,
)
from tfpe.cli.packages import require
from tfpe.cli.terminal import note

EXAMPLES = {
    "encrypt": """\
examples:
  tfpe encrypt -k owner.key --cipher ele photos -o encrypted
  tfpe encrypt -k owner.key --cipher etc --option block_size=16 photos -o encrypted
  tfpe encrypt -k owner.key --cipher ele --hide-names names.json photos -o encrypted
  TFPE_KEY_FILE=owner.key tfpe encrypt --cipher ele portrait.jpg -o encrypted

An interrupted run is resumed by the same command. Nothing is overwritten without
--force. JPEG, WebP, PNG, BMP and TIFF go in; PNG and manifest.json come out.
""",
    "decrypt": """\
examples:
  tfpe decrypt -k owner.key encrypted -o decrypted
  tfpe decrypt -k owner.key --names names.json encrypted -o decrypted
  tfpe decrypt -k owner.key encrypted/cats/tom.png -o decrypted
""",
}


def register(commands):
    """Adds the commands of this file."""
    command = add_command(commands, encrypt, EXAMPLES)
    _add_folders(command)
    add_cipher(command, "must be given")
    command.add_argument(
        "--hide-names",
        metavar="FILE",
        help="opaque file and folder names; FILE, for the owner, maps them back",
    )
    command.add_argument(
        "--per-image", action="store_true", help="a sub-key of its own for each image"
    )

    command = add_command(commands, decrypt, EXAMPLES)
    _add_folders(command)
    command.add_argument(
        "--names", metavar="FILE", help="the file that --hide-names wrote"
    )


def encrypt(options):
    """Encrypts a folder or one image."""
    require("PIL", "rich")
    from tfpe.files import encrypt_folder

    chosen = cipher_options(options, needed=True)
    key = load_key(options)
    with progress_bar("Encrypting", options) as progress:
        summary = encrypt_folder(
            options.input,
            options.output,
            key,
            options.cipher,
            force=options.force,
            hide_names=options.hide_names,
            per_image=options.per_image,
            progress=progress,
            **chosen,
        )
    return _report(summary, "encrypted", options)


def decrypt(options):
    """Decrypts a folder that `encrypt` wrote, or one image of it."""
    require("PIL", "rich")
    from tfpe.files import decrypt_folder

    key = load_key(options)
    with progress_bar("Decrypting", options) as progress:
        summary = decrypt_folder(
            options.input,
            options.output,
            key,
            force=options.force,
            names=options.names,
            progress=progress,
        )
    return _report(summary, "decrypted", options)


def _add_folders(command):
    command.add_argument("input", metavar="IN", help="a folder, or one image")
    add_output(command)
    add_key(command)
    command.add_argument("--force", action="store_true", help="replace existing files")
    command.add_argument("--json", action="store_true", help="summary as JSON")
    command.add_argument("-q", "--quiet", action="store_true", help="no progress bar")


def _report(summary, verb, options):
    for path, message in summary.failed:
        note(f"tfpe: {path}: {message}")
    if options.json:
        print(json.dumps(dataclasses.asdict(summary), indent=2))
    note(
        f"{summary.written} {verb}, {summary.skipped} done before, "
        f"{len(summary.failed)} failed"
        + (f", {summary.ignored} other files ignored" if summary.ignored else "")
    )
    return 1 if summary.failed else 0
