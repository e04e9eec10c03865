"""The command line: `tfpe keygen | encrypt | decrypt | ciphers | demo`.

Data goes to stdout, notes to stderr. Exit codes: 0 done, 1 something failed, 2 wrong
use. Each command imports what it needs when it runs, so that the rest starts at once.
"""

import argparse
import contextlib
import json
import os
import sys
import warnings

from tfpe import __version__
from tfpe.errors import TfpeError

KEY_VARIABLE = "TFPE_KEY_FILE"

DESCRIPTION = """\
Perceptual (learnable) image encryption: a person sees nothing, a network still learns.
What these ciphers do and do not protect against: `tfpe ciphers` and the README.
"""

EXAMPLES = {
    "tfpe": """\
examples:
  tfpe keygen -o owner.key
  tfpe encrypt -k owner.key --cipher ele photos -o encrypted
  tfpe decrypt -k owner.key encrypted -o decrypted
  tfpe demo out
""",
    "keygen": """\
examples:
  tfpe keygen -o owner.key
  tfpe keygen --passphrase -o owner.key     (the file then holds a salt, no secret)
""",
    "encrypt": """\
examples:
  tfpe encrypt -k owner.key photos -o encrypted
  tfpe encrypt -k owner.key --cipher etc --option block_size=16 photos -o encrypted
  tfpe encrypt -k owner.key --hide-names names.json photos -o encrypted
  TFPE_KEY_FILE=owner.key tfpe encrypt portrait.jpg -o encrypted

An interrupted run is resumed by the same command. Nothing is overwritten without
--force. JPEG, WebP, PNG, BMP and TIFF go in; PNG and manifest.json come out.
""",
    "decrypt": """\
examples:
  tfpe decrypt -k owner.key encrypted -o decrypted
  tfpe decrypt -k owner.key --names names.json encrypted -o decrypted
  tfpe decrypt -k owner.key encrypted/cats/tom.png -o decrypted
""",
    "ciphers": """\
examples:
  tfpe ciphers
  tfpe ciphers --size 224x224 --json
""",
    "demo": """\
examples:
  tfpe demo out        then open out/gallery.png

Encrypts two photographs with every cipher, decrypts them and compares. No download.
""",
}


def main(arguments=None):
    """Runs a command; returns its exit code."""
    options = _parser().parse_args(arguments)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default", UserWarning)
            warnings.showwarning = _show_warning
            return options.run(options) or 0
    except TfpeError as error:
        print(f"tfpe: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("tfpe: interrupted; the same command goes on", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output left; nothing more to say, also not at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def keygen(options):
    """Makes a key file; the fingerprint goes to stderr."""
    from tfpe.keys import Key

    if options.passphrase:
        key = Key.from_passphrase(_ask_passphrase(twice=True))
    else:
        key = Key.generate()
    key.save(options.output)
    print(f"Key {key.fingerprint} written to {options.output}", file=sys.stderr)
    print("Keep it: without it nothing can be decrypted.", file=sys.stderr)


def encrypt(options):
    """Encrypts a folder or one image."""
    from tfpe.files import encrypt_folder

    key = _load_key(options)
    with _progress("Encrypting", options) as progress:
        summary = encrypt_folder(
            options.input,
            options.output,
            key,
            options.cipher,
            force=options.force,
            hide_names=options.hide_names,
            per_image=options.per_image,
            progress=progress,
            **dict(options.option),
        )
    return _report(summary, "encrypted", options)


def decrypt(options):
    """Decrypts a folder that `encrypt` wrote, or one image of it."""
    from tfpe.files import decrypt_folder

    key = _load_key(options)
    with _progress("Decrypting", options) as progress:
        summary = decrypt_folder(
            options.input,
            options.output,
            key,
            force=options.force,
            names=options.names,
            progress=progress,
        )
    return _report(summary, "decrypted", options)


def ciphers(options):
    """Lists the ciphers: key space in bits, and what breaks them."""
    from tfpe.ciphers import CIPHERS
    from tfpe.padding import padded_size

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
                "broken_by": cipher.broken_by,
                "options": cipher.defaults,
                "reference": cipher.reference,
            }
        )
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    height, width = options.size
    table = Table(title=f"Ciphers, key space at {height} x {width} x 3 in bits")
    table.add_column("cipher")
    table.add_column("what it does")
    table.add_column("claimed", justify="right")
    table.add_column("effective", justify="right")
    table.add_column("broken by")
    for row in rows:
        table.add_row(
            row["cipher"],
            row["summary"],
            f"{row['key_space_claimed_bits']:.0f}",
            f"{row['key_space_effective_bits']:.0f}",
            row["broken_by"],
        )
    Console(width=None if sys.stdout.isatty() else 110).print(table)
    print(
        "No keyed cipher has more than the 256 bits of its key. A large key space says "
        "nothing against the attacks in the last column.",
        file=sys.stderr,
    )


