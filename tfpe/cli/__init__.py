"""The command line: one file for each group of commands.

Data goes to stdout, notes to stderr. Exit codes: 0 done, 1 something failed or was
refused, 2 arguments that cannot be parsed. Each command imports what it needs when it
runs, so that the rest starts at once.
"""

import argparse
import sys
import warnings

from tfpe import __version__
from tfpe.cli import (
    attacks,
    datasets,
    evaluations,
    folders,
    keys,
    listings,
    predictions,
    reports,
    speed,
)
from tfpe.cli.terminal import abandon_stdout, note, open_streams, printable
from tfpe.errors import TfpeError

DESCRIPTION = """\
Perceptual (learnable) image encryption: a person sees nothing, a network still learns.
What these ciphers do and do not protect against: `tfpe ciphers` and the README.
"""

EXAMPLES = """\
examples:
  tfpe keygen -o owner.key
  tfpe encrypt -k owner.key --cipher ele photos -o encrypted
  tfpe decrypt -k owner.key encrypted -o decrypted
  tfpe dataset encrypt cifar10 --cipher ele --key owner.key --out cloud
  tfpe predict model.keras images --key owner.key
  tfpe attack ciphertext_only encrypted -o opened
  tfpe evaluate photographs --cipher pbe
  tfpe demo out
  tfpe report report.html
"""


def main(arguments=None):
    """Runs a command; returns its exit code."""
    open_streams()
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()
    except TfpeError as error:
        note(f"tfpe: error: {error}")
        return 1
    except KeyboardInterrupt:
        note("tfpe: interrupted; the same command goes on")
        return 130
    except BrokenPipeError:
        # The reader of our output left; nothing more to say, also not at exit.
        abandon_stdout()
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        note(f"tfpe: error: {where}{error.strerror or error}")
        abandon_stdout()
        return 1
    except (MemoryError, OverflowError) as error:
        kind = "More memory is needed than there is"
        if isinstance(error, OverflowError):
            kind = "A number is too large"
        note(f"tfpe: error: {kind}" + (f": {error}" if str(error) else ""))
        return 1


def _run(arguments):
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    # argparse gives up an optional argument before it sees those behind options.
    late = getattr(options, "late", None)
    if late and len(rest) == 1 and not rest[0].startswith("-"):
        if getattr(options, late) is None:
            setattr(options, late, rest.pop())
    if rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = _show_warning
        return options.run(options) or 0


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        super().error(printable(message))


def _parser():
    parser = _Parser(
        prog="tfpe",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tfpe {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    groups = (keys, folders, datasets, predictions, listings)
    for group in (*groups, attacks, evaluations, reports, speed):
        group.register(commands)
    return parser


def _show_warning(message, category, filename, lineno, file=None, line=None):
    note(f"tfpe: warning: {message}")
