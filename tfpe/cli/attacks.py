"""`tfpe attack`: the attacks, on files."""

import argparse
import contextlib
import os

from tfpe.cli.attack_output import print_attacks, print_summary, tell_left_out
from tfpe.cli.attack_training import (
    add_training,
    check_options,
    tell_no_lpips,
    told_of,
    train,
)
from tfpe.cli.common import (
    KEY_VARIABLE,
    AppendOnce,
    add_key,
    add_option,
    check_figure,
    cipher_option,
    load_key,
    size_of,
)
from tfpe.cli.packages import require
from tfpe.cli.streams import note
from tfpe.errors import CipherOptionError, TfpeError

EXAMPLES = """\
examples:
  tfpe attack                                  what there is, and for which cipher
  known plaintext: a few plain images, and the folder that holds them encrypted
    tfpe attack known_plaintext --plain leaked --cipher-folder encrypted -o opened
  ciphertexts alone
    tfpe attack ciphertext_only encrypted -o opened
    tfpe attack nibble_statistics encrypted --reference holidays -o opened
    tfpe attack chang_case_advanced encrypted --first-pixel 255,255,255 -o opened
  ciphertexts alone, any key, by a network: trained on public pictures, then used
    tfpe attack inverse_network --train cifar10 --cipher pbe --model pbe.attack
    tfpe attack inverse_network --model pbe.attack encrypted -o opened
  the same, by a published GAN that learns from the ciphertexts themselves
    tfpe attack inverse_network --train cifar10 --cipher le --published gan \\
        --model le-gan.attack encrypted
  chosen plaintext, in two steps: the owner encrypts the folder of queries
    tfpe attack chosen_plaintext --cipher ele --size 32x32 --make-queries queries
    tfpe encrypt -k owner.key --cipher ele queries -o answers
    tfpe attack chosen_plaintext --size 32x32 --answers answers encrypted -o opened
  a model that was matched to the key, and the plain one
    tfpe attack known_model --plain-model public.keras --matched-model matched.keras \\
        encrypted -o opened
  chosen plaintext, of an oracle made from a key
    tfpe attack chosen_plaintext -k owner.key --cipher ele --size 32x32
  containers of tfpe pack, made with --option nonce=false --table photos.table
    tfpe attack hybrid_known_plaintext --plain leaked --cipher-folder packed \\
        --table photos.table packed -o opened
  any containers, and the pictures that they may hold
    tfpe attack hybrid_lengths packed --reference photos -o opened

Cipher and options are those that manifest.json beside the ciphertexts names, or those
that are given. --truth is for scores only, and so is -k beside other evidence.
"""


def register(commands):
    """Adds the command of this file."""
    command = commands.add_parser(
        "attack",
        help="Attacks encrypted images, or a key.",
        description=attack.__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=attack, late="ciphertexts")
    command.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="name of an attack; without one they are listed",
    )
    command.add_argument(
        "ciphertexts",
        nargs="?",
        metavar="CIPHERTEXTS",
        help="a folder of ciphertexts, or one image",
    )
    command.add_argument("-o", "--out", "--output", dest="output", metavar="DIR")
    command.add_argument(
        "--plain", metavar="DIR", help="folder of plain images that are known"
    )
    command.add_argument(
        "--cipher-folder", metavar="DIR", help="folder that holds those encrypted"
    )
    command.add_argument(
        "--reference", metavar="DIR", help="folder of other plain images of that kind"
    )
    command.add_argument(
        "--plain-model", metavar="FILE", help="model for plain images, a .keras file"
    )
    command.add_argument(
        "--matched-model", metavar="FILE", help="the same model matched to the key"
    )
    command.add_argument(
        "--model", metavar="FILE", help="a learned attack, as --train writes it"
    )
    add_training(command)
    command.add_argument("--first-pixel", type=_pixel, metavar="R,G,B")
    command.add_argument(
        "--make-queries", metavar="DIR", help="write the chosen images there"
    )
    command.add_argument(
        "--answers", metavar="DIR", help="folder that holds the chosen images encrypted"
    )
    command.add_argument(
        "--table", metavar="FILE", help="public table of the code of containers"
    )
    command.add_argument("--cipher", help="see `tfpe ciphers`")
    add_option(command)
    command.add_argument(
        "--attack-option",
        action=AppendOnce,
        default=[],
        type=cipher_option,
        metavar="NAME=VALUE",
        help="an option of the attack (may be repeated)",
    )
    command.add_argument(
        "--size", type=size_of, metavar="HxW", help="size of the images"
    )
    add_key(command)
    command.add_argument(
        "--truth", metavar="DIR", help="folder of the plain images, for scores only"
    )
    command.add_argument("--figure", metavar="PNG", help="draw what came out there")
    command.add_argument(
        "--save-transform", metavar="NPZ", help="write the recovered key there"
    )
    command.add_argument("--force", action="store_true", help="replace existing files")
    command.add_argument("--json", action="store_true", help="print the result as JSON")
    command.add_argument("-q", "--quiet", action="store_true", help="show no progress")


