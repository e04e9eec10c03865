"""`tfpe attack NAME --train`: the training of an attack that learns."""

import argparse
import contextlib
import json
import math
import os

from tfpe.cli.common import progress_bar, seed_number
from tfpe.cli.cpu_steps import quicken_steps
from tfpe.cli.packages import is_missing, missing, require
from tfpe.cli.streams import note
from tfpe.errors import TfpeError
from tfpe.lab.terminal import print_table

TIME_UP = 3
IMAGES, SEED = 50_000, 0
# Options that a training alone takes, and those that only another attack does.
OWN = ("split", "data_dir", "images", "steps", "published", "minutes", "record", "seed")
OTHERS = (
    *("output", "plain", "cipher_folder", "reference", "plain_model", "matched_model"),
    *("first_pixel", "make_queries", "answers", "table", "attack_option", "key"),
    *("truth", "figure", "save_transform", "strict"),
)


def add_training(command):
    """Adds the options of a training."""
    group = command.add_argument_group("training of an attack that learns")
    group.add_argument(
        "--train",
        metavar="IMAGES",
        help="train on these public pictures, as of `tfpe evaluate` and none of them a "
        "victim's, for --cipher, and write --model",
    )
    group.add_argument("--split", help="split of a data set (default: train)")
    group.add_argument("--data-dir", metavar="DIR", help="folder of TFDS")
    group.add_argument(
        "--images",
        type=whole,
        metavar="N",
        help=f"take at most as many, drawn by the seed (default: {IMAGES})",
    )
    group.add_argument(
        "--steps",
        type=whole,
        metavar="N",
        help="of the training (default: by cipher, or the epochs of the paper)",
    )
    group.add_argument(
        "--published",
        choices=("itn", "gan", "sia-gan"),
        help="train this published attack in place of ours; the GANs learn from "
        "CIPHERTEXTS, where these are given, and from fresh keys otherwise",
    )
    add_minutes(group)
    group.add_argument(
        "--record",
        metavar="JSON",
        help="write a record of the training and of its scores there, for tables",
    )
    group.add_argument(
        "--seed",
        type=seed_number,
        help=f"of weights, pictures and keys (default: {SEED})",
    )


def add_minutes(command):
    """Adds `--minutes`."""
    command.add_argument(
        "--minutes",
        type=_minutes,
        metavar="X",
        help="stop a training after that time; the same command goes on",
    )


def check_options(options):
    """Refuses options that would be passed over without a word."""
    if options.train and options.name is None:
        raise TfpeError(
            "--train should be of an attack: NAME --train IMAGES. Received: no NAME"
        )
    unfit = OTHERS if options.train else OWN
    for name in unfit:
        if getattr(options, name) in (None, [], False):
            continue
        told = "--out" if name == "output" else f"--{name.replace('_', '-')}"
        if options.train:
            raise TfpeError(
                f"A training should be given no {told}: it only writes --model. "
                f"Received: {told} beside --train"
            )
        raise TfpeError(
            f"{told} should be of a training: NAME --train IMAGES. "
            f"Received: {told} without it"
        )


def train(row, options):
    """Trains an attack that learns; exit code 3 where time was up."""
    require("keras", "PIL", "scipy")
    quicken_steps()
    from tfpe.dataset.known_names import tfds_word
    from tfpe.lab.evaluation.learned_attacks import learned_record, train_attack
    from tfpe.lab.evaluation.pictures import load_pictures
    from tfpe.lab.records import write_record

    if not row.learned or not options.model or not options.cipher:
        raise TfpeError(
            "--train should be of an attack that learns, such as inverse_network, with "
            f"--cipher and --model. Received: {row.name}, --cipher {options.cipher}, "
            f"--model {options.model}"
        )
    if options.record is not None:
        _check_record(options)
    seed = SEED if options.seed is None else options.seed
    data_set = tfds_word(options.train) or options.train.endswith(".npz")
    pictures = load_pictures(
        options.train,
        count=IMAGES if options.images is None else options.images,
        scored=1,
        size=options.size,
        seed=seed,
        data_dir=options.data_dir,
        split=options.split or ("train" if data_set else None),
    )
    evidence = _ciphertexts(options)
    with progress_bar(f"Training on {options.train}", options) as bar:
        trained = train_attack(
            options.cipher,
            pictures,
            options.model,
            **evidence,
            steps=options.steps,
            published=options.published,
            minutes=options.minutes,
            seed=seed,
            progress=bar and (lambda done, total, loss: bar(done, total)),
        )
    if trained is None:
        note("Time was up; the same command goes on")
        return TIME_UP
    note(f"Learned attack: {options.model}")
    if options.json:
        print(json.dumps(trained.settings, indent=2, sort_keys=True))
    else:
        _print_scores(trained.settings)
    if options.record is not None:
        write_record(options.record, learned_record(trained), options.force)
        note(f"Record: {options.record}")
    return 0


