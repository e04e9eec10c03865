"""`image_metrics`: every figure beside that of noise, as records hold them."""

import json

import numpy as np
import pytest
from metric_pairs import CHINA, COMPARE, FLOWER, RANDOM

import tfpe
from tfpe import Key, metrics


def test_image_metrics_gives_each_figure_as_json():
    plain = np.stack([CHINA[:220, :264], FLOWER[:220, :264]])
    cipher = tfpe.ciphers.logistic(Key(bytes(32)), plain.shape[1:])(plain)
    figures = metrics.image_metrics(plain, cipher)
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    for measure in COMPARE:
        values = measure(plain, cipher)
        if measure is metrics.gray_correlation:
            values = np.abs(values)
        row = figures[measure.__name__]
        assert row["value"] == pytest.approx(values.mean())
    for name in ("shannon_entropy", "local_entropy", "histogram_chi_square"):
        row = figures[name.removeprefix("shannon_")]
        assert row["plain"] == pytest.approx(getattr(metrics, name)(plain).mean())
        assert row["cipher"] == pytest.approx(getattr(metrics, name)(cipher).mean())
    row = figures["vertical_correlation"]
    expected = metrics.adjacent_correlation(cipher, "vertical").mean()
    assert row["cipher"] == pytest.approx(expected)


def test_noise_has_the_ideal_figures():
    plain, cipher = (
        np.stack([CHINA[:220, :264]] * 4),
        RANDOM.integers(0, 256, (4, 220, 264, 3), np.uint8),
    )
    figures = metrics.image_metrics(plain, cipher)
    for name, tolerance in {
        "npcr": 1e-3,
        "uaci": 3e-3,
        "psnr": 0.02,
        "ssim": 0.02,
        "gray_correlation": 0.01,
        "edge_correlation": 0.01,
    }.items():
        row = figures[name]
        assert row["value"] == pytest.approx(row["ideal"], abs=tolerance)
    for name, tolerance in {
        "entropy": 5e-4,
        "local_entropy": 6e-3,
        "histogram_chi_square": 50,
        "diagonal_correlation": 0.01,
    }.items():
        row = figures[name]
        assert row["cipher"] == pytest.approx(row["ideal"], abs=tolerance)


def test_gray_correlation_does_not_cancel():
    plain = np.stack([CHINA[:64, :64], FLOWER[:64, :64]])
    cipher = np.stack([plain[0], 255 - plain[1]])
    figures = metrics.image_metrics(plain, cipher)["gray_correlation"]
    assert figures["value"] == pytest.approx(1)
    noise = RANDOM.integers(0, 256, (400, 16, 16, 3), np.uint8)
    figures = metrics.image_metrics(noise[:200], noise[200:])["gray_correlation"]
    assert figures["value"] == pytest.approx(figures["ideal"], rel=0.15)


def test_what_images_do_not_have_is_none():
    black = np.zeros((8, 8, 3), np.uint8)
    figures = metrics.image_metrics(black, black)
    json.dumps(figures, allow_nan=False)
    assert figures["psnr"]["value"] is None
    assert figures["ssim"]["value"] is None
    assert figures["local_entropy"]["plain"] is None
    assert figures["gray_correlation"]["value"] is None
