"""`tfpe demo`, its second half: one photograph under every cipher, and attacked.

By two attackers: one has this ciphertext and nothing else, the other may have a few
images of his choice encrypted under the same key.
"""

import numpy as np
from PIL import Image

from tfpe.attacks import ATTACKS, Evidence, run, score_images
from tfpe.attacks.attack import KEY, PICTURES
from tfpe.ciphers import CIPHERS
from tfpe.errors import TfpeError
from tfpe.lab.figures import picture_table

SIDE = 112
# Blocks larger than by default: the size usual for photographs.
LARGE_BLOCKS = {"block_size": 16}
PUBLISHED = {
    "le": {},
    "ele": {},
    "pbe": {},
    "logistic": {},
    "etc": LARGE_BLOCKS,
    "etc_gray": LARGE_BLOCKS,
    "ffx": {},
}
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
    for name, options in PUBLISHED.items():
        secret = CIPHERS[name](key, plain.shape, **options)
        evidence = Evidence(
            ciphertexts=secret(plain)[None],
            oracle=secret,
            first_pixel=plain[0, 0],
            shape=plain.shape,
            cipher=name,
            options=options,
        )
        chosen = run(_attacks(evidence, "oracle", KEY)[0], evidence)
        opened = chosen.key.inverse(evidence.ciphertexts)[0]
        if score_images(opened, plain).exact_pixels < 1:
            raise TfpeError(f"{name}: the attack did not give the photograph back")
        size = options.get("block_size")
        columns[name] = [
            (evidence.ciphertexts[0], f"blocks of {size} x {size}" if size else ""),
            _with_this_alone(evidence, plain),
            (opened, f"exact, {chosen.count} image" + "s" * (chosen.count > 1)),
        ]
        rows.append({"cipher": name, "options": options, "chosen_images": chosen.count})
    picture_table(columns, ROWS, path)
    return rows


def _attacks(evidence, field, returns):
    """The attacks of one image on a cipher for which the evidence has all they take."""
    return [
        row
        for row in ATTACKS.values()
        if row.takes[0] == field
        and all(getattr(evidence, taken) is not None for taken in row.takes)
        and row.returns == returns
        and not row.ladder
        and row.applies(evidence.cipher, **evidence.options)
    ]


def _with_this_alone(evidence, plain):
    """What one ciphertext shows, under any key: a picture or None, and how."""
    attacks = _attacks(evidence, "ciphertexts", PICTURES)
    if not attacks:
        return None, "no attack here"
    attack, cipher = attacks[-1], evidence.cipher
    shown = run(attack, evidence).pictures
    # Upright as a person would turn it, where the attack leaves open how it lies.
    shown = attack.aligned(shown, plain[None], cipher)[0]
    how = "first pixel known" if "first_pixel" in attack.takes else attack.name
    view = attack.view and attack.view(cipher, plain.shape)
    if view and view.output_shape != plain.shape:
        # The three planes of the picture are one puzzle; shown side by side, smaller.
        planes = Image.fromarray(view(shown)[..., 0])
        planes = planes.resize((SIDE, SIDE // 3), Image.Resampling.BOX)
        shown = np.asarray(planes)[..., None]
    return shown, how.replace("_", " ")


def _middle_square(photograph):
    image = Image.fromarray(photograph)
    side = min(image.size)
    left, top = ((size - side) // 2 for size in image.size)
    box = (left, top, left + side, top + side)
    square = image.resize((SIDE, SIDE), Image.Resampling.LANCZOS, box)
    return np.asarray(square)
