"""What a cipher is worth: every metric and every attack on it, in one record.

>>> from tfpe.lab.evaluation.pictures import load_pictures
>>> record = evaluate("negpos", load_pictures("photographs", size=(32, 32)))
>>> attacks = {row["attack"]: row for row in record["results"]["attacks"]}
>>> attacks["known_plaintext"]["evidence"]["count"]
1
>>> attacks["known_plaintext"]["outcome"]
'recovered'
"""

import base64
import hashlib
import io

import numpy as np
from PIL import Image

from tfpe.ciphers import find_cipher
from tfpe.keys import Key
from tfpe.lab.evaluation.cipher_metrics import cipher_metrics
from tfpe.lab.evaluation.ladders import Case, applicable, try_attack, variants

GALLERY_COLOURS = 128


def seed_bytes(seed):
    """The 32 bytes of the key of an evaluation: a number and no secret."""
    return hashlib.sha256(f"tfpe evaluate {seed}".encode()).digest()


def evaluate(
    cipher, pictures, *, seed=0, progress=None, shown=None, learned=None, **options
):
    """Measures a cipher under one key: all metrics, and all attacks that apply to it.

    Args:
        cipher: a name in `tfpe.CIPHERS`.
        pictures: a `tfpe.lab.evaluation.pictures.Pictures`.
        seed: the key is drawn from it, a new one for each number.
        progress: called with (done, total, what), after each attack.
        shown: a dict to be filled with the plain and encrypted pictures that are scored
            and what each successful attack makes of them, `uint8 (B, H, W, C)`.
        learned: a `tfpe.attacks.InverseNetwork` trained for this cipher and size;
            without it the attacks that learn are left out, and named.
        **options: of the cipher.

    Returns:
        The record, a dict of kind "evaluation". Its results:

        key_space   claimed_bits, effective_bits
        metrics     see `tfpe.lab.evaluation.cipher_metrics.cipher_metrics`
        attacks     a row each: attack, threat_model, evidence {kind, count, verifying},
                    options, outcome ("recovered": the very key or picture, "partial",
                    "failed"; message says why), index_accuracy, undetermined, and
                    exact_pixels, psnr, ssim, gray_correlation, edge_correlation of the
                    scored pictures (None where not defined), seconds without those of
                    the oracle, recovers
        variants    the same, of other forms of the cipher that an attack is for
        left_out    names of attacks that learn, without `learned`
        gallery     of photographs that come with packages only: name, alt, png (base64,
                    128 colours) of the first scored picture

    Raises:
        CipherOptionError: an unknown cipher, or an option that does not fit.
        ImageError: the pictures do not fit the cipher.
    """
    row, options, pictures = _fitted(cipher, pictures, options)
    case = _case(cipher, options, seed_bytes(seed), pictures, learned)
    near = bytearray(case.seed)
    near[0] ^= 1
    rows = applicable(cipher, pictures.shape)
    left_out = [a.name for a in rows if a.learned and learned is None]
    tried = [(attack, case) for attack in rows if attack.name not in left_out]
    others = [
        (attack, _variant(case, attack, changed)) for attack, changed in variants(case)
    ]
    others = [(attack, other) for attack, other in others if other is not None]
    total, done, rows = len(tried) + len(others) + 1, 1, []
    measured = cipher_metrics(case, bytes(near))
    _tell(progress, done, total, f"{cipher}: metrics")
    recovered = {"plain": case.scored, "encrypted": case.encrypted()}
    for attack, attacked in tried + others:
        found, images = try_attack(attack, attacked)
        rows.append(found)
        done += 1
        _tell(progress, done, total, f"{cipher}: {attack.name}")
        if found["outcome"] != "failed" and attacked is case:
            recovered[attack.name] = images
    if shown is not None:
        shown.update(recovered)
    claimed, effective = row.key_space(pictures.shape, **options)
    results = {
        "key_space": {"claimed_bits": claimed, "effective_bits": effective},
        "metrics": measured,
        "attacks": rows[: len(tried)],
        "variants": rows[len(tried) :],
        "left_out": left_out,
        "gallery": _gallery(cipher, recovered, rows) if pictures.shown else [],
    }
    settings = evaluation_settings(cipher, pictures, seed=seed, **options)
    return {"kind": "evaluation", "settings": settings, "results": results}


def evaluation_settings(cipher, pictures, *, seed=0, **options):
    """The settings of the record that `evaluate` makes of these arguments, a dict."""
    _, options, pictures = _fitted(cipher, pictures, options)
    return {
        "images": pictures.name,
        "image_shape": list(pictures.shape),
        "count": pictures.count,
        "scored": len(pictures.scored),
        "apart": pictures.apart,
        "note": pictures.note,
        "cipher": cipher,
        "cipher_options": options,
        "key_fingerprint": Key(seed_bytes(seed)).fingerprint,
        "seed": seed,
    }


def _fitted(cipher, pictures, options):
    """The row of the cipher, all its options, and the pictures in whole blocks."""
    row = find_cipher(cipher)
    options = row.check(pictures.shape[2], **options)
    row.require_bytes("An evaluation, whose metrics are of pictures,", **options)
    return row, options, pictures.cropped(row.block_size(**options))


def _case(cipher, options, seed, pictures, learned=None):
    secret = find_cipher(cipher)(Key(seed), pictures.shape, **options)
    return Case(cipher, options, secret, seed, pictures, learned)


def _variant(case, attack, options):
    """The case of another form of the cipher; None where the pictures are too small."""
    pictures = case.pictures
    size = find_cipher(case.cipher).block_size(**options)
    if attack.per_picture:
        # A picture of blocks this large is a large one.
        large = pictures.large[None]
        rows, columns = (n - n % size for n in large.shape[1:3])
        if rows * columns < 4 * size**2:
            return None
        large = large[:, :rows, :columns]
        pictures = type(pictures)(
            pictures.name, large, large, False, large[0], pictures.note
        )
    return _case(case.cipher, options, case.seed, pictures)


def _tell(progress, *values):
    if progress:
        progress(*values)


def _gallery(cipher, recovered, rows):
    """The first scored picture; exact recoveries, all alike, are one picture."""
    exact = [r["attack"] for r in rows if r["outcome"] == "recovered"]
    alts = {
        "plain": "The plain photograph",
        "encrypted": f"The photograph encrypted with {cipher}",
    }
    pictures, seen = [], False
    for name, images in recovered.items():
        if name in exact:
            if seen:
                continue
            seen = True
        alt = alts.get(name) or (f"The photograph as {name} recovers it from {cipher}")
        pictures.append({"name": name, "alt": alt, "png": _png(images[0])})
    return pictures


def _png(image):
    file = io.BytesIO()
    picture = Image.fromarray(np.squeeze(image)).convert("RGB")
    picture.quantize(GALLERY_COLOURS).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()
