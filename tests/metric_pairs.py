"""Pairs of images that the tests of metrics share."""

import numpy as np
import pytest
from sklearn.datasets import load_sample_images

from tfpe import metrics

RANDOM = np.random.default_rng(0)
CHINA, FLOWER = load_sample_images().images
RAMP = np.tile(np.arange(48, dtype=np.uint8)[:, None, None] * 5, (1, 32, 3))
PAIRS = {
    "photographs": (CHINA[200:248, 100:164], FLOWER[200:248, 300:364]),
    "noise": tuple(RANDOM.integers(0, 256, (2, 32, 32, 3), np.uint8)),
    "shading": (RAMP, (RAMP // 2 + RANDOM.integers(0, 9, RAMP.shape, np.uint8))),
    "gray": (CHINA[:32, :40, :1], 255 - FLOWER[:32, :40, :1]),
}
pairs = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)

COMPARE = [
    metrics.npcr,
    metrics.uaci,
    metrics.psnr,
    metrics.ssim,
    metrics.gray_correlation,
    metrics.edge_correlation,
]


def values_of(image):
    return [int(value) for value in image.ravel()]