def attack(options):
    """Recovers keys or pictures from the evidence that an attack needs."""
    require("rich")
    from tfpe.attacks import ATTACKS

    check_options(options)
    if options.name is None:
        return print_attacks(ATTACKS, options)
    if options.name not in ATTACKS:
        raise TfpeError(
            f"NAME should be one of {list(ATTACKS)}. Received: {options.name!r}"
        )
    require("PIL", "scipy")
    from tfpe.lab.evaluation.attack_on_files import Files, make_queries, run_attack
    from tfpe.lab.evaluation.attack_result import check_key_file

    row = ATTACKS[options.name]
    if options.train:
        return train(row, options)
    given = dict(options.attack_option)
    if unknown := sorted(set(given) - set(row.options)):
        raise CipherOptionError(
            f"Options of {row.name} should be among {list(row.options)}. "
            f"Received: {unknown}"
        )
    if options.figure:
        check_figure(options.figure, options.force)
    if options.save_transform:
        check_key_file(options.save_transform)
    key = load_key(options) if _has_key(options) else None
    files = Files(
        ciphertexts=options.ciphertexts or options.cipher_folder,
        cipher_folder=options.cipher_folder or options.ciphertexts,
        plain=options.plain,
        reference=options.reference,
        plain_model=options.plain_model,
        matched_model=options.matched_model,
        model=options.model,
        first_pixel=options.first_pixel,
        answers=options.answers,
        truth=options.truth,
        size=options.size,
        cipher=options.cipher,
        options=dict(options.option),
        key=key,
    )
    if row.containers:
        return _attack_containers(row, files, given, options)
    if options.make_queries:
        count = make_queries(row, files, given, options.make_queries)
        note(
            f"{count} queries, the last of which verifies, in {options.make_queries}: "
            "encrypt that folder, then --answers"
        )
        return 0
    with _spinner(f"{row.name}: {row.summary}", options):
        result = run_attack(row, files, given)
    if result.summary["cipher"] not in (None, *row.ciphers):
        note(
            f"tfpe: warning: {row.name} is for {', '.join(row.ciphers)}; these are of "
            f"{result.summary['cipher']}"
        )
    tell_left_out(result.summary)
    if row.learned:
        note(told_of(result.summary["learned"]))
    _write(result, options)
    print_summary(result.summary, options)
    if row.learned and result.summary.get("scored"):
        tell_no_lpips(result.summary, result.recovered.shape[1:])
    return 0


def _attack_containers(row, files, given, options):
    from tfpe.lab.evaluation.attack_result import write_images
    from tfpe.lab.evaluation.container_attacks import run_container_attack

    unfit = ("make_queries", "answers", "truth", "figure", "save_transform", "cipher")
    for name in unfit:
        if getattr(options, name):
            raise TfpeError(
                f"{row.name} should be given containers, without --"
                f"{name.replace('_', '-')}. Received: it"
            )
    with _spinner(f"{row.name}: {row.summary}", options):
        summary, pictures = run_container_attack(row, files, options.table, given)
    tell_left_out(summary)
    if options.output:
        count = write_images(options.output, pictures, options.force)
        note(f"{count} pictures: {options.output}")
    print_summary(summary, options)
    return 0


def _write(result, options):
    """Pictures, figure and key, in this order: what is done stays done."""
    from tfpe.lab.evaluation.attack_result import write_images

    if options.output:
        if result.recovered is None:
            raise TfpeError(
                "--out needs CIPHERTEXTS to be decrypted. Received: none that fit"
            )
        count = write_images(options.output, result.pictures(), options.force)
        note(f"{count} pictures: {options.output}")
    if options.figure:
        result.draw(options.figure)
        note(f"Figure: {options.figure}")
    if options.save_transform:
        result.save(options.save_transform)
        note(f"Key, as perm and mask: {options.save_transform}")


def _spinner(text, options):
    if options.quiet:
        return contextlib.nullcontext()
    from rich.console import Console

    return Console(stderr=True).status(text)


def _has_key(options):
    # The variable alone is no wish to score: only where the key is the evidence.
    alone = not (options.ciphertexts or options.cipher_folder or options.answers)
    return bool(options.key) or (
        alone and not options.make_queries and bool(os.environ.get(KEY_VARIABLE))
    )


def _pixel(text):
    try:
        values = [int(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != 3 or not 0 <= min(values) <= max(values) <= 255:
        raise argparse.ArgumentTypeError(f"should be like 255,255,255: {text!r}")
    return values
