"""`tfpe evaluate`: all metrics of a cipher and all attacks on it, or one's curve."""

import argparse
import json
import pathlib

from tfpe.cli.attack_training import add_minutes
from tfpe.cli.common import add_option, progress_bar, size_of
from tfpe.cli.cpu_steps import quicken_steps
from tfpe.cli.packages import require
from tfpe.cli.preparations import add_window
from tfpe.cli.streams import note
from tfpe.errors import CipherOptionError, TfpeError
from tfpe.lab.terminal import print_table

EXAMPLES = """\
examples:
  tfpe evaluate photographs --cipher pbe
  tfpe evaluate photos --cipher le --option block_size=8 --size 64x64 --figures out
  tfpe evaluate cifar10 --cipher all --record-folder results
  tfpe evaluate cifar10 --cipher logistic,pbe --curve ciphertext_only --images 6000 \\
      --record-folder results

IMAGES is a folder, an image, an .npz file, cifar10, cifar100, tfds:NAME, or
"photographs": those that scikit-learn and scikit-image bring along. The key is made
anew from --seed. A killed --curve goes on where it stopped.
"""


def register(commands):
    """Adds the command of this file."""
    command = commands.add_parser(
        "evaluate",
        help="Measures what a cipher is worth: all metrics, all attacks.",
        description=evaluate.__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=evaluate)
    command.add_argument("source", metavar="IMAGES", help="plain images, see below")
    command.add_argument(
        "--cipher",
        default="all",
        metavar="NAME[,NAME]",
        help="see `tfpe ciphers` (default: all)",
    )
    add_option(command)
    command.add_argument(
        "--images",
        type=int,
        metavar="N",
        help="take at most as many, drawn by the seed (default: 2000, of a curve 6000)",
    )
    command.add_argument(
        "--size", type=size_of, metavar="HxW", help="make all images of this size"
    )
    add_window(command)
    command.add_argument(
        "--seed", type=int, default=0, help="seed of the key and the draws (default: 0)"
    )
    command.add_argument(
        "--data-dir", metavar="DIR", help="folder where TFDS keeps IMAGES"
    )
    command.add_argument("--split", help="split of a data set (default: test)")
    command.add_argument(
        "--curve",
        metavar="ATTACK",
        help="measure the error of this attack against its evidence",
    )
    command.add_argument(
        "--counts", type=_counts, metavar="N,N", help="numbers of images of a curve"
    )
    command.add_argument(
        "--keys", type=int, help="number of keys of a curve (default: 3)"
    )
    command.add_argument(
        "--learned",
        metavar="DIR",
        help="also attack with networks: those kept there, or trained on pictures that "
        "are not scored and kept there; minutes a cipher",
    )
    add_minutes(command)
    command.add_argument(
        "--record", metavar="FILE", help="write the record of one cipher there"
    )
    command.add_argument(
        "--record-folder",
        metavar="DIR",
        help="write a record for each cipher there, under its name",
    )
    command.add_argument(
        "--overwrite",
        action="store_true",
        help="replace records that have other settings",
    )
    command.add_argument("--figures", metavar="DIR", help="draw PNG files there")
    command.add_argument(
        "--json", action="store_true", help="print the records as JSON"
    )
    command.add_argument(
        "-q", "--quiet", action="store_true", help="show no progress bar"
    )


def evaluate(options):
    """Measures what a cipher is worth: all metrics, and all attacks that apply."""
    samples = ["sklearn", "skimage"] if options.source == "photographs" else []
    require("rich", "PIL", "scipy", *samples)
    require(*(["matplotlib"] if options.figures else []))
    if options.curve or options.learned:
        quicken_steps()
    from tfpe.ciphers import byte_ciphers, find_cipher
    from tfpe.lab.evaluation.pictures import load_pictures
    from tfpe.pixels.preparation import Preparation

    names = byte_ciphers() if options.cipher == "all" else options.cipher.split(",")
    chosen = dict(options.option)
    if len(names) > 1 and (chosen or options.record):
        raise CipherOptionError(
            "--option and --record are for one cipher; --record-folder takes several. "
            f"Received: {len(names)} ciphers"
        )
    for name in names:
        row = find_cipher(name)
        row.options(**chosen)
        row.require_bytes("An evaluation, whose metrics are of pictures,", **chosen)
    if options.record and options.record_folder:
        raise TfpeError("--record or --record-folder is enough. Received: both")
    if (options.counts or options.keys) and not options.curve:
        raise TfpeError("--counts and --keys are of a --curve. Received: no --curve")
    options.keys = 3 if options.keys is None else options.keys
    if min(options.keys, 1 if options.images is None else options.images) < 1:
        raise TfpeError("--images and --keys should be from 1 up. Received: less")
    if options.seed < 0:
        raise TfpeError(f"--seed should be from 0 up. Received: {options.seed}")
    pictures = load_pictures(
        options.source,
        count=options.images or (6000 if options.curve else 2000),
        scored=500 if options.curve else 100,
        size=options.size,
        seed=options.seed,
        data_dir=options.data_dir,
        split=options.split,
        preparation=Preparation(window=options.window),
    )
    run = _curves if options.curve else _evaluations
    records = run(names, pictures, chosen, options)
    if options.json:
        shown = records[0] if len(records) == 1 else records
        print(json.dumps(shown, indent=2, sort_keys=True))


