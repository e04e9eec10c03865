"""JPEG on ciphertext: bits a pixel, and what is left after decoding and decryption.

    tfpe bench --jpeg --record results/bench-jpeg.json --figure results/figures/jpeg.png

Ciphertexts are coded as JPEG at each quality, decoded, decrypted, and compared with the
photographs; plain JPEG at the same settings is the anchor. The Bjontegaard rate says
how many more bits a ciphertext takes for the same quality of picture, the mean over
their common range.
"""

import dataclasses

import numpy as np

from tfpe.ciphers import find_cipher
from tfpe.errors import TfpeError
from tfpe.keys import Key
from tfpe.lab.records import check_replaceable, environment, write_record
from tfpe.lab.records.jpeg_records import JpegDelta, JpegPoint
from tfpe.metrics.image_pairs import psnr
from tfpe.metrics.jpeg import jpeg_round_trip
from tfpe.metrics.structural_similarity import ms_ssim

# Each with the blocks that are meant for JPEG; the others as they are.
FORMS = (
    ("etc", {"block_size": 16}),
    ("etc", {"block_size": 8}),
    ("etc_gray", {"block_size": 16, "fold": False}),
    ("iib", {"block_size": 16, "sub_block_size": 8}),
    ("iib", {"block_size": 16, "sub_block_size": 4}),
    ("iib", {"block_size": 16, "sub_block_size": 2}),
    ("le", {}),
    ("ele", {}),
    ("pbe", {}),
    ("logistic", {}),
)
PLAIN = ("plain", {})
QUALITIES = (50, 60, 70, 75, 80, 85, 90, 95, 100)
SAMPLINGS = ("4:4:4", "4:2:0")
OF_SCIKIT_LEARN = ("china", "flower")
PHOTOGRAPHS = (*OF_SCIKIT_LEARN, "astronaut", "coffee", "chelsea")
SIDES = (288, 448)  # the centre of each, in whole blocks of 16
LEAST_OVERLAP = 0.25  # of the range of picture quality that a rate is compared on


def run_jpeg_bench(
    path=None,
    *,
    ciphers=None,
    qualities=QUALITIES,
    samplings=SAMPLINGS,
    photographs=PHOTOGRAPHS,
    sides=SIDES,
    overwrite=False,
    progress=None,
):
    """Measures rate and distortion of JPEG on the ciphertexts of photographs.

    Args:
        path: of the record to write; None writes none.
        ciphers: names of the ciphers of `FORMS`; None for all.
        qualities: of libjpeg's scale, four or more, rising.
        samplings: of the colour differences: "4:4:4" and "4:2:0".
        photographs: names among `PHOTOGRAPHS`.
        sides: (height, width) of their centres, whole blocks of 16, 176 or more.
        overwrite: replace a record of other settings.
        progress: called with (done, total, words) after each form and sampling.

    Returns:
        The record, a dict: `points`, means over the photographs, and `deltas`, the
        Bjontegaard rates against plain JPEG of the same sampling, as fractions.

    Raises:
        TfpeError: a cipher without a form here.
        RecordError: `path` holds something else.
    """
    forms = [form for form in FORMS if ciphers is None or form[0] in ciphers]
    unknown = set(ciphers or ()) - {name for name, _ in FORMS}
    if unknown:
        raise TfpeError(
            f"`cipher` should be among {sorted({name for name, _ in FORMS})}. "
            f"Received: {sorted(unknown)}"
        )
    settings = {
        "photographs": list(photographs),
        "image_shape": [*sides, 3],
        "forms": [[name, options] for name, options in forms],
        "qualities": list(qualities),
        "samplings": list(samplings),
    }
    if path is not None:
        check_replaceable(path, "jpeg", settings, overwrite)
    images, points, deltas = _photographs(photographs, sides), [], []
    key = Key(bytes(range(32)))  # public: what is measured depends on no key
    done, total = 0, len(samplings) * (1 + len(forms))
    for sampling in samplings:
        anchor = None
        for form in (PLAIN, *forms):
            curves = _curves(images, key, form, qualities, sampling)
            anchor = curves if anchor is None else anchor
            points += _points(curves, form, qualities, sampling)
            if form is not PLAIN:
                deltas.append(_delta(anchor, curves, form, sampling))
            done += 1
            if progress:
                progress(done, total, f"{form[0]} {sampling}")
    record = {
        "kind": "jpeg",
        "settings": settings,
        "results": {
            "points": [dataclasses.asdict(point) for point in points],
            "deltas": [dataclasses.asdict(delta) for delta in deltas],
        },
        "environment": environment(),
    }
    return record if path is None else write_record(path, record, overwrite)


def _photographs(names, sides):
    """Photographs of scikit-learn and scikit-image, cut to their centres."""
    from skimage import data
    from sklearn.datasets import load_sample_image

    def centre(name):
        known = name in OF_SCIKIT_LEARN
        photo = load_sample_image(f"{name}.jpg") if known else getattr(data, name)()
        top, left = ((photo.shape[k] - sides[k]) // 2 for k in (0, 1))
        return photo[top : top + sides[0], left : left + sides[1]]

    return np.stack([centre(name) for name in names])


def _curves(images, key, form, qualities, sampling):
    """Bits a pixel, PSNR and MS-SSIM: `(3, qualities, images)`."""
    name, options = form
    encrypt = None
    ciphertexts = images
    if form is not PLAIN:
        encrypt = find_cipher(name)(key, images.shape[1:], **options)
        ciphertexts = encrypt(images)
    curves = []
    for quality in qualities:
        trips = [jpeg_round_trip(one, quality, sampling) for one in ciphertexts]
        decoded = np.stack([image for image, _ in trips])
        shown = decoded if encrypt is None else encrypt.inverse(decoded)
        bits = [8 * size / (images.shape[1] * images.shape[2]) for _, size in trips]
        curves.append([bits, psnr(images, shown), ms_ssim(images, shown)])
    return np.array(curves).swapaxes(0, 1)


def _points(curves, form, qualities, sampling):
    means = curves.mean(axis=2).T
    return [
        JpegPoint(form[0], dict(form[1]), sampling, quality, *map(float, mean))
        for quality, mean in zip(qualities, means, strict=True)
    ]


def _delta(anchor, curves, form, sampling):
    rates = []
    for measure in (1, 2):
        found = [
            _bd_rate(*(c[k, :, i] for c in (anchor, curves) for k in (0, measure)))
            for i in range(curves.shape[2])
        ]
        rates.append(None if None in found else float(np.mean(found)))
    return JpegDelta(form[0], dict(form[1]), sampling, *rates)


def _bd_rate(plain_bits, plain_quality, bits, quality):
    """As a fraction; None where the curves share too little, or do not rise."""
    import bjontegaard

    low = max(plain_quality[0], quality[0])
    high = min(plain_quality[-1], quality[-1])
    if any((np.diff(curve) <= 0).any() for curve in (plain_quality, quality)):
        return None
    if high - low < LEAST_OVERLAP * (plain_quality[-1] - plain_quality[0]):
        return None
    rate = bjontegaard.bd_rate(
        *(plain_bits, plain_quality, bits, quality), method="pchip", min_overlap=0
    )
    return rate / 100
