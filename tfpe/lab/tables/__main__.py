"""Fills in or checks the tables of a file: `python -m tfpe.lab.tables README.md`."""

import argparse
import sys
from pathlib import Path

from tfpe.errors import RecordError, TfpeError
from tfpe.lab.records import read_records
from tfpe.lab.tables.rendering import render_tables
from tfpe.storage.atomic import write_file


def main(arguments=None):
    """Fills in or checks the tables of a file; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tfpe.lab.tables",
        description="Renders the marked tables of a Markdown file from records.",
    )
    parser.add_argument("file", type=Path, help="such as README.md")
    parser.add_argument(
        "--records", type=Path, metavar="DIR", help="default: results beside the file"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; 1 where tables disagree"
    )
    options = parser.parse_args(arguments)
    folder = options.records or options.file.parent / "results"
    try:
        text = _read(options.file)
        rendered, changed = render_tables(text, read_records(folder))
        if changed and not options.check:
            write_file(options.file, rendered.encode())
    except TfpeError as error:
        print(f"tfpe: error: {error}", file=sys.stderr)
        return 1
    verb = "disagree with" if options.check else "rendered from"
    for table in changed:
        print(f"{options.file}: table {table}: {verb} {folder}", file=sys.stderr)
    return 1 if changed and options.check else 0


def _read(path):
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise RecordError(f"Cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RecordError(f"Cannot read {path}: it is not UTF-8 text") from error


if __name__ == "__main__":
    sys.exit(main())
