"""JSON as frozen dataclasses: what a field's annotation says is checked there, once."""

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Callable

from tfpe.errors import RecordError, TfpeError

STATED = "stated"  # a field of this name holds the whole object as it is in the file
WORDS = {
    dict: "an object",
    list: "a list",
    str: "text",
    float: "a number",
    int: "a whole number",
    bool: "true or false",
}


@dataclasses.dataclass(frozen=True)
class Bound:
    """What a field's values hold beside their type, in `Annotated[type, Bound]`."""

    words: str
    holds: Callable


Share = typing.Annotated[float, Bound("from 0 to 1", lambda share: 0 <= share <= 1)]
Positive = typing.Annotated[float, Bound("above 0", lambda number: number > 0)]
Count = typing.Annotated[int, Bound("at least 1", lambda count: count >= 1)]
NotNegative = typing.Annotated[int, Bound("at least 0", lambda count: count >= 0)]
SOME = Bound("a list that is not empty", len)


def read(kind, value, where):
    """`value`, out of JSON, as an object of `kind`.

    Args:
        kind: a dataclass, or what its fields are annotated with: str, int, float, bool,
            object (anything), `list[X]`, `dict[str, X]`, `Literal[...]`, `X | None`,
            `tuple[X, X]` (a list of so many), `Annotated[X, Bound]`.
        value: what `json.loads` gave. Names that a dataclass does not have are passed
            over; those that are absent have its default.
        where: the name of `value` in messages.

    Raises:
        RecordError: a field is absent that has no default, or holds something else.

    Example:

    >>> @dataclasses.dataclass(frozen=True)
    ... class Epoch:
    ...     test_accuracy: float
    ...     epoch: int | None = None
    >>> read(Epoch, {"test_accuracy": 0.5}, "last")
    Epoch(test_accuracy=0.5, epoch=None)
    >>> read(Epoch, {"test_accuracy": "high"}, "last")
    Traceback (most recent call last):
    tfpe.errors.RecordError: last.test_accuracy should be a number. Received: 'high'
    """
    if kind is object:
        return value
    if dataclasses.is_dataclass(kind):
        return _read_fields(kind, value, where)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        kind, bound = arguments
        found = read(kind, value, where)
        if not bound.holds(found):
            _refuse(where, bound.words, value)
        return found
    if origin in (types.UnionType, typing.Union):
        [kind] = [one for one in arguments if one is not types.NoneType]
        return None if value is None else read(kind, value, where)
    if origin is typing.Literal:
        if value not in arguments:
            _refuse(where, f"one of {arguments}", value)
        return value
    if origin is tuple:
        if type(value) is not list or len(value) != len(arguments):
            _refuse(where, f"a list of {len(arguments)}", value)
        return tuple(read(k, v, where) for k, v in zip(arguments, value, strict=True))
    plain = origin or kind
    if type(value) is not plain and not (kind is float and type(value) is int):
        _refuse(where, WORDS[plain], value)
    if plain in (int, float) and not _is_finite(value):
        _refuse(where, f"{WORDS[plain]} that is finite", value)
    if plain is list:
        [kind] = arguments
        return [read(kind, one, f"{where}[{n}]") for n, one in enumerate(value)]
    if plain is dict:
        _, kind = arguments
        return {k: read(kind, one, f"{where}.{k}") for k, one in value.items()}
    return value


def _read_fields(kind, value, where):
    if type(value) is not dict:
        _refuse(where, WORDS[dict], value)
    found = {}
    for name, annotation, needed in _fields(kind):
        if name == STATED:
            found[name] = value
        elif name in value:
            found[name] = read(annotation, value[name], f"{where}.{name}")
        elif needed:
            raise RecordError(
                f"{where} should have `{name}`. Received: fields {sorted(value)}"
            )
    try:
        return kind(**found)
    except RecordError:
        raise
    except TfpeError as error:
        raise RecordError(f"{where}: {error}") from error


@functools.cache
def _fields(kind):
    """Name, annotation and whether it has no default, of each field."""
    annotations = typing.get_type_hints(kind, include_extras=True)
    absent = dataclasses.MISSING
    return [
        (f.name, annotations[f.name], f.default is f.default_factory is absent)
        for f in dataclasses.fields(kind)
    ]


def _is_finite(number):
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number of hundreds of digits
        return False


def _refuse(where, expected, value):
    shown = repr(value)
    shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
    raise RecordError(f"{where} should be {expected}. Received: {shown}")
