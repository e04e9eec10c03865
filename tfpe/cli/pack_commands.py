"""`tfpe pack | unpack`: folders of images, or one, as .tfpe containers."""

from tfpe.cli.common import add_again, add_command, add_readable, load_key, progress_bar
from tfpe.cli.folder_commands import add_folders, report_summary
from tfpe.cli.packages import require
from tfpe.cli.preparations import add_preparation, preparation_of

EXAMPLES = {
    "pack": """\
examples:
  tfpe pack -k owner.key photos -o packed
  tfpe pack -k owner.key --chaos shake256 photos -o packed
  tfpe pack -k owner.key portrait.jpg -o packed

The same command resumes an interrupted run, to the same bytes. Nothing is overwritten
without --force. A container is for keeping and sending: no network learns from it.
""",
    "unpack": """\
examples:
  tfpe unpack -k owner.key packed -o photos
  tfpe unpack -k owner.key packed/portrait.tfpe -o photos

Damaged and foreign containers are named, and a wrong key is refused.
""",
}


def register(commands):
    """Adds the commands of this file."""
    command = add_command(commands, pack, EXAMPLES)
    add_folders(command)
    command.add_argument(
        "--chaos",
        default="logistic",
        help="logistic (default), pwlcm, logistic_sine, or shake256, which is faster",
    )
    add_preparation(command)
    add_again(command)
    command = add_command(commands, unpack, EXAMPLES)
    add_folders(command)
    add_readable(command)


def pack(options):
    """Compresses and encrypts a folder or one image, without a loss."""
    require("PIL", "rich")
    from tfpe.files import pack_folder

    preparation, key = preparation_of(options), load_key(options)
    with progress_bar("Packing", options) as progress:
        summary = pack_folder(
            options.input,
            options.output,
            key,
            force=options.force,
            preparation=preparation,
            skip_others=options.skip_others,
            again=options.again,
            progress=progress,
            workers=options.workers,
            chaos=options.chaos,
        )
    return report_summary(summary, "packed", options)


def unpack(options):
    """Decrypts and restores what `pack` wrote."""
    require("PIL", "rich")
    from tfpe.files import unpack_folder

    key = load_key(options)
    with progress_bar("Unpacking", options) as progress:
        summary = unpack_folder(
            options.input,
            options.output,
            key,
            force=options.force,
            readable=options.readable,
            progress=progress,
            workers=options.workers,
        )
    return report_summary(summary, "unpacked", options)
