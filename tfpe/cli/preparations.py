"""What commands that encrypt pictures share: how they are prepared before."""

from tfpe.cli.common import size_of
from tfpe.errors import CipherOptionError


def add_preparation(command):
    """Adds `--size`, `--fit`, `--gray`, `--rgb`, `--convert`, `--depth` and so on.

    Returns the group of these arguments.
    """
    group = command.add_argument_group("before encryption")
    group.add_argument(
        "--size",
        type=size_of,
        metavar="HxW",
        help="make all pictures of this size, such as 96x96",
    )
    group.add_argument(
        "--fit",
        choices=("crop", "pad", "stretch"),
        help="what to do where --size has another shape: crop to the middle (default), "
        "pad with black, or stretch",
    )
    colors = group.add_mutually_exclusive_group()
    for color in ("gray", "rgb"):
        colors.add_argument(
            f"--{color}",
            dest="color",
            action="store_const",
            const=color,
            help=f"make all pictures {color} (default: each stays as it is)",
        )
    group.add_argument(
        "--convert",
        action="store_true",
        help="take CMYK, transparency (on white) and the first of several frames or "
        "pages too; the manifest names what was lost",
    )
    group.add_argument(
        "--depth",
        type=int,
        choices=(16,),
        help="take gray of more than 8 bits as words of 16 bits, without a loss",
    )
    add_window(group)
    group.add_argument(
        "--skip-others",
        action="store_true",
        help="pass over what looks like pictures of other kinds (raw, medical, video)",
    )
    return group


def add_window(command):
    """Adds `--window` and `--own-window`."""
    windows = command.add_mutually_exclusive_group()
    windows.add_argument(
        "--window",
        nargs=2,
        type=float,
        metavar=("CENTER", "WIDTH"),
        help="reduce DICOM and gray of more than 8 bits to 8 bits: the values in this "
        "window are kept (Hounsfield units of CT, such as 40 400), the rest is lost",
    )
    windows.add_argument(
        "--own-window",
        dest="window",
        action="store_const",
        const="own",
        help="the same with the window that each DICOM file names itself",
    )


def preparation_of(options):
    """The `Preparation` that the arguments of `add_preparation` ask for."""
    from tfpe.pixels.preparation import Preparation

    if options.fit and not options.size:
        raise CipherOptionError("--fit needs --size. Received: --fit alone")
    return Preparation(
        *(options.size, options.fit, options.color, options.convert),
        *(options.depth, options.window),
    )


def losses_line(lost):
    """What was lost, for the note at the end of a run; "" without a loss."""
    counts = ", ".join(
        f"{word} of {count} image{'' if count == 1 else 's'}"
        for word, count in lost.items()
    )
    return f"Lost for good before encryption: {counts}" if counts else ""
