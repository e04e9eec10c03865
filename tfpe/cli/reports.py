"""`tfpe report`: one page from records."""

import json
import os

from tfpe.cli.common import add_command
from tfpe.cli.packages import require
from tfpe.cli.terminal import note
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


def report(options):
    """Renders records as a page: scorecard, pictures, curves, security cards."""
    require("jinja2", "matplotlib", "PIL")
    from tfpe.lab.page import write_report
    from tfpe.lab.page.scorecard_section import scorecard_json

    if not options.output.lower().endswith((".html", ".htm")):
        # Whatever has that name is replaced: a record must not be.
        raise TfpeError(
            f"`OUT.html` should end in .html or .htm. Received: {options.output}"
        )
    for folder in options.records or ():
        if not os.path.isdir(folder):
            raise RecordError(f"`--records` should be a folder. Received: {folder}")
    folders = options.records or [DEFAULT_RECORDS]
    records = write_report(options.output, folders)
    if options.json:
        print(json.dumps(scorecard_json(records), indent=2))
    where = ", ".join(folders)
    note(f"Report of {len(records)} records in {where}: {options.output}")
