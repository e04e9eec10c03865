"""What the commands share: keys, progress on stderr, how a command is added."""

import argparse
import contextlib
import json
import os
import sys

from tfpe.errors import TfpeError

KEY_VARIABLE = "TFPE_KEY_FILE"


def add_command(commands, run, examples):
    """Adds the command that `run` carries out, named and described as `run` is."""
    parser = commands.add_parser(
        run.__name__,
        help=run.__doc__.partition("\n")[0],
        description=run.__doc__,
        epilog=examples[run.__name__],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def cipher_option(text):
    """NAME=VALUE with the value as JSON (true, 4) or as a plain word (independent)."""
    name, equals, value = text.partition("=")
    if not name.isidentifier() or not equals:
        raise argparse.ArgumentTypeError(f"should be NAME=VALUE. Received: {text!r}")
    with contextlib.suppress(ValueError):
        value = json.loads(value.lower())
    return name, value


def load_key(options):
    """The key of `-k` or of the environment."""
    from tfpe.keys import Key

    path = options.key or os.environ.get(KEY_VARIABLE)
    if not path:
        raise TfpeError(
            f"A key file is needed: -k FILE, or the variable {KEY_VARIABLE}. "
            "Received: neither; `tfpe keygen -o owner.key` makes one"
        )
    return Key.load(path, passphrase=ask_passphrase)


def ask_passphrase(twice=False):
    """A passphrase from the terminal, unseen, or a line of stdin."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    import getpass

    passphrase = getpass.getpass("Passphrase: ")
    if twice and getpass.getpass("Again: ") != passphrase:
        raise TfpeError("The two passphrases should be equal. Received: different ones")
    return passphrase


@contextlib.contextmanager
def progress_bar(title, options):
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
