"""`tfpe report | tables | errata`: what is rendered from records."""

import json
import os

from tfpe.cli.common import add_command
from tfpe.cli.packages import require
from tfpe.cli.streams import note
from tfpe.errors import RecordError, TfpeError

DEFAULT_RECORDS = "results"
EXAMPLES = {
    "report": """\
examples:
  tfpe report report.html
  tfpe report report.html --records results --records more-results
  tfpe report report.html --json

One HTML file that needs no network, rendered from records such as
`python -m training compare` writes.
""",
    "tables": """\
examples:
  tfpe tables                      fills the marked tables of README.md and docs/ in
  tfpe tables --check              exits with 1 where they disagree
  tfpe tables docs/results.md      one file
""",
    "errata": """\
examples:
  tfpe errata
  tfpe errata --record results/errata-seed.json
""",
}


def register(commands):
    """Adds the commands of this file."""
    command = add_command(commands, report, EXAMPLES)
    command.add_argument("output", metavar="OUT.html")
    command.add_argument(
        "--records",
        action="append",
        metavar="DIR",
        help=f"folder of records; may be repeated; {DEFAULT_RECORDS}",
    )
    command.add_argument("--json", action="store_true", help="the scorecard as JSON")

    command = add_command(commands, tables, EXAMPLES)
    command.add_argument(
        "files", nargs="*", metavar="FILE.md", help="README.md and those below docs"
    )
    command.add_argument(
        "--records",
        metavar="DIR",
        help="default: results beside the file, or beside a folder that holds it",
    )
    command.add_argument(
        "--check", action="store_true", help="write nothing; 1 where tables disagree"
    )

    command = add_command(commands, errata, EXAMPLES)
    command.add_argument("--record", metavar="FILE", help="write a record there")
    command.add_argument("--overwrite", action="store_true")
    command.add_argument("--json", action="store_true", help="print the record")


def report(options):
    """Renders records as a page: scorecard, pictures, curves, security cards."""
    require("jinja2", "matplotlib", "PIL")
    from tfpe.lab.page import write_report
    from tfpe.lab.tables.scorecard_table import scorecard_json

    if not options.output.lower().endswith((".html", ".htm")):
        # Whatever has that name is replaced: a record must not be.
        raise TfpeError(
            f"`OUT.html` should end in .html or .htm. Received: {options.output}"
        )
    _check_folders(options.records or ())
    folders = options.records or [DEFAULT_RECORDS]
    records = write_report(options.output, folders)
    if options.json:
        print(json.dumps(scorecard_json(records), indent=2))
    where = ", ".join(folders)
    note(f"Report of {len(records)} records in {where}: {options.output}")


def _check_folders(folders):
    """Raises where a folder is not there: its name may be mistyped."""
    for folder in folders:
        if not os.path.isdir(folder):
            raise RecordError(f"`--records` should be a folder. Received: {folder}")


def tables(options):
    """Renders the marked tables of Markdown files from records."""
    from pathlib import Path

    from tfpe.lab.tables.rendering import records_beside, render_file

    paths = list(map(Path, options.files))
    paths = paths or [Path("README.md"), *sorted(Path("docs").rglob("*.md"))]
    _check_folders([options.records] if options.records else [])
    verb = "disagree with" if options.check else "rendered from"
    differ = False
    for path in paths:
        folder = Path(options.records) if options.records else records_beside(path)
        changed = render_file(path, folder, check=options.check)
        differ |= bool(changed)
        for table in changed:
            note(f"{path}: table {table}: {verb} {folder}")
    return 1 if differ and options.check else 0


def errata(options):
    """Measures again what the paper of the logistic cipher prints."""
    from tfpe.lab.errata import errata_tables, measure_errata
    from tfpe.lab.records import environment, typed, write_record
    from tfpe.lab.terminal import print_table

    require(*([] if options.json else ["rich"]))
    record = measure_errata() | {"environment": environment()}
    if options.record:
        record = write_record(options.record, record, options.overwrite)
    if options.json:
        print(json.dumps(record, indent=2))
    else:
        for table in errata_tables([typed(record)]):
            print_table(table)
