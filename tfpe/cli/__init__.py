"""The command line: one file for each group of commands.

Data goes to stdout, notes to stderr. Exit codes: 0 done, 1 something failed or was
refused, 2 arguments that cannot be parsed. Each command imports what it needs when it
runs, so that the rest starts at once.
"""

import argparse

from tfpe import __version__
from tfpe.cli import (
    attacks,
    bench_command,
    dataset_commands,
    evaluations,
    folder_commands,
    keys,
    listings,
    pack_commands,
    predict_command,
    reports,
)
from tfpe.cli.error_lines import guard
from tfpe.cli.streams import printable
from tfpe.cli.wording import Parser, spoken
from tfpe.errors import TfpeError

DESCRIPTION = """\
Perceptual (learnable) image encryption: a person sees nothing, a network still learns.
`tfpe ciphers` and the README say what these ciphers do and do not protect against.
"""

EXAMPLES = """\
examples:
  tfpe keygen -o owner.key
  tfpe encrypt -k owner.key --cipher ele photos -o encrypted
  tfpe decrypt -k owner.key encrypted -o decrypted
  tfpe pack -k owner.key photos -o packed
  tfpe dataset encrypt cifar10 --cipher ele --key owner.key --out cloud
  tfpe predict model.keras images --key owner.key
  tfpe attack ciphertext_only encrypted -o opened
  tfpe evaluate photographs --cipher pbe
  tfpe demo out
  tfpe report report.html
"""


def main(arguments=None):
    """Runs a command; returns its exit code."""
    return guard("tfpe", lambda: _run(arguments))


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
    return run_command(options)


def run_command(options):
    """Runs what was parsed; errors speak the words of its command line."""
    try:
        return options.run(options)
    except TfpeError as error:
        error.args = (spoken(str(error), options.parser.words()), *error.args[1:])
        raise


class _Parser(Parser):
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
    groups = (keys, folder_commands, pack_commands, dataset_commands)
    for group in (
        *groups,
        predict_command,
        listings,
        attacks,
        evaluations,
        reports,
        bench_command,
    ):
        group.register(commands)
    return parser
