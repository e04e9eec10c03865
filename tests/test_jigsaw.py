"""The jigsaw solver: geometry, pictures that it solves, and its scores."""

import numpy as np
import pytest

from tfpe import ciphers
from tfpe.attacks.jigsaw import JigsawScore, jigsaw, jigsaw_score
from tfpe.attacks.puzzle.edges import TURNS, left_turn, turned
from tfpe.ciphers import etc_transform
from tfpe.ciphers.scrambled import side_by_side
from tfpe.errors import AttackError, ImageError


@pytest.mark.parametrize("turn", range(8))
def test_orientations_are_those_of_etc(turn, rng):
    block = rng.integers(0, 256, (5, 5, 1), np.uint8)
    as_etc = etc_transform([0], [turn], [0], None, (5, 5, 1), 5)(block)
    np.testing.assert_array_equal(turned(block, turn), as_etc)
    offsets = np.indices((5, 5)).reshape(2, -1) - 2
    row, column = TURNS[turn] @ offsets + 2
    np.testing.assert_array_equal(as_etc[row, column, 0], block[..., 0].ravel())
    mirrored = turned(block, left_turn(turn))
    np.testing.assert_array_equal(mirrored[:, 0], turned(block, turn)[:, -1])


@pytest.mark.parametrize(
    ("size", "block_size", "least"), [(128, 16, 0.9), (256, 32, 0.9)]
)
def test_photograph_is_put_together(photographs, key, size, block_size, least):
    picture = np.ascontiguousarray(photographs[1][-size:, :size])
    secret = ciphers.etc(key, picture.shape, block_size=block_size)
    recovered = jigsaw(secret(picture), block_size)
    score = jigsaw_score(recovered, secret, block_size)
    assert score.neighbour > least and score.largest_component > least
    # The recovered transform is one: it explains the ciphertext exactly.
    shown = recovered.inverse(secret(picture))
    np.testing.assert_array_equal(recovered(shown), secret(picture))


def test_gray_planes_are_put_together(photographs, key):
    picture = np.ascontiguousarray(photographs[1][100:228, 250:378, 1:2])
    secret = ciphers.etc_gray(key, picture.shape, block_size=32)
    score = jigsaw_score(jigsaw(secret(picture), 32), secret, 32)
    assert score.neighbour > 0.6
    assert side_by_side((8, 8, 3)).output_shape == (8, 24, 1)


def test_noise_stays_noise(rng, key):
    picture = rng.integers(0, 256, (64, 64, 3), np.uint8)
    secret = ciphers.etc(key, picture.shape, block_size=8)
    score = jigsaw_score(jigsaw(secret(picture), 8), secret, 8)
    assert score.neighbour < 0.1 and score.direct < 0.2


@pytest.mark.parametrize("turn", range(8))
def test_scores_do_not_mind_how_the_whole_lies(turn, key):
    secret = ciphers.etc(key, (16, 16, 3))
    whole = etc_transform([0], [turn], [1], [4], (16, 16, 3), 16)
    assert jigsaw_score(secret @ whole, secret, 4) == JigsawScore(1, 1, 1)


def test_scores_count_blocks():
    order = np.arange(16)
    order[[0, 1]] = 1, 0
    secret = etc_transform(np.arange(16), [0] * 16, [0] * 16, None, (16, 16, 3), 4)
    swapped = etc_transform(order, [0] * 16, [0] * 16, None, (16, 16, 3), 4)
    score = jigsaw_score(swapped, secret, 4)
    # Of 24 pairs, the 4 that touch either block are wrong.
    assert score.direct == 14 / 16 and score.neighbour == pytest.approx(20 / 24)
    assert score.largest_component == 14 / 16
    turned_one = etc_transform(
        np.arange(16), [2] + [0] * 15, [0] * 16, None, (16, 16, 3), 4
    )
    assert jigsaw_score(turned_one, secret, 4).direct == 15 / 16


def test_bad_evidence_raises(rng):
    with pytest.raises(AttackError, match="at least 4 blocks"):
        jigsaw(np.zeros((32, 32, 3), np.uint8), 16)
    with pytest.raises(AttackError, match="at least 4 blocks"):
        jigsaw(rng.integers(0, 256, (16, 48, 3), np.uint8), 16)
    for bad in ((2, 32, 32, 3), (30, 32, 3)):
        with pytest.raises(ImageError):
            jigsaw(np.zeros(bad, np.uint8), 16)
