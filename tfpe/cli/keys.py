"""`tfpe keygen`."""

import sys

from tfpe.cli.common import add_command, ask_passphrase

EXAMPLES = {
    "keygen": """\
examples:
  tfpe keygen -o owner.key
  tfpe keygen --passphrase -o owner.key     (the file then holds a salt, no secret)
""",
}


def register(commands):
    """Adds the commands of this file."""
    command = add_command(commands, keygen, EXAMPLES)
    command.add_argument("-o", "--output", required=True, metavar="FILE")
    command.add_argument(
        "--passphrase",
        action="store_true",
        help="ask for a passphrase (or read a line from stdin) instead of chance",
    )


def keygen(options):
    """Makes a key file; the fingerprint goes to stderr."""
    from tfpe.keys import Key

    if options.passphrase:
        key = Key.from_passphrase(ask_passphrase(twice=True))
    else:
        key = Key.generate()
    key.save(options.output)
    print(f"Key {key.fingerprint} written to {options.output}", file=sys.stderr)
    print("Keep it: without it nothing can be decrypted.", file=sys.stderr)
