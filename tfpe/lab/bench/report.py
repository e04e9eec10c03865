"""Records of `tfpe bench` as tables in the terminal, in Markdown, and as a figure."""

import math

from tfpe.lab.bench.baselines import AES, AES_ALL_CORES, FIELD
from tfpe.lab.bench.rows import unpack
from tfpe.lab.figures import save_figure
from tfpe.lab.markdown import markdown

SHOWN = ("NumPy", "TF graph", "XLA", "JAX", "Keras layer", "tf.data batched")
ALL_RUNNERS = (*SHOWN, "tf.data unbatched")
README_SIZE = "2048x32x32x3"
README_RUNNERS = ("NumPy", "XLA", "JAX")
BASELINES = ("copy", "NumPy xor", AES, AES_ALL_CORES, "ChaCha20", FIELD)


def gigabytes_per_second(row):
    """Throughput of an unpacked row: bytes over the median of seconds, in GB/s."""
    return math.prod(map(int, row["size"].split("x"))) / row["median"] / 1e9


def rich_tables(record):
    """The parts of a record as `rich` tables."""
    from tfpe.lab.terminal import new_table

    results, names = record["results"], record["settings"]["ciphers"]
    for part, where in (("throughput", "all cores"), ("one_core", "one core")):
        rows = unpack(results.get(part, {}))
        for size, direction in dict.fromkeys((r["size"], r["direction"]) for r in rows):
            own = [r for r in rows if (r["size"], r["direction"]) == (size, direction)]
            title = f"{size}, {direction}, {where}: GB/s (times AES on one core)"
            table = new_table(
                title,
                "cipher",
                numbers=[n.replace("unbatched", "single") for n in ALL_RUNNERS],
            )
            for name in names:
                found = {row["runner"]: row for row in own if row["cipher"] == name}
                table.add_row(name, *(_cell(found.get(r)) for r in ALL_RUNNERS))
            for row in own:
                if row["cipher"] is None:
                    cell = f"{gigabytes_per_second(row):.2f}"
                    table.add_row(row["runner"], cell)
            yield table
    if setup := results.get("setup"):
        head = ("cipher", "size", "seconds", "peak MB", "peak MB to encrypt one")
        table = new_table("Key set-up", head[0], numbers=head[1:])
        for row in setup:
            peaks = (f"{row[n] / 1e6:.1f}" for n in ("setup_bytes", "apply_bytes"))
            seconds = f"{row['median']:.4f}"
            table.add_row(row["cipher"], str(row["size"]), seconds, *peaks)
        yield table
    if pipelines := results.get("pipelines"):
        head = ("cipher", "source", "images/s", "throughput kept", "quartiles")
        table = new_table("tf.data, batches of 256", head[0], numbers=head[1:])
        for row in pipelines:
            kept = row["kept"]
            cells = (f"{row['images_per_second']:,.0f}", f"{kept['median']:.0%}")
            spread = f"{kept['low']:.0%} to {kept['high']:.0%}"
            table.add_row(row["cipher"], row["source"], *cells, spread)
        yield table
    if step := results.get("step"):
        head = ("cipher", "layer, ms", "share of a step of PyramidNet-20")
        table = new_table("Training step, batches of 128", head[0], numbers=head[1:])
        for row in step:
            milliseconds = f"{1000 * row['layer_seconds']:.2f}"
            table.add_row(row["cipher"], milliseconds, f"{row['share']:.2%}")
        yield table


def speed_table(records):
    """README's table: one row a cipher, ratios to AES and to the field's NumPy code."""
    lines = []
    for record in records:
        rows = _rows(record, README_SIZE, "encrypt") if _is_bench(record) else []
        if not rows or record["settings"]["quick"]:
            continue
        results, where = record["results"], record["environment"]
        kept = {
            (row["cipher"], row["source"]): f"{row['kept']['median']:.0%}"
            for row in results.get("pipelines", [])
        }
        sources = dict.fromkeys(source for _, source in kept)
        setup = {
            row["cipher"]: f"{1000 * row['median']:.1f}"
            for row in results.get("setup", [])
            if row["size"] == 224
        }
        shares = {row["cipher"]: row["share"] for row in results.get("step", [])}
        header = ["cipher", *(f"{name}, GB/s" for name in README_RUNNERS)]
        header += [f"tf.data from {source}, kept" for source in sources]
        header += ["of a training step"] * bool(shares)
        header += ["set-up at 224 x 224, ms"] * bool(setup)
        body = []
        for name in record["settings"]["ciphers"]:
            own = {row["runner"]: row for row in rows if row["cipher"] == name}
            cells = [f"`{name}`", *(_cell(own.get(r)) for r in README_RUNNERS)]
            cells += [kept.get((name, source), "–") for source in sources]
            cells += [f"{shares[name]:.2%}"] if name in shares else []
            cells += [setup[name]] if name in setup else []
            body.append(cells)
        beside = ", ".join(
            f"{row['runner']} {gigabytes_per_second(row):.2f}"
            for row in rows
            if row["cipher"] is None
        )
        cores = record["settings"]["cores"]
        lines += [
            markdown(header, body),
            "",
            f"Encryption of batches of {README_SIZE} on {cores} core(s) of "
            f"{where['cpu']} (NumPy: one), no GPU; {where['date'][:10]}, tfpe "
            f"{where['tfpe']}; in brackets times as fast as AES-256-CTR (OpenSSL) on "
            "one core in the same rounds. Kept: share of the throughput of the same "
            "pipeline without a cipher, in batches of 256. Training step: the layer's "
            f"share on a PyramidNet-20, batch 128. Beside them, GB/s: {beside}.",
            "",
        ]
    return "\n".join(lines).rstrip()


def draw_speed(record, path):
    """Draws how fast ciphers are by the size of the batch, below their ceilings.

    Two panels: GB/s of each cipher through XLA, and in NumPy, over the bytes of a
    call, where fixed costs of a call fade; copy, AES and the field's code as lines.

    Args:
        record: of `tfpe.lab.bench.run_bench`, with throughput.
        path: of the PNG file to write.
    """
    from matplotlib.figure import Figure

    rows = [row for row in _all_rows(record) if row["direction"] == "encrypt"]
    sizes = list(dict.fromkeys(row["size"] for row in rows))
    sizes.sort(key=lambda size: math.prod(map(int, size.split("x"))))
    figure = Figure(figsize=(10, 5), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, runner in zip(panels, ("XLA", "NumPy"), strict=True):
        lines = [(name, name, runner) for name in record["settings"]["ciphers"]]
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
        cores = record["settings"]["cores"] if runner == "XLA" else 1
        axes.set_title(f"{runner}, {cores} core(s)")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("GB/s, encryption")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=8, ncols=5, loc="outside lower center")
    save_figure(figure, path, dpi=120)


def _is_bench(record):
    return record["kind"] == "bench" and "throughput" in record["results"]


def _all_rows(record):
    return unpack(record["results"].get("throughput", {}))


def _rows(record, size, direction):
    return [
        row
        for row in _all_rows(record)
        if (row["size"], row["direction"]) == (size, direction)
    ]


def _cell(row):
    if row is None:
        return "–"
    text = f"{gigabytes_per_second(row):.2f}"
    ratio = row["ratios"].get(AES)
    return f"{text} ({ratio['median']:.2f}x)" if ratio else text
