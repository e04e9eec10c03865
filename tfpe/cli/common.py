"""What the commands share: keys, progress on stderr, how a command is added."""

import argparse
import contextlib
import json
import os
import sys
import warnings

from tfpe.cli.packages import require
from tfpe.errors import CipherOptionError, ImageFileError, OutputError, TfpeError
from tfpe.storage.atomic import can_be_written

KEY_VARIABLE = "TFPE_KEY_FILE"
MAX_OPTION_LENGTH = 100


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
    if len(text) > MAX_OPTION_LENGTH:
        # Longer ones could be numbers that fill the memory, or nest without an end.
        raise argparse.ArgumentTypeError(
            f"should have at most {MAX_OPTION_LENGTH} characters. Received: {len(text)}"
        )
    with contextlib.suppress(ValueError):
        value = json.loads(value.lower())
    return name, value


def add_group(commands, name, summary, examples):
    """Adds a command that has commands of its own; returns where to add them."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=examples[name],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser.add_subparsers(required=True, metavar="COMMAND")


def add_key(command):
    """Adds `--key` and `--strict`."""
    command.add_argument(
        "-k", "--key", metavar="FILE", help=f"key file (default: ${KEY_VARIABLE})"
    )
    command.add_argument(
        "--strict",
        action="store_true",
        help="refuse a key file that other users can read (default: a warning)",
    )


def add_workers(command):
    """Adds `--workers`."""
    command.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="number of threads (default: one for each core, 4 at most)",
    )


def add_output(command, summary=None):
    """Adds `--out`, also called `--output`."""
    command.add_argument(
        *("-o", "--out", "--output"),
        dest="output",
        required=True,
        type=path_of,
        metavar="OUT",
        help=summary,
    )


def add_readable(command):
    """Adds `--readable`, of the commands that write plain images."""
    command.add_argument(
        "--readable",
        action="store_true",
        help="let other users read the images as the umask says; without it, new files "
        "are for you alone (0600, folders 0700)",
    )


def add_again(command):
    """Adds `--again`, of the commands that encrypt."""
    command.add_argument(
        "--again",
        action="store_true",
        help="encrypt again what is encrypted already; without it, that is refused",
    )


def path_of(text):
    """A path; an unset variable of the shell is none."""
    if not text:
        raise argparse.ArgumentTypeError("should be a path. Received: ''")
    return text


def add_cipher(command, otherwise):
    """Adds `--cipher` and `--option`; `otherwise` says what holds without them."""
    command.add_argument("--cipher", help=f"see `tfpe ciphers`; {otherwise}")
    add_option(command)


def add_option(command):
    """Adds `--option`."""
    command.add_argument(
        "--option",
        action=AppendOnce,
        default=[],
        type=cipher_option,
        metavar="NAME=VALUE",
        help="an option of the cipher (may be repeated)",
    )


def check_figure(path, force=None):
    """Refuses, before the work, a --figure that could not or should not be written.

    `force` is the --force of the command, None where it has none.
    """
    require("matplotlib")
    if not path.lower().endswith(".png"):
        raise ImageFileError(f"--figure should end in .png. Received: {path}")
    if not can_be_written(path):
        raise OutputError(
            f"--figure should go where a file can be written. Received: {path}"
        )
    if os.path.lexists(path) and not force:
        unless = "" if force is None else " without --force"
        raise ImageFileError(
            f"--figure should be a new file{unless}. Received: {path}, which exists"
        )


def seed_number(text):
    """A whole number from 0 that every backend takes as a seed."""
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(
            f"should be a whole number from 0, below 2^32. Received: {text!r}"
        )
    return int(text)


def size_of(text):
    """HxW as (height, width)."""
    try:
        height, width = (int(part) for part in text.split("x"))
    except ValueError:
        height = width = 0
    if min(height, width) < 1:
        raise argparse.ArgumentTypeError(f"should be like 32x32. Received: {text!r}")
    return height, width


class AppendOnce(argparse.Action):
    """Appends (name, value), and refuses a name that was given before."""

    def __call__(self, parser, namespace, pair, option_string=None):
        pairs = getattr(namespace, self.dest)
        if pair[0] in dict(pairs):
            raise argparse.ArgumentError(self, f"{pair[0]} should be given once")
        setattr(namespace, self.dest, [*pairs, pair])


def cipher_options(options, needed=False):
    """The values of `--option` as a dict.

    Args:
        options: the arguments of the command.
        needed: whether `--cipher` must be given.

    Raises:
        CipherOptionError: no cipher, or it has no such option. What is named like
            another argument of a function of the library stops here.
    """
    from tfpe.ciphers import CIPHERS, find_cipher

    given = dict(options.option)
    if needed and options.cipher is None:
        raise CipherOptionError(
            f"--cipher should be one of {', '.join(CIPHERS)}; `tfpe ciphers` says what "
            "each is. Received: none"
        )
    if options.cipher is not None:
        find_cipher(options.cipher).options(**given)
    elif unknown := sorted(
        set(given) - {n for c in CIPHERS.values() for n in c.defaults}
    ):
        raise CipherOptionError(
            f"Options should be those of a cipher. Received: {unknown}"
        )
    return given


def key_path(options):
    """The key file of `-k`, or of the environment."""
    path = options.key or os.environ.get(KEY_VARIABLE)
    if not path:
        raise TfpeError(
            f"A key file is needed: -k FILE, or the variable {KEY_VARIABLE}. "
            "Received: neither; `tfpe keygen -o owner.key` makes one"
        )
    return path


def load_key(options, path=None):
    """The key in the file `path`; of `-k` or of the environment by default."""
    return read_key(path or key_path(options), options.strict)


def read_key(path, strict=False):
    """The key in a file; asks for the passphrase of one that needs it."""
    from tfpe.keys import Key
    from tfpe.keys.files import InsecureKeyFileWarning

    with warnings.catch_warnings():
        if strict:
            warnings.simplefilter("error", InsecureKeyFileWarning)
        try:
            return Key.load(path, passphrase=ask_passphrase)
        except InsecureKeyFileWarning as warning:
            raise TfpeError(f"{warning} (--strict)") from None


def ask_passphrase(twice=False):
    """A passphrase from the terminal, unseen, or a line of stdin."""
    try:
        if sys.stdin is None:
            raise EOFError
        if not sys.stdin.isatty():
            return sys.stdin.readline().rstrip("\r\n")
        import getpass

        passphrase = getpass.getpass("Passphrase: ")
        again = getpass.getpass("Again: ") if twice else passphrase
    except EOFError:
        raise TfpeError("A passphrase is needed. Received: none") from None
    except UnicodeDecodeError:
        # `from None`: the error it came from quotes the passphrase.
        raise TfpeError("The passphrase should be text in UTF-8") from None
    if again != passphrase:
        raise TfpeError("The two passphrases should be equal. Received: different ones")
    return passphrase


@contextlib.contextmanager
def progress_bar(title, options):
    """A progress bar on stderr: gives a function (done, total), or None when quiet."""
    if options.quiet:
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task):
            speed = task.finished_speed or task.speed
            return Text(f"{speed:.0f}/s" if speed else "")

    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), Rate())
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
