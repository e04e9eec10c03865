"""How much larger ciphertexts are than what they were made from, said once a run."""

import os
import pathlib

TOLD_FROM = 2  # times the size of the source, and
TOLD_BYTES = 2**20  # at least so much on the disk


def growth_line(source, output):
    """A line where files became much larger, with what to do; else None.

    Args:
        source: a folder, or one file.
        output: the folder that was made of it.
    """
    before, after = size_on_disk(source), size_on_disk(output)
    if after < max(TOLD_FROM * before, TOLD_BYTES):
        return None
    return (
        f"{megabytes(before)} became {megabytes(after)}: a ciphertext is like noise, "
        "which no format makes small without a loss. With --size HxW, such as the "
        "network takes, it is smaller"
    )


def size_on_disk(path):
    """Bytes of a file, or of all files in a folder, hidden ones left out."""
    path = pathlib.Path(path)
    if path.is_file():
        return path.stat().st_size
    total = 0
    for folder, names, files in os.walk(path):
        names[:] = [name for name in names if not name.startswith(".")]
        for file in files:
            file = os.path.join(folder, file)
            if not os.path.basename(file).startswith(".") and os.path.isfile(file):
                total += os.stat(file).st_size
    return total


def megabytes(size):
    """Bytes in words.

    Example:

    >>> megabytes(1_130_000), megabytes(35_400_000), megabytes(900)
    ('1.1 MB', '35 MB', '0.0 MB')
    """
    return f"{size / 1e6:.{0 if size >= 1e7 else 1}f} MB"
