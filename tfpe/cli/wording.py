"""Messages of the library, in the words of the command line.

The library's messages name arguments as Python has them: `src`, `hide_names=...`,
force=True. Where a command has an argument for that name, its flag or its word in the
usage (IN, OUT) is said instead; other names stay.
"""

import argparse
import collections
import re

# Names of arguments in the library whose commands name them otherwise.
LIBRARY_NAMES = {
    "src": "input",
    "dst": "output",
    "out": "output",
    "path": "source",
    "key_file": "key",
}
# Of the command that wrote what another one reads.
ELSEWHERE = {"hide_names": "--hide-names", "hide_labels": "--hide-labels"}
SHOWN = 3  # names in a line that is about several images
NAMED = re.compile(
    r"`(?P<quoted>[a-z_]+)(?:=(?P<value>\w+))?`"
    r"|(?P<received>\bReceived: )(?P<given>[a-z_]+)="
    r"|(?<![`\w])(?P<switch>[a-z_]+)=True\b"
)


class Parser(argparse.ArgumentParser):
    """A parser that tells, as `options.parser`, which command was parsed."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.set_defaults(parser=self)

    def words(self):
        """Name of an argument in Python -> what the command line calls it, a dict."""
        said = collections.defaultdict(list)  # two flags may set one argument
        for action in self._actions:
            flags = action.option_strings
            word = max(flags, key=_preference) if flags else action.metavar
            said[action.dest].append(word or action.dest)
        words = ELSEWHERE | {dest: " or ".join(found) for dest, found in said.items()}
        words |= {
            name: words[dest]
            for name, dest in LIBRARY_NAMES.items()
            if name not in words and dest in words
        }
        if "option" in words:
            from tfpe.ciphers import CIPHERS

            names = {name for row in CIPHERS.values() for name in row.defaults}
            words |= {n: f"--option {n}" for n in names if n not in words}
        return words


def spoken(message, words):
    """A message of the library in the words of a command.

    Args:
        message: text.
        words: as of `Parser.words`.

    Example:

    >>> words = {"src": "IN", "force": "--force", "block_size": "--option block_size"}
    >>> spoken("`src` should hold images; force=True replaces `other`", words)
    'IN should hold images; --force replaces `other`'
    >>> spoken("`block_size` should be 4. Received: block_size=5", words)
    '--option block_size should be 4. Received: --option block_size=5'
    """

    def word(match):
        found = match.groupdict()
        name = found["quoted"] or found["given"] or found["switch"]
        if name not in words:
            return match[0]
        said = words[name]
        if found["given"]:
            return found["received"] + f"{said}=" * said.startswith("--option ")
        if said.startswith("--option ") and (found["value"] or found["switch"]):
            return f"{said}={found['value'] or 'true'}"
        return said

    return NAMED.sub(word, message)


def failures(failed, words):
    """Lines about images that failed: one for each message, not one for each image.

    Args:
        failed: (path, message) pairs.
        words: as of `Parser.words`.

    Example:

    >>> failures([(f"{n}.png", "It is empty") for n in range(9)], {})
    ['0.png, 1.png, 2.png and 6 more: It is empty']
    """
    paths = collections.defaultdict(list)
    for path, message in failed:
        paths[spoken(message, words)].append(str(path))
    lines = []
    for message, found in paths.items():
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        lines.append(f"{', '.join(found[:SHOWN])}{more}: {message}")
    return lines


def _preference(flag):
    return flag.startswith("--"), flag == "--out"
