"""`tfpe bench`: how fast the ciphers are here, beside real cryptography."""

import json

from tfpe.cli.common import add_command, check_figure
from tfpe.cli.packages import require
from tfpe.cli.streams import note
from tfpe.errors import TfpeError
from tfpe.lab.terminal import print_table

EXAMPLES = {
    "bench": """\
examples:
  tfpe bench --quick                      the smallest size, half a minute
  tfpe bench --cipher le --size 2048x32x32x3 --part throughput
  tfpe bench --record results/bench-speed.json --figure speed.png
  tfpe bench --record results/bench-speed.json --part pipelines --data-dir DIR
  tfpe bench --jpeg --record results/bench-jpeg.json --figure jpeg.png
  tfpe bench --hybrid --record results/bench-hybrid.json
  tfpe bench --part photographs --part own_keys --part folders --part peaks
  tfpe bench --cipher le --against results/bench-speed.json
  tfpe bench --before ../earlier --record results/bench-before-after.json

Compare ratios, not seconds. Baselines from real cryptography need the package
cryptography (extra `bench`). A record is written after each part, and parts that are
not measured now stay as they are in it. With --jpeg nothing is timed: it measures what
JPEG makes of ciphertexts, and takes --cipher, --record, --overwrite and --figure. With
--hybrid the containers of `tfpe pack` are measured: what they save, how fast they are
made and read, in what memory; it takes --repeats, --record and --overwrite. With
--against the exit code is 1 where something became slower than in that record by more
than the noise. With --before another checkout of tfpe runs in turn with this one, which
tells the two apart on a machine whose speed wavers; it takes --part (photographs,
own_keys, folders, pipelines, which are XLA too, and two that only it has, datasets and
training), --repeats, --record and --overwrite.
"""
}


def register(commands):
    """Adds the commands of this file."""
    # Names only: the benchmark imports TensorFlow.
    parts = (
        *("throughput", "one_core", "setup", "pipelines", "step"),
        *("photographs", "own_keys", "folders", "peaks", "datasets", "training"),
    )
    command = add_command(commands, bench, EXAMPLES)
    command.add_argument(
        "--quick", action="store_true", help="measure the smallest size only"
    )
    command.add_argument(
        "--jpeg",
        action="store_true",
        help="measure rates of JPEG on ciphertexts instead of speed",
    )
    command.add_argument(
        "--hybrid", action="store_true", help="measure `tfpe pack` instead of ciphers"
    )
    command.add_argument(
        "--before",
        metavar="DIR",
        help="measure what users wait for in another checkout too",
    )
    command.add_argument(
        "--cipher", action="append", help="may be repeated (default: all)"
    )
    command.add_argument(
        "--size",
        action="append",
        help="of a batch, such as 2048x32x32x3 (may be repeated)",
    )
    command.add_argument(
        "--part", action="append", choices=parts, help="measure this part only"
    )
    command.add_argument(
        "--direction", action="append", help="encrypt or decrypt (default: both)"
    )
    command.add_argument(
        "--repeats", type=int, help="number of rounds (default: 7; 5 with --before)"
    )
    command.add_argument("--cores", type=int, help="number of cores (default: all)")
    command.add_argument(
        "--data-dir", metavar="DIR", help="folder of TFDS that holds cifar10"
    )
    command.add_argument("--record", metavar="FILE", help="write a record there")
    command.add_argument("--overwrite", action="store_true")
    command.add_argument("--figure", metavar="PNG", help="draw throughput there")
    command.add_argument(
        "--against", metavar="RECORD", help="say what became slower, or faster"
    )
    command.add_argument("--json", action="store_true", help="print the record")
    command.add_argument("-q", "--quiet", action="store_true", help="show no progress")


