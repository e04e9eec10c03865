"""`python -m tfpe.bench`: what `tfpe bench` does."""

import argparse
import json
import sys

from tfpe.errors import TfpeError


def main(arguments=None):
    """Runs the benchmark; returns the exit code."""
    from tfpe.bench import SIZES, run_bench
    from tfpe.bench.report import draw_speed, rich_tables

    parser = argparse.ArgumentParser(
        prog="tfpe bench", description="Measures the speed of the ciphers."
    )
    parser.add_argument("--quick", action="store_true", help="smallest size only")
    parser.add_argument(
        "--cipher", action="append", help="may be repeated; default all"
    )
    parser.add_argument("--size", action="append", choices=list(SIZES))
    parser.add_argument("--repeats", type=int, help="default 7")
    parser.add_argument("--cores", type=int, help="default all")
    parser.add_argument("--record", metavar="FILE", help="write a record there")
    parser.add_argument("--overwrite", action="store_true")
    parser.add_argument("--figure", metavar="PNG", help="draw throughput there")
    parser.add_argument("--json", action="store_true", help="print the record")
    options = parser.parse_args(arguments)
    from rich.console import Console

    errors = Console(stderr=True)
    try:
        record = run_bench(
            options.record,
            quick=options.quick,
            ciphers=options.cipher,
            sizes=options.size,
            repeats=options.repeats,
            cores=options.cores,
            overwrite=options.overwrite,
            progress=lambda done, total, what: errors.print(f"{done}/{total} {what}"),
        )
    except TfpeError as error:
        errors.print(f"tfpe: error: {error}", markup=False, soft_wrap=True)
        return 1
    if options.figure:
        draw_speed(record, options.figure, record["settings"]["sizes"][-1])
    if options.json:
        sys.stdout.write(json.dumps(record, indent=2, sort_keys=True) + "\n")
    else:
        console = Console()
        for table in rich_tables(record):
            console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