def _check_record(options):
    """Refuses before the work a record that could not, or should not, be written."""
    from tfpe.lab.records import check_replaceable

    check_replaceable(options.record, "", {}, overwrite=True)
    if os.path.realpath(options.record) == os.path.realpath(options.model):
        raise TfpeError(
            "--record and --model should be two files. "
            f"Received: {options.record} for both"
        )
    if os.path.lexists(options.record) and not options.force:
        raise TfpeError(
            "--record should be a new file without --force. "
            f"Received: {options.record}, which exists"
        )
    if os.path.lexists(options.model):
        # It was trained before, perhaps on another machine: a record says on which.
        raise TfpeError(
            "--record should be of a training, and --model a new file. "
            f"Received: {options.model}, which exists"
        )


def _ciphertexts(options):
    """Options of the cipher, and what a victim's ciphertexts say and are."""
    chosen = dict(options.option)
    if not options.ciphertexts:
        return {"options": chosen}
    from tfpe.ciphers import find_cipher
    from tfpe.lab.evaluation.attack_files import read_ciphertexts

    found = read_ciphertexts(options.ciphertexts, options.size, any_key=True)
    if found.cipher not in (None, options.cipher):
        raise TfpeError(
            f"--cipher should be that of CIPHERTEXTS, {found.cipher}. Received: "
            f"{options.cipher}"
        )
    if chosen and found.options:
        full = find_cipher(options.cipher).options
        if full(**chosen) != full(**found.options):
            raise TfpeError(
                "--option should be that of CIPHERTEXTS, or be left out. Received: "
                f"{chosen}, ciphertexts of {found.options}"
            )
    return {"options": chosen or found.options, "ciphertexts": found.images}


def told_of(settings):
    """What a learned attack was trained on and how good it is, in a line."""
    held_out = settings["held_out"]
    told = f"Trained on {settings['count']} pictures of {settings['pictures']}"
    if "ciphertexts" in settings:
        told += f" and {settings['ciphertexts'][0]} ciphertexts"
    if held_out["ssim"] is None:
        return told
    return (
        f"{told}; on {held_out['count']} others SSIM {held_out['ssim']:.2f}, that of "
        f"the best constant picture {held_out['constant']['ssim']:.2f}"
    )


def whole(text):
    """A whole number from 1 to 2^31 - 1."""
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number < 2**31:
        raise argparse.ArgumentTypeError(
            f"should be from 1 up, below 2^31. Received: {text!r}"
        )
    return number


def _minutes(text):
    """A time; 0 ends a training after its first steps."""
    with contextlib.suppress(ValueError):
        if 0 <= float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"should be 0 or more. Received: {text!r}")


def _print_scores(settings):
    """Scores on pictures that were held out, beside those of the best constant one."""
    from tfpe.lab.table import Table, number

    found = settings["held_out"]
    if not found["count"]:
        note(
            "Nothing is held out: whoever has no key makes no other ciphertexts of it; "
            "--truth scores what it shows"
        )
        return
    rows = [
        name
        for name, value in found["constant"].items()
        if None not in (value, found[name])
    ]
    columns = {
        "score": lambda name: name,
        "learned": lambda name: number(found[name]),
        "best constant picture": lambda name: number(found["constant"][name]),
    }
    title = f"{settings['cipher']}: {found['count']} pictures and keys not learned from"
    print_table(Table.of(title, rows, columns))
    tell_no_lpips(found, settings["image_shape"])


def tell_no_lpips(scores, image_shape):
    """Says why scores of pictures have no LPIPS, where they have none."""
    from tfpe.metrics.perceptual_similarity import LEAST_SIDE, PACKAGE

    if scores.get("lpips") is not None:
        return
    reason = "Its package was not installed where the pictures were scored"
    if min(image_shape[:2]) < LEAST_SIDE:
        reason = f"Pictures are below {LEAST_SIDE} x {LEAST_SIDE} pixels"
    elif is_missing(PACKAGE):
        reason = missing(PACKAGE)
    note(f"LPIPS is left out. {reason}")
