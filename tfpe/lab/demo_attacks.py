"""`tfpe demo`, its second half: one photograph under every cipher, and attacked.

By two attackers: one has this ciphertext and nothing else, the other may have a few
images of his choice encrypted under the same key.
"""

import numpy as np
from PIL import Image

from tfpe.attacks import (
    ATTACKS,
    CountingOracle,
    chang_case_advanced,
    chosen_plaintext,
    jigsaw,
    mode_filter,
    puzzle_of,
    score_images,
)
from tfpe.ciphers import CIPHERS
from tfpe.errors import TfpeError
from tfpe.lab.figures import picture_table

SIDE = 112
NIBBLE_CIPHERS = ("le", "ele")
# Of etc and etc_gray; larger than by default: the size usual for photographs.
BLOCK_SIZE = 16
ROWS = (
    "encrypted",
    "attacked with\nthis ciphertext\nalone",
    "attacked with\nchosen images",
)


def attack_photograph(photograph, key, path):
    """Draws a photograph plain, under each published cipher, and after both attacks.

    Args:
        photograph: `uint8 (H, W, 3)`; its middle square is made 112 x 112.
        key: a `tfpe.Key`.
        path: of the PNG file to write.

    Returns:
        A list of dicts, one for each cipher: its name, its options, and how many chosen
        images gave the key.

    Raises:
        TfpeError: the chosen images did not give the photograph back.

    Example:

    >>> import pathlib, tempfile
    >>> from sklearn.datasets import load_sample_images
    >>> from tfpe import Key
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "attacks.png"
    >>> flower = load_sample_images().images[1]
    >>> attack_photograph(flower, Key.generate(), path)[0]
    {'cipher': 'le', 'options': {}, 'chosen_images': 6}
    """
    plain = _middle_square(photograph)
    columns = {"plain": [(plain, ""), (None, ""), (None, "")]}
    rows = []
    for name in ("le", "ele", "pbe", "logistic", "etc", "etc_gray"):
        options = {"block_size": BLOCK_SIZE} if name.startswith("etc") else {}
        secret = CIPHERS[name](key, plain.shape, **options)
        ciphertext, oracle = secret(plain), CountingOracle(secret)
        bits = 4 if name in NIBBLE_CIPHERS else 8
        recovered = chosen_plaintext(oracle, plain.shape, bits, verify=False)
        opened = recovered.inverse(ciphertext)
        if score_images(opened, plain).exact_pixels < 1:
            raise TfpeError(f"{name}: the attack did not give the photograph back")
        columns[name] = [
            (ciphertext, f"blocks of {BLOCK_SIZE} x {BLOCK_SIZE}" if options else ""),
            _with_this_alone(name, ciphertext, plain),
            (opened, f"exact, {oracle.queries} images"),
        ]
        rows.append(
            {"cipher": name, "options": options, "chosen_images": oracle.queries}
        )
    picture_table(columns, ROWS, path)
    return rows


def _with_this_alone(name, ciphertext, plain):
    """What one ciphertext shows, under any key: a picture or None, and how."""
    if name == "pbe":
        shown = chang_case_advanced(ciphertext, plain[0, 0])
        return shown, "first pixel known"
    if name == "logistic":
        return mode_filter(ciphertext), "mode filter"
    if name.startswith("etc"):
        planes = puzzle_of(name, plain.shape)
        puzzle = planes(ciphertext)
        solved = planes.inverse(jigsaw(puzzle, BLOCK_SIZE).inverse(puzzle))
        # Upright as a person would turn it: the attack leaves open how it lies.
        shown = ATTACKS["jigsaw"].aligned(solved[None], plain[None], name)[0]
        if name == "etc":
            return shown, "jigsaw solver"
        # The three planes of the picture are one puzzle; shown side by side, smaller.
        small = Image.fromarray(planes(shown)[..., 0]).resize(
            (SIDE, SIDE // 3), Image.Resampling.BOX
        )
        return np.asarray(small)[..., None], "jigsaw solver"
    return None, "no attack here"


def _middle_square(photograph):
    image = Image.fromarray(photograph)
    side = min(image.size)
    left, top = ((size - side) // 2 for size in image.size)
    box = (left, top, left + side, top + side)
    square = image.resize((SIDE, SIDE), Image.Resampling.LANCZOS, box)
    return np.asarray(square)
