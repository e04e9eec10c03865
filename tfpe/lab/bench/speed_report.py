"""Records of speed as tables and as a figure."""

import math
import statistics

from tfpe.lab.bench.baselines import AES, FIELD
from tfpe.lab.bench.rows import unpack
from tfpe.lab.bench.waits_report import waits_tables
from tfpe.lab.figures import save_figure
from tfpe.lab.measuring_conditions import grouped
from tfpe.lab.records import of_kind
from tfpe.lab.records.speed_records import Bench, DatasetBench
from tfpe.lab.table import NONE, Cell, Table, number

SHOWN = ("NumPy", "TF graph", "XLA", "JAX", "Keras layer", "tf.data batched")
ALL_RUNNERS = (*SHOWN, "tf.data unbatched")
README_SIZE = "2048x32x32x3"
LOOP = "a plain loop"
README_RUNNERS = ("NumPy", "XLA", "JAX")


def gigabytes_per_second(row):
    """Throughput of an unpacked row: bytes over the median of seconds, in GB/s."""
    return math.prod(map(int, row["size"].split("x"))) / row["median"] / 1e9


def bench_tables(record):
    """The parts of a record of `tfpe bench`, a `Table` for each."""
    results = record.results
    for part, where in (("throughput", "all cores"), ("one_core", "one core")):
        rows = unpack(getattr(results, part) or {})
        for own in grouped(rows, lambda row: (row["size"], row["direction"])):
            title = f"{own[0]['size']}, {own[0]['direction']}, {where}"
            yield _throughput_table(title, own)
    if results.setup:
        columns = {
            "cipher": lambda row: row.cipher,
            "size": lambda row: str(row.size),
            "seconds": lambda row: number(row.median, "{:.4f}"),
            "peak MB": lambda row: number(row.setup_bytes / 1e6, "{:.1f}"),
            "peak MB to encrypt one": lambda r: number(r.apply_bytes / 1e6, "{:.1f}"),
        }
        yield Table.of("Key set-up", results.setup, columns)
    if results.pipelines:
        columns = {
            "cipher": lambda row: row.cipher,
            "source": lambda row: row.source,
            "images/s": lambda row: number(row.images_per_second, "{:,.0f}"),
            "throughput kept": lambda row: number(row.kept.median, "{:.0%}"),
            "quartiles": lambda row: f"{row.kept.low:.0%} to {row.kept.high:.0%}",
        }
        yield Table.of("tf.data, batches of 256", results.pipelines, columns)
    if results.step:
        columns = {
            "cipher": lambda row: row.cipher,
            "layer, ms": lambda row: number(1000 * row.layer_seconds, "{:.2f}"),
            "share of a step of PyramidNet-20": lambda r: number(r.share, "{:.2%}"),
        }
        yield Table.of("Training step, batches of 128", results.step, columns)
    yield from waits_tables(results)


def _throughput_table(title, rows):
    """One size and direction: ciphers by runner, and what they are compared with."""
    ciphers = grouped([row for row in rows if row["cipher"]], lambda r: r["cipher"])
    header = ["cipher", *(n.replace("unbatched", "single") for n in ALL_RUNNERS)]
    cells = []
    for own in ciphers:
        by_runner = {row["runner"]: row for row in own}
        speeds = (_speed(by_runner.get(name)) for name in ALL_RUNNERS)
        cells.append([Cell(own[0]["cipher"]), *speeds])
    for row in rows:
        if row["cipher"] is None:
            speed = number(gigabytes_per_second(row), "{:.2f}")
            blank = [Cell("")] * (len(ALL_RUNNERS) - 1)
            cells.append([Cell(row["runner"]), speed, *blank])
    return Table(f"{title}: GB/s (times AES on one core)", header, cells)


def speed_tables(records):
    """README's table, for each full record: ratios to AES and to the field's code."""
    tables = []
    for record in of_kind(records, Bench):
        rows = unpack(record.results.throughput or {})
        rows = [
            row
            for row in rows
            if (row["size"], row["direction"]) == (README_SIZE, "encrypt")
        ]
        if rows and not record.settings.quick:
            tables.append(_speed_table(record, rows))
    return tables


def _speed_table(record, rows):
    results, where, settings = record.results, record.environment, record.settings
    speeds = {(row["cipher"], row["runner"]): row for row in rows}
    kept = {(row.cipher, row.source): row.kept for row in results.pipelines or ()}
    shares = {row.cipher: row.share for row in results.step or ()}
    setup = {row.cipher: row.median for row in results.setup or () if row.size == 224}
    columns = {"cipher": lambda name: Cell(name, tone="code")}
    for runner in README_RUNNERS:
        columns[f"{runner}, GB/s"] = lambda name, runner=runner: _speed(
            speeds.get((name, runner))
        )
    for source in dict.fromkeys(source for _, source in kept):
        columns[f"tf.data from {source}, kept"] = lambda name, source=source: number(
            (share := kept.get((name, source))) and share.median, "{:.0%}"
        )
    if shares:
        columns["of a training step"] = lambda n: number(shares.get(n), "{:.2%}")
    if setup:
        columns["set-up at 224 x 224, ms"] = lambda name: number(
            (seconds := setup.get(name)) and 1000 * seconds, "{:.1f}"
        )
    beside = ", ".join(
        f"{row['runner']} {gigabytes_per_second(row):.2f}"
        for row in rows
        if row["cipher"] is None
    )
    note = (
        f"Encryption of batches of {README_SIZE} on {settings.cores} core(s) of "
        f"{where.cpu} (NumPy: one), no GPU; {where.date[:10]}, tfpe "
        f"{where.tfpe}; in brackets times as fast as AES-256-CTR (OpenSSL) on "
        "one core in the same rounds. Kept: share of the throughput of the same "
        "pipeline without a cipher, in batches of 256. Training step: the layer's "
        f"share on a PyramidNet-20, batch 128. Beside them, GB/s: {beside}."
    )
    return Table.of("Speed of encryption", settings.ciphers, columns, [note])


