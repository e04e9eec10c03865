"""JSON as frozen dataclasses: what a field's annotation says is checked there, once."""

import dataclasses
import functools
import types
import typing

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


def read(kind, value, where):
    """`value`, out of JSON, as an object of `kind`.

    Args:
        kind: a dataclass, or what its fields are annotated with: str, int, float, bool,
            object (anything), `list[X]`, `dict[str, X]`, `Literal[...]`, `X | None`.
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
    if origin is types.UnionType:
        [kind] = [one for one in arguments if one is not types.NoneType]
        return None if value is None else read(kind, value, where)
    if origin is typing.Literal:
        if value not in arguments:
            _refuse(where, f"one of {arguments}", value)
        return value
    plain = origin or kind
    if type(value) is not plain and not (kind is float and type(value) is int):
        _refuse(where, WORDS[plain], value)
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
    annotations = typing.get_type_hints(kind)
    absent = dataclasses.MISSING
    return [
        (f.name, annotations[f.name], f.default is f.default_factory is absent)
        for f in dataclasses.fields(kind)
    ]


def _refuse(where, expected, value):
    shown = repr(value)
    shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
    raise RecordError(f"{where} should be {expected}. Received: {shown}")
