"""The file of a learned attack: what it is for, and its weights. It holds no key."""

import io
import json
import pathlib
from zipfile import BadZipFile

import numpy as np

from tfpe.errors import AttackError
from tfpe.storage.atomic import write_file

FORMAT = 1
SUFFIX = ".attack"
SETTINGS = "settings"


def write_network(path, settings, arrays):
    """Writes settings and arrays; the same ones give the same bytes.

    Args:
        path: a file, which is whole whenever it is there.
        settings: a dict for JSON.
        arrays: a list of arrays.
    """
    text = json.dumps({"format": FORMAT} | settings, sort_keys=True)
    named = {f"{number:04d}": array for number, array in enumerate(arrays)}
    data = io.BytesIO()
    np.savez(data, **{SETTINGS: np.frombuffer(text.encode(), np.uint8)}, **named)
    write_file(path, data.getvalue())


def read_network(path):
    """What `write_network` wrote: `(settings, arrays)`.

    Raises:
        AttackError: there is no such file, or it is another one or damaged.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise AttackError(
            "A learned attack should be a file that `--train` wrote. "
            f"Received: {path}, which is none"
        )
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            settings = json.loads(file[SETTINGS].tobytes())
            arrays = [file[name] for name in sorted(set(file.files) - {SETTINGS})]
        known = settings["format"]
    except (EOFError, KeyError, OSError, TypeError, ValueError, BadZipFile) as error:
        raise AttackError(
            "A learned attack should be a file that `--train` wrote. "
            f"Received: {path}, which is another or damaged"
        ) from error
    if known != FORMAT:
        raise AttackError(
            f"{path} should be of format {FORMAT}. Received: format {known}; train it "
            "again"
        )
    return settings, arrays