def _speed(row):
    if row is None:
        return Cell(NONE)
    speed = gigabytes_per_second(row)
    ratio = row["ratios"].get(AES)
    text = f"{speed:.2f}" + (f" ({ratio['median']:.2f}x)" if ratio else "")
    return Cell(text, speed)


def dataset_tables(records):
    """A `Table` for each record of `tfpe.lab.bench.datasets.run_dataset_bench`."""
    return [_dataset_table(record) for record in of_kind(records, DatasetBench)]


def _dataset_table(record):
    runs, where = record.results.runs, record.environment
    ways = grouped(runs, lambda run: run.way)
    loop = next((way for way in ways if way[0].engine == LOOP), None)
    columns = {
        "cipher": lambda way: (
            NONE
            if way[0].engine == LOOP
            else f"`{way[0].cipher}`" + ", a key for each image" * way[0].per_image
        ),
        "engine": lambda way: (
            f"Beam, {way[0].workers} worker(s)" if way[0].workers else way[0].engine
        ),
        "images/s": lambda way: number(_rate(way), "{:,.0f}"),
    }
    if loop:
        columns["of the plain loop"] = lambda way: _paired(way, loop)
    columns["peak MB"] = lambda way: number(
        max(run.peak_bytes for run in way) / 1e6, "{:,.0f}"
    )
    said = (
        " The plain loop reads with TFDS, encodes PNG in tf.data and writes examples; "
        "in brackets the lowest and the highest ratio of a round."
    )
    note = (
        f"All {runs[0].images:,} images of {record.settings.source}, TFDS in but where "
        f"it says otherwise, TFDS out, imports aside; median of {len(ways[0])} "
        f"round(s).{said * bool(loop)} Peak is the resident memory of the largest "
        f"process; {where.cpu}, {where.cores} cores; tfpe {where.tfpe}, "
        f"{where.date[:10]}."
    )
    return Table.of("Encryption of a whole data set", ways, columns, [note])


def _paired(way, loop):
    """How many times as fast as the loop of the same round."""
    ratios = [_rate([a]) / _rate([b]) for a, b in zip(way, loop, strict=False)]
    middle = statistics.median(ratios)
    text = f"{middle:.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    return Cell(text if way is not loop else "1", middle)


def _rate(runs):
    """Images a second, the median of repeated runs."""
    return statistics.median(run.images / run.seconds for run in runs)


def draw_speed(record, path):
    """Draws how fast ciphers are by the size of the batch, below their ceilings.

    Two panels: GB/s of each cipher through XLA, and in NumPy, over the bytes of a
    call, where fixed costs of a call fade; copy, AES and the field's code as lines.

    Args:
        record: a typed record of `tfpe.lab.bench.run_bench`, with throughput.
        path: of the PNG file to write.
    """
    from matplotlib.figure import Figure

    rows = unpack(record.results.throughput or {})
    rows = [row for row in rows if row["direction"] == "encrypt"]
    sizes = list(dict.fromkeys(row["size"] for row in rows))
    sizes.sort(key=lambda size: math.prod(map(int, size.split("x"))))
    figure = Figure(figsize=(10, 5), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, runner in zip(panels, ("XLA", "NumPy"), strict=True):
        lines = [(name, name, runner) for name in record.settings.ciphers]
        styles = ["o-"] * len(lines)
        lines += [(name, None, name) for name in ("copy", AES, FIELD)]
        styles += ["k-", "k--", "k:"]
        for (label, cipher, of), style in zip(lines, styles, strict=True):
            found = {
                row["size"]: gigabytes_per_second(row)
                for row in rows
                if (row["cipher"], row["runner"]) == (cipher, of)
            }
            places = [place for place, size in enumerate(sizes) if size in found]
            heights = [found[sizes[place]] for place in places]
            axes.plot(places, heights, style, label=label, alpha=0.8, ms=4)
        axes.set_yscale("log")
        axes.set_xticks(range(len(sizes)), sizes, rotation=15)
        cores = record.settings.cores if runner == "XLA" else 1
        axes.set_title(f"{runner}, {cores} core(s)")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("GB/s, encryption")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=8, ncols=5, loc="outside lower center")
    save_figure(figure, path, dpi=120)
