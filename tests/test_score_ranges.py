"""Scores of keys and pictures: 1 for the very key alone, shares else, or nothing."""

import math

import numpy as np
import pytest

from tfpe import CIPHERS, Key
from tfpe.attacks import as_json, score_images, score_key
from tfpe.metrics.structural_similarity import SSIM_WINDOW


@pytest.mark.parametrize("name", CIPHERS)
def test_shares_of_a_key(name):
    secret, other = (CIPHERS[name](Key(bytes([n] * 32)), (16, 16, 3)) for n in (1, 2))
    assert score_key(secret, secret) == (1, 1, 1)
    score = score_key(other, secret)
    index, perm, mask = score
    assert all(0 <= share <= 1 for share in score) and index <= min(perm, mask)
    assert (index < 1) == (other != secret)


@pytest.mark.parametrize("size", [SSIM_WINDOW - 1, SSIM_WINDOW])
def test_pictures_below_the_window_have_no_ssim(size, rng):
    plain = rng.integers(0, 256, (2, size, size, 3), np.uint8)
    score = score_images(plain ^ 1, plain)
    assert math.isnan(score.ssim) == (size < SSIM_WINDOW)
    assert (as_json(score)["ssim"] is None) == (size < SSIM_WINDOW)
    constant = score_images(np.zeros_like(plain), np.full_like(plain, 7))
    assert as_json(constant)["gray_correlation"] is None
