"""Scores of reconstructions: MS-SSIM, and whether they find their picture."""

import numpy as np
import pytest
from image_folders import CHINA, FLOWER
from scipy.signal import fftconvolve

from tfpe import metrics
from tfpe.errors import ImageError


def pieces(size):
    rows, columns = CHINA.shape[0] // size, CHINA.shape[1] // size
    return np.stack(
        [
            photo[r * size : (r + 1) * size, c * size : (c + 1) * size]
            for photo in (CHINA, FLOWER)
            for r in range(rows)
            for c in range(columns)
        ]
    )


WEIGHTS = 0.0448, 0.2856, 0.3001, 0.2363, 0.1333


def by_the_paper(first, second, scales):
    """Wang, Simoncelli & Bovik 2003 in double precision, by windows as they stand."""
    x, y = np.mgrid[-5:6, -5:6]
    window = np.exp(-(x**2 + y**2) / (2 * 1.5**2))

    def mean(plane):
        return fftconvolve(plane, window / window.sum(), "valid")

    def halved(plane):
        return fftconvolve(plane, np.full((2, 2), 0.25), "valid")[::2, ::2]

    found = []
    for a, b in zip(
        *(np.moveaxis(i.astype(float), 2, 0) for i in (first, second)), strict=True
    ):
        parts = []
        for scale in range(scales):
            mean_a, mean_b = mean(a), mean(b)
            both = mean(a * b) - mean_a * mean_b
            each = mean(a**2) - mean_a**2 + mean(b**2) - mean_b**2
            part = (2 * both + 7.65**2) / (each + 7.65**2)
            if scale == scales - 1:
                part *= (2 * mean_a * mean_b + 2.55**2) / (
                    mean_a**2 + mean_b**2 + 2.55**2
                )
            parts.append(part.mean())
            a, b = halved(a), halved(b)
        weights = np.array(WEIGHTS[:scales])
        found.append(np.prod(parts ** (weights / weights.sum())))
    return np.mean(found)


@pytest.mark.parametrize("size, scales", [(192, 5), (32, 2), (45, 3), (16, 1)])
@pytest.mark.parametrize("deviation", [1, 30])
def test_ms_ssim_is_that_of_the_paper(rng, size, scales, deviation):
    plain = pieces(size)[:3]
    noise = rng.normal(0, deviation, plain.shape)
    shown = np.clip(plain + noise, 0, 255).astype(np.uint8)
    found = metrics.ms_ssim(plain, shown)
    wanted = [by_the_paper(a, b, scales) for a, b in zip(plain, shown, strict=True)]
    np.testing.assert_allclose(found, wanted, rtol=1e-9)
    assert (metrics.ms_ssim(plain, plain) == 1).all()
    assert metrics.ms_ssim(plain[0], shown[0]) == found[0]
    assert (found < 1).all()


@pytest.mark.parametrize("photo, value", [(CHINA, 0.9979794), (FLOWER, 0.9964228)])
def test_ms_ssim_is_that_of_another_package(photo, value):
    """pytorch-msssim 1.0.0 in double precision.

    In single precision it is as far off as TensorFlow's, 1e-4 at 0.9996: variances of
    bright, smooth places are differences of nearly equal numbers.
    """
    photo = photo[:416]
    coarse = photo // 4 * 4 + 2
    assert metrics.ms_ssim(photo, coarse) == pytest.approx(value, abs=1e-6)


def test_ms_ssim_of_one_scale_is_ssim():
    plain, shown = pieces(16)[:2]
    assert metrics.ms_ssim(plain, plain // 2) == pytest.approx(
        metrics.ssim(plain, plain // 2), abs=0.2
    )
    with pytest.raises(ImageError, match="11 x 11"):
        metrics.ms_ssim(plain[:8], shown[:8])


def test_identification_finds_what_a_loop_finds(rng):
    gallery = rng.permutation(pieces(16))[:300]
    shown = np.clip(gallery + rng.normal(0, 120, gallery.shape), 0, 255)
    shown = shown.astype(np.uint8)
    places = rng.permutation(300)[:40]
    found = metrics.identified(shown[places], gallery, places)
    for one, place, said in zip(shown[places], places, found, strict=True):
        near = [np.corrcoef(one.ravel(), other.ravel())[0, 1] for other in gallery]
        assert (int(np.nanargmax(near)) == place) == said
    assert 0 < found.mean() < 1
    rate = metrics.identification_rate(shown[places], gallery, places)
    assert rate == found.mean()


def test_contrast_brightness_and_constants_identify_nothing_else(rng):
    gallery = pieces(16)[:200]
    gallery = gallery[gallery.std(axis=(1, 2, 3)) > 10]
    assert metrics.identification_rate(gallery // 2 + 60, gallery) == 1
    constant = np.full_like(gallery, 90)
    assert metrics.identification_rate(constant, gallery) == 0
    twice = np.concatenate([gallery, gallery])  # as near to one as to the other
    assert metrics.identification_rate(gallery, twice) == 0


@pytest.mark.parametrize(
    "places, shape", [([0, 9], (2, 8, 8, 3)), ([0], (2, 8, 8, 3)), (None, (2, 9, 8, 3))]
)
def test_galleries_that_do_not_fit_are_refused(places, shape):
    gallery = np.zeros((9, 8, 8, 3), np.uint8)
    with pytest.raises(ImageError, match="`gallery` should"):
        metrics.identified(np.zeros(shape, np.uint8), gallery, places)
