"""An attack that shows a part: nearer to the pictures in two of three scores."""

import dataclasses
from types import SimpleNamespace

import numpy as np
from scipy.ndimage import gaussian_filter

from tfpe import CIPHERS, Key
from tfpe.attacks import ATTACKS, as_json, score_images
from tfpe.lab.evaluation.ladders import Case, try_attack

SCORES = ("ssim", "gray_correlation", "edge_correlation")
GAIN = 0.05


def shown_pictures(plain, cipher):
    """Ciphertexts through which more and more shows: all, gray areas alone, detail."""
    blurred = gaussian_filter(plain.astype(float), (0, 4, 4, 0))
    detail = plain - gaussian_filter(plain.astype(float), (0, 1, 1, 0))
    for share in (0, 0.1, 0.2, 0.3, 0.5):
        yield share * plain + (1 - share) * cipher
        yield share * blurred + (1 - share) * cipher
        yield share * detail + cipher


def showing(pictures):
    """A row of the table, whose attack shows these pictures."""

    def mode_filter(ciphertexts):
        """Shows what it was made for."""
        return np.clip(np.rint(pictures), 0, 255).astype(np.uint8)

    return dataclasses.replace(ATTACKS["mode_filter"], function=mode_filter)


def test_two_of_three_scores_have_to_gain(photographs):
    plain = np.stack([p[y : y + 32, 240:272] for p in photographs for y in (100, 200)])
    secret = CIPHERS["logistic"](Key(bytes(range(32))), plain.shape[1:])
    pictures = SimpleNamespace(scored=plain, evidence=plain, shape=plain.shape[1:])
    case = Case("logistic", {}, secret, bytes(32), pictures)
    before = as_json(score_images(secret(plain), plain))
    outcomes = {}
    for shown in shown_pictures(plain, secret(plain)):
        row, recovered = try_attack(showing(shown), case)
        after = as_json(score_images(recovered, plain))
        assert [row[name] for name in SCORES] == [after[name] for name in SCORES]
        gains = sum(after[name] - before[name] >= GAIN for name in SCORES)
        outcomes.setdefault(gains, set()).add(row["outcome"])
        assert bool(row["message"]) == (gains < 2)
    assert outcomes == {0: {"failed"}, 1: {"failed"}, 2: {"partial"}, 3: {"partial"}}
