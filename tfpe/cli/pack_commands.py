"""`tfpe pack | unpack`: folders of images, or one, as .tfpe containers."""

from tfpe.cli.common import (
    add_again,
    add_command,
    add_option,
    add_readable,
    load_key,
    progress_bar,
)
from tfpe.cli.folder_commands import add_folders, report_summary
from tfpe.cli.packages import require
from tfpe.cli.preparations import add_preparation, preparation_of
from tfpe.errors import CipherOptionError

EXAMPLES = {
    "pack": """\
examples:
  tfpe pack -k owner.key photos -o packed
  tfpe pack -k owner.key --option chaos=shake256 photos -o packed
  tfpe pack -k owner.key --table photos.table photos -o packed
  tfpe pack -k owner.key portrait.jpg -o packed

The same command resumes an interrupted run, to the same bytes. Nothing is overwritten
without --force. A container is for keeping and sending: no network learns from it.
Options: symbols, neighbours, permute, table, substitution, chaos, orbits, nonce
(docs/hybrid.md). With --table all pictures share one public code, which unpacking needs
too: it makes small pictures smaller, and tells what pairs of values they hold together.
""",
    "unpack": """\
examples:
  tfpe unpack -k owner.key packed -o photos
  tfpe unpack -k owner.key packed/portrait.tfpe -o photos
  tfpe unpack -k owner.key --table photos.table packed -o photos

Damaged containers and foreign files are named, and a wrong key is refused.
""",
}


def register(commands):
    """Adds the commands of this file."""
    command = add_command(commands, pack, EXAMPLES)
    add_folders(command)
    add_option(command)
    command.add_argument(
        "--table",
        metavar="FILE",
        help="of the public code; made from the images where it is not there",
    )
    add_preparation(command)
    add_again(command)
    command = add_command(commands, unpack, EXAMPLES)
    add_folders(command)
    command.add_argument(
        "--table", metavar="FILE", help="of the public code they were packed with"
    )
    add_readable(command)


def pack(options):
    """Compresses and encrypts a folder or one image, without a loss."""
    require("PIL", "rich")
    from tfpe.files import pack_folder, public_table

    chosen = _chosen(options)
    preparation, key = preparation_of(options), load_key(options)
    if options.table:
        others = preparation, options.skip_others
        table = public_table(options.table, options.input, *others, **chosen)
        chosen["table"] = table
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
            **chosen,
        )
    return report_summary(summary, "packed", options)


def unpack(options):
    """Decrypts and restores what `pack` wrote."""
    require("PIL", "rich")
    from tfpe.files import unpack_folder
    from tfpe.hybrid import CodeTable

    key = load_key(options)
    table = CodeTable.load(options.table) if options.table else None
    with progress_bar("Unpacking", options) as progress:
        summary = unpack_folder(
            options.input,
            options.output,
            key,
            table=table,
            force=options.force,
            readable=options.readable,
            progress=progress,
            workers=options.workers,
        )
    return report_summary(summary, "unpacked", options)


def _chosen(options):
    """What `--option` says, of the options that there are."""
    from tfpe.hybrid.container import CODES

    known, chosen = (*CODES, "orbits"), dict(options.option)
    for name in chosen:
        if name not in known:
            raise CipherOptionError(
                f"`option` should be one of {list(known)}. Received: {name!r}"
            )
    if options.table and "table" in chosen:
        raise CipherOptionError(
            "The table should be public or of each image. Received: --table and "
            "--option table"
        )
    return chosen
