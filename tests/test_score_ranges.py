"""Scores of keys and pictures: 1 for the very key alone, shares else, or nothing."""

import math

import numpy as np
import pytest

from tfpe import CIPHERS, Key, Keyed, Transform
from tfpe.attacks import as_json, score_images, score_key
from tfpe.errors import AttackError
from tfpe.metrics.structural_similarity import SSIM_WINDOW


@pytest.mark.parametrize("name", CIPHERS)
def test_shares_of_a_key(name):
    secret, other = (CIPHERS[name](Key(bytes([n] * 32)), (16, 16, 3)) for n in (1, 2))
    assert score_key(secret, secret) == (1, 1, 1)
    score = score_key(other, secret)
    index, perm, mask = score
    assert all(0 <= share <= 1 for share in score) and index <= min(perm, mask)
    assert (index < 1) == (other != secret)


class Sums(Keyed):
    """A kind of one's own: a secret byte is added to each."""

    _fixed = ("offsets", "input_shape", "output_shape")

    def __init__(self, offsets):
        self.input_shape = self.output_shape = (1, 1, len(offsets))
        self._freeze(offsets=np.uint8(offsets))

    def _same(self, other):
        return isinstance(other, Sums) and np.array_equal(self.offsets, other.offsets)


def test_keys_of_a_kind_of_ones_own_are_scored_by_their_arrays():
    secret = Sums([1, 2, 3])
    assert score_key(Sums([1, 2, 3]), secret) == (1, 1, 1)
    assert score_key(Sums([1, 2, 9]), secret).index_accuracy == 0.5
    assert score_key(Sums([7, 8, 9]), secret).index_accuracy == 0
    with pytest.raises(AttackError, match="one kind"):
        score_key(Transform.identity((1, 1, 3)), secret)


@pytest.mark.parametrize("size", [SSIM_WINDOW - 1, SSIM_WINDOW])
def test_pictures_below_the_window_have_no_ssim(size, rng):
    plain = rng.integers(0, 256, (2, size, size, 3), np.uint8)
    score = score_images(plain ^ 1, plain)
    assert math.isnan(score.ssim) == (size < SSIM_WINDOW)
    assert (as_json(score)["ssim"] is None) == (size < SSIM_WINDOW)
    constant = score_images(np.zeros_like(plain), np.full_like(plain, 7))
    assert as_json(constant)["gray_correlation"] is None