def bench(options):
    """Measures the speed of the ciphers beside real cryptography."""
    require("rich", "sklearn", *(["matplotlib"] if options.figure else []))
    if options.figure:
        check_figure(options.figure)
    if options.jpeg:
        return _bench_jpeg(options)
    if options.hybrid:
        return _bench_hybrid(options)
    if options.before is not None:
        return _bench_before(options)
    from tfpe.errors import RecordError
    from tfpe.lab.bench import DIRECTIONS, PARTS, run_bench
    from tfpe.lab.bench.against import against_table, changes
    from tfpe.lab.bench.speed_report import bench_tables, draw_speed
    from tfpe.lab.records import read_record, typed
    from tfpe.lab.records.speed_records import Bench

    earlier = None
    if options.against:
        earlier = typed(read_record(options.against))
        if not isinstance(earlier, Bench):
            raise RecordError(
                f"--against should be a record of tfpe bench. Received: "
                f"{options.against}, another kind"
            )

    record = run_bench(
        options.record,
        parts=options.part or PARTS,
        quick=options.quick,
        ciphers=options.cipher,
        sizes=options.size,
        directions=options.direction or DIRECTIONS,
        repeats=options.repeats,
        cores=options.cores,
        data_dir=options.data_dir,
        overwrite=options.overwrite,
        progress=_progress(options),
    )
    if options.figure:
        draw_speed(typed(record), options.figure)
    _show(record, bench_tables(typed(record)), options)
    if earlier is None:
        return 0
    found = changes(typed(record), earlier)
    if not options.json:
        print_table(against_table(found))
    return int(any(change.told and change.factor < 1 for change in found))


SPEED_ONLY = (
    "quick",
    "size",
    "part",
    "direction",
    "repeats",
    "cores",
    "data_dir",
    "against",
)
UNREPEATED = tuple(name for name in SPEED_ONLY if name != "repeats")
UNFIT = {
    "jpeg": ("hybrid", "before", *SPEED_ONLY),
    "hybrid": ("before", *UNREPEATED, "cipher", "figure"),
    "before": (*(n for n in UNREPEATED if n != "part"), "cipher", "figure"),
}


def _check_options(options, wanted):
    """Refuses options that have no meaning beside --jpeg, --hybrid or --before."""
    for name in UNFIT[wanted]:
        if getattr(options, name):
            raise TfpeError(
                f"`--{wanted}` should be given without options of speed of ciphers. "
                f"Received: --{name.replace('_', '-')}"
            )


def _bench_jpeg(options):
    """Measures what JPEG makes of ciphertexts."""
    _check_options(options, "jpeg")
    require("skimage", "bjontegaard")
    from tfpe.lab.bench.jpeg_rates import run_jpeg_bench
    from tfpe.lab.records import typed
    from tfpe.lab.tables.jpeg_rates_table import draw_jpeg, jpeg_tables

    record = run_jpeg_bench(
        options.record,
        ciphers=options.cipher,
        overwrite=options.overwrite,
        progress=_progress(options),
    )
    if options.figure:
        draw_jpeg(typed(record), options.figure)
    _show(record, jpeg_tables([typed(record)]), options)


def _bench_hybrid(options):
    """Measures the containers of `tfpe pack`."""
    _check_options(options, "hybrid")
    require("skimage", "cryptography")
    from tfpe.lab.bench.hybrid_bench import run_hybrid_bench
    from tfpe.lab.records import typed
    from tfpe.lab.tables.hybrid_tables import saving_tables, speed_of_hybrid_tables

    record = run_hybrid_bench(
        options.record,
        repeats=options.repeats,
        overwrite=options.overwrite,
        progress=_progress(options),
    )
    shown = [typed(record)]
    tables = *saving_tables(shown), *speed_of_hybrid_tables(shown)
    _show(record, tables, options)


def _bench_before(options):
    """Measures another checkout and this one, in turn."""
    _check_options(options, "before")
    require("tensorflow_datasets")
    from tfpe.lab.bench.trees import PARTS, run_trees_bench
    from tfpe.lab.bench.waits_report import before_after_tables
    from tfpe.lab.records import typed

    repeats = {} if options.repeats is None else {"repeats": options.repeats}
    record = run_trees_bench(
        options.before,
        options.record,
        parts=options.part or PARTS,
        overwrite=options.overwrite,
        progress=_progress(options),
        **repeats,
    )
    _show(record, before_after_tables([typed(record)]), options)


def _progress(options):
    """What a benchmark calls with (done, total, what comes now)."""

    def progress(done, total, what):
        if not options.quiet:
            note(f"{done}/{total} {what}")

    return progress


def _show(record, tables, options):
    """Prints the record as JSON, or its tables."""
    if options.json:
        print(json.dumps(record, indent=2, sort_keys=True))
        return
    for table in tables:
        print_table(table)
