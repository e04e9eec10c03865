"""The table of the ciphers in the layer on a device, beside a copy of the bytes."""

import math

from tfpe.lab.measuring_conditions import machine
from tfpe.lab.records import of_kind
from tfpe.lab.records.speed_records import CipherThroughput
from tfpe.lab.table import Cell, Table, number

NOTE = (
    "Of a copy: how many times as fast as a program that reads each byte, flips a bit "
    "of it and writes it, in the same round; median and quartiles. What changes "
    "nothing, as identity, may be faster. orthogonal is a product with a matrix, and "
    "writes four bytes for each that it reads."
)


def device_speed_tables(records):
    """A `Table` for each record of the ciphers in the layer on a device."""
    return [_table(record) for record in of_kind(records, CipherThroughput)]


def _table(record):
    settings = record.settings
    size = " x ".join(map(str, settings.image_shape))
    gigabytes = math.prod(settings.image_shape) / 1e9
    columns = {
        "cipher": lambda row: Cell(row.cipher, tone="code"),
        "images/s": lambda row: number(row.images_per_second, "{:,.0f}"),
        "GB/s": lambda row: number(row.images_per_second * gigabytes, "{:,.1f}"),
        "of a copy (quartiles)": _to_copy,
    }
    conditions = (
        f"Encryption in the layer, {settings.images:,} images of {size} a call, which "
        f"lie on the device before and after; median of {settings.repeats} rounds of "
        f"{settings.calls} calls, in turn with the copy; {machine([record])}."
    )
    title = f"Ciphers in the layer, {settings.backend}"
    return Table.of(title, record.results.rows, columns, [f"{conditions} {NOTE}"])


def _to_copy(row):
    low, high = row.to_copy_range
    return Cell(f"{row.to_copy:.2f} ({low:.2f} to {high:.2f})", row.to_copy)
