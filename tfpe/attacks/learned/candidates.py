"""Which of known pictures is behind a ciphertext, whatever its key: no network needed.

Who has candidates need not open a ciphertext: what is the same under every key tells
them apart.
"""

import numpy as np

from tfpe.algebra.structure import words_of_regions
from tfpe.checks import batch_of

SAMPLED = 256  # pixels that are compared where only some values are left
SURE = 0.1  # of the pixels: how many more must agree than with any other picture


def key_free(form, images):
    """What of each image no key of the cipher changes, as a number for each.

    Args:
        form: a `tfpe.attacks.learned.forms.Form`.
        images: `uint8 (B, H, W, C)`, plain or encrypted.

    Returns:
        `(B,)` bytes: equal for an image and its ciphertext under any key, and for
        hardly any two other images. None where the cipher keeps nothing for sure.

    Example:

    >>> from tfpe.attacks.learned.forms import form_of
    >>> from tfpe.attacks.learned.fresh_keys import encrypted
    >>> form = form_of("etc", (8, 8, 3))
    >>> images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    >>> keys = form.keys(np.random.default_rng(1), 2)
    >>> key_free(form, images) == key_free(form, encrypted(keys, images))
    True
    """
    images, _ = batch_of(images, "images")
    if form.any_size:  # values stay in their pixels
        if not form.negates:
            return None
        folded = np.minimum(images, 255 - images)
        if form.orders_channels:
            folded = np.sort(folded, axis=-1)
        return [one.tobytes() for one in folded]
    words = words_of_regions(images, form.block_size, form.bits)
    words = np.sort(np.minimum(words, 2**form.bits - 1 - words), axis=-1)
    blocks = [[block.tobytes() for block in image] for image in words]
    return [b"".join(sorted(one) if form.moved else one) for one in blocks]


def recognised(form, ciphertexts, gallery, places):
    """Whether each ciphertext is told to be of its picture, among known ones.

    Args:
        form: a `Form`.
        ciphertexts: `uint8 (B, H, W, C)`, under any keys.
        gallery: plain pictures, `uint8 (N, H, W, C)`.
        places: of the picture behind each ciphertext, `(B,)`.

    Returns:
        `bool (B,)`; False where another picture fits as well.
    """
    shown, known = key_free(form, ciphertexts), key_free(form, gallery)
    if shown is None:
        return _agreeing(form, ciphertexts, gallery, places)
    counts = {}
    for one in known:
        counts[one] = counts.get(one, 0) + 1
    pairs = zip(shown, places, strict=True)
    return np.array([known[k] == one and counts[one] == 1 for one, k in pairs])


def _agreeing(form, ciphertexts, gallery, places):
    """By how many pixels keep a value, where some do: more than those of any other."""
    pixels = ciphertexts[0, ..., 0].size
    chosen = np.random.default_rng(0).permutation(pixels)[:SAMPLED]
    channels = gallery.shape[-1]
    known = gallery.reshape(len(gallery), pixels, channels)[:, chosen]
    found = []
    for image, place in zip(ciphertexts, places, strict=True):
        values = image.reshape(pixels, channels)[chosen]
        if form.orders_channels:
            same = (known[..., None] == values[:, None, :]).any(-1).mean((1, 2))
        else:
            same = (known == values).mean((1, 2))
        own, same[place] = same[place], -1
        found.append(own > same.max(initial=0) + SURE)
    return np.array(found)
