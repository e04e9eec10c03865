"""The page: records in, HTML out."""

import base64
import hashlib
from importlib import resources

from tfpe import __version__
from tfpe.errors import RecordError
from tfpe.lab.errata import errata_tables
from tfpe.lab.page.cards import cipher_cards
from tfpe.lab.page.conditions_section import conditions_table, missing
from tfpe.lab.page.curves_section import evidence_curves, training_curves
from tfpe.lab.records import load_records, typed
from tfpe.lab.tables.accuracy import training_tables
from tfpe.lab.tables.scorecard_table import attacks_tables, scorecard_tables
from tfpe.storage.atomic import write_file

POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src '{}'; "
    "base-uri 'none'; form-action 'none'"
)


def write_report(path, folders):
    """Writes the page of the records in folders.

    Args:
        path: of the HTML file; what is there is replaced by a whole page or not at all.
        folders: of records, as `tfpe.lab.records.load_records` takes.

    Returns:
        The records that it shows, a list of typed ones.

    Raises:
        RecordError: there are no records, one is damaged, or one lacks what the page
            shows.
        ImageFileError, OutputError: `path` cannot be written.
    """
    first, *others = (load_records(folder) for folder in folders)
    records = [record for found in (first, *others) for record in found]
    if not records:
        raise RecordError(
            "`records` should hold records, such as `python -m training compare --out "
            f"results` makes. Received: none in {', '.join(map(str, folders))}"
        )
    write_file(path, render_report(records, first if others else ()).encode())
    return records


def render_report(records, first=()):
    """The page as text.

    Args:
        records: a list of records of all kinds, documents or typed; none are a page,
            too.
        first: those of `records` whose training stands at the top, such as what was
            just trained beside older results.

    Raises:
        RecordError: a record lacks what the page shows, or holds what is no picture.

    Example:

    >>> page = render_report([])
    >>> page.startswith("<!doctype html>"), "No records" in page
    (True, True)
    """
    records, first = list(map(typed, records)), list(map(typed, first))
    later = [record for record in records if record not in first]
    return _render(
        records=records,
        version=__version__,
        trained=training_tables(first),
        trained_curves=training_curves(first),
        scorecard=scorecard_tables(records),
        others=attacks_tables(records)[1:],
        cards=cipher_cards(records),
        accuracy=training_tables(later),
        curves=[*evidence_curves(records), *training_curves(later)],
        conditions=conditions_table(records),
        errata=errata_tables(records),
        missing=missing(records),
    )


def _render(**shown):
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_text),
        # Records are data of others: whatever comes from them is text, never markup.
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = _text("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("page.html.jinja").render(
        style=_text("page.css"),
        script=script,
        # The browser itself refuses any other script, and every request.
        policy=POLICY.format(f"sha256-{digest}"),
        **shown,
    )


def _text(name):
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