def _evaluations(names, pictures, chosen, options):
    from tfpe.lab.evaluation import evaluate as measure
    from tfpe.lab.evaluation import evaluation_settings
    from tfpe.lab.records import check_replaceable, environment, typed, write_record
    from tfpe.lab.tables.attack_tables import metrics_table, terminal_attack_table

    records = []
    for name in names:
        learned = _learned(name, pictures, chosen, options)
        path = _path(options, f"evaluation-{pictures.name}-{name}.json")
        if path is not None:
            settings = evaluation_settings(name, pictures, seed=options.seed, **chosen)
            check_replaceable(path, "evaluation", settings, options.overwrite)
        shown = {}
        with progress_bar(f"Evaluating {name}", options) as bar:
            record = measure(
                name,
                pictures,
                seed=options.seed,
                progress=_tell(bar),
                shown=shown,
                learned=learned,
                **chosen,
            )
        if left_out := record["results"]["left_out"]:
            note(f"Left out without --learned: {', '.join(left_out)}")
        record["environment"] = environment()
        if path is not None:
            record = write_record(path, record, options.overwrite)
            note(f"Record: {path}")
        if options.figures:
            from tfpe.lab.evaluation.evaluation_figures import draw_evaluation

            for figure in draw_evaluation(record, shown, options.figures):
                note(f"Figure: {figure}")
        if not options.json:
            print_table(terminal_attack_table(typed(record)))
            print_table(metrics_table(typed(record)))
        records.append(record)
    return records


def _learned(name, pictures, chosen, options):
    """The network for a cipher, trained where none is kept; None without --learned."""
    if not options.learned:
        return None
    from tfpe.attacks import InverseNetwork
    from tfpe.attacks.learned.forms import has_network
    from tfpe.ciphers import find_cipher
    from tfpe.lab.evaluation.learned_attacks import attack_file, train_attack
    from tfpe.lab.evaluation.pictures import PHOTOGRAPHS

    if not has_network(find_cipher(name).traits(**chosen)):
        return None
    path = attack_file(options.learned, name, pictures.shape, **chosen)
    if path.exists():
        found = InverseNetwork.load(path)
        others = found.settings["pictures"] != pictures.drawn_from
        if others or options.source == PHOTOGRAPHS:  # trained apart from what is scored
            cut = pictures.cropped(find_cipher(name).block_size(**chosen))
            found.check(cut.shape, name, chosen)
            return found
        # Of the same set, what is scored may be what it learned from: refused below
        # unless it is the file that would be trained now.
    with progress_bar(f"Training for {name}", options) as bar:
        trained = train_attack(
            name,
            pictures,
            path,
            options=chosen,
            minutes=options.minutes,
            seed=options.seed,
            progress=bar and (lambda done, total, loss: bar(done, total)),
        )
    if trained is None:
        raise TfpeError(
            f"--minutes should be enough to train for {name}. Received: "
            f"{options.minutes:g}; the same command goes on where it stopped"
        )
    return trained


def _curves(names, pictures, chosen, options):
    from tfpe.lab.evaluation.curves import measure_curve
    from tfpe.lab.records import typed
    from tfpe.lab.tables.attack_tables import points_table

    records = []
    for name in names:
        file = f"attack-curve-{options.curve}-{pictures.name}-{name}.json"
        path = _path(options, file)
        with progress_bar(f"{options.curve} on {name}", options) as bar:
            record = measure_curve(
                options.curve,
                name,
                pictures,
                counts=options.counts,
                keys=options.keys,
                seed=options.seed,
                path=path,
                overwrite=options.overwrite,
                progress=_tell(bar),
                **chosen,
            )
        if path is not None:
            note(f"Record: {path}")
        if not options.json:
            print_table(points_table(typed(record)))
        records.append(record)
    if options.figures:
        from tfpe.lab.evaluation.evaluation_figures import draw_curves

        path = pathlib.Path(options.figures)
        path.mkdir(parents=True, exist_ok=True)
        path /= f"curve-{options.curve}-{pictures.name}.png"
        draw_curves(records, path)
        note(f"Figure: {path}")
    return records


def _path(options, name):
    """Where a record goes; None where none is asked for."""
    if options.record:
        return pathlib.Path(options.record)
    if options.record_folder:
        return pathlib.Path(options.record_folder, name)
    return None


def _tell(bar):
    return bar and (lambda done, total, what: bar(done, total))


def _counts(text):
    try:
        counts = [int(part) for part in text.split(",")]
    except ValueError:
        counts = [0]
    if min(counts) < 1:
        raise argparse.ArgumentTypeError(f"should be like 50,100. Received: {text!r}")
    return counts
