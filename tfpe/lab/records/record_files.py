"""Records in files: one readable JSON document each, written whole or not at all."""

import json
import re
from pathlib import Path

from tfpe.errors import RecordError
from tfpe.lab.records.kinds import typed
from tfpe.lab.records.machine import environment
from tfpe.lab.records.record import Record
from tfpe.storage.atomic import can_be_written, write_file

FORMAT = 1
FIELDS = {"kind": str, "format": int, "settings": dict, "results": dict}


def write_record(path, record, overwrite=False):
    """Writes a record to a file, whole or not at all.

    Args:
        path: the file, by custom `results/KIND-....json`.
        record: a dict with at least `kind`, `settings` and `results`; of a kind of
            `KINDS` it holds what that kind says. `format` and `environment` are added
            where they are missing. NumPy numbers and arrays are taken; NaN, infinities,
            bytes and keys are not.
        overwrite: replace also a record of another kind or other settings. A record
            of the same settings is always replaced: it is measured again.

    Returns:
        The record as it is in the file.

    Raises:
        RecordError: the record is not valid, or another one would be lost.
        OutputError: the file cannot be written; what was there is still there.

    Example:

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name, "demo-le.json")
    >>> record = {"kind": "demo", "settings": {"cipher": "le"}, "results": {"ms": 1.5}}
    >>> write_record(path, record)["format"]
    1
    >>> read_record(path)["results"]
    {'ms': 1.5}
    >>> folder.cleanup()
    """
    path = Path(path)
    if not isinstance(record, dict):
        raise RecordError(
            f"`record` should be a dict. Received: {type(record).__name__}"
        )
    record = {"format": FORMAT, **record}
    if "environment" not in record:
        record["environment"] = environment()
    text = _encode(record)
    record = _checked(json.loads(text), "`record`")
    typed(record, "`record`")  # what no table could read is not written
    check_replaceable(path, record["kind"], record["settings"], overwrite)
    write_file(path, text.encode())
    return record


def check_replaceable(path, kind, settings, overwrite=False):
    """Refuses to lose a record of other settings; ask before a long measurement.

    Args:
        path: where the record will be written.
        kind: of the record.
        settings: of the record, a dict.
        overwrite: whether another record, or a damaged one, may be lost.

    Raises:
        RecordError: `path` holds something else than a record of `kind` and
            `settings`, or is no place for one: keys, pictures and receipts lie beside
            records, and none of them is to be overwritten.
    """
    if Path(path).suffix != ".json" or Path(path).name.endswith(".receipt.json"):
        raise RecordError(
            f"A record should be a .json file, and no receipt. Received: {path}"
        )
    if not can_be_written(path):
        raise RecordError(
            f"A record should go where a file can be written. Received: {path}"
        )
    if not Path(path).exists():
        return
    if overwrite:
        return _refuse_what_is_no_record(path)
    there, settings = read_record(path), json.loads(_encode(settings))
    different = different_names(there["settings"], settings)
    if there["kind"] != kind:
        different.insert(0, "kind")
    if different:
        raise RecordError(
            f"{path} should hold a record of the same settings. Received: one that "
            f"differs in {different}; move it away, or write to another place"
        )


def _refuse_what_is_no_record(path):
    """Raises where JSON of something else, a manifest say, would be lost."""
    try:
        there = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return  # a damaged record, or none that can be read: it may be lost
    if not isinstance(there, dict) or "kind" not in there:
        raise RecordError(
            f"{path} should hold a record, or nothing. Received: another file; write "
            "to another place"
        )


def different_names(there, wanted):
    """The names under which two dicts hold different values, sorted; none is None.

    Example:

    >>> different_names({"seed": 0, "epochs": 3}, {"seed": 1, "epochs": 3})
    ['seed']
    """
    names = sorted({*there, *wanted})
    return [name for name in names if there.get(name) != wanted.get(name)]


def read_record(path):
    """The record in a file.

    Raises:
        RecordError: missing, damaged, of another format, or no record.
    """
    try:
        record = json.loads(
            Path(path).read_text(encoding="utf-8"), parse_constant=_refuse_constant
        )
        json.dumps(record, ensure_ascii=False).encode()  # escapes of half characters
    except OSError as error:
        raise RecordError(f"Cannot read record {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise RecordError(f"Record {path} is damaged: {error}") from error
    return _checked(record, f"Record {path}")


def read_records(folder, kind=None, **settings):
    """All records in a folder and below, in the order of their paths.

    Args:
        folder: holds no other JSON files; one that is not there holds no records.
        kind: take only records of this kind.
        settings: take only records whose settings have these values.

    Raises:
        RecordError: a JSON file there is damaged or no record.
    """
    records = [read_record(path) for path in sorted(Path(folder).rglob("*.json"))]
    return [
        record
        for record in records
        if kind in (None, record["kind"]) and has_settings(record, settings)
    ]


def load_records(folder):
    """All records in a folder and below, each as the dataclass of its kind.

    Args:
        folder: as of `read_records`.

    Raises:
        RecordError: a JSON file there is damaged, no record, or one that lacks what
            its kind has.
    """
    paths = sorted(Path(folder).rglob("*.json"))
    return [typed(read_record(path), f"Record {path}") for path in paths]


def has_settings(record, wanted):
    """Whether the settings of a record have the values of the dict `wanted`.

    Args:
        record: a document, or typed.
        wanted: a dict.
    """
    is_typed = isinstance(record, Record)
    settings = record.settings.stated if is_typed else record["settings"]
    return all(settings.get(name) == value for name, value in wanted.items())


def _checked(record, where):
    if not isinstance(record, dict):
        raise RecordError(f"{where} should be a JSON object. Received: another value")
    for name, kind in FIELDS.items():
        if type(record.get(name)) is not kind:
            raise RecordError(
                f"{where} should have `{name}`, a {kind.__name__}. "
                f"Received: fields {sorted(record)}"
            )
    if record["format"] != FORMAT:
        raise RecordError(
            f"{where} should have format {FORMAT}. Received: {record['format']}"
        )
    return record


def _encode(record):
    try:
        text = json.dumps(
            record,
            indent=2,
            sort_keys=True,
            allow_nan=False,
            ensure_ascii=False,
            default=_plain,
        )
        text.encode()
    except (TypeError, ValueError) as error:
        raise RecordError(
            "`record` should hold finite numbers, strings, lists and dicts with "
            f"string keys. Received: {error}"
        ) from error
    # Rows of numbers, as in a confusion matrix, stay on one line.
    rows = re.compile(r"\[\n\s+([^\[\]{}\"]*?)\n\s*\]")
    return rows.sub(lambda row: f"[{' '.join(row[1].split())}]", text) + "\n"


def _plain(value):
    """NumPy numbers and arrays as Python's; nothing else."""
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a {type(value).__name__}")


def _refuse_constant(name):
    raise ValueError(f"it holds {name}")
