"""Records: what was measured, on what, as one readable JSON file each.

Every table and report of this project is rendered from records, so that no figure is
ever copied by hand. A document holds

    kind          what was measured, a name of `KINDS`
    settings      what was asked for: data set, recipe, cipher, seed, key fingerprint
    results       what came out; accuracies are fractions, times are in seconds
    environment   versions and machine, see `environment`
    format        version of this layout

and a frozen dataclass for each kind says what settings and results of it hold. Commands
write documents and are refused those that their kind does not know; tables and pages
read dataclasses, checked once, where a file is read. What an older record does not say
has the default of its field.
"""

from tfpe.lab.records.kinds import KINDS, of_kind, typed
from tfpe.lab.records.machine import environment
from tfpe.lab.records.record import newest
from tfpe.lab.records.record_files import (
    check_replaceable,
    different_names,
    has_settings,
    load_records,
    read_record,
    read_records,
    write_record,
)

__all__ = [
    "KINDS",
    "check_replaceable",
    "different_names",
    "environment",
    "has_settings",
    "load_records",
    "newest",
    "of_kind",
    "read_record",
    "read_records",
    "typed",
    "write_record",
]