def demo(options):
    """Runs every cipher on two photographs."""
    from tfpe.demo import run_demo

    with _progress("Ciphers", options) as progress:
        record = run_demo(options.output, progress)
    if options.json:
        print(json.dumps(record, indent=2))
    else:
        from tfpe.demo import print_table

        print_table(record)
    print(f"Pictures: {os.path.join(options.output, 'gallery.png')}", file=sys.stderr)


def _parser():
    parser = argparse.ArgumentParser(
        prog="tfpe",
        description=DESCRIPTION,
        epilog=EXAMPLES["tfpe"],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tfpe {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = _command(commands, keygen)
    command.add_argument("-o", "--output", required=True, metavar="FILE")
    command.add_argument(
        "--passphrase",
        action="store_true",
        help="ask for a passphrase (or read a line from stdin) instead of chance",
    )

    command = _command(commands, encrypt)
    _add_folders(command)
    command.add_argument("--cipher", default="ele", help="see `tfpe ciphers`; ele")
    command.add_argument(
        "--option",
        action="append",
        default=[],
        type=_option,
        metavar="NAME=VALUE",
        help="an option of the cipher; may be repeated",
    )
    command.add_argument(
        "--hide-names",
        metavar="FILE",
        help="opaque file and folder names; FILE, for the owner, maps them back",
    )
    command.add_argument(
        "--per-image", action="store_true", help="a sub-key of its own for each image"
    )

    command = _command(commands, decrypt)
    _add_folders(command)
    command.add_argument(
        "--names", metavar="FILE", help="the file that --hide-names wrote"
    )

    command = _command(commands, ciphers)
    command.add_argument("--size", type=_size, default=(32, 32), metavar="HxW")
    command.add_argument("--json", action="store_true")

    command = _command(commands, demo)
    command.add_argument("output", metavar="OUT")
    command.add_argument("--json", action="store_true")
    command.add_argument("-q", "--quiet", action="store_true", help="no progress bar")
    return parser


def _command(commands, run):
    parser = commands.add_parser(
        run.__name__,
        help=run.__doc__.partition("\n")[0],
        description=run.__doc__,
        epilog=EXAMPLES[run.__name__],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def _add_folders(command):
    command.add_argument("input", metavar="IN", help="a folder, or one image")
    command.add_argument("-o", "--output", required=True, metavar="OUT")
    command.add_argument(
        "-k", "--key", metavar="FILE", help=f"key file; or set ${KEY_VARIABLE}"
    )
    command.add_argument("--force", action="store_true", help="replace existing files")
    command.add_argument("--json", action="store_true", help="summary as JSON")
    command.add_argument("-q", "--quiet", action="store_true", help="no progress bar")


def _option(text):
    """NAME=VALUE with the value as JSON (true, 4) or as a plain word (independent)."""
    name, equals, value = text.partition("=")
    if not name.isidentifier() or not equals:
        raise argparse.ArgumentTypeError(f"should be NAME=VALUE. Received: {text!r}")
    with contextlib.suppress(ValueError):
        value = json.loads(value.lower())
    return name, value


def _size(text):
    try:
        height, width = (int(part) for part in text.split("x"))
    except ValueError:
        height = width = 0
    if min(height, width) < 1:
        raise argparse.ArgumentTypeError(f"should be like 32x32. Received: {text!r}")
    return height, width


def _load_key(options):
    from tfpe.keys import Key

    path = options.key or os.environ.get(KEY_VARIABLE)
    if not path:
        raise TfpeError(
            f"A key file is needed: -k FILE, or the variable {KEY_VARIABLE}. "
            "Received: neither; `tfpe keygen -o owner.key` makes one"
        )
    return Key.load(path, passphrase=_ask_passphrase)


def _ask_passphrase(twice=False):
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    import getpass

    passphrase = getpass.getpass("Passphrase: ")
    if twice and getpass.getpass("Again: ") != passphrase:
        raise TfpeError("The two passphrases should be equal. Received: different ones")
    return passphrase


@contextlib.contextmanager
def _progress(title, options):
    """A progress bar on stderr: gives a function (done, total), or None when quiet."""
    if options.quiet:
        yield None
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _report(summary, verb, options):
    for path, message in summary.failed:
        print(f"tfpe: {path}: {message}", file=sys.stderr)
    if options.json:
        import dataclasses

        print(json.dumps(dataclasses.asdict(summary), indent=2))
    print(
        f"{summary.written} {verb}, {summary.skipped} done before, "
        f"{len(summary.failed)} failed"
        + (f", {summary.ignored} other files ignored" if summary.ignored else ""),
        file=sys.stderr,
    )
    return 1 if summary.failed else 0


def _show_warning(message, category, filename, lineno, file=None, line=None):
    print(f"tfpe: warning: {message}", file=sys.stderr)
