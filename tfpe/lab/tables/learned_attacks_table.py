"""How good learned attacks are on pictures and keys that they did not learn from."""

from tfpe.lab.measuring_conditions import grouped, machine
from tfpe.lab.records import of_kind
from tfpe.lab.records.learned_records import LearnedAttack
from tfpe.lab.table import Table, number

NOTE = (
    "A key for each image. Scores of {scored} pictures that were held out of the "
    "training, under keys of their own; SSIM of the best constant picture, {constant}. "
    "{machine}."
)


def learned_attack_tables(records):
    """A `Table` for each set of pictures and machine, in a list."""
    found = [
        one for one in of_kind(records, LearnedAttack) if one.results.ssim is not None
    ]
    return list(map(_table, grouped(found, _conditions)))


def _conditions(record):
    environment = record.environment
    device = (*(environment.gpu or ()), environment.cpu, environment.cores)
    return record.settings.source, tuple(record.settings.image_shape), device


def _table(records):
    records = sorted(
        records,
        key=lambda r: (r.settings.place, r.settings.row_name, r.settings.attack),
    )
    columns = {
        "cipher": lambda r: r.settings.row_name,
        "attack": lambda r: r.settings.attack,
        "steps": lambda r: number(r.settings.steps, "{:,}"),
        "batch": lambda r: number(r.settings.batch_size, "{:,}"),
        "minutes": lambda r: number(r.results.minutes, "{:.0f}"),
        "SSIM": lambda r: number(r.results.ssim),
        "PSNR, dB": lambda r: number(r.results.psnr, "{:.1f}"),
        "LPIPS": lambda r: number(r.results.lpips),
    }
    if all(r.results.seconds is None for r in records):
        del columns["minutes"]
    scored = sorted({r.results.count for r in records})
    constants = {r.results.constant.ssim for r in records} - {None}
    note = NOTE.format(
        scored=" or ".join(map(str, scored)),
        constant=" or ".join(f"{value:.3f}" for value in sorted(constants)) or "none",
        machine=machine(records),
    )
    return Table.of(
        f"Learned attacks, {records[0].settings.source}", records, columns, [note]
    )
