"""Records of `tfpe bench` as a table in the terminal, in Markdown and as a figure."""

from tfpe.accuracy_tables import markdown
from tfpe.bench.baselines import AES, AES_ALL_CORES, FIELD

SHOWN = ("NumPy", "TF graph", "XLA", "JAX", "Keras layer", "tf.data batched")
README_SIZE = "2048x32x32x3"
README_RUNNERS = ("NumPy", "XLA", "JAX", "tf.data batched")
BASELINES = ("copy", "NumPy xor", AES, AES_ALL_CORES, "ChaCha20", FIELD)


def gigabytes_per_second(row):
    """Throughput of a row of a record: bytes over the median of seconds, in GB/s."""
    return row["bytes"] / row["median"] / 1e9


def rich_tables(record):
    """The record as `rich` tables, one for each size and direction."""
    from rich.table import Table

    for size in record["settings"]["sizes"]:
        for direction in ("encrypt", "decrypt"):
            rows = _rows(record, size, direction)
            title = f"{size}, {direction}: GB/s (times as fast as AES on one core)"
            table = Table("cipher", *SHOWN, "tf.data unbatched", title=title)
            for name in record["settings"]["ciphers"]:
                own = {row["runner"]: row for row in rows if row["cipher"] == name}
                cells = [_cell(own.get(r)) for r in (*SHOWN, "tf.data unbatched")]
                table.add_row(name, *cells)
            for name in BASELINES:
                if any(row["runner"] == name for row in rows):
                    table.add_row(name, f"{_baseline(rows, name):.2f} GB/s")
            yield table
    table = Table("cipher", "size", "seconds", "peak MB", title="Key set-up")
    for row in record["results"]["setup"]:
        size, peak = str(row["size"]), f"{row['peak_bytes'] / 1e6:.1f}"
        table.add_row(row["cipher"], size, f"{row['median']:.4f}", peak)
    yield table
    table = Table("cipher", "source", "throughput kept", title="tf.data, batch 256")
    for row in record["results"]["pipelines"]:
        table.add_row(row["cipher"], row["source"], f"{row['kept']['median']:.0%}")
    yield table
    table = Table("cipher", "layer, ms", "share of a step", title="Training step")
    for row in record["results"]["step"]:
        milliseconds = f"{1000 * row['layer_seconds']:.2f}"
        table.add_row(row["cipher"], milliseconds, f"{row['share']:.2%}")
    if table.row_count:
        yield table


def speed_table(records):
    """README's table: GB/s at 2048 x 32 x 32 x 3, and ratios to AES on one core."""
    lines = []
    for record in records:
        rows = _rows(record, README_SIZE, "encrypt") if _is_bench(record) else []
        if not rows or record["settings"]["quick"]:
            continue
        header = ["cipher", *(f"{name}, GB/s" for name in README_RUNNERS)]
        body = []
        for name in record["settings"]["ciphers"]:
            own = {row["runner"]: row for row in rows if row["cipher"] == name}
            body.append([f"`{name}`", *(_cell(own.get(r)) for r in README_RUNNERS)])
        found = [name for name in BASELINES if any(r["runner"] == name for r in rows)]
        beside = ", ".join(f"{name} {_baseline(rows, name):.2f}" for name in found)
        where = record["environment"]
        cores = record["settings"]["cores"]
        lines += [
            markdown(header, body),
            "",
            f"Batches of {README_SIZE}, encrypted on {cores} core(s) of "
            f"{where['cpu']}, {where['date'][:10]}, tfpe {where['tfpe']}; in brackets "
            "times as fast as AES-256-CTR on one core in the same rounds. Beside them, "
            f"GB/s: {beside}.",
            "",
        ]
    return "\n".join(lines).rstrip()


def draw_speed(record, path, size=README_SIZE):
    """Draws throughput by cipher between its ceilings: memory copy and AES.

    Args:
        record: of `tfpe.bench.run_bench`.
        path: of the PNG file to write.
        size: one of the sizes of the record.
    """
    from matplotlib.figure import Figure

    rows = _rows(record, size, "encrypt")
    names = record["settings"]["ciphers"]
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / len(SHOWN)
    for place, runner in enumerate(SHOWN):
        own = {row["cipher"]: row for row in rows if row["runner"] == runner}
        heights = [gigabytes_per_second(own[n]) if n in own else 0 for n in names]
        left = [i + (place - (len(SHOWN) - 1) / 2) * width for i in range(len(names))]
        axes.bar(left, heights, width, label=runner)
    for name, style in (("copy", "-"), (AES, "--"), (FIELD, ":")):
        if any(row["runner"] == name for row in rows):
            axes.axhline(_baseline(rows, name), color="black", ls=style, label=name)
    axes.set_yscale("log")
    axes.set_xticks(range(len(names)), names, rotation=20)
    axes.set_ylabel("GB/s")
    axes.set_title(f"Encryption of {size}, {record['settings']['cores']} core(s)")
    axes.legend(fontsize=7, ncols=3)
    figure.savefig(path, dpi=120)


def _is_bench(record):
    return record["kind"] == "bench" and "throughput" in record["results"]


def _rows(record, size, direction):
    return [
        row
        for row in record["results"]["throughput"]
        if (row["size"], row["direction"]) == (size, direction)
    ]


def _baseline(rows, name):
    """GB/s of a baseline: the median over the groups, which all measure it."""
    found = sorted(gigabytes_per_second(row) for row in rows if row["runner"] == name)
    return found[len(found) // 2]


def _cell(row):
    if row is None:
        return "–"
    text = f"{gigabytes_per_second(row):.2f}"
    ratio = row["ratios"].get(AES)
    return f"{text} ({ratio['median']:.2f}x)" if ratio else text
